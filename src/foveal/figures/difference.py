"""Where one picture gets more attention than another, drawn over the first."""

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw

from foveal.figures.labels import DARK, RGB, WHITE, font_of
from foveal.images import RGBImage

MORE, LESS = (255, 110, 20), (30, 110, 255)  # orange and blue, which the color-blind tell apart
STRONGEST = 0.85  # opacity of the largest difference
LEGEND = 32  # px of its height
MOST_PIXELS = 2**20  # that a difference is drawn with


def difference_map(
    picture: RGBImage,
    densities: tuple[Float[np.ndarray, "height width"], Float[np.ndarray, "height2 width2"]],
    names: tuple[str, str],
) -> UInt8[np.ndarray, "h w 3"]:
    """Over a picture in gray: orange where it gets more attention than another, blue where less; below it a legend.

    The color is full where one gets the density of the higher of the two peaks, and the other nothing.

    Parameters
    ----------
    picture
        The first picture.
    densities
        Of the first and of the other, which is stretched to the size of the first.
    names
        What the two are called in the legend.

    Returns
    -------
    RGB of the picture's size, or shrunk, and higher by the legend.
    """
    height, width = picture.shape[:2]
    scale = min(1.0, (MOST_PIXELS / (height * width)) ** 0.5)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    a, b = (cv2.resize(density, size, interpolation=cv2.INTER_AREA) for density in densities)
    a, b = a / a.sum(), b / b.sum()
    difference = a - b
    strength = STRONGEST * np.sqrt(np.abs(difference) / max(a.max(), b.max()))[..., None]
    gray = cv2.cvtColor(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    below = np.repeat(gray[..., None].astype(np.float32), 3, axis=2)
    color = np.where(difference[..., None] > 0, np.array(MORE, np.float32), np.array(LESS, np.float32))
    drawn = np.rint(below + strength * (color - below)).astype(np.uint8)
    return np.vstack([drawn, _legend(drawn.shape[1], ((f"A {names[0]}", MORE), (f"B {names[1]}", LESS)))])


def _legend(width: int, colors: tuple[tuple[str, RGB], ...]) -> RGBImage:
    """A strip that says whose color is whose."""
    strip = Image.new("RGB", (width, LEGEND), WHITE)
    pen, left = ImageDraw.Draw(strip), LEGEND // 3
    for name, color in colors:
        text = f"{name} gets more"
        font = font_of(LEGEND / 2, text)
        pen.rectangle((left, LEGEND // 4, left + LEGEND // 2, 3 * LEGEND // 4), color)
        pen.text((left + 2 * LEGEND // 3, LEGEND // 2), text, DARK, font, anchor="lm")
        left += LEGEND + int(font.getlength(text))
    return np.array(strip)
