"""Dynamic time warping: how far apart two scanpaths are, when each may wait for the other."""

import numpy as np

from foveal.gaze import Fixations
from foveal.metrics.paths.path import path_of


def dynamic_time_warping(first: Fixations, second: Fixations) -> float:
    """Sum of the distances along the best alignment of two scanpaths, divided by the fixations of the longer one; px.

    Every fixation is aligned with one or more of the other scanpath, in order, the first with the first and the last
    with the last (Sakoe & Chiba, *IEEE Trans. ASSP* 26, 1978). 0 for the same positions. Published numbers are often
    the sum itself, which grows with the length.

    Parameters
    ----------
    first, second
        Fixations of one observer on one photograph each.

    Raises
    ------
    FovealError
        If one is no scanpath.

    >>> path, later = Fixations.of([0, 0], [0, 9], [0, 0]), Fixations.of([0, 0, 0], [0, 0, 9], [3, 0, 0])
    >>> dynamic_time_warping(path, later)
    1.0
    """
    one, other = (path_of(path) for path in (first, second))
    distances = np.hypot(one.x[:, None] - other.x, one.y[:, None] - other.y)
    least = np.cumsum(distances[0]).tolist()
    for row in distances[1:].tolist():
        above, least = least, [least[0] + row[0]]
        for column, distance in enumerate(row[1:], start=1):
            least.append(distance + min(above[column - 1], above[column], least[column - 1]))
    return float(least[-1]) / max(len(one), len(other))
