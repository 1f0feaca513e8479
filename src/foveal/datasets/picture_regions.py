"""Regions of one picture with names, as people draw them: a table of boxes or polygons, COCO's or labelme's JSON."""

import json
import math
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Float, Int

from foveal.datasets.json_file import entries, read_json
from foveal.datasets.regions import polygon_of
from foveal.datasets.table import Table, read_table
from foveal.errors import FovealError
from foveal.gaze.regions import check_polygon

Real: TypeAlias = int | float
BOX = ("x", "y", "width", "height")
HAIR = 1e-6  # px; a center that is nearer to the border is on it, which is inside
TEXTS = ("name", "image", "polygon")
KINDS = "a table (.csv, .parquet), or COCO's or labelme's JSON (.json)"


@dataclass(frozen=True, eq=False)
class PictureRegion:
    """A part of a picture that has a name.

    Attributes
    ----------
    name
        What it is called.
    polygons
        Corners of each of its pieces, x and y in px; the center of the first pixel is at (0, 0). Where a line crosses
        itself, what is enclosed twice is outside.

    Raises
    ------
    FovealError
        If it has no name or no piece, or a piece has less than three corners.
    """

    name: str
    polygons: tuple[Float[np.ndarray, "corner 2"], ...]

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise FovealError("a region without a name")
        for polygon in self.polygons:
            check_polygon(polygon, self.name)
        if not self.polygons:
            raise FovealError(f"{self.name}: no corners")

    @classmethod
    def box(cls, name: str, x: Real, y: Real, width: Real, height: Real) -> "PictureRegion":
        """The pixels whose centers lie between the sides of a box; x and y are its left and upper side.

        Sides count from the picture's left and upper border. A center on the right or lower side is outside, so that
        boxes beside each other share no pixel.

        >>> rows, columns = PictureRegion.box("logo", 2, 0, 3, 2).pixels((10, 10))
        >>> rows.tolist(), columns.tolist()
        ([0, 0, 0, 1, 1, 1], [2, 3, 4, 2, 3, 4])
        """
        if not (width > 0 and height > 0):
            raise FovealError(f"{name}: {width} x {height} px (a box has a width and a height)")
        left, top = x - 0.5, y - 0.5
        right, bottom = left + width - 2 * HAIR, top + height - 2 * HAIR
        return cls(name, (np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64),))

    def pixels(self, size: tuple[int, int]) -> tuple[Int[np.ndarray, " pixel"], Int[np.ndarray, " pixel"]]:
        """Rows and columns of the pixels whose centers lie in it, each once, in a picture of this height and width.

        Raises
        ------
        FovealError
            If there is none.
        """
        inside = [_pixels_of(polygon, size) for polygon in self.polygons]
        rows, columns = (np.concatenate(axis) for axis in zip(*inside, strict=True))
        if not len(rows):
            height, width = size
            raise FovealError(f"{self.name}: no pixel of the picture of {width} x {height} px lies in it")
        if len(inside) > 1:  # pieces may overlap
            rows, columns = np.unravel_index(np.unique(np.ravel_multi_index((rows, columns), size)), size)
        return rows, columns


def _pixels_of(
    polygon: Float[np.ndarray, "corner 2"], size: tuple[int, int]
) -> tuple[Int[np.ndarray, " pixel"], Int[np.ndarray, " pixel"]]:
    """Rows and columns of the pixels whose centers lie in a polygon or on its border."""
    (left, top), (right, bottom) = polygon.min(axis=0), polygon.max(axis=0)
    if np.array_equal(polygon, [[left, top], [right, top], [right, bottom], [left, bottom]]):
        # A box, as most regions are: ten times as fast in a large picture.
        rows, columns = (
            np.arange(max(0, math.ceil(first)), min(side - 1, math.floor(last)) + 1)
            for first, last, side in ((top, bottom, size[0]), (left, right, size[1]))
        )
        return np.repeat(rows, len(columns)), np.tile(columns, len(rows))
    return _by_rows(polygon, size)


