"""What metrics do to maps first: refuse what is no number, scale, standardise, sort."""

import warnings

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from foveal.errors import FovealError, FovealNote

PIECES = 8  # of a map that is sorted
SMALLEST_SUM = 1e-12  # of a map that is divided by it as it is
TINY = 1e-7  # of float32: lengths that say nothing


def check_finite(maps: Float[Tensor, "image height width"], name: str) -> None:
    """Refuse NaN and infinities, since a score would hide them.

    Raises
    ------
    FovealError
        If a map holds a value that is not finite.
    """
    # A sum is cheaper than a look at every value, and finite only if all of them are.
    if torch.isfinite(maps.sum()):
        return
    bad = ~torch.isfinite(maps).flatten(1).all(dim=1)
    if bad.any():
        raise FovealError(f"{name}: map {int(bad.nonzero()[0])} of the batch holds NaN or infinite values")


def finite_range(
    maps: Float[Tensor, "image height width"], name: str
) -> tuple[Float[Tensor, " image"], Float[Tensor, " image"]]:
    """Lowest and highest value of each map.

    Raises
    ------
    FovealError
        If a map holds a value that is not finite.
    """
    check_finite(maps, name)
    pixels = maps.flatten(1)
    return pixels.amin(dim=1), pixels.amax(dim=1)


def deviations_and_length(
    maps: Float[Tensor, "image height width"], name: str
) -> tuple[Float[Tensor, "image height width"], Float[Tensor, " image"]]:
    """Deviations from each map's mean, and the root of the sum of their squares, both in the same unit.

    A constant map has the length infinity, so that what is divided by it is 0, and a note says so.

    Raises
    ------
    FovealError
        If a map holds NaN or infinite values.
    """
    mean = maps.mean(dim=(1, 2), keepdim=True)
    deviations = maps - mean
    length = _length(deviations)
    ordinary = (length > TINY) & (length > TINY * mean[:, 0, 0].abs() * maps[0].numel()) & torch.isfinite(length)
    if ordinary.all():
        return deviations, length
    # Constant maps; and densities of so many pixels that their squares leave float32's range.
    low, high = finite_range(maps, name)
    varies = low < high
    note_constant(~varies, name)
    deviations /= torch.where(varies, high - low, 1.0)[:, None, None]
    return deviations, torch.where(varies, _length(deviations), torch.inf)


def _length(maps: Float[Tensor, "image height width"]) -> Float[Tensor, " image"]:
    # Row by row: over all pixels at once, float32 loses the fifth digit.
    return torch.linalg.vector_norm(torch.linalg.vector_norm(maps, dim=2), dim=1)


def note_constant(constant: Bool[Tensor, " image"], name: str) -> None:
    """Say that a map is constant, where the metric has no meaning but a defined value."""
    if constant.any():
        first = int(constant.nonzero()[0])
        warnings.warn(f"{name}: map {first} of the batch is constant; its {name} is set to 0", FovealNote, stacklevel=5)


def min_max_scaled(maps: Float[Tensor, "image height width"], name: str) -> Float[Tensor, "image height width"]:
    """Each map from 0 at its lowest to 1 at its highest value; a constant map is 0.

    Raises
    ------
    FovealError
        If a map holds NaN or infinite values.
    """
    low, high = finite_range(maps, name)
    return (maps - low[:, None, None]) / torch.where(low < high, high - low, 1.0)[:, None, None]


def mass(
    maps: Float[Tensor, "image height width"], name: str
) -> tuple[Float[Tensor, "image height width"], Float[Tensor, "image 1 1"]]:
    """Maps without negative values, and their sums: what to divide them by to make them densities.

    A map is raised if its lowest value is negative, and uniform if it is 0 everywhere.

    Raises
    ------
    FovealError
        If a map holds NaN or infinite values.
    """
    check_finite(maps, name)
    low = maps.amin(dim=(1, 2), keepdim=True)
    if (low < 0).any():
        maps = maps - low.clamp(max=0)
    total = maps.sum(dim=(1, 2), keepdim=True)
    if ((total < SMALLEST_SUM) | torch.isinf(total)).any():  # beyond what float32 can divide by
        highest = maps.amax(dim=(1, 2), keepdim=True)
        maps = maps / torch.where(highest > 0, highest, 1.0)
        total = maps.sum(dim=(1, 2), keepdim=True)
    if (total == 0).any():
        maps = torch.where(total > 0, maps, 1.0)
        total = maps.sum(dim=(1, 2), keepdim=True)
    return maps, total


def sorted_rows(values: Float[Tensor, "row n"]) -> Float[Tensor, "row n"]:
    """Each row in ascending order. On the CPU by NumPy, whose vectorised sort is ten times faster than torch's."""
    if values.device.type == "cpu":
        return torch.from_numpy(np.sort(values.detach().numpy(), axis=1))
    return values.sort(dim=1).values


def sorted_pixels(maps: Float[Tensor, "image height width"]) -> Float[Tensor, "image piece n"]:
    """Each map's pixels in ascending order, in pieces; what is missing to a last piece is filled up with infinities.

    How many pixels are below a value is the sum over pieces (`count_below`), and pieces that fit the processor's cache
    are sorted faster than the whole.
    """
    pixels = maps.detach().flatten(1)
    if pixels.device.type != "cpu" or pixels.shape[1] < PIECES**2:
        return sorted_rows(pixels)[:, None]
    missing = -pixels.shape[1] % PIECES
    pieces = torch.nn.functional.pad(pixels, (0, missing), value=torch.inf) if missing else pixels
    return sorted_rows(pieces.reshape(len(pixels) * PIECES, -1)).reshape(len(pixels), PIECES, -1)


def count_below(
    pixels: Float[Tensor, "image piece n"], values: Float[Tensor, "image value"], *, or_equal: bool = False
) -> Int[Tensor, "image value"]:
    """How many pixels (as `sorted_pixels` gives them) are below each value, or at it."""
    in_pieces = values[:, None].expand(-1, pixels.shape[1], -1).contiguous()
    return torch.searchsorted(pixels, in_pieces, right=or_equal).sum(dim=1)
