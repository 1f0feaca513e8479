"""What every tracker's file becomes: samples, the tracker's own fixations and blinks, and what was shown when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float

from foveal.datasets.coordinates import Coordinates, Units
from foveal.errors import FovealError
from foveal.gaze.detection import TimedFixations
from foveal.images import IMAGE_SUFFIXES

Eye = Literal["left", "right", "mean"]

TOO_MANY_OUTSIDE = 0.2  # of the positions: people look beside a screen, but not that often
MOSTLY = 0.9  # of the positions, from which on they are taken for fractions
OFTEN, WIDEST_VIEW = 0.2, 60.0  # of the positions, and degrees: so many are left of or above the center, none is beyond


@dataclass(frozen=True)
class Shown:
    """A picture on the screen.

    Attributes
    ----------
    picture
        As the file calls it.
    start, stop
        In ms, by the recording's clock.
    at
        Where on the screen, in px: its left upper corner, or its center; None if the file does not say.
    is_center
        Which of the two it is.
    size
        Width and height in px of the screen; its own if None.
    """

    picture: str
    start: float
    stop: float
    at: tuple[float, float] | None = None
    is_center: bool = False
    size: tuple[float, float] | None = None


@dataclass(frozen=True, eq=False)
class Recording:
    """What one file says of one person.

    Attributes
    ----------
    tracker, subject
        What wrote it, and who looked; "" if the file does not say who.
    files
        Which it was read from.
    time
        Of the samples, in ms.
    gaze
        By eye ("mean" is what the tracker itself makes of both), in `units`; NaN where it is lost.
    fixations
        The tracker's own, by eye, in `units`.
    blinks
        Start and stop of each, in ms; None if the tracker writes none.
    screen
        Width and height in px, if the file says them.
    pixels_per_degree
        Of the screen, if the file says it.
    shown
        The pictures on the screen, as far as the file says them.
    begun
        When it began, if the file says it, in ms.
    notes
        A line for each thing that one should know.
    """

    tracker: str
    subject: str
    files: tuple[Path, ...]
    time: Float[np.ndarray, " sample"] = field(default_factory=lambda: np.empty(0))
    gaze: Mapping[str, Float[np.ndarray, "sample 2"]] = field(default_factory=dict)
    fixations: Mapping[str, TimedFixations] = field(default_factory=dict)
    blinks: Float[np.ndarray, "blink 2"] | None = None
    units: Units = "px"
    screen: tuple[int, int] | None = None
    pixels_per_degree: float | None = None
    shown: tuple[Shown, ...] = ()
    begun: float | None = None
    notes: tuple[str, ...] = ()

    @property
    def period(self) -> tuple[float, float]:
        """Times of the first and the last sample, or else from its beginning or first fixation to the last."""
        if len(self.time):
            return float(self.time.min()), float(self.time.max())
        fixations = [each for each in self.fixations.values() if len(each)]
        first = min(each.start.min() for each in fixations) if self.begun is None else self.begun
        return float(first), float(max(each.stop.max() for each in fixations))

    def gaze_of(self, eye: str) -> Float[np.ndarray, "sample 2"] | None:
        """One eye's gaze, or the mean of both; None if there is none.

        Where only one eye was seen, the mean is taken to be as far from it as it usually is.

        Raises
        ------
        FovealError
            If the other eye only was recorded.
        """
        if not self.gaze or eye in self.gaze:
            return self.gaze.get(eye)
        if eye != "mean":
            raise FovealError(f"the {eye} eye was not recorded (there is {' and '.join(self.gaze)})")
        left, right = self.gaze.get("left"), self.gaze.get("right")
        if left is None or right is None:
            return next(iter(self.gaze.values()))
        both = ~np.isnan(left + right).any(axis=1)
        half = np.median((right - left)[both], axis=0) / 2 if both.any() else np.zeros(2)
        return np.where(both[:, None], (left + right) / 2, np.where(np.isnan(left), right - half, left + half))

    def fixations_of(self, eye: str) -> TimedFixations | None:
        """The tracker's own fixations of one eye.

        For the mean, if it has none of both: those of the left eye, and of the right eye those that overlap none.
        """
        left, right = self.fixations.get("left"), self.fixations.get("right")
        if eye != "mean" or "mean" in self.fixations:
            return self.fixations.get(eye)
        return left if right is None else right if left is None else _with_others(left, right)


def _with_others(fixations: TimedFixations, others: TimedFixations) -> TimedFixations:
    """Fixations of one eye, and those of the other that overlap none of them, in order of time."""
    starts, stops = np.sort(fixations.start), np.sort(fixations.stop)
    following = np.searchsorted(stops, others.start, side="right")  # the first one that ends later
    alone = np.append(starts, np.inf)[following] >= others.stop
    columns = [
        np.concatenate([getattr(fixations, name), getattr(others, name)[alone]]) for name in ("start", "stop", "x", "y")
    ]
    order = np.argsort(columns[0], kind="stable")
    return TimedFixations(*(column[order] for column in columns))


def is_picture(text: str) -> bool:
    """Does a message end with the name of a picture?"""
    return text.lower().endswith(tuple(IMAGE_SUFFIXES))


def pixels_per_degree_of(width_px: float, width: float, distance: float) -> float:
    """Px per degree in the center of a screen, of its width and how far away it was, both in one unit of length."""
    return float(width_px / width * distance * np.tan(np.pi / 180))


@dataclass(frozen=True)
class Screen:
    """The screen that gaze is on, and how its positions are counted.

    Attributes
    ----------
    width, height
        In px.
    pixels_per_degree
        Of visual angle.
    units
        Of the positions.
    units_are_said
        Did the user say so?
    """

    width: int
    height: int
    pixels_per_degree: float
    units: Units
    units_are_said: bool = False

    @property
    def center(self) -> tuple[float, float]:
        """In px, the center of the left upper pixel at (0, 0)."""
        return (self.width - 1) / 2, (self.height - 1) / 2

    def in_px(self, positions: Float[np.ndarray, "row 2"]) -> Float[np.ndarray, "row 2"]:
        """Positions in px of the screen.

        Raises
        ------
        FovealError
            If they seem to be in other units, or too many of them are outside the screen.
        """
        known = positions[np.isfinite(positions).all(axis=1)]
        if len(known) == 0:
            return positions
        self._check_units(known)
        sizes = np.broadcast_to(np.array([[self.height, self.width]]), positions.shape)
        count = Coordinates(self.units)
        px = np.stack(count.in_px(positions[:, 0], positions[:, 1], sizes, self.pixels_per_degree), axis=1)
        outside = ~self.holds(px[np.isfinite(px).all(axis=1)])
        if outside.mean() > TOO_MANY_OUTSIDE:
            x, y = np.nanpercentile(px, 99, axis=0)
            raise FovealError(
                f"{outside.mean():.0%} of {len(outside)} positions are outside the screen of {self.width} x "
                f"{self.height} px (they go to {x:.0f}, {y:.0f}); another --screen or other --units?"
            )
        return px

    def holds(self, px: Float[np.ndarray, "row 2"]) -> Bool[np.ndarray, " row"]:
        """Which positions are on the screen."""
        x, y = px.T
        return (x >= -0.5) & (x <= self.width - 0.5) & (y >= -0.5) & (y <= self.height - 0.5)

    def in_degrees(self, px: Float[np.ndarray, "row 2"]) -> Float[np.ndarray, "row 2"]:
        """Degrees from the center; a screen is flat, and a pixel as large at its edge as in its center."""
        return (px - self.center) / self.pixels_per_degree

    def _check_units(self, known: Float[np.ndarray, "row 2"]) -> None:
        if self.units != "px" or self.units_are_said:
            return
        of_all = f"of {len(known)} positions"
        in_unit = ((known >= 0) & (known <= 1)).all(axis=1)
        if in_unit.mean() >= MOSTLY:
            raise FovealError(f"{in_unit.sum()} {of_all} are from 0 to 1, which are no px: say --units fraction")
        negative = (known < 0).any(axis=1)
        if negative.mean() >= OFTEN and (abs(known) <= WIDEST_VIEW).all():
            raise FovealError(f"{negative.sum()} {of_all} are negative and all are small: say --units degree")
