"""MultiMatch: five ways in which two scanpaths are alike, by the library multimatch-gaze."""

from typing import NamedTuple

import numpy as np

from foveal.gaze import Fixations
from foveal.gaze.given import pair, whole_number
from foveal.metrics.paths.path import path_of

FEWEST = 3  # fixations


class MultiMatch(NamedTuple):
    """Similarities from 0 to 1, each the median over the aligned saccades.

    Attributes
    ----------
    shape
        Difference of the saccades as vectors, as a share of twice the photograph's diagonal.
    direction
        Angle between them, as a share of 180 degrees.
    length
        Difference of their amplitudes, as a share of the diagonal.
    position
        Distance of the fixations at which they begin, as a share of the diagonal.
    duration
        Difference of the durations of these, as a share of the longer one; NaN where one is not known.
    """

    shape: float
    direction: float
    length: float
    position: float
    duration: float


def multi_match(first: Fixations, second: Fixations, size: tuple[int, int]) -> MultiMatch:
    """Similarity of two scanpaths in shape, direction, length, position and duration.

    Saccades are aligned so that their differences as vectors have the least sum (Jarodzka, Holmqvist & Nyström, *ETRA*
    2010; Dewhurst et al., *Behavior Research Methods* 44, 2012). Short saccades are not joined before, which the
    authors leave to the user.

    Parameters
    ----------
    first, second
        Fixations of one observer on one photograph each.
    size
        Height and width of the photograph in px.

    Returns
    -------
    The five; NaN if a scanpath has less than three fixations.

    Raises
    ------
    FovealError
        If one is no scanpath, or the size is none.

    >>> path = Fixations.of([0, 0, 0], [10, 90, 50], [5, 5, 60], duration=[200, 300, 250])
    >>> multi_match(path, path, (80, 120)).shape
    1.0
    """
    from multimatch_gaze import docomparison  # it loads pandas

    height, width = (whole_number(side, "multi_match: size", 1) for side in pair(size, "multi_match: size"))
    one, other = (path_of(path) for path in (first, second))
    if min(len(one), len(other)) < FEWEST:
        return MultiMatch(*[float("nan")] * 5)
    return MultiMatch(*map(float, docomparison(_vectors(one), _vectors(other), [width, height])))


def _vectors(path: Fixations) -> np.ndarray:
    """A scanpath as the library takes it."""
    columns = {"start_x": path.x, "start_y": path.y, "duration": np.where(path.duration > 0, path.duration, np.nan)}
    vectors = np.empty(len(path), dtype=[(name, np.float64) for name in columns])
    for name, values in columns.items():
        vectors[name] = values
    return vectors
