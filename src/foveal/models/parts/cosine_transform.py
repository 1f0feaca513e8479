"""The discrete cosine transform of maps."""

import math

import torch
from jaxtyping import Float
from torch import Tensor


def dct(maps: Float[Tensor, "*batch height width"], inverse: bool = False) -> Float[Tensor, "*batch height width"]:
    """Two-dimensional orthonormal discrete cosine transform (type II), or its inverse, by two matrix products.

    >>> maps = torch.rand(5, 8)
    >>> torch.allclose(dct(dct(maps), inverse=True), maps, atol=1e-5)
    True
    """
    rows, columns = (_cosines(length).to(maps) for length in maps.shape[-2:])
    return rows.mT @ maps @ columns if inverse else rows @ maps @ columns.mT


def _cosines(length: int) -> Float[Tensor, "frequency position"]:
    """One cosine a row, of norm one."""
    frequency, position = torch.arange(length)[:, None], torch.arange(length) + 0.5
    cosines = torch.cos(math.pi / length * frequency * position) * math.sqrt(2 / length)
    cosines[0] /= math.sqrt(2)
    return cosines
