"""The styles of an overlay: each colors the picture, draws lines, or both; they compose."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from foveal.errors import FovealError
from foveal.figures.colors import rgb_table
from foveal.figures.labels import Label, Path, percent
from foveal.figures.levels import HOTSPOTS, in_hotspots
from foveal.figures.lines import Outline, contour_lines, hotspot_lines, outline_lines
from foveal.figures.scene import ROWS_AT_ONCE, Scene
from foveal.images import RGBImage
from foveal.registry import no_such

OUTERMOST = 0.95  # share of the fixations in the region that is colored; beyond it the photograph is as it was
FADE = 0.2  # share of the fixations over which the color fades in at the edge of that region
STRONGEST = 0.72  # opacity at the peak
FALL = 0.28  # the opacity follows this power of the density: places far below a strong peak stay visible
DETAIL = 0.6  # how much of the photograph's local contrast the color takes on: letters and faces stay visible
AMBIENT = 0.35  # how much the color darkens with its surroundings: no gray veil over the night
NEIGHBORHOOD = 0.04  # of the longer side: what "local" and "surroundings" mean
CLEAR = 0.5  # share of the fixations in the region that the fog leaves clear
FOG = np.array([236, 238, 241], dtype=np.float32)
FOG_OPACITY, FOG_BLUR = 0.85, 6.0  # the blur in units of the scene
TINT, TINT_COLOR = 0.45, 0.75  # opacity of a hotspot, and its place among the colors


def heatmap(canvas: RGBImage, scene: Scene) -> RGBImage:
    """Colors by the enclosed share of the fixations; the opacity rises with the density."""
    inside = ((OUTERMOST - scene.enclosed) / OUTERMOST).clip(0, 1)
    opacity = STRONGEST * scene.density**FALL * (inside * (OUTERMOST / FADE)).clip(0, 1)
    return _veiled(canvas, rgb_table(scene.colors), (255 * inside).astype(np.uint8), opacity)


def fog(canvas: RGBImage, scene: Scene) -> RGBImage:
    """The photograph is clear in the smallest region with half of the fixations, and lies in fog beyond 95 %."""
    thickness = ((scene.enclosed - CLEAR) / (OUTERMOST - CLEAR)).clip(0, 1)
    blurred = cv2.GaussianBlur(canvas, (0, 0), max(0.5, FOG_BLUR * scene.unit))
    drawn = np.empty_like(canvas)
    for rows in _strips(canvas):
        soft = _mixed(canvas[rows], blurred[rows], thickness[rows])
        drawn[rows] = _mixed(soft, FOG, FOG_OPACITY * thickness[rows])
    return drawn


def tinted_hotspots(canvas: RGBImage, scene: Scene) -> RGBImage:
    """One color over the places that together hold half of the fixations."""
    color = (255 * np.array([scene.colors(TINT_COLOR)[:3]])).astype(np.float32)
    inside = in_hotspots(scene.density)
    return _veiled(canvas, color, np.zeros(inside.shape, np.uint8), TINT * inside.astype(np.float32))


@dataclass(frozen=True)
class Style:
    """How one style is drawn, and what its legend says.

    Attributes
    ----------
    legend
        One sentence.
    fill
        Draws pixels.
    lines
        Says where lines and labels are.
    has_color_bar, said_by_color_bar
        Does the legend have a color bar; is it left out beside the color bar of another style?
    """

    legend: str
    fill: Callable[[RGBImage, Scene], RGBImage] | None = None
    lines: Callable[[Scene], tuple[list[Path], list[Label]]] | None = None
    has_color_bar: bool = False
    said_by_color_bar: bool = False


STYLES = {
    "heatmap": Style("Smallest region that holds this share of fixations", fill=heatmap, has_color_bar=True),
    "contours": Style(
        "Smallest regions that hold these shares of fixations", lines=contour_lines, said_by_color_bar=True
    ),
    "fog": Style(f"Clear: the smallest region that holds {percent(CLEAR)} of fixations", fill=fog),
    "hotspots": Style(
        f"The outlined places hold {percent(HOTSPOTS)} of fixations", fill=tinted_hotspots, lines=hotspot_lines
    ),
}


def styles_of(names: str) -> list[Style]:
    """The styles that a text such as "heatmap" or "heatmap+contours" names, in the order in which they are drawn.

    Raises
    ------
    FovealError
        If one is not known.
    """
    wanted = [name.strip() for name in str(names).split("+")]
    for name in wanted:
        if name not in STYLES:
            raise FovealError(no_such("style", name, STYLES, also="a + joins them: heatmap+contours"))
    return [STYLES[name] for name in dict.fromkeys(wanted)]


def colored(scene: Scene, styles: Sequence[Style]) -> RGBImage:
    """The colored picture; a density without structure leaves it as it is."""
    canvas = scene.picture.copy()
    for style in styles if scene.has_structure else ():
        if style.fill:
            canvas = style.fill(canvas, scene)
    return canvas


def lines_and_labels(
    scene: Scene, styles: Sequence[Style], outlines: Sequence[Outline]
) -> tuple[list[Path], list[Label]]:
    """What is to be drawn over the colored picture, in px of the scene: the styles' own, and those of the outlines."""
    found = [style.lines(scene) for style in styles if style.lines and scene.has_structure]
    if outlines:
        found.append(outline_lines(scene, outlines))
    return [line for lines, _ in found for line in lines], [label for _, labels in found for label in labels]


def _veiled(
    canvas: RGBImage,
    colors: Float[np.ndarray, "color 3"],
    color: UInt8[np.ndarray, "height width"],
    opacity: Float[np.ndarray, "height width"],
) -> RGBImage:
    """Lay one of the colors over each pixel of a picture so that its local contrast shows in them."""
    gray = cv2.cvtColor(canvas, cv2.COLOR_RGB2GRAY).astype(np.float32)
    side = max(3, round(NEIGHBORHOOD * max(gray.shape)) | 1)
    around = cv2.blur(gray, (side, side), borderType=cv2.BORDER_REPLICATE)
    drawn = np.empty_like(canvas)
    for rows in _strips(canvas):
        contrast = DETAIL * ((gray[rows] + 8) / (around[rows] + 8) - 1)[..., None]  # 8: noise of black is no contrast
        ambient = (1 - AMBIENT + AMBIENT * np.sqrt(around[rows] / 255))[..., None]
        veil = colors[color[rows]] * ambient * (1 + contrast.clip(-1, 0))
        veil += (255 - veil) * contrast.clip(0, 1)
        drawn[rows] = _mixed(canvas[rows], veil, opacity[rows])
    return drawn


def _strips(canvas: RGBImage) -> Iterator[slice]:
    """Rows that are drawn together: floats of a whole large picture take a gigabyte."""
    for top in range(0, len(canvas), ROWS_AT_ONCE):
        yield slice(top, top + ROWS_AT_ONCE)


def _mixed(below: RGBImage, above: np.ndarray, opacity: Float[np.ndarray, "height width"]) -> RGBImage:
    mixed = opacity[..., None] * (above.astype(np.float32) - below)
    mixed += below
    return np.rint(mixed).clip(0, 255).astype(np.uint8)
