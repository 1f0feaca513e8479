"""Lines around regions, with their labels: where they run, in px of the drawing."""

from collections.abc import Sequence

import cv2
import numpy as np
from contourpy import contour_generator
from jaxtyping import Bool

from foveal.figures.labels import Label, Path, Placing, percent
from foveal.figures.levels import HOTSPOTS, SMALLEST_HOTSPOT, density_at_mass, in_hotspots
from foveal.figures.scene import Scene

SPECK = 25  # units of the scene; a line that is shorter is left out
LENGTHS = 6  # a line is labeled if it is so many times as long as its label
Outline = tuple[str, Sequence[Path]]  # a text and the pieces of a region
ONE_HOTSPOT = 2  # connected components, of which the ground is one
BEYOND = 10_000  # px outside the drawing that lines may run
LABELS_ACROSS = 9  # places along a side of a region where its text may be


def contour_lines(scene: Scene) -> tuple[list[Path], list[Label]]:
    """The lines around the smallest regions that hold the scene's levels, interrupted by their labels."""
    of_share = {
        share: _lines_at(scene, level)
        for share, level in zip(scene.levels, density_at_mass(scene.density, scene.levels), strict=True)
    }
    lines = [line for some in of_share.values() for line in some]
    placing = Placing(scene, lines)
    for share, some in of_share.items():
        width, _ = placing.size_of(percent(share))
        if long := [line for line in some if _length(line) > LENGTHS * width]:
            placing.place(percent(share), np.concatenate(long))
    return [piece for line in lines for piece in _outside(line, placing.placed)], placing.placed


def hotspot_lines(scene: Scene) -> tuple[list[Path], list[Label]]:
    """The lines around the hotspots, and beside each that is large enough its rank and its share of the fixations."""
    lines = _lines_at(scene, density_at_mass(scene.density, [HOTSPOTS])[0])
    placing = Placing(scene, lines)
    count, spot, boxes, _ = cv2.connectedComponentsWithStats(in_hotspots(scene.density).astype(np.uint8))
    shares = np.bincount(spot.ravel(), weights=scene.density.ravel(), minlength=count) / scene.density.sum()
    for rank, number in enumerate(1 + np.argsort(-shares[1:]), 1):
        if shares[number] >= SMALLEST_HOTSPOT:
            corner, (across, down) = boxes[number, :2], boxes[number, 2:4]
            outline = corner + _outline(spot[corner[1] :, corner[0] :][:down, :across] == number)
            share = percent(round(shares[number], 2))
            text = f"{rank}: {share}" if count > ONE_HOTSPOT else share
            placing.place(text, _beside(outline, *placing.size_of(text)))
    return lines, placing.placed


def outline_lines(scene: Scene, outlines: Sequence[Outline]) -> tuple[list[Path], list[Label]]:
    """The lines around regions, in px of the scene, and their texts: outside along a border, or inside."""
    closed = [(text, [_in_scene(scene, piece) for piece in pieces]) for text, pieces in outlines]
    lines = [line for _, of_region in closed for line in of_region]
    placing = Placing(scene, lines)
    for text, of_region in closed:
        if not text:
            continue
        corners = np.concatenate(of_region)
        short = placing.shortened(text)
        width, height = placing.size_of(short)
        (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
        columns = np.linspace(left + width / 2, max(right - width / 2, left + width / 2), LABELS_ACROSS)
        outside, inside = (top - height / 2, bottom + height / 2), (top + height / 2, bottom - height / 2)
        for rows in (outside, inside):
            if placing.place(short, np.array([(x, y) for x in columns for y in rows])):
                break
    return lines, placing.placed


def _in_scene(scene: Scene, polygon: Path) -> Path:
    """A closed polygon in px of the scene; what is far outside is brought near."""
    rows, columns = scene.density.shape
    corners = scene.scale * (np.concatenate([polygon, polygon[:1]]) + 0.5) - 0.5
    return np.clip(corners, -BEYOND, np.array([columns, rows]) + BEYOND)


def _lines_at(scene: Scene, level: float) -> list[Path]:
    """Points (x, y) along which the density is at the level; a line ends at the border of the picture."""
    if min(scene.density.shape) < 2:
        return []
    lines = [np.asarray(line) for line in contour_generator(z=scene.density).lines(level)]
    return [line for line in lines if _length(line) >= SPECK * scene.unit]


def _length(line: Path) -> float:
    return float(np.hypot(*np.diff(line, axis=0).T).sum())


def _outside(line: Path, labels: list[Label]) -> list[Path]:
    """The pieces of a line that no label covers."""
    covered = np.zeros(len(line), dtype=bool)
    for label in labels:
        covered |= label.covers(line)
    ends = np.flatnonzero(np.diff(covered)) + 1
    pieces = np.split(line, ends)
    return [piece for piece, hidden in zip(pieces, covered[np.concatenate([[0], ends])], strict=True) if not hidden]


def _outline(region: Bool[np.ndarray, "height width"]) -> Path:
    """The pixels (x, y) along the outer border of a region."""
    outlines, _ = cv2.findContours(region.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return np.concatenate(outlines)[:, 0].astype(np.float64)


def _beside(outline: Path, width: float, height: float) -> Path:
    """Centers of a label to the left and right, above and below of the points of an outline."""
    sides = np.array([[-width, 0], [width, 0], [0, -height], [0, height]]) / 2
    return (outline[:, None] + sides).reshape(-1, 2)
