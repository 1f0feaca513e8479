"""Where the values of a feature map lie in the image that it was computed from, and resampling by that.

A convolution of stride 2 with one row of padding looks at pixels 0, 2, 4 …; one without padding at 1, 3, 5 …. Whoever
takes both for maps of half the size and enlarges them by two is off by a pixel there, and by many after five layers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

POINT = 1e-6  # share of a step that is as good as a point


@dataclass(frozen=True)
class Axis:
    """Positions of a feature map's rows or columns: value i is centerd on pixel `first + i * step` of the image.

    >>> Axis(10).convolved(3, 2, 1)
    Axis(length=5, first=0.0, step=2.0)
    """

    length: int
    first: float = 0.0
    step: float = 1.0

    def convolved(self, kernel: int, stride: int, before: int, after: int | None = None, dilation: int = 1) -> "Axis":
        """The same after a convolution or pooling with so much padding before the first and after the last value."""
        reach = dilation * (kernel - 1)
        length = (self.length + before + (before if after is None else after) - reach - 1) // stride + 1
        return Axis(length, self.first + (reach / 2 - before) * self.step, self.step * stride)

    def scaled(self, factor: float) -> "Axis":
        """Positions in an image that was shrunk by `factor` before, its border kept in place."""
        return Axis(self.length, (self.first + 0.5) * factor - 0.5, self.step * factor)

    def divided(self, length: int) -> "Axis":
        """The same stretch in so many equal parts.

        >>> Axis(10, 7.5, 16.0).divided(20)
        Axis(length=20, first=3.5, step=8.0)
        """
        step = self.step * self.length / length
        return Axis(length, self.first + (step - self.step) / 2, step)


@dataclass(frozen=True)
class Grid:
    """Positions of a feature map's values: rows and columns."""

    rows: Axis
    columns: Axis

    def scaled(self, rows: float, columns: float) -> "Grid":
        """Positions in an image whose height and width were shrunk by these factors before: see `Axis.scaled`."""
        return Grid(self.rows.scaled(rows), self.columns.scaled(columns))

    def shifted(self, rows: int, columns: int) -> "Grid":
        """Positions in an image from which so many rows and columns (px) were cut off before the first that is left."""
        return Grid(
            replace(self.rows, first=self.rows.first + rows), replace(self.columns, first=self.columns.first + columns)
        )

    def divided(self, shape: tuple[int, int]) -> "Grid":
        """The same part of the image in so many equal (rows, columns)."""
        return Grid(self.rows.divided(shape[0]), self.columns.divided(shape[1]))

    @classmethod
    def over(cls, size: tuple[int, int], shape: tuple[int, int]) -> "Grid":
        """Cells of equal size that cover an image of this (height, width)."""
        height, width = size
        rows, columns = shape
        return cls(
            Axis(rows, height / rows / 2 - 0.5, height / rows),
            Axis(columns, width / columns / 2 - 0.5, width / columns),
        )

    @classmethod
    def of_cells(cls, size: tuple[int, int], side: int) -> "Grid":
        """Cells of about this side, in px, that cover an image of this (height, width); at least one."""
        height, width = size
        return cls.over(size, (max(1, round(height / side)), max(1, round(width / side))))


GridOf = Callable[[tuple[int, int]], Grid]  # the cells of an image of a (height, width)


def resample(maps: Float[Tensor, "*batch h w"], source: Grid, target: Grid) -> Float[Tensor, "*batch height width"]:
    """Values of maps on one grid at the positions of another: bilinear, beyond the border the nearest value.

    Towards a coarser grid, lines between the values are averaged over what the new step is longer than the old, as far
    as they reach.
    """
    rows = interpolation(source.rows, target.rows, maps)
    columns = interpolation(source.columns, target.columns, maps)
    return rows @ maps @ columns.T


def resampled_sum(
    maps: Mapping[Grid, Float[Tensor, "image feature _ _"]], target: Grid
) -> Float[Tensor, "image feature height width"]:
    """The sum of features on several grids, each at the positions of another, as `resample` brings them there.

    The columns of all grids are one product, which adds them up. Quick for channels-last maps, which are not copied.
    """
    on_rows, columns = [], []
    for source, some in maps.items():
        rows = interpolation(source.rows, target.rows, some)
        by_place = some.movedim(1, 3)
        on_rows.append((rows @ by_place.flatten(2)).unflatten(2, by_place.shape[2:]))
        columns.append(interpolation(source.columns, target.columns, some))
    total: Tensor = torch.cat(columns, dim=1) @ torch.cat(on_rows, dim=2)
    return total.movedim(3, 1)


def interpolation(source: Axis, target: Axis, maps: Tensor) -> Float[Tensor, "target source"]:
    """Matrix that brings maps from one axis to another, where they are and in their precision."""
    return torch.from_numpy(_weights(source, target)).to(maps)


@lru_cache(maxsize=512)  # a model asks for the same at every image of a size
def _weights(source: Axis, target: Axis) -> Float[np.ndarray, "target source"]:
    """By how much to count each value: interpolates linearly, and averages where the target is coarser."""
    wanted = target.first + target.step * np.arange(target.length)
    position = (wanted - source.first) / source.step
    reach = max(POINT, (target.step / source.step - 1) / 2)
    last = source.length - 1
    low, high = (position - reach).clip(0, last - POINT), (position + reach).clip(POINT, last)
    values = np.arange(source.length)
    weight = _below(high[:, None] - values) - _below(low[:, None] - values)
    return (weight / weight.sum(axis=1, keepdims=True)).astype(np.float32)


def _below(distance: Float[np.ndarray, "target source"]) -> Float[np.ndarray, "target source"]:
    """Integral, up to here, of the triangle with which a value counts in a linear interpolation."""
    left, right = distance.clip(-1, 0), distance.clip(0, 1)
    return (1 + left) ** 2 / 2 + right - right**2 / 2
