"""What convolutions and poolings make of patches of an image at many places, each step computed once.

Giusti, Cireşan, Masci, Gambardella & Schmidhuber, "Fast image scanning with deep max-pooling convolutional neural
networks", ICIP 2013. A patch that begins on an odd row is pooled in other pairs of rows than one that begins on an even
row. So a map is pooled once for each of the pairings that occur, and the steps above go on with each of these.
"""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F


def patch_values(
    maps: Float[Tensor, "image _ height width"],
    stages: Sequence[Callable[[Tensor], Tensor]],
    rows: Sequence[int],
    columns: Sequence[int],
    side: int,
) -> Float[Tensor, "image channel row column side side"]:
    """The last values of every patch, the same as if it was cut out first.

    Parameters
    ----------
    maps
        The image that the patches are parts of.
    stages
        Convolutions without padding, each with what follows it; the highest of every 2 x 2 values is taken after each.
    rows, columns
        The first px of the patches: there is one for every pair. Each patch lies in the image.
    side
        Rows and columns of values that are left of a patch.
    """
    if not stages:
        windows = maps.unfold(2, side, 1).unfold(3, side, 1)
        return windows[:, :, list(rows)][:, :, :, list(columns)]
    first, *others = stages
    maps = first(maps)
    in_rows = []
    for odd_row in _remainders(rows):
        in_columns = []
        for odd_column in _remainders(columns):
            pooled = F.max_pool2d(maps[:, :, odd_row:, odd_column:], 2)
            below = _halves(rows, odd_row), _halves(columns, odd_column)
            in_columns.append(patch_values(pooled, others, *below, side))
        in_rows.append(torch.cat(in_columns, dim=3)[:, :, :, _back(columns)])
    return torch.cat(in_rows, dim=2)[:, :, _back(rows)]


def _remainders(starts: Sequence[int]) -> list[int]:
    return sorted({start % 2 for start in starts})


def _halves(starts: Sequence[int], remainder: int) -> list[int]:
    return [start // 2 for start in starts if start % 2 == remainder]


def _back(starts: Sequence[int]) -> list[int]:
    """Where each is when the even ones come first."""
    even_first = sorted(range(len(starts)), key=lambda number: starts[number] % 2)
    return sorted(range(len(starts)), key=even_first.__getitem__)