def _by_rows(
    polygon: Float[np.ndarray, "corner 2"], size: tuple[int, int]
) -> tuple[Int[np.ndarray, " pixel"], Int[np.ndarray, " pixel"]]:
    """Row by row, the pixels between an odd crossing of the outline and the next, and those on the outline."""
    height, width = size
    (x0, y0), (x1, y1) = polygon.T, np.roll(polygon, -1, axis=0).T
    begin = np.clip(np.ceil(np.minimum(y0, y1)), 0, height).astype(np.int64)
    end = np.clip(np.ceil(np.maximum(y0, y1)), 0, height).astype(np.int64)
    n_rows = end - begin
    edge = np.repeat(np.arange(len(polygon)), n_rows)
    row = np.arange(len(edge)) - np.repeat(np.cumsum(n_rows) - n_rows - begin, n_rows)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = (x1 - x0) / (y1 - y0)  # a level edge crosses no row
    x = x0[edge] + (row - y0[edge]) * slope[edge]
    order = np.lexsort((x, row))
    row, x = row[order], x[order]
    # Spans of rows: inside, then the corners and level edges that lie on a row of pixels.
    is_level, on_row = (y0 == y1) & (y0 == np.round(y0)), y0 == np.round(y0)
    rows = np.concatenate([row[::2], y0[is_level].astype(np.int64), y0[on_row].astype(np.int64)])
    left = np.concatenate([x[::2], np.minimum(x0, x1)[is_level], x0[on_row]])
    right = np.concatenate([x[1::2], np.maximum(x0, x1)[is_level], x0[on_row]])
    first = np.clip(np.ceil(left - HAIR), 0, width).astype(np.int64)
    after = np.clip(np.floor(right + HAIR) + 1, 0, width).astype(np.int64)
    seen = (first < after) & (rows >= 0) & (rows < height)
    if not seen.any():
        return np.empty(0, np.int64), np.empty(0, np.int64)
    rows, first, after = rows[seen], first[seen], after[seen]
    top, most_left = rows.min(), first.min()
    change = np.zeros((rows.max() - top + 1, after.max() - most_left + 1), dtype=np.int32)
    np.add.at(change, (rows - top, first - most_left), 1)
    np.add.at(change, (rows - top, after - most_left), -1)
    inside = np.nonzero(change.cumsum(axis=1)[:, :-1])
    return inside[0] + top, inside[1] + most_left


def read_picture_regions(path: str | os.PathLike[str], picture: str | os.PathLike[str]) -> tuple[PictureRegion, ...]:
    """Read the regions of one picture.

    Parameters
    ----------
    path
        A table with the columns name and either x, y, width and height in px, or polygon (pairs x,y in px, separated by
        spaces); with a column image, only the rows of this picture count. Or COCO's or labelme's JSON.
    picture
        The picture. Of a file about several, what has this file name counts.

    Returns
    -------
    The regions in the order of the file. Those of one name get numbers: button, button 2, button 3.

    Raises
    ------
    FovealError
        If the file cannot be read or is of another kind, a region is none, or the picture has none in it.
    """
    path = Path(path)
    file_name = PurePath(picture).name
    regions = (_of_json if path.suffix.lower() == ".json" else _of_table)(path, file_name)
    if not regions:
        raise FovealError(f"{path}: no region of {file_name}")
    return _told_apart(regions)


def _told_apart(regions: Sequence[PictureRegion]) -> tuple[PictureRegion, ...]:
    """With numbers behind names that were there before."""
    taken: set[str] = set()
    times: Counter[str] = Counter()
    found = []
    for region in regions:
        name = region.name
        while name in taken:
            times[region.name] += 1
            name = f"{region.name} {times[region.name] + 1}"
        taken.add(name)
        found.append(PictureRegion(name, region.polygons))
    return tuple(found)


def _of_table(path: Path, file_name: str) -> list[PictureRegion]:
    table = read_table(path, needed=("name",), texts=TEXTS, numbers=BOX)
    for reason in table.left_out:
        raise FovealError(f"{path}: rows cannot be read: {reason}")
    has_boxes = all(name in table.numbers for name in BOX)
    if not has_boxes and "polygon" not in table.texts:
        raise FovealError(f"{path}: needs the columns {', '.join(BOX)}, or polygon")
    found = []
    for row in range(len(table.texts["name"])):
        if "image" in table.texts and PurePath(table.texts["image"].iloc[row].strip()).name != file_name:
            continue
        try:
            found.append(_of_row(table, row, has_boxes))
        except FovealError as error:
            raise FovealError(f"{path}: {table.place(row)}: {error}") from None
    return found


