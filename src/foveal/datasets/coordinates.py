"""What the x and y of a table are counted in: px of the picture, fractions of its size, or degrees from its center."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from jaxtyping import Float, Int

from foveal.errors import FovealError

Units = Literal["px", "fraction", "degree"]

MORE_THAN_A_FEW = 8  # px: on a larger picture, nobody looks at the first pixel only
MOSTLY = 0.9  # of the positions: single ones may be off the screen
WIDEST_VIEW = 60.0  # degrees from the center that a screen reaches at most
OFTEN = 0.2  # of the positions
INSIDE = 1e-6  # px that a position on the right or lower edge is moved inwards


@dataclass(frozen=True)
class Coordinates:
    """How the positions of a table are counted.

    Attributes
    ----------
    units
        "px"; "fraction": 0 to 1 over the width and height of the picture; "degree": of visual angle from its center.
        x goes right and y down in all of them.
    origin
        Of px: the number of the first pixel, 0 or 1.
    are_said
        Did somebody say so? Otherwise px are assumed.
    """

    units: Units = "px"
    origin: int = 0
    are_said: bool = False

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "Coordinates":
        """As the settings `units` and `origin` say, if they are there.

        Raises
        ------
        FovealError
            If there are no such units or there is no such origin, or the origin is not one of px.
        """
        units, origin = settings.get("units", "px"), settings.get("origin", 0)
        if units not in get_args(Units):
            raise FovealError(f"units: {units!r} (needs {', '.join(get_args(Units))})")
        if isinstance(origin, bool) or origin not in (0, 1):
            raise FovealError(f"origin: {origin!r} (needs 0, or 1 if pixels are counted from one)")
        if origin and units != "px":
            raise FovealError(f"origin: of px, not of {units}")
        return cls(units, int(origin), are_said=not settings.keys().isdisjoint(("units", "origin")))

    def in_px(
        self,
        x: Float[np.ndarray, " row"],
        y: Float[np.ndarray, " row"],
        sizes: Int[np.ndarray, "row 2"],
        pixels_per_degree: float,
    ) -> tuple[Float[np.ndarray, " row"], Float[np.ndarray, " row"]]:
        """The positions in px, the center of the top left pixel at (0, 0), given (height, width) of each one's picture.

        >>> sizes = np.array([[60, 80]] * 3)
        >>> Coordinates("fraction").in_px(np.array([0, 0.5, 1]), np.array([0, 0.5, 1]), sizes, 35.0)[0].round(3)
        array([-0.5, 39.5, 79.5])
        >>> Coordinates("degree").in_px(np.array([0.0, 1, -1]), np.array([0.0, 1, -1]), sizes, 20.0)[1]
        array([29.5, 49.5,  9.5])
        """
        height, width = sizes.T
        if self.units == "fraction":
            return _from_fractions(x, width), _from_fractions(y, height)
        if self.units == "degree":
            return x * pixels_per_degree + (width - 1) / 2, y * pixels_per_degree + (height - 1) / 2
        return x - self.origin, y - self.origin

    def doubts(
        self, x: Float[np.ndarray, " row"], y: Float[np.ndarray, " row"], sizes: Int[np.ndarray, "row 2"]
    ) -> list[str]:
        """What these numbers may be instead, a line each, given (height, width) of each one's picture."""
        doubts = []
        of_all = f"of {len(x)} positions"
        height, width = sizes.T
        lost = (x == 0) & (y == 0)
        if lost.any() and self.units != "degree":
            doubts.append(
                f"{lost.sum()} {of_all} are exactly (0, 0), which trackers write where they lost the gaze: "
                "if so, leave these rows out"
            )
        if self.are_said or lost.all():
            return doubts
        x, y, height, width = x[~lost], y[~lost], height[~lost], width[~lost]
        is_large = np.median(np.minimum(height, width)) > MORE_THAN_A_FEW
        are_whole = bool(((x % 1 == 0) & (y % 1 == 0)).all())
        in_unit = (x >= 0) & (x <= 1) & (y >= 0) & (y <= 1)
        if is_large and in_unit.mean() >= MOSTLY and not are_whole:
            doubts.append(
                f"{in_unit.sum()} {of_all} are from 0 to 1: if they are fractions of the picture, "
                'say units = "fraction" in dataset.toml'
            )
        negative = (x < 0) | (y < 0)
        are_near_zero = bool((np.maximum(abs(x), abs(y)) <= WIDEST_VIEW).all())
        if negative.mean() >= OFTEN and are_near_zero and np.median(width) > 2 * WIDEST_VIEW:
            doubts.append(
                f"{negative.sum()} {of_all} are negative and all are small: if they are degrees from the center of "
                'the picture, say units = "degree" in dataset.toml'
            )
        from_one = (x >= 1) & (x <= width) & (y >= 1) & (y <= height)
        at_end = from_one & ((x == width) | (y == height))
        if at_end.any() and are_whole and from_one.mean() >= MOSTLY and (x != 0).all() and (y != 0).all():
            doubts.append(
                f"{at_end.sum()} {of_all} are one pixel beyond the picture and none is 0: if pixels are counted from "
                "one, say origin = 1 in dataset.toml"
            )
        return doubts


def _from_fractions(values: Float[np.ndarray, " row"], length: Int[np.ndarray, " row"]) -> Float[np.ndarray, " row"]:
    """0 is one edge of the picture and 1 the other, which belongs to the last pixel."""
    px = values * length - 0.5
    return np.where(values <= 1, np.minimum(px, length - 0.5 - INSIDE), px)
