"""Densities and fixations in Matplotlib axes: for figures in papers, lines and texts as vectors."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from threading import Lock
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np

from foveal.errors import FovealError
from foveal.figures.labels import DARK, RGB, Label, Path, percent, text_size
from foveal.figures.letters import drawable
from foveal.figures.levels import MASS_LEVELS
from foveal.figures.lines import Outline
from foveal.figures.scene import Scene
from foveal.figures.styles import OUTERMOST, STYLES, colored, lines_and_labels, styles_of
from foveal.gaze import Fixations
from foveal.images import ImageSource, RGBImage, read_image

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

LINE, RIM = 0.8, 2.0  # points: width of a line, and with its rim
NARROWER = 0.87  # letters of Pillow's font, for which room is looked for, beside those of Matplotlib's
BAR = (0.0, -0.05, 1.0, 0.025)  # left, bottom, width, height of the color bar, in those of the axes
BAR_TEXT = 8  # points
FIGURE_SIDE = 8.0  # inches
AREA, USUAL_DURATION = 24.0, 250.0  # square points of a fixation that lasts so many ms, or an unknown time
SMALLEST_TEXT = 5.0  # points

_settings = Lock()  # Matplotlib's are those of all threads


def plot_density(
    log_density: np.ndarray | Sequence[Any],
    image: ImageSource | None = None,
    *,
    ax: "Axes | None" = None,
    style: str = "heatmap",
    cmap: "str | Colormap | None" = None,
    levels: Sequence[float] = MASS_LEVELS,
    color_bar: bool = True,
    outlines: Sequence[Outline] = (),
) -> "Axes":
    """Draw a log density over its photograph (over white if none is given).

    Colors are pixels, as `overlay` draws them. Lines and texts are vectors: in a PDF or an SVG
    (`ax.figure.savefig("figure.pdf")`) they stay sharp. `plot_fixations` draws into the same axes.

    Parameters
    ----------
    log_density
        Natural log of the density over the pixels, (height, width).
    image
        The photograph, of the same size: a path, a PIL image or an array.
    ax
        Axes to draw into; new ones if none are given.
    style, cmap, levels
        As `overlay` takes them.
    color_bar
        Say below the picture what the colors or lines mean.
    outlines
        Regions to be outlined, as `overlay` takes them.

    Raises
    ------
    FovealError
        If the photograph or the density cannot be drawn, they differ in size, or a style, level or colormap is none.
    """
    styles = styles_of(style)
    scene = Scene.of(image, log_density, levels=levels, cmap=cmap)
    canvas = colored(scene, styles)
    lines, labels = lines_and_labels(scene, styles, outlines)
    ax = _show(canvas, np.shape(log_density), ax)
    _draw_lines(ax, scene, lines)
    _draw_labels(ax, scene, labels, canvas)
    if color_bar and any(each.has_color_bar for each in styles):
        bar = ax.inset_axes(BAR)
        draw_color_bar(bar, scene.colors, scene.levels)
        bar.set_xlabel(STYLES["heatmap"].legend, fontsize=BAR_TEXT)
    elif color_bar:
        legend = "\n".join(each.legend for each in styles)
        ax.text(0.5, -0.02, legend, transform=ax.transAxes, ha="center", va="top", fontsize=BAR_TEXT)
    return ax


def save_figure(
    log_density: np.ndarray | Sequence[Any],
    image: ImageSource,
    file: str | os.PathLike[str] | BytesIO,
    file_format: str,
    **drawing: Any,
) -> None:
    """Write what `plot_density` draws as a "pdf" or "svg" of 8 inches on the longer side; the same bytes every time.

    Colors have the pixels that `overlay` gives them. A box stands for each character that the font lacks.
    """
    from matplotlib.figure import Figure  # no display is needed

    height, width = np.shape(log_density)
    side = FIGURE_SIDE / max(height, width)
    with same_every_time():
        figure = Figure(figsize=(side * width, side * height))
        ax = plot_density(log_density, image, ax=figure.add_axes((0, 0, 1, 1)), **drawing)
        ax.images[0].set_interpolation("none")  # each pixel is kept, however large the figure
        dates = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}
        figure.savefig(file, format=file_format, bbox_inches="tight", pad_inches=0.02, metadata=dates[file_format])


@contextmanager
def same_every_time() -> Iterator[None]:
    """Settings of Matplotlib for texts as text, and the same bytes at every run; one thread has them at a time."""
    with _settings, matplotlib.rc_context({"svg.hashsalt": "foveal", "svg.fonttype": "none", "pdf.fonttype": 42}):
        yield


def plot_fixations(
    fixations: Fixations, image: ImageSource | None = None, *, ax: "Axes | None" = None, scanpath: bool = False
) -> "Axes":
    """Draw the fixations of one photograph as dots over it, each observer in a color of their own.

    Parameters
    ----------
    fixations
        Those of one photograph: `dataset.fixations.for_image(i)`.
    image
        The photograph: a path, a PIL image or an array. None draws over what the axes already show.
    ax
        Axes to draw into; new ones if none are given.
    scanpath
        Join each observer's fixations in their order, and number them; the area of a dot is as the duration, if known.

    Raises
    ------
    FovealError
        If the photograph cannot be read, there are neither a photograph nor axes, the fixations are of several
        photographs, or a scanpath is asked for and their order is not known.
    """
    if len(np.unique(fixations.image)) > 1:
        raise FovealError("plot_fixations: these are of several photographs; choose one: fixations.for_image(0)")
    if scanpath and (fixations.order < 0).any():
        raise FovealError("plot_fixations: a scanpath needs the order of the fixations, which is not known")
    if image is not None:
        photograph = read_image(image)
        ax = _show(photograph, photograph.shape[:2], ax)
    elif ax is None:
        raise FovealError("plot_fixations: give a photograph, or axes that show one")
    area = AREA * np.nan_to_num(fixations.duration / USUAL_DURATION, nan=1.0) if scanpath else AREA
    dots = ax.scatter(
        fixations.x, fixations.y, area, fixations.subject, cmap="viridis", edgecolors="white", linewidths=0.8, zorder=4
    )
    if scanpath:
        for subject in np.unique(fixations.subject):
            _join(ax, fixations.for_subject(subject), tuple(dots.to_rgba(subject)))
    return ax


def _join(ax: "Axes", fixations: Fixations, color: tuple[float, ...]) -> None:
    """Draw one observer's scanpath through the dots."""
    from matplotlib.patheffects import withStroke  # parts of Matplotlib are loaded by who plots

    in_order = fixations.where(np.argsort(fixations.order, kind="stable"))
    ax.plot(
        in_order.x,
        in_order.y,
        color=color,
        linewidth=1.2,
        zorder=3,
        path_effects=[withStroke(linewidth=2.4, foreground="w")],
    )
    for x, y, order in zip(in_order.x, in_order.y, in_order.order, strict=True):
        ax.annotate(
            str(order + 1),
            (x, y),
            (4, 4),
            textcoords="offset points",
            fontsize=6,
            zorder=5,
            path_effects=[withStroke(linewidth=1.5, foreground="w")],
            annotation_clip=True,
        )


