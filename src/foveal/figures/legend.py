"""The strip below an overlay that says what its colors and lines mean."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from foveal.figures.colors import rgb_table
from foveal.figures.labels import font_of, percent
from foveal.figures.scene import Scene
from foveal.figures.styles import OUTERMOST, Style
from foveal.images import RGBImage

TEXT = 15.0  # height of letters, in units of the scene
SMALLEST_TEXT, LARGEST_TEXT = 11, 24  # px
NARROWEST_BAR = 14.0  # letters: room for the labels of four ticks
INK, PAPER = (40, 40, 40), (255, 255, 255)


def add_legend(drawing: RGBImage, scene: Scene, styles: Sequence[Style]) -> UInt8[np.ndarray, "h w 3"]:
    """Set a white strip with the legends below a drawing; the drawing stays as it is if it is too narrow for them."""
    size = float(np.clip(TEXT * scene.unit, SMALLEST_TEXT * scene.enlargement, LARGEST_TEXT * scene.enlargement))
    font = font_of(size)
    has_color_bar = any(style.has_color_bar for style in styles)
    needed = [style for style in styles if not (has_color_bar and style.said_by_color_bar)]
    strips = [_strip(style, scene, drawing.shape[1], size, font) for style in needed]
    return np.vstack([drawing, *(strip for strip in strips if strip is not None)])


def _strip(style: Style, scene: Scene, width: int, size: float, font: ImageFont.FreeTypeFont) -> RGBImage | None:
    """A sentence, and a color bar to its right, or below it if there is no room."""
    margin = round(0.9 * size)
    text = font.getlength(style.legend)
    if text > width - 2 * margin:
        return None
    bar = NARROWEST_BAR * size if style.has_color_bar else 0.0
    beside = text + bar + 3 * margin <= width
    height = round((3.2 if style.has_color_bar else 2.2) * size)
    strip = Image.new("RGB", (width, height if beside else height + round(1.6 * size)), PAPER)
    pen = ImageDraw.Draw(strip)
    pen.text((margin, 1.1 * size), style.legend, INK, font, anchor="lm")
    if style.has_color_bar:
        left, top = (round(text) + 2 * margin, round(0.7 * size)) if beside else (margin, round(2.2 * size))
        _draw_bar(pen, scene, (left, top, width - margin, top + round(0.8 * size)), font)
    return np.asarray(strip)


def _draw_bar(
    pen: ImageDraw.ImageDraw, scene: Scene, box: tuple[int, int, int, int], font: ImageFont.FreeTypeFont
) -> None:
    """Colors from the peak (left) to the edge of the colored region (right), with the levels marked."""
    left, top, right, bottom = box
    table = rgb_table(scene.colors)
    for x in range(left, right):
        inside = 1 - (x - left) / (right - left)
        pen.line([(x, top), (x, bottom)], tuple(int(value) for value in table[int(255 * inside)]))
    for share in (*(level for level in scene.levels if level < OUTERMOST - 0.05), OUTERMOST):
        tick = left + (right - 1 - left) * share / OUTERMOST
        pen.line([(tick, bottom), (tick, bottom + 0.3 * font.size)], INK, scene.enlargement)
        anchor = "rt" if share == OUTERMOST else "mt"
        pen.text((tick, bottom + 0.45 * font.size), percent(share), INK, font, anchor=anchor)
