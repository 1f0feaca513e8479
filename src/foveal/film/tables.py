"""What a film's density says second by second: how focused it is, where its peak is, what regions get."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import cv2
import numpy as np
from jaxtyping import Float

from foveal.analysis.attention import of_picture
from foveal.datasets.picture_regions import PictureRegion
from foveal.film.smoothing import Density, Moment

Rows: TypeAlias = list[list[Any]]
TABLES = {
    "seconds": ("second", "frames", "cuts", "focus", "half_in", "hotspots", "peak_x", "peak_y"),
    "regions": ("second", "name", "share", "per_area"),
}


@dataclass(frozen=True, eq=False)
class SmallRegion:
    """A region at the size at which a film is read: how much of each pixel lies in it, and of the whole frame."""

    name: str
    inside: Float[np.ndarray, "height width"]
    area: float

    @classmethod
    def of(cls, region: PictureRegion, size: tuple[int, int], small: tuple[int, int]) -> "SmallRegion":
        """Of a region in px of a film of this height and width.

        Raises
        ------
        FovealError
            If no pixel lies in it.
        """
        inside = np.zeros(size, np.float32)
        inside[region.pixels(size)] = 1
        shrunk = cv2.resize(inside, small[::-1], interpolation=cv2.INTER_AREA)
        return cls(region.name, shrunk, float(inside.mean()))


@dataclass
class SecondBySecond:
    """Rows of both tables, for each second the mean density of its frames.

    Attributes
    ----------
    size
        Height and width of the film, in whose px the peak is.
    regions
        What the second table is about.
    """

    size: tuple[int, int]
    regions: Sequence[SmallRegion]
    _second: int = 0
    _frames: int = 0
    _cuts: int = 0
    _sum: Density | None = field(default=None, repr=False)

    def add(self, moment: Moment) -> dict[str, Rows]:
        """Take the next moment; the rows of the second before, if this one begins another."""
        second = math.floor(moment.frame.time)
        rows = self.rest() if self._frames and second != self._second else {}
        self._second = second
        self._frames += 1
        self._cuts += moment.is_cut
        self._sum = moment.density.copy() if self._sum is None else np.add(self._sum, moment.density, out=self._sum)
        return rows

    def rest(self) -> dict[str, Rows]:
        """The rows of the second that has begun, which ends here."""
        if self._sum is None:
            return {}
        density = self._sum / self._sum.sum(dtype=np.float64)
        found = of_picture(density)
        peak = (
            min(side - 1, int((at + 0.5) * side / small))  # the middle of the small pixel
            for at, side, small in zip(found.peak, self.size[::-1], density.shape[::-1], strict=True)
        )
        numbers = [f"{found.focus:.6g}", f"{found.half_in:.6g}", found.hotspots, *peak]
        shares = [float((region.inside * density).sum()) for region in self.regions]
        named = [
            [self._second, region.name, f"{share:.6g}", f"{share / region.area:.6g}"]
            for region, share in zip(self.regions, shares, strict=True)
        ]
        row = [self._second, self._frames, self._cuts, *numbers]
        self._sum, self._frames, self._cuts = None, 0, 0
        return {"seconds": [row], "regions": named}
