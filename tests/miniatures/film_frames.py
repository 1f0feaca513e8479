"""Films in small, frame by frame: pictures, and maps of fixations beside them."""

from pathlib import Path

import numpy as np
from toy import make_photograph, write_image


def write_film(folder: Path, frames: dict[str, list[tuple[int, int]]], size: tuple[int, int] = (36, 64)) -> None:
    """Write images/<frame>.png, and fixation/<frame>.png, which is 255 at these (row, column)."""
    for seed, (frame, pixels) in enumerate(frames.items()):
        write_image(folder / f"images/{frame}.png", make_photograph(seed, size))
        fixations = np.zeros((*size, 3), np.uint8)
        for row, column in pixels:
            fixations[row, column] = 255
        write_image(folder / f"fixation/{frame}.png", fixations)
        write_image(folder / f"maps/{frame}.png", make_photograph(seed, size))
