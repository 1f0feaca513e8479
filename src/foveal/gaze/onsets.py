"""When and in which place of its scanpath a fixation came, from columns of equal length."""

import numpy as np
from jaxtyping import Float, Int


def sorted_by_scanpath(
    image: Int[np.ndarray, " row"], subject: Int[np.ndarray, " row"], order: Int[np.ndarray, " row"]
) -> tuple[Int[np.ndarray, " row"], Int[np.ndarray, " row"]]:
    """Rows, one scanpath after the other, each in its order; and where in its scanpath each of them stands, from 0.

    >>> sorted_by_scanpath(np.array([0, 0, 1]), np.array([0, 0, 0]), np.array([7, 3, 5]))
    (array([1, 0, 2]), array([0, 1, 0]))
    """
    rows = np.lexsort((order, subject, image))
    begins = np.ones(len(rows), dtype=bool)
    begins[1:] = (np.diff(image[rows]) != 0) | (np.diff(subject[rows]) != 0)
    first = np.maximum.accumulate(np.where(begins, np.arange(len(rows)), 0))
    return rows, np.arange(len(rows)) - first


def cumulated_durations(
    image: Int[np.ndarray, " row"],
    subject: Int[np.ndarray, " row"],
    order: Int[np.ndarray, " row"],
    duration: Float[np.ndarray, " row"],
) -> Float[np.ndarray, " row"]:
    """When each fixation began, if each followed the one before at once: the sum of all durations before it.

    Saccades take time, too, which is not known here: onsets are early, the more so the later they are. A subject or
    order that is not known is negative. NaN from where on a scanpath has an unknown duration, or its order does not
    count 0, 1, 2, …

    >>> zeros = np.zeros(3, int)
    >>> cumulated_durations(zeros, zeros, np.array([0, 1, 2]), np.array([200.0, 150.0, 90.0]))
    array([  0., 200., 350.])
    """
    rows, place = sorted_by_scanpath(image, subject, order)
    first = np.arange(len(rows)) - place
    of_row = duration[rows]
    is_known = np.isfinite(of_row) & (order[rows] == place) & (subject[rows] >= 0)
    before = np.concatenate([[0.0], np.cumsum(np.where(is_known, of_row, 0.0))])[: len(rows)]
    n_unknown = np.concatenate([[0], np.cumsum(~is_known)])
    onset = np.empty(len(rows))
    onset[rows] = np.where(n_unknown[1:] == n_unknown[first], before - before[first], np.nan)
    return onset
