"""Pictures of what a network's layers answer to: by category, before and after training, inside and in the answer."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import matplotlib
import numpy as np
import pandas as pd
from jaxtyping import Float, UInt8
from matplotlib.transforms import Bbox

from foveal.figures.sheets import COLORMAP, WIDTH, in_rows, labelled
from foveal.images import RGBImage

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEAT = 0.6  # opacity of a map over its photograph
DOT, DOT_SIDE = "#1f4e86", 6  # color, points
LINES = ("#1f4e86", "#c8553d", "#588b8b", "#e0a030", "#7d5ba6", "#3a7d44", "#a0a0a0")
DARK_CELL = 0.55  # share of the range from which on a cell is so dark that its number is white


def words(category: str) -> str:
    """A category as a person reads it.

    >>> words("person_head")
    'person head'
    """
    return category.replace("_", " ")


def draw_matrix(table: pd.DataFrame, path: Path, title: str) -> None:
    """Draw numbers by row (the index) and category (the columns) as shades of one color, each written in its cell."""
    from matplotlib.figure import Figure  # no display is needed

    values = table.to_numpy(float)
    figure = Figure(figsize=(1.6 + 0.8 * values.shape[1], 1.4 + 0.36 * len(values)), layout="constrained", dpi=130)
    axes = figure.subplots()
    high = max(float(np.nanmax(values, initial=0)), 1e-6)
    axes.imshow(values, cmap="Blues", vmin=0, vmax=high, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            color = "white" if value > DARK_CELL * high else "#202020"
            axes.text(column, row, f"{value:.2f}", ha="center", va="center", color=color, fontsize=9)
    axes.set_xticks(range(values.shape[1]), [words(str(name)).replace(" ", "\n") for name in table.columns], fontsize=9)
    axes.set_yticks(range(len(values)), [str(name) for name in table.index], fontsize=9)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(title, loc="left", fontsize=10)
    figure.savefig(path, format="png")


def draw_improvements(table: pd.DataFrame, path: Path, title: str) -> None:
    """Draw one line of points a row over the categories (the columns): Fig. 4."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.8), layout="constrained", dpi=130)
    axes = figure.subplots()
    for number, (label, row) in enumerate(table.iterrows()):
        color = LINES[number % len(LINES)]
        axes.plot(
            range(len(row)), row.to_numpy(float), "o-", color=color, label=str(label), markersize=5, linewidth=1.2
        )
    axes.axhline(0, color="#808080", linewidth=1, linestyle=":")
    axes.set_xticks(range(len(table.columns)), [words(str(name)).replace(" ", "\n") for name in table.columns])
    axes.set_ylabel("rise of the top ten maps' NSS")
    axes.set_title(title, loc="left", fontsize=10)
    axes.legend(frameon=False, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, format="png")


def draw_inner_output(
    table: pd.DataFrame, correlations: dict[str, tuple[float, float]], path: Path, title: str
) -> None:
    """Draw output saliency (left) and its difference from people's (right) over inner saliency: top of Fig. 7."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.2), layout="constrained", dpi=130)
    shown = {"output": "output saliency (NSS)", "difference": "difference from people's map (NSS)"}
    panels = figure.subplots(1, 2)
    for axes, (column, label) in zip(panels, shown.items(), strict=True):
        axes.plot(table["inner"], table[column], "o", color=DOT, markersize=DOT_SIDE)
        axes.set_xlabel("inner saliency: NSS of the top ten maps")
        axes.set_ylabel(label)
        axes.margins(0.18, 0.1)
        axes.set_title(f"Spearman's r = {correlations[column][0]:.2f}", loc="left", fontsize=10)
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title, x=0.01, ha="left", fontsize=10)
    figure.draw_without_rendering()  # only then is it known where points are
    for axes, column in zip(panels, shown, strict=True):
        _name_points(axes, table["inner"].tolist(), table[column].tolist(), [words(c) for c in table["category"]])
    figure.savefig(path, format="png")


def _name_points(axes: "Axes", x: Sequence[float], y: Sequence[float], names: Sequence[str]) -> None:
    """Write a name beside each point, in the corner where it covers least of other points and names."""
    dots = axes.transData.transform(np.column_stack([x, y]))
    around = DOT_SIDE * axes.figure.dpi / 72 / 2
    taken = [Bbox.from_extents(*(dot - around), *(dot + around)) for dot in dots]
    for i, name in enumerate(names):
        labels = [
            axes.annotate(
                name,
                (x[i], y[i]),
                (right * 5, above * 4),
                textcoords="offset points",
                fontsize=8,
                ha="left" if right > 0 else "right",
                va="bottom" if above > 0 else "top",
            )
            for right in (1, -1)
            for above in (1, -1)
        ]
        boxes = [label.get_window_extent() for label in labels]
        covered = [sum(_common_area(box, other) for j, other in enumerate(taken) if j != i) for box in boxes]
        best = int(np.argmin(covered))
        taken.append(boxes[best])
        for number, label in enumerate(labels):
            if number != best:
                label.remove()


def _common_area(a: Bbox, b: Bbox) -> float:
    both = Bbox.intersection(a, b)
    return 0.0 if both is None else float(both.width * both.height)


def heated(photograph: RGBImage, response: Float[np.ndarray, "height width"]) -> RGBImage:
    """A photograph under the colors of a map of its size: dark where this is not above its mean, as the NSS sees it."""
    mean, high = float(response.mean()), float(response.max())
    above = ((response - mean) / (high - mean if high > mean else 1.0)).clip(0, 1)
    heat = matplotlib.colormaps[COLORMAP](above)[..., :3]
    return np.rint(255 * HEAT * heat + (1 - HEAT) * photograph).astype(np.uint8)


def outlined(photograph: RGBImage, polygon: Float[np.ndarray, "corner 2"]) -> RGBImage:
    """A photograph with a white line, rimmed in black, around a region."""
    drawn = photograph.copy()
    corners = [np.rint(polygon).astype(np.int32)]
    unit = max(1, round(max(drawn.shape) / 260))
    for thickness, color in ((4 * unit, (0, 0, 0)), (2 * unit, (255, 255, 255))):
        cv2.polylines(drawn, corners, isClosed=True, color=color, thickness=thickness, lineType=cv2.LINE_AA)
    return drawn


def picture_rows(rows: Sequence[tuple[str, Sequence[Sequence[RGBImage]]]]) -> UInt8[np.ndarray, "h w 3"]:
    """A sheet with a labelled row of groups of pictures for each thing that is shown (Figs. 3, 5 and 6)."""
    drawn = []
    for label, groups in rows:
        joined = [np.hstack([_small(picture) for picture in group]) for group in groups]
        drawn.append(labelled(in_rows(joined, len(joined), gap=8), label))
    return in_rows(drawn, 1, gap=4)


def _small(picture: RGBImage) -> UInt8[np.ndarray, "h w 3"]:
    height = max(1, round(picture.shape[0] * WIDTH / picture.shape[1]))
    return cv2.resize(picture, (WIDTH, height), interpolation=cv2.INTER_AREA)
