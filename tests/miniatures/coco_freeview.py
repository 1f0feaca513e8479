"""COCO-FreeView in small: two pictures of the screen, one of which lies in the folders of two tasks."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from toy import write_image

FIXATIONS = "COCOFreeView_fixations_trainval.json"


def scanpath(name: str, subject: int, split: str, rows: list[tuple[float, float, float]]) -> dict[str, Any]:
    """One entry of the list: x, y in px and t in ms of each fixation."""
    x, y, t = (list(column) for column in zip(*rows, strict=True))
    return {"name": name, "subject": subject, "X": x, "Y": y, "T": t, "length": len(rows), "split": split}


def write(folder: Path) -> int:
    """Write the published layout; the number of fixations that are to be read from it."""
    gray = np.full((1050, 1680, 3), 126, np.uint8)
    for place in ("images/bottle/000002.jpg", "images/bowl/000002.jpg", "coco_search18_images_TA/car/000001.jpg"):
        write_image(folder / place, gray)
    rows = [
        scanpath("000002.jpg", 10, "train", [(840, 525, 200), (1679, 1049, 150.5)]),
        scanpath("000002.jpg", 1, "train", [(0, 0, 300), (1690, 0, 100)]),
        scanpath("000001.jpg", 1, "valid", [(5.5, 6.5, 250)]),
    ]
    (folder / FIXATIONS).write_text(json.dumps(rows))
    return 4  # one is outside
