"""ScanMatch (Cristino, Mathôt, Theeuwes & Gilchrist, *Behavior Research Methods* 42(3), 2010)."""

import numpy as np
from jaxtyping import Int

from foveal.errors import FovealError
from foveal.gaze import Fixations
from foveal.gaze.given import positive_number, real_number
from foveal.metrics.paths.alignment import best_alignment
from foveal.metrics.paths.path import cells, path_of

# As the authors' MATLAB toolbox sets them.
GRID = (8, 12)  # rows and columns
THRESHOLD = 3.5  # cells: fixations that are nearer to each other are alike
GAP = 0.0


def scan_match(
    first: Fixations,
    second: Fixations,
    size: tuple[int, int],
    *,
    grid: tuple[int, int] = GRID,
    threshold: float | int = THRESHOLD,
    gap: float | int = GAP,
    time_bin: float | int | None = None,
) -> float:
    r"""Score of the best alignment of two scanpaths, as a share of the highest possible score.

    Fixations in cells $a$ and $b$ of a grid score $\theta - \lVert a - b\rVert$ when they are aligned, and `gap` when
    one of them is left alone. The sum over the best alignment is divided by $\theta \max(n, m)$. 1 is the same cells in
    the same order. With a gap of 0, the least is 0.

    Parameters
    ----------
    first, second
        Fixations of one observer on one photograph each.
    size
        Height and width of the photograph in px.
    grid
        Number of rows and columns.
    threshold
        $\theta$, in cells. The authors advise twice the standard deviation of the amplitudes of saccades.
    gap
        What a fixation that is left alone scores, at most 0.
    time_bin
        ms; each fixation counts as often as this goes into its duration, rounded. None counts each once.

    Returns
    -------
    The share; NaN if no fixation is as long as half of `time_bin`.

    Raises
    ------
    FovealError
        If one is no scanpath, a duration is needed and not known, or a number is none that is possible.

    >>> path = Fixations.of([0, 0], [10, 90], [5, 5])
    >>> back = Fixations.of([0, 0], [90, 10], [5, 5])
    >>> scan_match(path, path, (80, 120)), scan_match(path, back, (80, 120))
    (1.0, 0.5)
    """
    threshold = positive_number(threshold, "scan_match: threshold")
    if real_number(gap, "scan_match: gap") > 0:
        raise FovealError(f"scan_match: gap: at most 0, not {gap}")
    one, other = (_sequence(path_of(path), size, grid, time_bin) for path in (first, second))
    if not len(one) or not len(other):
        return float("nan")
    distances = np.hypot(*np.moveaxis(one[:, None] - other[None, :], -1, 0))
    return best_alignment(threshold - distances, float(gap)) / (threshold * max(len(one), len(other)))


def _sequence(
    path: Fixations, size: tuple[int, int], grid: tuple[int, int], time_bin: float | int | None
) -> Int[np.ndarray, "letter 2"]:
    """Row and column of each letter."""
    letters = cells(path, size, grid)
    if time_bin is None:
        return letters
    repeats = path.duration / positive_number(time_bin, "scan_match: time_bin")
    if not (np.isfinite(repeats) & (repeats >= 0)).all():
        raise FovealError("scan_match: time_bin needs the duration of every fixation")
    return letters.repeat(np.floor(repeats + 0.5).astype(np.int64), axis=0)
