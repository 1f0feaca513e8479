"""Draw the picture of the README: a landscape of our own making, and where Foveal says that people look in it.

python docs/assets/make_picture.py
"""

from pathlib import Path

import cv2
import numpy as np

import foveal

WIDTH, HEIGHT = 640, 480
FINE = 4  # drawn larger and shrunk, for smooth edges


def landscape() -> np.ndarray:
    """Sky, hills, a path, a house, trees, a balloon."""
    y = np.linspace(0, 1, HEIGHT)[:, None, None]
    image = ((1 - y) * np.array([120, 170, 215]) + y * np.array([225, 225, 210])).repeat(WIDTH, axis=1)
    x = np.arange(WIDTH)
    rows = np.arange(HEIGHT)[:, None]
    for base, height, waves, color in (
        (250, 40, 2.1, (140, 160, 150)),
        (300, 35, 3.3, (105, 140, 95)),
        (370, 25, 1.4, (125, 155, 75)),
    ):
        ridge = base + height * np.sin(x / WIDTH * np.pi * waves + base) + 6 * np.sin(x / 23 + base)
        image = np.where((rows > ridge)[..., None], np.array(color), image)
    image = cv2.resize(image.astype(np.float32), None, fx=FINE, fy=FINE, interpolation=cv2.INTER_LINEAR)

    def polygon(points: list[tuple[float, float]], color: tuple[int, int, int]) -> None:
        cv2.fillPoly(image, [(np.array(points) * FINE).astype(np.int32)], color)

    def disc(center: tuple[float, float], radius: tuple[float, float], color: tuple[int, int, int]) -> None:
        middle, axes = (tuple(int(v * FINE) for v in pair) for pair in (center, radius))
        cv2.ellipse(image, middle, axes, 0, 0, 360, color, -1)

    polygon([(300, 480), (360, 480), (452, 352), (446, 352)], (205, 190, 150))
    for cx, cy, size in ((60, 330, 1.0), (105, 345, 0.8), (560, 350, 1.1), (610, 335, 0.9), (230, 335, 0.5)):
        left, right, bottom = cx - 3 * size, cx + 3 * size, cy + 40 * size
        polygon([(left, cy), (right, cy), (right, bottom), (left, bottom)], (90, 70, 50))
        disc((cx, cy - 12 * size), (22 * size, 34 * size), (60, 100, 60))
    polygon([(420, 300), (490, 300), (490, 355), (420, 355)], (235, 225, 205))
    polygon([(410, 302), (455, 262), (500, 302)], (150, 75, 60))
    polygon([(446, 325), (462, 325), (462, 355), (446, 355)], (110, 75, 50))
    polygon([(428, 312), (440, 312), (440, 324), (428, 324)], (95, 125, 150))
    polygon([(470, 312), (482, 312), (482, 324), (470, 324)], (95, 125, 150))
    disc((190, 120), (44, 50), (215, 60, 45))
    disc((190, 120), (26, 50), (240, 195, 60))
    disc((190, 120), (9, 50), (215, 60, 45))
    for end in (-12, 12):
        line = [(int((190 + 2.4 * end) * FINE), int(158 * FINE)), (int((190 + end * 0.8) * FINE), int(196 * FINE))]
        cv2.line(image, *line, (80, 60, 40), FINE)
    polygon([(179, 195), (201, 195), (199, 211), (181, 211)], (120, 85, 50))
    for bx, by in ((330, 95), (356, 108), (318, 116)):
        for side in (-1, 1):
            ends = [(int(bx * FINE), int(by * FINE)), (int((bx + side * 9) * FINE), int((by - 5) * FINE))]
            cv2.line(image, *ends, (60, 60, 70), int(1.6 * FINE))
    return cv2.resize(image, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA).round().astype(np.uint8)


def main() -> None:
    """Write landscape.png beside this file."""
    image = landscape()
    drawn = foveal.overlay(image, foveal.load_model("foveal-s").predict(image).log_density)
    pair = np.hstack([image, np.full((HEIGHT, 12, 3), 255, np.uint8), drawn])
    path = Path(__file__).with_name("landscape.png")
    cv2.imwrite(str(path), cv2.cvtColor(pair, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 9])
    print(path)


if __name__ == "__main__":
    main()
