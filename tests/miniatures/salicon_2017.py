"""SALICON in small: one photograph a part, the fixations of two observers."""

from pathlib import Path

import numpy as np
import scipy.io
from toy import make_photograph, write_image

STEMS = {part: f"COCO_{part}2014_{number:012d}" for number, part in enumerate(("train", "val", "test"))}


def write_photographs(folder: Path) -> None:
    """A photograph of each part, where both forms of the data set have them."""
    for seed, (part, stem) in enumerate(STEMS.items()):
        write_image(folder / "images" / part / f"{stem}.jpg", make_photograph(seed))


def write_gaze(mat: Path, fixations: list[list[list[float]]]) -> None:
    """The struct of one photograph: the fixations of each observer, rows [x, y] counted from one."""
    mat.parent.mkdir(parents=True, exist_ok=True)
    kinds = [("location", "O"), ("timestamp", "O"), ("fixations", "O")]
    gaze = np.zeros((len(fixations), 1), dtype=kinds)
    for observer, rows in zip(gaze[:, 0], fixations, strict=True):
        observer["location"] = np.array([[700.0, 500.0], [1.0, 1.0]])
        observer["timestamp"] = np.array([[0.0], [16.0]])
        observer["fixations"] = np.array(rows).reshape(-1, 2)
    scipy.io.savemat(mat, {"image": mat.stem, "resolution": np.array([[60, 80]]), "gaze": gaze})


def write(folder: Path) -> int:
    """Write the published layout; the number of fixations that are to be read from it."""
    write_photographs(folder)
    write_gaze(folder / "fixations/train" / f"{STEMS['train']}.mat", [[[1, 1], [80, 60]], [[40, 30]], []])
    write_gaze(folder / "fixations/val" / f"{STEMS['val']}.mat", [[[10, 20], [81, 20]]])
    return 4  # one is outside
