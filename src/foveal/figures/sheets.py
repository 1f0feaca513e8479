"""Sheets of small pictures: patches in blocks, and patches in their photographs."""

from collections.abc import Sequence

import cv2
import matplotlib
import numpy as np
from jaxtyping import Bool, Float, UInt8

from foveal.images import RGBImage

COLORMAP = "inferno"  # rises evenly in lightness
PATCH = 110  # px of a patch on the sheet
ACROSS = 3  # patches beside each other in a block
BLOCKS_ACROSS = 5
GAP, HEAD = 14, 26  # px between blocks, and above each for its label
FRAME, FRAME_AWAY = (255, 223, 63), 8  # its color, and px between it and what it frames
WIDTH = 260  # px of a photograph shown with its patch


def patch_sheet(blocks: Sequence[tuple[str, Sequence[np.ndarray]]]) -> RGBImage:
    """Blocks of three by three patches with a label above each, five blocks beside each other (Fig. 6)."""
    drawn = []
    for label, patches in blocks:
        tiles = [cv2.resize(patch, (PATCH, PATCH), interpolation=cv2.INTER_AREA) for patch in patches]
        tiles += [np.full((PATCH, PATCH, 3), 255, np.uint8)] * (-len(tiles) % ACROSS)
        rows = [np.hstack(tiles[start : start + ACROSS]) for start in range(0, len(tiles), ACROSS)]
        drawn.append(labelled(np.vstack(rows), label))
    return in_rows(drawn, BLOCKS_ACROSS)


def context_sheet(
    columns: Sequence[tuple[str, Sequence[tuple[np.ndarray, tuple[float, float], int, np.ndarray]]]],
) -> RGBImage:
    """For each feature a double column: photographs with the patch framed, and the feature's response (Fig. 7)."""
    drawn = []
    for label, shown in columns:
        rows = []
        for photograph, (x, y), side, response in shown:
            scale = WIDTH / photograph.shape[1]
            size = WIDTH, max(1, round(photograph.shape[0] * scale))
            small = np.ascontiguousarray(cv2.resize(photograph, size, interpolation=cv2.INTER_AREA))
            corner = [round(scale * (at - side / 2)) for at in (x, y)]
            cv2.rectangle(small, corner, [c + round(scale * side) for c in corner], (255, 255, 255), 2)
            map_ = np.ascontiguousarray(cv2.resize(heat(response), size, interpolation=cv2.INTER_AREA))
            cv2.circle(map_, (round(scale * x), round(scale * y)), 4, (255, 255, 255), 2)
            rows.append(np.hstack([small, map_]))
        drawn.append(labelled(in_rows(rows, 1, gap=4), label))
    return in_rows(drawn, len(drawn))


def map_sheet(
    heads: Sequence[str], rows: Sequence[tuple[np.ndarray, Sequence[np.ndarray | None]]]
) -> UInt8[np.ndarray, "h w 3"]:
    """A row for each picture: the picture, and maps of it, under a head for each column.

    Every map goes from its own lowest to its own highest value. Where there is none, the sheet stays white.
    """
    drawn = []
    for number, (picture, maps) in enumerate(rows):
        size = WIDTH, max(1, round(picture.shape[0] * WIDTH / picture.shape[1]))
        missing = np.full((*picture.shape[:2], 3), 255, np.uint8)
        pictures = [picture, *(missing if values is None else heat(values) for values in maps)]
        tiles = [cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in pictures]
        if number == 0:
            tiles = [labelled(tile, head) for tile, head in zip(tiles, heads, strict=True)]
        drawn.append(in_rows(tiles, len(tiles), gap=4))
    return np.vstack(drawn)


def framed(picture: RGBImage, mask: Bool[np.ndarray, "h w"]) -> RGBImage:
    """A picture with a yellow frame around what lies in a mask."""
    drawn = picture.copy()
    x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
    corner = x + width - 1 + FRAME_AWAY, y + height - 1 + FRAME_AWAY
    cv2.rectangle(drawn, (x - FRAME_AWAY, y - FRAME_AWAY), corner, FRAME, 3, cv2.LINE_AA)
    return drawn


def heat(values: Float[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w 3"]:
    """A map in colors, from its lowest to its highest value."""
    low, high = float(values.min()), float(values.max())
    return (matplotlib.colormaps[COLORMAP]((values - low) / (high - low or 1.0))[..., :3] * 255).astype(np.uint8)


def labelled(picture: RGBImage, label: str) -> UInt8[np.ndarray, "h w 3"]:
    """A picture below its label, on white."""
    head = np.full((HEAD, picture.shape[1], 3), 255, np.uint8)
    cv2.putText(head, label, (2, HEAD - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (20, 20, 20), 1, cv2.LINE_AA)
    return np.vstack([head, picture])


def in_rows(pictures: Sequence[np.ndarray], across: int, gap: int = GAP) -> UInt8[np.ndarray, "h w 3"]:
    """Pictures side by side, so many in a row, on white."""
    rows = [pictures[start : start + across] for start in range(0, len(pictures), across)]
    width = max(sum(one.shape[1] + gap for one in row) for row in rows) + gap
    heights = [max(one.shape[0] for one in row) + gap for row in rows]
    sheet = np.full((sum(heights) + gap, width, 3), 255, np.uint8)
    top = gap
    for row, height in zip(rows, heights, strict=True):
        left = gap
        for one in row:
            sheet[top : top + one.shape[0], left : left + one.shape[1]] = one
            left += one.shape[1] + gap
        top += height
    return sheet
