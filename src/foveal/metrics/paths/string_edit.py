"""String editing: how many steps turn one scanpath's letters into the other's."""

import numpy as np

from foveal.gaze import Fixations
from foveal.metrics.paths.alignment import best_alignment
from foveal.metrics.paths.path import cells, path_of

GRID = (5, 5)  # rows and columns (Foulsham & Underwood, J. Vision 8(2):6, 2008)


def edit_similarity(
    first: Fixations, second: Fixations, size: tuple[int, int], *, grid: tuple[int, int] = GRID
) -> float:
    r"""One minus the Levenshtein distance of two scanpaths, as a share of the longer one.

    Every fixation is the letter of its cell of a grid over the photograph. $1 - d / \max(n, m)$, where $d$ is the least
    number of letters that have to be inserted, deleted or replaced (Brandt & Stark, *J. Cognitive Neuroscience* 9,
    1997). 1 for the same letters in the same order, 0 if no letter can stay. Repeated letters are kept.

    Parameters
    ----------
    first, second
        Fixations of one observer on one photograph each.
    size
        Height and width of the photograph in px.
    grid
        Number of rows and columns of the grid.

    Raises
    ------
    FovealError
        If one is no scanpath, or the size or the grid is none.

    >>> kitten, sitting = ([ord(letter) for letter in word] for word in ("kitten", "sitting"))
    >>> paths = [Fixations.of([0] * len(word), word, [0] * len(word)) for word in (kitten, sitting)]
    >>> edit_similarity(*paths, size=(1, 128), grid=(1, 128)) == 1 - 3 / 7
    True
    """
    one, other = (cells(path_of(path), size, grid) for path in (first, second))
    differ = (one[:, None] != other[None, :]).any(axis=-1)
    return 1 + best_alignment(-differ.astype(np.float64), gap=-1.0) / max(len(one), len(other))
