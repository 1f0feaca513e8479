"""The best alignment of two sequences (Needleman & Wunsch, *J. Molecular Biology* 48, 1970)."""

import numpy as np
from jaxtyping import Float


def best_alignment(scores: Float[np.ndarray, "first second"], gap: float) -> float:
    """The highest sum of scores of an alignment that keeps the order of both sequences.

    Parameters
    ----------
    scores
        What it brings to align an element of the first with one of the second.
    gap
        What it brings to leave an element of one of them alone.

    >>> best_alignment(np.array([[1.0, -1.0], [-1.0, -1.0], [-1.0, 1.0]]), gap=-0.5)
    1.5
    """
    best = [gap * n for n in range(scores.shape[1] + 1)]  # of nothing with the beginnings of the second
    for n, row in enumerate(scores.tolist(), start=1):
        above, best = best, [gap * n]
        for column, score in enumerate(row):
            best.append(max(above[column] + score, above[column + 1] + gap, best[column] + gap))
    return float(best[-1])