def _show(picture: RGBImage, size: tuple[int, ...], ax: "Axes | None") -> "Axes":
    """An image in axes whose units are the pixels of the photograph, pixel centers at integers."""
    height, width = size
    if ax is None:
        from matplotlib import pyplot as plt  # a display is looked for only when somebody wants one

        ax = plt.subplots(figsize=(8, 8 * height / width), layout="constrained")[1]
    ax.imshow(picture, extent=(-0.5, width - 0.5, height - 0.5, -0.5))
    ax.set_axis_off()
    return ax


def _draw_lines(ax: "Axes", scene: Scene, lines: Sequence[Path]) -> None:
    from matplotlib.collections import LineCollection
    from matplotlib.patheffects import withStroke

    in_photograph = [(line + 0.5) / scene.scale - 0.5 for line in lines]
    rim = withStroke(linewidth=RIM, foreground=_hex(DARK), alpha=0.5)
    ax.add_collection(LineCollection(in_photograph, colors="white", linewidths=LINE, path_effects=[rim]), autolim=False)


def _draw_labels(ax: "Axes", scene: Scene, labels: Sequence[Label], picture: RGBImage) -> None:
    from matplotlib.patheffects import withStroke

    points = ax.get_window_extent().width * 72 / ax.figure.dpi  # width of the axes
    size = max(SMALLEST_TEXT, NARROWER * text_size(scene) * points / scene.density.shape[1])
    for label in labels:
        x, y = ((at + 0.5) / scene.scale - 0.5 for at in (label.x, label.y))
        ink, rim = map(_hex, label.colors_on(picture))
        effect = withStroke(linewidth=size / 5, foreground=rim)
        ax.text(
            x,
            y,
            drawable(label.text),
            color=ink,
            fontsize=size,
            ha="center",
            va="center",
            path_effects=[effect],
            parse_math=False,
        )


def _hex(color: RGB) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)


def draw_color_bar(ax: "Axes", cmap: "Colormap", levels: Sequence[float] = MASS_LEVELS) -> None:
    """Fill axes with the colors from the edge of the colored region to the peak, with the levels marked."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    colors = ScalarMappable(Normalize(0, OUTERMOST), cmap.reversed())
    bar = ax.figure.colorbar(colors, cax=ax, orientation="horizontal")
    shares = [*(share for share in levels if share < OUTERMOST - 0.05), OUTERMOST]
    bar.set_ticks(shares, labels=[percent(share) for share in shares])
    ax.tick_params(labelsize=BAR_TEXT)
    ax.get_xticklabels()[-1].set_horizontalalignment("right")
    bar.outline.set_visible(False)
