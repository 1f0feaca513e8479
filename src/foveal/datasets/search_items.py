"""The items of search arrays: outlines of bars, discs, arcs, rings, crosses and dots, drawn with smooth edges."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

CHROMA = 35.0  # of CIELAB: what sRGB can show of every hue at the lightness of the colored items
FINER = 8  # times as many pixels, on which items are drawn before they are averaged
SUBPIXEL_BITS = 4  # of OpenCV's coordinates
STEP = np.pi / 90  # radians between the corners of a round outline

Outline = Float[np.ndarray, "corner 2"]  # (x, y) in px from the item's center


@dataclass(frozen=True)
class Look:
    """What an item looks like. Angles are in degrees, clockwise from upright; lengths in px.

    Attributes
    ----------
    kind
        What is drawn.
    size
        Its length or diameter; a square has the area of a disc of this diameter.
    stroke
        Width of a line, or diameter of a dot.
    tilt
        By how much it is turned.
    hue
        Angle of its hue in CIELAB; None is gray.
    lightness
        L* of CIELAB, from 0 to 100.
    bend
        By how much an arc turns from one end to the other.
    gap
        How much of a ring is missing, at the top.
    crossing
        Where the two bars of a cross meet: at their ends (0, an L) up to their middles (1, a plus).
    squareness
        From a disc (0) to a square (1).
    spacing
        Distance between dots.
    """

    kind: Literal["bar", "disc", "arc", "ring", "cross", "dots"]
    size: float
    stroke: float
    tilt: float = 0.0
    hue: float | None = None
    lightness: float = 85.0
    bend: float = 0.0
    gap: float = 0.0
    crossing: float = 0.0
    squareness: float = 0.0
    spacing: float = 9.0

    def outlines(self) -> list[Outline]:
        """The polygons that are filled, some of which may overlap."""
        half = self.size / 2
        if self.kind == "bar":
            shapes = [_bar(self.size, self.stroke)]
        elif self.kind == "disc":
            shapes = [_rounded_square(half, self.squareness)]
        elif self.kind == "ring":
            shapes = [_band(half - self.stroke / 2, self.stroke, np.radians(self.gap / 2), np.radians(360 - self.gap))]
        elif self.kind == "arc":
            shapes = [_arc(self.size, self.stroke, np.radians(self.bend))]
        elif self.kind == "cross":
            shapes = _cross(self.size, self.stroke, self.crossing)
        else:
            shapes = _dots(half, self.stroke / 2, self.spacing)
        sine, cosine = np.sin(np.radians(self.tilt)), np.cos(np.radians(self.tilt))
        turn = np.array([[cosine, sine], [-sine, cosine]])
        return [shape @ turn for shape in shapes]

    @property
    def reach(self) -> float:
        """Distance of its farthest point from its center, px."""
        return float(max(np.hypot(*outline.T).max() for outline in self.outlines()))

    @property
    def color(self) -> UInt8[np.ndarray, " 3"]:
        """As sRGB."""
        angle, chroma = (0.0, 0.0) if self.hue is None else (np.radians(self.hue), CHROMA)
        lab = np.array([[[self.lightness, chroma * np.cos(angle), chroma * np.sin(angle)]]], np.float32)
        rgb = cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)[0, 0]
        return np.rint(255 * rgb.clip(0, 1)).astype(np.uint8)


def coverage(
    outlines: Sequence[Outline], center: tuple[float, float], size: tuple[int, int]
) -> tuple[tuple[slice, slice], Float[np.ndarray, "row column"]]:
    """Which part of a picture of a (height, width) an item at (x, y) lies in, and which share of each px it covers."""
    corners = np.concatenate(outlines)
    low = np.floor(corners.min(axis=0) + center).astype(int) - 1
    high = np.ceil(corners.max(axis=0) + center).astype(int) + 2
    (left, top), (right, bottom) = low.clip(0), np.minimum(high, (size[1], size[0]))
    fine = np.zeros((FINER * (bottom - top), FINER * (right - left)), np.uint8)
    for outline in outlines:
        # A pixel's center has whole coordinates: its first fine pixel is half a pixel to the left.
        at = (outline + center - (left, top) + 0.5) * FINER - 0.5
        cv2.fillPoly(fine, [np.rint(at * 2**SUBPIXEL_BITS).astype(np.int32)], 255, shift=SUBPIXEL_BITS)
    share = cv2.resize(fine, (int(right - left), int(bottom - top)), interpolation=cv2.INTER_AREA) / 255
    return (slice(top, bottom), slice(left, right)), share


def filled(drawn: Bool[np.ndarray, "row column"]) -> Bool[np.ndarray, "row column"]:
    """The convex hull of what is drawn: an item with what it encloses, as a person would mark it."""
    points = cv2.findNonZero(drawn.astype(np.uint8))
    hull = np.zeros(drawn.shape, np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(points), 1)
    return (hull > 0) | drawn


def _bar(length: float, width: float, center: tuple[float, float] = (0.0, 0.0)) -> Outline:
    """An upright bar."""
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) / 2
    return corners * (width, length) + center


def _band(radius: float, width: float, first: float, angle: float) -> Outline:
    """A part of a ring around the origin: so many radians, from the first on, clockwise from the top."""
    angles = first + np.linspace(0, angle, max(2, int(np.ceil(angle / STEP)) + 1))
    points = np.stack([np.sin(angles), -np.cos(angles)], axis=1)
    return np.concatenate([(radius + width / 2) * points, (radius - width / 2) * points[::-1]])


def _arc(length: float, width: float, bend: float) -> Outline:
    """A line of a length that turns by so many radians, the middle of its outline's box at the origin."""
    if bend < STEP:
        return _bar(length, width)
    radius = length / bend
    band = _band(radius, width, np.pi / 2 - bend / 2, bend)
    return band - (band.min(axis=0) + band.max(axis=0)) / 2


def _rounded_square(radius: float, squareness: float) -> Outline:
    """From a disc of this radius to a square of the same area, by smaller and smaller corners' radii."""
    rounding = 1 - squareness
    # A square of side 2 a with corners of radius r a has the area a² (4 − (4 − π) r²).
    half = radius * np.sqrt(np.pi / (4 - (4 - np.pi) * rounding**2))
    quarter = np.linspace(0, np.pi / 2, int(np.pi / 2 / STEP) + 1)
    corner = half * (1 - rounding) + half * rounding * np.stack([np.sin(quarter), np.cos(quarter)], axis=1)
    turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    return np.concatenate([corner @ np.linalg.matrix_power(turn, k) for k in range(4)])


def _cross(length: float, width: float, crossing: float) -> list[Outline]:
    """Two bars at right angles that fill a square of this side, whatever the place where they meet."""
    away = (length - width) / 2 * (1 - crossing)
    upright = _bar(length, width, (-away, 0.0))
    lying = _bar(length, width)[:, ::-1] + (0.0, away)
    return [upright, lying]


def _dots(reach: float, radius: float, spacing: float) -> list[Outline]:
    """Dots on a lattice of triangles within a disc."""
    count = int(np.ceil(2 * reach / spacing))
    row, column = np.mgrid[-count : count + 1, -count : count + 1]
    places = spacing * np.stack([column + row % 2 / 2, row * np.sqrt(3) / 2], axis=-1).reshape(-1, 2)
    within = places[np.hypot(*places.T) <= reach - radius]
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    dot = radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return [dot + place for place in within]
