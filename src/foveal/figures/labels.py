"""Texts beside lines: how large they are, and where there is room for them."""

import bisect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import cast

import cv2
import matplotlib
import numpy as np
from jaxtyping import Bool, Float, UInt8
from PIL import ImageFont

from foveal.figures.scene import Scene
from foveal.images import RGBImage

TEXT = 18.0  # height of letters, in units of the scene
SMALLEST_TEXT = 12.0  # px
WIDEST = 0.2  # of the drawing's width; no label covers more of a tiny picture
CANDIDATES = 400  # places that are tried for a label
SUBPIXEL_BITS = 4
PILLOWS_OWN = "…"  # beyond ASCII
MID_GRAY = 118  # of 255, as light as dark to the eye

RGB = tuple[int, int, int]
WHITE: RGB = (255, 255, 255)
DARK: RGB = (20, 20, 20)

Path = Float[np.ndarray, "_ 2"]  # points (x, y)


@dataclass(frozen=True)
class Label:
    """A text, the point (x, y) that it is centered on, and its width and height with a margin, in px."""

    text: str
    x: float
    y: float
    width: float
    height: float

    def enlarged(self, times: int) -> "Label":
        """The same label in a drawing that is so many times as large."""
        x, y = (times * (at + 0.5) - 0.5 for at in (self.x, self.y))
        return Label(self.text, x, y, times * self.width, times * self.height)

    def covers(self, points: Path) -> Bool[np.ndarray, " _"]:
        """Which of the points lie under the label?"""
        return (abs(points[:, 0] - self.x) < self.width / 2) & (abs(points[:, 1] - self.y) < self.height / 2)

    def colors_on(self, picture: RGBImage) -> tuple[RGB, RGB]:
        """Colors of the letters and of their rim: dark on light ground, light on dark ground."""
        left, top = max(0, int(self.x - self.width / 2)), max(0, int(self.y - self.height / 2))
        ground = picture[top : top + int(self.height) + 1, left : left + int(self.width) + 1]
        return (DARK, WHITE) if ground.mean() > MID_GRAY else (WHITE, DARK)


class Placing:
    """Finds room for labels: inside the drawing, off the peak and off each other, over as little as can be."""

    def __init__(self, scene: Scene, lines: Iterable[Path]) -> None:
        self.scene = scene
        self.text_size = text_size(scene)
        self.placed: list[Label] = []
        covered = covered_by(lines, scene.density.shape, 1).astype(np.float32) / 255
        self.cost = cv2.integral(scene.density + covered)  # of any rectangle, from its four corners

    def size_of(self, text: str) -> tuple[float, float]:
        """Width and height in px of a text with its margin."""
        return font_of(self.text_size, text).getlength(text) + 0.5 * self.text_size, 1.3 * self.text_size

    def shortened(self, text: str) -> str:
        """As much of a text as may stand in the drawing; the rest is an ellipsis."""
        return shortened(text, WIDEST * self.scene.density.shape[1], lambda text: self.size_of(text)[0])

    def place(self, text: str, centers: Path) -> Label | None:
        """Put a text on the best of the centers; None if there is room on none."""
        width, height = self.size_of(text)
        rows, columns = self.scene.density.shape
        if width > columns * WIDEST:
            return None
        x, y = centers[:: max(1, len(centers) // CANDIDATES)].T
        peak_x, peak_y = self.scene.peak
        free = (abs(x - (columns - 1) / 2) < (columns - width) / 2) & (abs(y - (rows - 1) / 2) < (rows - height) / 2)
        free &= (abs(x - peak_x) > (width + height) / 2) | (abs(y - peak_y) > height)
        for other in self.placed:
            free &= (abs(x - other.x) > (width + other.width) / 2) | (abs(y - other.y) > (height + other.height) / 2)
        if not free.any():
            return None
        x, y = x[free], y[free]
        left, top = (x - width / 2).astype(int).clip(0), (y - height / 2).astype(int).clip(0)
        right, bottom = (left + int(width)).clip(max=columns), (top + int(height)).clip(max=rows)
        cost = self.cost[bottom, right] - self.cost[top, right] - self.cost[bottom, left] + self.cost[top, left]
        best = int(cost.argmin())
        self.placed.append(Label(text, float(x[best]), float(y[best]), width, height))
        return self.placed[-1]


def shortened(text: str, most: float, width_of: Callable[[str], float]) -> str:
    """As much of a text as is not wider than `most`; the rest is an ellipsis.

    >>> shortened("a long name", 6.0, len), shortened("a name", 6.0, len)
    ('a lon…', 'a name')
    """
    if width_of(text) <= most:
        return text
    n = bisect.bisect(range(len(text)), most, key=lambda n: width_of(text[:n] + "…"))
    return text[: max(n - 1, 0)].rstrip() + "…"


def font_of(size: float, text: str = "") -> ImageFont.FreeTypeFont:
    """The font that comes with Pillow, with letters of this height in px; Matplotlib's for a text that needs more."""
    return _font(size, all(letter.isascii() or letter in PILLOWS_OWN for letter in text))


@cache
def _font(size: float, is_plain: bool) -> ImageFont.FreeTypeFont:
    if is_plain:
        return cast(ImageFont.FreeTypeFont, ImageFont.load_default(size))
    return ImageFont.truetype(f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf", size)


def text_size(scene: Scene) -> float:
    """Height of letters in px of the drawing."""
    return max(SMALLEST_TEXT * scene.enlargement, TEXT * scene.unit)


def percent(share: float, digits: int = 3) -> str:
    """A share as it is written.

    >>> percent(0.25), percent(0.975)
    ('25 %', '97.5 %')
    """
    return f"{100 * share:.{digits}g} %"


def covered_by(paths: Iterable[Path], shape: tuple[int, ...], thickness: int) -> UInt8[np.ndarray, "height width"]:
    """How much of each pixel the lines cover, from 0 to 255."""
    mask = np.zeros(shape[:2], dtype=np.uint8)
    points = [np.round(path * 2**SUBPIXEL_BITS).astype(np.int32) for path in paths]
    cv2.polylines(mask, points, False, 255, thickness, cv2.LINE_AA, SUBPIXEL_BITS)
    return mask
