"""Fixations in samples of gaze, by I-VT and I-DT (Salvucci & Goldberg, ETRA 2000). The detection is pymovements'.

Needs the extra: `pip install 'foveal[recordings]'`.
"""

import math
import warnings
from dataclasses import dataclass
from types import ModuleType

import numpy as np
from jaxtyping import Float, Int

from foveal.errors import FovealError
from foveal.registry import no_such

# What pymovements takes if nothing is said.
THRESHOLDS = {"ivt": 20.0, "idt": 1.0}  # degrees/s of a fixation at most; degrees that it spans, width plus height
SHORTEST = 100.0  # ms
SMOOTH_FROM = 250.0  # Hz; below, the five samples of a smoothed velocity are longer than a saccade
SMOOTHED_OVER = 6  # samples that pymovements needs for it at least
LOST_FROM = 1.5  # usual gaps between two samples; in a longer one others are missing
LONGEST_GAP = 1.0  # s; a longer one says no more, and would take room


@dataclass(frozen=True, eq=False)
class TimedFixations:
    """Fixations on a screen: start and stop in ms, and where in px."""

    start: Float[np.ndarray, " fixation"]
    stop: Float[np.ndarray, " fixation"]
    x: Float[np.ndarray, " fixation"]
    y: Float[np.ndarray, " fixation"]

    def __len__(self) -> int:
        return len(self.start)


@dataclass(frozen=True, eq=False)
class Grid:
    """Samples of gaze at regular times: trackers' clocks jitter, and trackers write nothing where they see no eye.

    Attributes
    ----------
    time
        Of each cell, in ms.
    gaze
        In px; NaN where there is no sample, or a lost one.
    rate
        Cells per second.
    """

    time: Float[np.ndarray, " cell"]
    gaze: Float[np.ndarray, "cell 2"]
    rate: float

    @classmethod
    def of(cls, time: Float[np.ndarray, " sample"], gaze: Float[np.ndarray, "sample 2"]) -> "Grid":
        """Put samples in order of time, and cells without gaze where one or more are missing.

        Raises
        ------
        FovealError
            If there are fewer than two times.
        """
        time, first = np.unique(time, return_index=True)
        if len(time) < 2:
            raise FovealError("no samples at two times or more")
        gaps = np.diff(time)
        # Clocks in whole ms round most gaps the same way, and only their mean is right; longer ones are lost samples.
        interval = float(gaps[gaps < LOST_FROM * np.median(gaps)].mean())
        steps = np.clip(np.rint(gaps / interval), 1, max(1.0, np.ceil(1000 * LONGEST_GAP / interval)))
        cell = np.concatenate([[0], np.cumsum(steps.astype(np.int64))])
        filled = np.full((cell[-1] + 1, 2), np.nan)
        filled[cell] = gaze[first]
        filled[np.isnan(filled).any(axis=1)] = np.nan
        return cls(np.interp(np.arange(len(filled)), cell, time), filled, 1000 / interval)

    def within(self, start: float, stop: float) -> slice:
        """The cells from one time to another."""
        first, last = np.searchsorted(self.time, [start, stop])
        return slice(int(first), int(last))


def pymovements() -> ModuleType:
    """The library, which an extra installs.

    Raises
    ------
    FovealError
        If it is not installed.
    """
    try:
        import pymovements
    except ImportError as error:
        raise FovealError(
            f"samples of gaze need pymovements ({error}); pip install 'foveal[recordings]' installs it"
        ) from None
    return pymovements


def detect(
    gaze: Float[np.ndarray, "cell 2"],
    rate: float,
    method: str = "ivt",
    threshold: float | None = None,
    shortest: float = SHORTEST,
) -> Int[np.ndarray, "fixation 2"]:
    """First and last cell of each fixation, as `pymovements.events.ivt` or `idt` says.

    Parameters
    ----------
    gaze
        Degrees of visual angle, NaN where it is lost. No fixation goes on over a lost sample.
    rate
        Samples per second.
    method
        "ivt": velocity below a threshold. "idt": positions that span less than a threshold.
    threshold
        Degrees/s of the first, degrees of the second; pymovements' own if None.
    shortest
        Of a fixation, in ms.

    Raises
    ------
    FovealError
        If there is no such method, a number is not positive, or pymovements is not installed.
    """
    if method not in THRESHOLDS:
        raise FovealError(no_such("method", method, THRESHOLDS, also="or tracker"))
    threshold = THRESHOLDS[method] if threshold is None else threshold
    if not (threshold > 0 and shortest > 0):
        raise FovealError(f"threshold and shortest fixation must be positive, not {threshold:g} and {shortest:g}")
    library = pymovements()
    cells = max(2, math.ceil(round(shortest * rate / 1000, 6)))
    if len(gaze) < max(cells, SMOOTHED_OVER):
        return np.zeros((0, 2), np.int64)
    recording = library.gaze.from_numpy(
        time=np.arange(len(gaze)), position=gaze.T, experiment=library.Experiment(sampling_rate=rate)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy's, of windows in which all samples are lost
        if method == "ivt":
            recording.pos2vel("smooth" if rate >= SMOOTH_FROM else "neighbors")
            recording.detect(method, minimum_duration=cells, velocity_threshold=threshold)
        else:
            recording.detect(method, minimum_duration=cells, dispersion_threshold=threshold)
    return recording.events.frame.select("onset", "offset").to_numpy().astype(np.int64).reshape(-1, 2)


def fixations_in(grid: Grid, cells: Int[np.ndarray, "fixation 2"]) -> TimedFixations:
    """The fixations that reach from one cell to another, each at the mean of its samples."""
    centers = [np.nanmean(grid.gaze[first : last + 1], axis=0) for first, last in cells]
    x, y = np.array(centers, dtype=np.float64).reshape(-1, 2).T
    return TimedFixations(grid.time[cells[:, 0]], grid.time[cells[:, 1]], x, y)
