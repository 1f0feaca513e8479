"""CAT2000 in small: a picture in each of two categories, and a map of a model that is none of them."""

from pathlib import Path

import numpy as np
import scipy.io
from toy import make_photograph, write_image


def write_map(mat: Path, pixels: list[tuple[int, int]], size: tuple[int, int] = (60, 80)) -> None:
    """A map that is 1 at these (row, column)."""
    mask = np.zeros(size, np.uint8)
    for row, column in pixels:
        mask[row, column] = 1
    mat.parent.mkdir(parents=True, exist_ok=True)
    scipy.io.savemat(mat, {"fixLocs": mask})


def write(folder: Path) -> int:
    """Write the published layout; the number of fixations that are to be read from it."""
    base = folder / "trainSet"
    for seed, category in enumerate(("Action", "Satelite")):
        write_image(base / "Stimuli" / category / "001.jpg", make_photograph(seed))
        write_image(base / "Stimuli" / category / "Output/001.jpg", make_photograph(seed))
    write_map(base / "FIXATIONLOCS/Action/001.mat", [(0, 0), (59, 79)])
    write_map(base / "FIXATIONLOCS/Satelite/001.mat", [(10, 20)])
    return 3
