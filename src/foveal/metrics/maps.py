"""What metrics do to maps first: refuse what is no number, scale, standardise, sort."""

import warnings

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from foveal.errors import FovealError, FovealNote


def finite_range(
    maps: Float[Tensor, "image height width"], name: str
) -> tuple[Float[Tensor, " image"], Float[Tensor, " image"]]:
    """Lowest and highest value of each map; NaN and infinities are refused, since a score would hide them.

    Raises
    ------
    FovealError
        If a map holds a value that is not finite.
    """
    pixels = maps.flatten(1)
    low, high = pixels.amin(dim=1), pixels.amax(dim=1)  # both are NaN if a pixel is
    bad = ~(torch.isfinite(low) & torch.isfinite(high))
    if bad.any():
        raise FovealError(f"{name}: map {int(bad.nonzero()[0])} of the batch holds NaN or infinite values")
    return low, high


def unit_deviations(maps: Float[Tensor, "image height width"], name: str) -> Float[Tensor, "image pixel"]:
    """Deviations from each map's mean, their squares summing to one; 0 for a constant map, with a note.

    Raises
    ------
    FovealError
        If a map holds NaN or infinite values.
    """
    low, high = finite_range(maps, name)
    varies = low < high
    note_constant(~varies, name)
    pixels = maps.flatten(1)
    deviations = pixels - pixels.mean(dim=1, keepdim=True)
    # Scaled to at most one first: the density of a large image is so small that its square leaves float32's range.
    deviations /= torch.where(varies, high - low, torch.inf)[:, None]
    length = torch.linalg.vecdot(deviations, deviations).sqrt()  # sums pairwise; vector_norm is off by 1e-5
    deviations /= torch.where(length > 0, length, 1.0)[:, None]
    return deviations


def note_constant(constant: Bool[Tensor, " image"], name: str) -> None:
    """Say that a map is constant, where the metric has no meaning but a defined value."""
    if constant.any():
        first = int(constant.nonzero()[0])
        warnings.warn(f"{name}: map {first} of the batch is constant; its {name} is set to 0", FovealNote, stacklevel=4)


def min_max_scaled(maps: Float[Tensor, "image height width"], name: str) -> Float[Tensor, "image height width"]:
    """Each map from 0 at its lowest to 1 at its highest value; a constant map is 0.

    Raises
    ------
    FovealError
        If a map holds NaN or infinite values.
    """
    low, high = finite_range(maps, name)
    return (maps - low[:, None, None]) / torch.where(low < high, high - low, 1.0)[:, None, None]


def divided_by_sum(maps: Float[Tensor, "image height width"], name: str) -> Float[Tensor, "image height width"]:
    """Each map divided by its sum; raised first if its lowest value is negative; uniform if it is 0 everywhere.

    Raises
    ------
    FovealError
        If a map holds NaN or infinite values.
    """
    low, _ = finite_range(maps, name)
    if (low < 0).any():
        maps = maps - low.clamp(max=0)[:, None, None]
    total = maps.sum(dim=(1, 2), keepdim=True)
    if (total <= 0).any():
        return torch.where(total > 0, maps / torch.where(total > 0, total, 1.0), 1 / maps[0].numel())
    return maps / total


def sorted_rows(values: Float[Tensor, "row n"]) -> Float[Tensor, "row n"]:
    """Each row in ascending order. On the CPU by NumPy, whose vectorised sort is ten times faster than torch's."""
    if values.device.type == "cpu":
        return torch.from_numpy(np.sort(values.detach().numpy(), axis=1))
    return values.sort(dim=1).values
