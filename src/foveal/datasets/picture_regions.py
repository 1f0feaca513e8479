"""Regions of one picture with names, as people draw them: a table of boxes or polygons, COCO's or labelme's JSON."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Float, Int
from skimage.draw import polygon as pixels_of_polygon

from foveal.datasets.json_file import entries, read_json
from foveal.datasets.table import Table, read_table
from foveal.errors import FovealError

Real: TypeAlias = int | float
BOX = ("x", "y", "width", "height")
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
            if len(polygon) < 3 or not np.isfinite(polygon).all():
                raise FovealError(f"{self.name}: {len(polygon)} corners (needs three or more, all of them finite)")
        if not self.polygons:
            raise FovealError(f"{self.name}: no corners")

    @classmethod
    def box(cls, name: str, x: Real, y: Real, width: Real, height: Real) -> "PictureRegion":
        """The pixels from column x and row y on, so many of them.

        >>> rows, columns = PictureRegion.box("logo", 2, 0, 3, 2).pixels((10, 10))
        >>> rows.tolist(), columns.tolist()
        ([0, 0, 0, 1, 1, 1], [2, 3, 4, 2, 3, 4])
        """
        left, top, right, bottom = x - 0.5, y - 0.5, x + width - 0.5, y + height - 0.5
        if not (width > 0 and height > 0):
            raise FovealError(f"{name}: {width} x {height} px (a box has a width and a height)")
        return cls(name, (np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64),))

    def pixels(self, size: tuple[int, int]) -> tuple[Int[np.ndarray, " pixel"], Int[np.ndarray, " pixel"]]:
        """Rows and columns of the pixels whose centers lie in it, each once, in a picture of this height and width.

        Raises
        ------
        FovealError
            If there is none.
        """
        inside = [pixels_of_polygon(polygon[:, 1], polygon[:, 0], size) for polygon in self.polygons]
        rows, columns = (np.concatenate(axis) for axis in zip(*inside, strict=True))
        if not len(rows):
            height, width = size
            raise FovealError(f"{self.name}: no pixel of the picture of {width} x {height} px lies in it")
        if len(inside) > 1:  # pieces may overlap
            rows, columns = np.unravel_index(np.unique(np.ravel_multi_index((rows, columns), size)), size)
        return rows, columns


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
    found = []
    for region in regions:
        name, number = region.name, 1
        while name in taken:
            number += 1
            name = f"{region.name} {number}"
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


def polygon_of(text: str) -> Float[np.ndarray, "corner 2"]:
    """Corners from pairs x,y, separated by spaces.

    >>> polygon_of("1,1 5,1 5,5.5").tolist()
    [[1.0, 1.0], [5.0, 1.0], [5.0, 5.5]]
    """
    try:
        corners = [tuple(float(number) for number in pair.split(",")) for pair in text.split()]
        if any(len(corner) != 2 for corner in corners):
            raise ValueError
    except ValueError:
        raise FovealError(f"polygon: {text[:40]!r} (needs pairs x,y in px, separated by spaces)") from None
    return np.array(corners, dtype=np.float64).reshape(-1, 2)


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
    found = []
    for number, (label, points) in enumerate(entries(content["shapes"], ("label", "points"), path), 1):
        kind = content["shapes"][number - 1].get("shape_type") or "polygon"
        name = str(label)
        corners = _corners(points, f"{path}: shape {number}")
        if kind == "rectangle" and len(corners) == 2:
            (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
            found.append(PictureRegion.box(name, left, top, right - left, bottom - top))
        elif kind == "polygon":
            found.append(PictureRegion(name, (corners - 0.5,)))
        else:
            raise FovealError(f"{path}: shape {number}: {kind} (rectangles and polygons are regions)")
    return found


def _of_coco(content: Mapping[str, Any], path: Path, file_name: str) -> list[PictureRegion]:
    images = entries(content.get("images"), ("id", "file_name"), path)
    wanted = {key for key, name in images if PurePath(str(name)).name == file_name}
    names = dict(entries(content.get("categories", []), ("id", "name"), path))
    found = []
    for number, (image, box) in enumerate(entries(content["annotations"], ("image_id", "bbox"), path), 1):
        if image not in wanted:
            continue
        annotation, where = content["annotations"][number - 1], f"{path}: annotation {number}"
        name = str(names.get(annotation.get("category_id"), f"annotation {number}"))
        pieces = annotation.get("segmentation")
        if isinstance(pieces, list) and pieces:
            corners = [_corners(np.reshape(piece, (-1, 2)) if len(piece) % 2 == 0 else [], where) for piece in pieces]
            found.append(PictureRegion(name, tuple(of_piece - 0.5 for of_piece in corners)))
        else:  # none, or a mask in run lengths
            sides = _numbers(box, where)
            if len(sides) != len(BOX):
                raise FovealError(f"{where}: bbox: {', '.join(BOX)} are needed")
            found.append(PictureRegion.box(name, *sides))
    return found


def _corners(points: Any, where: str) -> Float[np.ndarray, "corner 2"]:
    corners = _numbers(points, where)
    if corners.ndim != 2 or corners.shape[1] != 2:
        raise FovealError(f"{where}: its points are no pairs x, y")
    return corners


def _numbers(values: Any, where: str) -> Float[np.ndarray, "..."]:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise FovealError(f"{where}: numbers are needed") from None
