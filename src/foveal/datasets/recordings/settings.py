"""How recordings are read: what the user says of the screen, the pictures and the fixations."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast, get_args

import numpy as np

from foveal.datasets.coordinates import Units
from foveal.datasets.recordings.pictures import Place
from foveal.datasets.recordings.recording import Eye, Recording, Screen, Shown
from foveal.errors import FovealError
from foveal.gaze.detection import THRESHOLDS, Grid, TimedFixations, detect, fixations_in
from foveal.gaze.stimuli import ASSUMED_PIXELS_PER_DEGREE
from foveal.registry import no_such

MOST_BACK = 1000.0  # ms; samples of two cameras may be written out of order, but not that far


@dataclass(frozen=True)
class Settings:
    """What `foveal.import_recordings` takes, in the same words; None leaves it to the file.

    Raises
    ------
    FovealError
        If there is no such method, eye or unit, a scale that is not positive, or a threshold of no method.
    """

    screen: tuple[int, int] | None
    picture: Place | None
    times: Sequence[tuple[str, Shown]]
    method: str | None
    eye: str
    units: str | None
    pixels_per_degree: float | None
    threshold: float | None
    shortest: float

    def __post_init__(self) -> None:
        known = {"method": (*THRESHOLDS, "tracker"), "eye": get_args(Eye), "units": get_args(Units)}
        for what, names in known.items():
            if (given := getattr(self, what)) not in (*names, None):
                raise FovealError(no_such(what, str(given), names))
        if self.pixels_per_degree is not None and not 0 < self.pixels_per_degree < np.inf:
            raise FovealError(f"pixels per degree (--ppd) must be a positive number, not {self.pixels_per_degree:g}")
        if self.threshold is not None and self.method not in THRESHOLDS:
            raise FovealError("a threshold belongs to the method ivt (degrees/s) or idt (degrees); say which")

    def scale_of(self, recording: Recording) -> float | None:
        """Px per degree of a recording's screen, if anybody says them."""
        return self.pixels_per_degree or recording.pixels_per_degree

    def screen_of(self, recording: Recording) -> Screen:
        """The screen of a recording.

        Raises
        ------
        FovealError
            If neither the file nor the user says its size, or both do and differ.
        """
        size = self.screen or recording.screen
        if size is None:
            raise FovealError("it does not say how large the screen was; say --screen 1920x1080")
        if recording.screen is not None and recording.screen != size:
            said, given = (f"{width} x {height}" for width, height in (recording.screen, size))
            raise FovealError(f"it says that the screen had {said} px, not {given}; correct --screen")
        scale = self.scale_of(recording) or ASSUMED_PIXELS_PER_DEGREE
        units = cast(Units, self.units or recording.units)
        return Screen(*size, scale, units, units_are_said=self.units is not None)

    def fixations_of(self, recording: Recording, screen: Screen) -> tuple[str, Grid | None, TimedFixations]:
        """By which method fixations were found, the samples if there are any, and the fixations in px of the screen.

        Raises
        ------
        FovealError
            If the recording has not what the method needs, its time goes back, or its positions are not on the screen.
        """
        if (np.diff(recording.time) < -MOST_BACK).any():
            raise FovealError("its time goes back; are two recordings in it? Give each in a file of its own")
        gaze, own = recording.gaze_of(self.eye), recording.fixations_of(self.eye)
        grid = None
        if gaze is not None:
            if not np.isfinite(gaze).any():
                raise FovealError("all its samples are lost")
            grid = Grid.of(recording.time, screen.in_px(gaze))
        method = self.method or ("tracker" if own is not None and len(own) else "ivt")
        if method == "tracker":
            if own is None or not len(own):
                raise FovealError("it has no fixations of the tracker's own; say --method ivt or idt")
            x, y = screen.in_px(np.stack([own.x, own.y], axis=1)).T
            return method, grid, TimedFixations(own.start, own.stop, x, y)
        if grid is None:
            raise FovealError("it has fixations only, and no samples to find others in; say --method tracker")
        cells = detect(screen.in_degrees(grid.gaze), grid.rate, method, self.threshold, self.shortest)
        return method, grid, fixations_in(grid, cells)
