"""What metrics do to maps first: refuse what is no number, scale, standardise, sort."""

import warnings
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from foveal.errors import FovealError, FovealNote

BUCKETS = 1 << 16  # of a map whose pixels are ranked, at most; their counts fit the processor's cache
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
    total = maps.sum(dim=(1, 2), keepdim=True)
    if not torch.isfinite(total).all():
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


class PixelRanks:
    """How many pixels of one map are below a value, exactly, and without sorting all of them.

    The map's range is cut into even buckets, and the pixels of each are counted. Only those that share their bucket
    with a value that was asked for are sorted. That takes about as long whatever the processor, where sorting a large
    map takes ten times as long on some processors as on others.

    Parameters
    ----------
    pixels
        Of one map, all finite.
    """

    def __init__(self, pixels: Float[Tensor, "*shape"]) -> None:
        self._pixels = pixels.detach().flatten()
        self._n_buckets = min(BUCKETS, max(2, len(self._pixels)))
        # Halves, since the difference of two of them is always within the range of floats.
        low, high = self._pixels.aminmax()
        self._low = low / 2
        self._scale = ((self._n_buckets - 1) / (high / 2 - self._low)).clamp(max=torch.finfo(pixels.dtype).max)
        self._bucket = self._bucket_of(self._pixels)
        self._count = torch.bincount(self._bucket, minlength=self._n_buckets)
        self._opened = torch.zeros(self._n_buckets, dtype=torch.bool, device=pixels.device)
        self._sorted = self._pixels[:0]
        self._unopened_up_to = self._count.cumsum(0)

    @property
    def n_pixels(self) -> int:
        """Number of pixels of the map."""
        return len(self._pixels)

    def below(self, values: Float[Tensor, "*some"], *, or_equal: bool = False) -> Int[Tensor, "*some"]:
        """How many pixels are below each value, or at it."""
        bucket = self._bucket_of(values.flatten())
        if not self._opened[bucket].all():
            self._opened[bucket] = True
            opened = self._opened.index_select(0, self._bucket)
            self._sorted = sorted_rows(_picked(self._pixels, opened)[None])[0]
            self._unopened_up_to = self._count.masked_fill(self._opened, 0).cumsum(0)
        in_opened = torch.searchsorted(self._sorted, values.flatten(), right=or_equal)
        return (in_opened + self._unopened_up_to[bucket]).view(values.shape)

    def _bucket_of(self, values: Float[Tensor, " n"]) -> Int[Tensor, " n"]:
        """Rises with the value, whatever the rounding: no operation swaps two numbers."""
        return (values / 2).sub_(self._low).mul_(self._scale).clamp_(0, self._n_buckets - 1).int()


def _picked(values: Float[Tensor, " n"], mask: Bool[Tensor, " n"]) -> Float[Tensor, " some"]:
    """`values[mask]`; on the CPU by NumPy, which is twice as fast."""
    return torch.from_numpy(values.numpy()[mask.numpy()]) if values.device.type == "cpu" else values[mask]


def pixel_ranks(maps: Float[Tensor, "image height width"]) -> list[PixelRanks]:
    """Those of each map."""
    return [PixelRanks(pixels) for pixels in maps]


def count_below(
    ranks: Sequence[PixelRanks], values: Float[Tensor, "image value"], *, or_equal: bool = False
) -> Int[Tensor, "image value"]:
    """How many pixels of each map are below each value of its row, or at it."""
    return torch.stack([of_map.below(row, or_equal=or_equal) for of_map, row in zip(ranks, values, strict=True)])
