"""Labelled regions: those that come with the package, and tables of one's own."""

import csv
import os
from importlib import resources
from pathlib import Path

import numpy as np
from jaxtyping import Float

from foveal.datasets.labelled import labels_of
from foveal.datasets.table import Table, read_table
from foveal.errors import FovealError
from foveal.files import write_atomically
from foveal.gaze.regions import FLAGS, Region, Regions

TABLES = (".csv", ".tsv", ".txt", ".parquet")  # endings of files, not of a data set's name
NEEDED = ("image", "polygon")
TEXTS = ("image", "region", "category", "flags", "note", "n_fixations", "n_subjects", "polygon")


def regions_of(name: str | os.PathLike[str]) -> Regions:
    """The labelled regions of a data set, or those of a table of one's own.

    Those of OSIE come with the package: 2538 regions in which people's fixations are dense, labelled for this project.

    Parameters
    ----------
    name
        A data set, or the path of a table as `read_regions` takes it, which ends with .csv, .tsv, .txt or .parquet.

    Raises
    ------
    FovealError
        If no labels of such a data set come with the package and there is no such file, or the table is wrong.
    """
    if Path(name).suffix.lower() in TABLES:
        return read_regions(name)
    with resources.as_file(labels_of(os.fspath(name), "regions")) as path:
        return read_regions(path)


def read_regions(path: str | os.PathLike[str]) -> Regions:
    """Read regions from a table.

    Parameters
    ----------
    path
        A CSV or Parquet file with the columns image and polygon (x,y pairs in px, separated by spaces), and, if they
        are known, region (a number from 1 on; by default the regions of a photograph are counted), category, flags
        (letters), note, n_fixations and n_subjects.

    Raises
    ------
    FovealError
        If the file cannot be read, or a row is wrong: an unknown category or flag, a polygon that is none.
    """
    table = read_table(path, needed=NEEDED, texts=TEXTS)
    for reason in table.left_out:
        raise FovealError(f"{path}: rows cannot be read: {reason}")
    columns = {name: table.texts[name].tolist() for name in TEXTS if name in table.texts}
    regions: list[Region] = []
    n_of: dict[str, int] = {}
    for row in range(len(columns["image"])):
        cells = {name: column[row].strip() for name, column in columns.items()}
        n_of[cells["image"]] = n_of.get(cells["image"], 0) + 1
        try:
            regions.append(_region(cells, default_number=n_of[cells["image"]]))
        except FovealError as error:
            raise _at(table, row, error) from None
    try:
        return Regions(tuple(regions))
    except FovealError as error:
        raise FovealError(f"{path}: {error}") from None


def write_regions(path: str | os.PathLike[str], regions: Regions) -> None:
    """Write regions as a CSV table that `read_regions` reads.

    Raises
    ------
    FovealError
        If the file cannot be written.
    """
    with write_atomically(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(TEXTS)
        for region in regions:
            polygon = " ".join(f"{x:.10g},{y:.10g}" for x, y in region.polygon.tolist())
            flags = "".join(flag for flag in FLAGS if flag in region.flags)
            labels = (region.image, region.number, region.category, flags, region.note)
            writer.writerow((*labels, region.n_fixations, region.n_subjects, polygon))


def _region(cells: dict[str, str], default_number: int) -> Region:
    if not cells["image"]:
        raise FovealError("image: no name")
    return Region(
        cells["image"],
        _count(cells, "region", default_number),
        polygon_of(cells["polygon"]),
        cells.get("category", ""),
        frozenset(cells.get("flags", "")),
        cells.get("note", ""),
        _count(cells, "n_fixations"),
        _count(cells, "n_subjects"),
    )


def _count(cells: dict[str, str], name: str, default: int = 0) -> int:
    text = cells.get(name, "")
    if not text:
        return default
    try:
        number = float(text)
        if number < 0 or number != int(number):
            raise ValueError
    except (ValueError, OverflowError):
        raise FovealError(f"{name}: {text} (needs a whole number)") from None
    return int(number)


def polygon_of(text: str) -> Float[np.ndarray, "corner 2"]:
    """Corners from pairs x,y, separated by spaces.

    Raises
    ------
    FovealError
        If they are none.

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


def _at(table: Table, row: int, error: FovealError) -> FovealError:
    return FovealError(f"{table.path}: {table.place(row)}: {error}")
