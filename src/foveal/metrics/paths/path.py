"""One scanpath, checked and in order, and the cells of a grid that it goes through."""

from typing import Any

import numpy as np
from jaxtyping import Int

from foveal.errors import FovealError
from foveal.gaze import Fixations
from foveal.gaze.given import described, pair, whole_number


def path_of(given: Any) -> Fixations:
    """A scanpath in its order; as it is where that is not known.

    Raises
    ------
    FovealError
        If it is none: no fixations, or those of several photographs or observers.
    """
    if not isinstance(given, Fixations):
        raise FovealError(f"scanpath: Fixations are needed, not {described(given)}")
    if not len(given):
        raise FovealError("scanpath: one without fixations cannot be compared")
    if len(np.unique(given.image)) > 1 or len(np.unique(given.subject)) > 1:
        raise FovealError("scanpath: fixations of one observer on one photograph are needed (gaze.scanpaths)")
    if (np.diff(given.order) >= 0).all():
        return given
    return given.where(np.argsort(given.order, kind="stable"))


def cells(path: Fixations, size: tuple[int, int], grid: tuple[int, int]) -> Int[np.ndarray, "fixation 2"]:
    """Row and column of the cell of each fixation, given (height, width) and the numbers of rows and columns.

    What is outside of the photograph counts to the nearest cell.

    Raises
    ------
    FovealError
        If the size or the grid are no two numbers from 1 on.

    >>> cells(Fixations.of([0, 0], [0, 99], [0, 49]), (50, 100), (5, 10)).tolist()
    [[0, 0], [4, 9]]
    """
    height, width = (whole_number(side, "scanpath: size", 1) for side in pair(size, "scanpath: size"))
    rows, columns = (whole_number(number, "scanpath: grid", 1) for number in pair(grid, "scanpath: grid"))
    relative = np.stack([(path.y + 0.5) / height * rows, (path.x + 0.5) / width * columns], axis=1)
    return np.floor(relative).astype(np.int64).clip(0, [rows - 1, columns - 1])
