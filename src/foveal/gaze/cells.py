"""Cells: the coarse grid on which models are fitted, and which of them each fixation counts for."""

import numpy as np
from jaxtyping import Int


def cells_of(pixels: Int[np.ndarray, " fixation"], step: float, n_cells: int) -> Int[np.ndarray, " fixation"]:
    """The cell, along one side of an image, that holds the center of each fixated pixel.

    A fixation counts for the pixel that it falls on, as in every metric, and the pixel for one cell.

    Parameters
    ----------
    pixels
        Columns or rows of the fixated pixels.
    step, n_cells
        Width of a cell in px, not always a whole number, and how many there are.

    >>> cells_of(np.array([0, 4, 5, 9]), 2.5, 4)
    array([0, 1, 2, 3])
    """
    return np.floor((pixels + 0.5) / step).astype(np.int64).clip(max=n_cells - 1)
