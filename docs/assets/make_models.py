"""Draw one scene of our own as every model sees it that comes with weights: docs/assets/models.webp.

python docs/assets/make_models.py
"""

from pathlib import Path

import cv2
import drawn_scenes
import numpy as np
from PIL import Image

import foveal
from foveal.figures.sheets import in_rows, labelled
from foveal.models import ready_models

SHEET = Path(__file__).parent / "models.webp"
WIDTH, ACROSS = 300, 5  # px of a picture; pictures in a row
FROM_DATA = ("gold",)  # what is made of the fixations themselves


def main() -> None:
    """Write the sheet beside this file: the scene, and a heatmap a model."""
    scene = drawn_scenes.portrait()
    size = WIDTH, round(scene.shape[0] * WIDTH / scene.shape[1])

    def small(picture: np.ndarray, label: str) -> np.ndarray:
        return labelled(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), label)

    pictures = [small(scene, "the scene")]
    for name in ready_models():
        if name not in FROM_DATA:
            log_density = foveal.load_model(name).predict(scene).log_density
            pictures.append(small(foveal.overlay(scene, log_density), name))
    Image.fromarray(in_rows(pictures, ACROSS)).save(SHEET, quality=85, method=6)
    print(SHEET)


if __name__ == "__main__":
    main()