def _of_row(table: Table, row: int, has_boxes: bool) -> PictureRegion:
    name = table.texts["name"].iloc[row].strip()
    text = table.texts["polygon"].iloc[row].strip() if "polygon" in table.texts else ""
    if text:
        return PictureRegion(name, (polygon_of(text),))
    if not has_boxes:
        raise FovealError(f"{name}: no polygon")
    values = [float(table.numbers[side][row]) for side in BOX]
    if not np.isfinite(values).all():
        raise FovealError(f"{name}: {', '.join(BOX)} are needed")
    return PictureRegion.box(name, *values)


def _of_json(path: Path, file_name: str) -> list[PictureRegion]:
    try:
        content = read_json(path)
    except FileNotFoundError:
        raise FovealError(f"{path}: no such file") from None
    if isinstance(content, dict) and "shapes" in content:
        return _of_labelme(content, path)
    if isinstance(content, dict) and "annotations" in content:
        return _of_coco(content, path, file_name)
    raise FovealError(f"{path}: neither shapes (labelme) nor annotations (COCO); regions come as {KINDS}")


def _of_labelme(content: Mapping[str, Any], path: Path) -> list[PictureRegion]:
    shapes = enumerate(entries(content["shapes"], ("label", "points"), path), 1)
    return [
        _at(f"{path}: shape {number}", _of_shape, label, points, content["shapes"][number - 1].get("shape_type"))
        for number, (label, points) in shapes
    ]


def _of_shape(label: Any, points: Any, kind: Any) -> PictureRegion:
    corners = _corners(points)
    if kind == "rectangle" and len(corners) == 2:
        (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
        return PictureRegion.box(_name(label), left, top, right - left, bottom - top)
    if kind in ("polygon", None):
        return PictureRegion(_name(label), (corners - 0.5,))
    raise FovealError(f"{kind} (rectangles and polygons are regions)")


def _of_coco(content: Mapping[str, Any], path: Path, file_name: str) -> list[PictureRegion]:
    images = entries(content.get("images"), ("id", "file_name"), path)
    wanted = [key for key, name in images if PurePath(str(name)).name == file_name]
    categories = entries(content.get("categories", []), ("id", "name"), path)
    names = {json.dumps(key): name for key, name in categories}
    annotations = enumerate(entries(content["annotations"], ("image_id", "bbox"), path), 1)
    return [
        _at(f"{path}: annotation {number}", _of_annotation, content["annotations"][number - 1], number, names)
        for number, (image, _) in annotations
        if image in wanted
    ]


def _of_annotation(annotation: Mapping[str, Any], number: int, names: Mapping[str, Any]) -> PictureRegion:
    name = _name(names.get(json.dumps(annotation.get("category_id")), f"annotation {number}"))
    pieces = annotation.get("segmentation")
    if isinstance(pieces, list) and pieces:
        flat = [_numbers(piece) for piece in pieces]
        if any(piece.ndim != 1 or len(piece) % 2 for piece in flat):
            raise FovealError("segmentation: lists of x, y, x, y … are needed")
        return PictureRegion(name, tuple(piece.reshape(-1, 2) - 0.5 for piece in flat))
    sides = _numbers(annotation["bbox"])  # no outline, or one in run lengths
    if sides.shape != (len(BOX),):
        raise FovealError(f"bbox: {', '.join(BOX)} are needed")
    return PictureRegion.box(name, *sides.tolist())


def _at(where: str, read: Callable[..., PictureRegion], *values: Any) -> PictureRegion:
    """A region; what is wrong with it is said with its place."""
    try:
        return read(*values)
    except FovealError as error:
        raise FovealError(f"{where}: {error}") from None


def _name(value: Any) -> str:
    if not isinstance(value, str):
        raise FovealError("its name is no text")
    return value.strip()


def _corners(points: Any) -> Float[np.ndarray, "corner 2"]:
    corners = _numbers(points)
    if corners.ndim != 2 or corners.shape[1] != 2:
        raise FovealError("its points are no pairs x, y")
    return corners


def _numbers(values: Any) -> Float[np.ndarray, "..."]:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise FovealError("numbers are needed") from None
