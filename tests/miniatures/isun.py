"""ISUN in small: a struct array a part; of the testing images, nobody's fixations."""

from pathlib import Path

import numpy as np
import scipy.io
from toy import make_photograph, write_image


def write_part(mat: Path, gaze_of: dict[str, list[list[list[float]]] | None]) -> None:
    """The struct array of one part: by image, the fixations [x, y] of each observer."""
    kinds = [("image", "O"), ("resolution", "O"), ("scene", "O"), ("gaze", "O")]
    structs = np.zeros((len(gaze_of), 1), dtype=kinds)
    for struct, (image, paths) in zip(structs[:, 0], gaze_of.items(), strict=True):
        gaze = np.zeros((1, len(paths or [])), dtype=[("fixation", "O")])
        for number, rows in enumerate(paths or []):
            gaze[0, number]["fixation"] = np.array(rows, float).reshape(-1, 2)
        struct["image"], struct["resolution"], struct["scene"] = image, np.array([60, 80]), "attic"
        struct["gaze"] = gaze
    scipy.io.savemat(mat, {mat.stem: structs})


def write(folder: Path) -> int:
    """Write the published layout; the number of fixations that are to be read from it."""
    for seed, image in enumerate("abcd"):
        write_image(folder / f"images/{image}.jpg", make_photograph(seed))
    write_part(folder / "training.mat", {"b": [[[1, 2], [3, 4]], [[5, 6]], []], "a": [[[7, 8]]]})
    write_part(folder / "validation.mat", {"d": [[[9, 10], [80, 10]]]})
    write_part(folder / "testing.mat", {"c": None})
    return 5  # one is outside
