"""report.html of an analysis: headings, sentences, tables and pictures in one file that needs no other."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd

from foveal.benchmarking.page_parts import data_uri, page_environment, picture_uri
from foveal.benchmarking.results import in_digits
from foveal.errors import FovealError, first_line
from foveal.files import write_atomically
from foveal.images import RGBImage

PAGE_WIDTH = 1120  # px that a page has for pictures at most
DIGITS = 2  # decimals where nothing else is said
LOW, HIGH = "_low", "_high"  # endings of the columns that hold the interval of a column's values

Picture: TypeAlias = tuple[str, RGBImage | str | os.PathLike[str]]  # caption, and pixels or the path of a PNG


@dataclass(frozen=True, eq=False)
class PageSection:
    """One part of a page, in this order.

    Attributes
    ----------
    heading
        What it is about.
    sentences
        Paragraphs below the heading.
    table
        Its columns are shown, its index is not. Columns `x_low` and `x_high` beside a column `x` are its interval,
        which is shown below each value.
    digits
        Number of decimals of all columns of fractions, or by the name of the column; two where nothing is said.
    pictures
        With a caption each: arrays of pixels, which are written as JPEG, or paths of PNG files, which stay as they are.
    columns
        Number of pictures in a row.
    """

    heading: str
    sentences: Sequence[str] = ()
    table: pd.DataFrame | None = None
    digits: int | Mapping[str, int] = DIGITS
    pictures: Sequence[Picture] = ()
    columns: int = 1


def write_page(path: str | os.PathLike[str], title: str, intro: Sequence[str], sections: Sequence[PageSection]) -> None:
    """Write a page: a title, paragraphs, and sections.

    Parameters
    ----------
    path
        The file.
    title
        The heading of the page.
    intro
        Paragraphs below it.
    sections
        The parts, in the order in which they are shown.

    Raises
    ------
    FovealError
        If the file cannot be written, or the PNG of a picture cannot be read.
    """
    page = (
        page_environment("foveal.analysis")
        .get_template("page.html")
        .render(
            version=version("foveal"),
            title=title,
            intro=[intro] if isinstance(intro, str) else intro,
            sections=[_described(section) for section in sections],
            is_sortable=any(section.table is not None for section in sections),
        )
    )
    with write_atomically(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _described(section: PageSection) -> dict[str, Any]:
    """All that the template needs of a section."""
    width = PAGE_WIDTH // section.columns
    return {
        "heading": section.heading,
        "sentences": [section.sentences] if isinstance(section.sentences, str) else section.sentences,
        "table": None if section.table is None else _table(section.table, section.digits),
        "pictures": [(caption, _uri(picture, width)) for caption, picture in section.pictures],
        "columns": section.columns,
    }


def _uri(picture: RGBImage | str | os.PathLike[str], width: int) -> str:
    """A picture that lies in the page, no wider than it is shown."""
    if not isinstance(picture, str | os.PathLike):
        return picture_uri(picture, min(width, picture.shape[1]))
    try:
        return data_uri(Path(picture).read_bytes(), "image/png")
    except OSError as error:
        raise FovealError(f"{picture}: the picture cannot be read ({first_line(error)})") from None


def _table(table: pd.DataFrame, digits: int | Mapping[str, int]) -> dict[str, Any]:
    """Names of the columns that are shown, and the cells of every row."""
    columns = [str(column) for column in table.columns]
    with_interval = {column for column in columns if {column + LOW, column + HIGH} <= set(columns)}
    ends = {column + end for column in with_interval for end in (LOW, HIGH)}
    shown = [column for column in columns if column not in ends]
    decimals = {column: digits if isinstance(digits, int) else digits.get(column, DIGITS) for column in shown}
    rows = []
    for values in table.set_axis(columns, axis=1).to_dict("records"):
        cells = {column: _cell(values[column], decimals[column]) for column in shown}
        for column in with_interval.intersection(shown):
            low, high = values[column + LOW], values[column + HIGH]
            if low < high:  # and both are known
                cells[column]["interval"] = " … ".join(in_digits(end, decimals[column]) for end in (low, high))
        rows.append(list(cells.values()))
    return {"names": shown, "rows": rows}


def _cell(value: Any, digits: int) -> dict[str, Any]:
    """A value as it is shown, and the number by which it is sorted, if it is one.

    >>> [_cell(value, 2)["text"] for value in (1.234, 12, "bms", float("nan"), None)]
    ['1.23', '12', 'bms', '–', '–']
    """
    if value is None or value != value:
        return {"value": None, "text": "–"}
    if isinstance(value, float):
        return {"value": value, "text": in_digits(value, digits)}
    return {"value": value if isinstance(value, int) else None, "text": str(value)}
