"""The overlay: heatmap and contours over the photograph, as an RGB array."""

import cv2
import matplotlib
import numpy as np
from jaxtyping import Float, UInt8

from foveal.errors import FovealError
from foveal.figures.levels import MASS_LEVELS, density_at_mass
from foveal.images import RGBImage

COLORMAP = "inferno"  # rises evenly in lightness, so it reads the same to colour-blind people and in gray
LARGEST_SIDE = 2048  # px; an overlay is for looking at
DARK, WHITE = (20, 20, 20), (255, 255, 255)
STRONGEST = 0.75  # opacity of the heat at its peak: the photograph stays visible everywhere


def overlay(image: RGBImage, log_density: Float[np.ndarray, "row column"]) -> UInt8[np.ndarray, "h w 3"]:
    """Draw a density over its photograph.

    Where people hardly look, the photograph is dimmed and gray; where they look, it shows through the colors of the
    heat. Contours enclose the smallest regions that hold 25, 50 and 75 % of the fixations; they differ in width and
    carry their share in writing, not only a color.

    A density without structure (the uniform one) has neither heat nor contours.

    Raises
    ------
    FovealError
        If the photograph and the density differ in size.

    Returns
    -------
    RGB of the photograph's size, shrunk to 2048 px on the longer side if that is larger.
    """
    height, width = log_density.shape
    if image.shape[:2] != (height, width):
        raise FovealError(
            f"a density of {width} x {height} px over a photograph of {image.shape[1]} x {image.shape[0]}"
        )
    scale = min(1.0, LARGEST_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    image = cv2.resize(image, size, interpolation=cv2.INTER_AREA) if scale < 1 else image
    relative = np.exp(log_density - log_density.max())
    relative = cv2.resize(relative, size, interpolation=cv2.INTER_AREA) if scale < 1 else relative

    colors = matplotlib.colormaps[COLORMAP](heat(relative))[..., :3].astype(np.float32) * 255
    opacity = (STRONGEST * heat(relative))[..., None]
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None]
    faded = 0.5 * image + 0.35 * gray
    drawn = np.ascontiguousarray(((1 - opacity) * faded + opacity * colors).round().astype(np.uint8))
    _draw_contours(drawn, relative)
    return drawn


def heat(relative: Float[np.ndarray, "height width"]) -> Float[np.ndarray, "height width"]:
    """From 0 to 1, the strength of the heat for a density divided by its peak.

    The square root keeps the second and third most looked-at places visible beside a strong peak. A density without
    structure has no heat.
    """
    low = relative.min()
    if relative.max() - low < 1e-6:
        return np.zeros_like(relative)
    return np.sqrt((relative - low) / (relative.max() - low))


def _draw_contours(canvas: UInt8[np.ndarray, "h w 3"], relative: Float[np.ndarray, "h w"]) -> None:
    """Draw the mass levels into the canvas: white lines on a dark rim, the innermost the widest, each labelled."""
    if heat(relative).max() == 0:
        return
    unit = max(1.0, max(canvas.shape[:2]) / 800)  # line widths and letters grow with the picture
    labels = []
    for rank, (share, level) in enumerate(zip(MASS_LEVELS, density_at_mass(relative), strict=True)):
        lines, _ = cv2.findContours((relative >= level).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        if not lines:
            continue
        width = round((3 - rank) * unit)
        cv2.polylines(canvas, lines, True, DARK, width + round(2 * unit), cv2.LINE_AA)
        cv2.polylines(canvas, lines, True, WHITE, width, cv2.LINE_AA)
        points = max(lines, key=len)[:, 0]
        # Left, bottom and top of the three lines, so that labels of lines close to each other stay apart.
        place = (points[:, 0].argmin(), points[:, 1].argmax(), points[:, 1].argmin())[rank]
        labels.append((points, points[place], f"{share:.0%}"))
    for points, place, text in labels:
        _label(canvas, points, place, text, unit)


def _label(canvas: UInt8[np.ndarray, "h w 3"], line: np.ndarray, at: np.ndarray, text: str, unit: float) -> None:
    """Write across a contour line, inside the canvas, if the line is long enough to carry it."""
    font, size, stroke = cv2.FONT_HERSHEY_DUPLEX, 0.5 * unit, max(1, round(unit))
    (width, height), _ = cv2.getTextSize(text, font, size, stroke)
    if len(line) < 4 * width:
        return
    x = int(np.clip(at[0] - width // 2, 2, max(2, canvas.shape[1] - width - 2)))
    y = int(np.clip(at[1] + height // 2, height + 2, max(height + 2, canvas.shape[0] - 2)))
    margin = round(3 * unit)
    cv2.rectangle(canvas, (x - margin, y - height - margin), (x + width + margin, y + margin), DARK, cv2.FILLED)
    cv2.putText(canvas, text, (x, y), font, size, WHITE, stroke, cv2.LINE_AA)
