"""Toronto in small: three maps in a cell array, and pictures whose names sort otherwise than their numbers."""

from pathlib import Path

import numpy as np
import scipy.io
from toy import make_photograph, write_image

SIZE = (51, 68)


def write_maps(mat: Path, places: list[list[tuple[int, int]]]) -> None:
    """A map for each photograph, 1 at (row, column)."""
    cells = np.empty((1, len(places)), dtype=object)
    for number, place in enumerate(places):
        cells[0, number] = np.zeros(SIZE)
        for row, column in place:
            cells[0, number][row, column] = 1
    mat.parent.mkdir(parents=True, exist_ok=True)
    scipy.io.savemat(mat, {"white": cells})


def write(folder: Path) -> int:
    """Write the published layout; the number of fixations that are to be read from it."""
    base = folder / "eyetrackingdata/fixdens"
    for number in (1, 2, 10):
        write_image(base / f"Original Image Set/{number}.jpg", make_photograph(number, SIZE))
    write_maps(base / "origfixdata.mat", [[(0, 0)], [(50, 67), (1, 2)], [(3, 4)]])
    return 4
