"""A sheet of photographs with their regions outlined, people's map, and a model's."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from foveal.figures.overlay import overlay
from foveal.images import RGBImage

WIDTH = 360  # px of one picture
HEAD = 26  # px for the words above a column, and below a row
GAP = 6
FONT = cv2.FONT_HERSHEY_SIMPLEX
INK = (20, 20, 20)
LOST, OTHER, INVENTED = (235, 60, 40), (255, 255, 255), (60, 140, 255)


@dataclass(frozen=True, eq=False)
class Outlined:
    """One photograph of the sheet.

    Attributes
    ----------
    photograph
        Its pixels.
    missed, others, over_predicted
        Outlines of the regions that the model misses, of those that it does not, and of what it over-predicts: x and y
        in px.
    people, model
        Log densities: of the fixations, and what the model says.
    caption
        A line below.
    """

    photograph: RGBImage
    missed: Sequence[Float[np.ndarray, "corner 2"]]
    others: Sequence[Float[np.ndarray, "corner 2"]]
    over_predicted: Sequence[Float[np.ndarray, "corner 2"]]
    people: Float[np.ndarray, "height width"]
    model: Float[np.ndarray, "height width"]
    caption: str


def region_sheet(rows: Sequence[Outlined], model: str) -> RGBImage:
    """A row for each photograph: its regions, people's map, the model's map.

    Regions that the model misses are red, all others white, and blue is what it over-predicts.
    """
    heads = ("red: missed, blue: over-predicted, white: others", "people", model)
    drawn = [np.hstack([_spaced(_line(head, WIDTH)) for head in heads])]
    for row in rows:
        pictures = (
            _outlined(row),
            *(_small(overlay(row.photograph, values, largest_side=2 * WIDTH)) for values in (row.people, row.model)),
        )
        drawn.append(np.hstack([_spaced(picture) for picture in pictures]))
        drawn.append(_spaced(_line(row.caption, drawn[0].shape[1] - GAP)))
    return np.vstack(drawn)


def _outlined(row: Outlined) -> RGBImage:
    picture = np.ascontiguousarray(_small(row.photograph))
    scale = WIDTH / row.photograph.shape[1]
    outlines = [(OTHER, row.others), (INVENTED, row.over_predicted), (LOST, row.missed)]
    for thickness in (4, 2):  # a dark rim first
        for color, polygons in outlines:
            for polygon in polygons:
                corners = np.round((polygon + 0.5) * scale - 0.5).astype(np.int32)
                cv2.polylines(picture, [corners], True, INK if thickness == 4 else color, thickness, cv2.LINE_AA)
    return picture


def _small(picture: RGBImage) -> UInt8[np.ndarray, "h w 3"]:
    height = max(1, round(picture.shape[0] * WIDTH / picture.shape[1]))
    return cv2.resize(picture, (WIDTH, height), interpolation=cv2.INTER_AREA)


def _line(text: str, width: int) -> RGBImage:
    line = np.full((HEAD, width, 3), 255, np.uint8)
    printable = text.encode("ascii", "replace").decode()  # all that the font has
    cv2.putText(line, printable, (2, HEAD - 9), FONT, 0.43, INK, 1, cv2.LINE_AA)
    return line


def _spaced(picture: RGBImage) -> UInt8[np.ndarray, "h w 3"]:
    return cv2.copyMakeBorder(picture, 0, 0, 0, GAP, cv2.BORDER_CONSTANT, value=(255, 255, 255))
