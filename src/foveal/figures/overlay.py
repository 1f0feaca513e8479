"""The overlay: where people look, drawn over the photograph, as an RGB array."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import UInt8
from matplotlib.colors import Colormap
from PIL import Image, ImageDraw

from foveal.errors import FovealError
from foveal.figures.labels import DARK, WHITE, Label, Path, covered_by, font_of, text_size
from foveal.figures.legend import add_legend
from foveal.figures.levels import MASS_LEVELS
from foveal.figures.lines import Outline
from foveal.figures.scene import LARGEST_SIDE, Scene
from foveal.figures.styles import colored, lines_and_labels, styles_of
from foveal.images import ImageSource, RGBImage

LINE, RIM = 1.1, 0.8  # width of a line and of its dark rim, in units of the scene
RIM_OPACITY = 0.5
LARGEST_ENLARGEMENT = 2


def overlay(
    image: ImageSource | None,
    log_density: np.ndarray | Sequence[Any],
    *,
    style: str = "heatmap",
    color_bar: bool = False,
    cmap: str | Colormap | None = None,
    levels: Sequence[float] = MASS_LEVELS,
    largest_side: int = LARGEST_SIDE,
    outlines: Sequence[Outline] = (),
    enlarged: int = 1,
) -> UInt8[np.ndarray, "h w 3"]:
    """Draw a density over its photograph.

    A density without structure (the uniform one) leaves the photograph as it is.

    Parameters
    ----------
    image
        The photograph: a path, a PIL image or an array; None draws over white.
    log_density
        Natural log of the density over the pixels, (height, width), of the photograph's size.
    style
        "heatmap": colors by the share of the fixations that the smallest region reaching a pixel holds, up to 95 %;
        beyond, the photograph is untouched. "contours": thin lines around the smallest regions that hold the levels.
        "fog": the photograph is clear where people look. "hotspots": the places that hold half of the fixations, with
        the share of each. A + joins styles: "heatmap+contours".
    color_bar
        Set a strip below the picture that says what the colors and lines mean, if the picture is wide enough.
    cmap
        A Matplotlib colormap, or its name, for other colors.
    levels
        Shares of the fixations that contours enclose.
    largest_side
        The drawing is shrunk to so many px on the longer side if the photograph is larger.
    outlines
        Regions to be outlined: each a text, which is put beside it where there is room, and the corners of its pieces,
        x and y in px of the photograph.
    enlarged
        2: the same drawing with twice as many px on each side, for screens and slides where one has more than it shows.
        The photograph and the density are enlarged smoothly; lines and letters are drawn at that size.

    Raises
    ------
    FovealError
        If the photograph or the density cannot be drawn, they differ in size, or a style, level, colormap or
        enlargement is none.

    Returns
    -------
    RGB of the photograph's size, or shrunk, or enlarged; with a color bar, higher by its strip.
    """
    if enlarged not in range(1, LARGEST_ENLARGEMENT + 1):
        raise FovealError(f"enlarged: a whole number from 1 to {LARGEST_ENLARGEMENT}, not {enlarged!r}")
    styles = styles_of(style)
    scene = Scene.of(image, log_density, levels=levels, cmap=cmap, largest_side=largest_side)
    lines, labels = lines_and_labels(scene, styles, outlines)  # at the same places in a larger drawing
    if enlarged > 1:
        scene = scene.enlarged(enlarged)
        lines = [enlarged * (line + 0.5) - 0.5 for line in lines]
        labels = [label.enlarged(enlarged) for label in labels]
    canvas = colored(scene, styles)
    _draw_lines(canvas, lines, scene)
    canvas = _with_labels(canvas, labels, text_size(scene))
    return add_legend(canvas, scene, styles) if color_bar else canvas


def _draw_lines(canvas: RGBImage, lines: Sequence[Path], scene: Scene) -> None:
    """White lines with a dark rim, which are seen on any picture."""
    width, rim = (max(scene.enlargement, round(wide * scene.unit)) for wide in (LINE, RIM))
    for thickness, color, opacity in ((width + 2 * rim, DARK, RIM_OPACITY), (width, WHITE, 1.0)):
        mask = covered_by(lines, canvas.shape, thickness)
        touched = mask > 0
        share = mask[touched, None] * np.float32(opacity / 255)
        canvas[touched] = (canvas[touched] * (1 - share) + np.array(color) * share).round()


def _with_labels(canvas: RGBImage, labels: Sequence[Label], size: float) -> RGBImage:
    if not labels:
        return canvas
    drawing = Image.fromarray(canvas)
    pen = ImageDraw.Draw(drawing)
    for label in labels:
        ink, rim = label.colors_on(canvas)
        pen.text(
            (label.x, label.y),
            label.text,
            ink,
            font_of(size, label.text),
            anchor="mm",
            stroke_width=size / 9,
            stroke_fill=rim,
        )
    return np.array(drawing)
