"""A table of any kind as columns of text and of numbers, with what had to be assumed to read it.

What is an id is text, in every kind of table: the observers 01, 1 and 001 are three. A bad row, an odd header or a byte
of another encoding does not lose the other rows.
"""

import ast
import codecs
import csv
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from jaxtyping import Float, Int

from foveal.errors import FovealError, first_line

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
HEADER_WITHIN = 100  # lines: trackers write a few dozen about the recording above it
LINES_OF_A_ROW = 10  # from which on a quote is taken for one that nobody closed
ROWS_AT_ONCE = 100_000  # held as Python's strings, which take much more room than Arrow's
NAMES_TOLD = 12  # of the columns that a file has, in an error
ALSO_CALLED = {"subject": ("observer", "participant")}
EXACT = 2**53  # up to which every whole number is a float

BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16's, which it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# Bytes that are not UTF-8, as "surrogateescape" keeps them, to what they are in Windows-1252.
ESCAPED = {
    0xDC00 + byte: bytes([byte]).decode("latin-1" if byte in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else "cp1252")
    for byte in range(0x80, 0x100)
}


@dataclass(frozen=True)
class Table:
    """Columns of a table of equal length.

    Attributes
    ----------
    path
        The file.
    texts
        Columns of text by name, "" where there is nothing.
    numbers
        Columns of numbers by name, NaN where there is none.
    lines
        Where each row stands in the file, from 1.
    n_rows
        Number of all rows, those among them that could not be read.
    notes
        A line for each thing that was assumed.
    left_out
        Reasons why rows could not be read, and of how many.
    """

    path: Path
    texts: Mapping[str, "pd.Series[str]"]
    numbers: Mapping[str, Float[np.ndarray, " row"]]
    lines: Int[np.ndarray, " row"]
    n_rows: int
    notes: tuple[str, ...]
    left_out: Mapping[str, int]

    def place(self, row: int) -> str:
        """Where a row stands, as one says it: a line of a text file, a row of another."""
        return f"{'row' if _is_parquet(self.path) else 'line'} {self.lines[row]}"


def read_table(
    path: str | os.PathLike[str], *, needed: Sequence[str], texts: Sequence[str], numbers: Sequence[str] = ()
) -> Table:
    """Read some columns of a CSV or Parquet file.

    A CSV file may be separated by commas, semicolons or tabs, have decimal commas, lines above its header, and be
    written as UTF-8, UTF-16 or Windows-1252. Names of columns may differ in letter case and in spaces around them. Of a
    Parquet file, every type is read; `as_text` says how a value becomes an id.

    Parameters
    ----------
    path
        The file; a name that ends with .parquet is one of Parquet, any other is text.
    needed
        Columns without which it is not the right table.
    texts, numbers
        Columns to read as text and as numbers, if they are there.

    Raises
    ------
    FovealError
        If the file cannot be read, or lacks a column that is needed.
    """
    path = Path(path)
    try:
        raw = (_read_parquet if _is_parquet(path) else _read_text)(path, (*texts, *numbers), needed)
        with_numbers = {name: raw.columns[name] for name in numbers if name in raw.columns}
        columns, n_commas = _with_decimal_points(with_numbers, has_free_commas=raw.separator in (";", "\t"))
        if n_commas:
            raw.notes.append(f"{path}: {n_commas} numbers with a decimal comma are read as such (412,5 as 412.5)")
        return Table(
            path,
            {name: _texts(raw.columns[name]) for name in texts if name in raw.columns},
            {name: _numbers(column) for name, column in columns.items()},
            raw.lines,
            raw.n_rows,
            tuple(raw.notes),
            raw.left_out,
        )
    except FovealError:
        raise
    except Exception as error:  # whatever a broken file makes Python or pyarrow say
        raise FovealError(f"{path}: not a table that can be read ({first_line(error)})") from error


def as_text(value: Any) -> str:
    """An id as text: a whole number without a decimal point (1.0 is "1"), anything else as Python writes it.

    >>> [as_text(value) for value in (1, 1.0, 1.5, True, "01", None, float("nan"))]
    ['1', '1', '1.5', 'True', '01', '', '']
    """
    if isinstance(value, str):
        return value
    if value is None or value is pd.NaT:
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape").translate(ESCAPED)
    if isinstance(value, float | np.floating):  # NumPy's are those of 16 bits
        if math.isnan(value):
            return ""
        return str(int(value)) if abs(float(value)) < EXACT and value == int(value) else str(float(value))
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return str(int(value))
    return str(value)


@dataclass(frozen=True)
class _Raw:
    """What was read, before its columns are text or numbers."""

    columns: dict[str, pa.ChunkedArray]
    lines: Int[np.ndarray, " row"]
    n_rows: int
    notes: list[str]
    left_out: dict[str, int]
    separator: str | None


def _read_parquet(path: Path, wanted: Sequence[str], needed: Sequence[str]) -> _Raw:
    # Not pq.read_table, which makes columns of the folders that the file lies in.
    with pq.ParquetFile(path) as file:
        table = file.read()
    names = [_last_level(name) for name in table.column_names]
    positions, notes = _positions(names, wanted, path)
    _check_needed(positions, needed, names, path)
    columns = {name: _decoded(table.column(i)) for name, i in positions.items()}
    for name, column in columns.items():
        try:
            column.validate(full=True)
        except pa.ArrowInvalid:
            notes.append(f"{path}: the column {name} is not UTF-8 and is read as Windows-1252 where it is not")
            columns[name] = column.cast(pa.binary())
    return _Raw(columns, np.arange(1, len(table) + 1), len(table), notes, {}, separator=None)


def _is_parquet(path: Path) -> bool:
    return path.suffix.lower() == ".parquet"


def _decoded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """What a categorical column means; text of whatever kind as one that Arrow can compute with."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column.cast(pa.large_string()) if pa.types.is_string_view(column.type) else column


def _last_level(name: str) -> str:
    """A column's name; of pandas' names of several levels, which Parquet holds as "('gaze', 'x')", the last one."""
    try:
        levels = ast.literal_eval(name) if name.startswith("(") else ()
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        levels = ()
    said = [str(level) for level in levels if level not in ("", None)] if isinstance(levels, tuple) else []
    return said[-1] if said else name


@dataclass(frozen=True)
class _Header:
    """Where the header of a text file is, where its rows begin, what separates its columns, and their names."""

    line: int
    first_row: int
    separator: str
    has_spaces: bool
    names: list[str]


def _read_text(path: Path, wanted: Sequence[str], needed: Sequence[str]) -> _Raw:
    lines, notes = _lines(path)
    header = _find_header(lines, wanted, needed, path)
    positions, notes_on_columns = _positions(header.names, wanted, path)
    above = sum(not line.isspace() for line in lines[: header.line])
    if above:
        notes.append(f"{path}: {above} lines above the header in line {header.line + 1} are passed over")
    if header.separator != ",":
        notes.append(f"{path}: its columns are separated by {SEPARATORS[header.separator]}")
    notes += notes_on_columns
    n_columns = len(header.names)
    if _is_numbered(lines, header):
        notes.append(f"{path}: its rows begin with their number, which has no name in the header")
        positions = {name: position + 1 for name, position in positions.items()}
        n_columns += 1
    too_long: list[int] = []
    rows = _rows(lines, header, n_columns, too_long)
    blocks = [
        (
            {name: pa.array([fields[i] for _, fields in block], pa.string()) for name, i in positions.items()},
            np.array([line for line, _ in block]),
        )
        for block in iter(lambda: list(islice(rows, ROWS_AT_ONCE)), [])
    ]
    columns = {name: pa.chunked_array([block[name] for block, _ in blocks], pa.string()) for name in positions}
    line_numbers = np.concatenate([np.empty(0, np.int64), *(numbers for _, numbers in blocks)])
    n_rows = len(line_numbers) + len(too_long)
    left_out = {}
    if too_long:
        left_out[f"they have more fields than the header (first: line {too_long[0]})"] = len(too_long)
    return _Raw(columns, line_numbers, n_rows, notes, left_out, header.separator)


def _lines(path: Path) -> tuple[list[str], list[str]]:
    """The lines of a text file of whatever encoding, with their ends; and a note if it had to be guessed."""
    with path.open("rb") as file:
        head = file.read(4)
    encoding = next((name for mark, name in BYTE_ORDER_MARKS.items() if head.startswith(mark)), "utf-8")
    errors = "surrogateescape" if encoding.startswith("utf-8") else "replace"
    with path.open(encoding=encoding, errors=errors, newline="") as text:
        lines = text.readlines()
    odd = []
    for number, line in enumerate(lines):
        if not line.isascii() and (translated := line.translate(ESCAPED)) != line:
            odd.append(number + 1)
            lines[number] = translated
    if not odd:
        return lines, []
    return lines, [f"{path}: {len(odd)} lines are not UTF-8 and are read as Windows-1252 (first: line {odd[0]})"]


def _find_header(lines: Sequence[str], wanted: Sequence[str], needed: Sequence[str], path: Path) -> _Header:
    """The first line that names the columns that are needed.

    Raises
    ------
    FovealError
        If there is none.
    """
    widest: list[str] = []
    for line in range(min(len(lines), HEADER_WITHIN)):
        for separator in SEPARATORS:
            # Is a space part of the separator, as in "image, x, y"?
            has_spaces = 0 < lines[line].count(separator) == lines[line].count(f"{separator} ")
            names, n_lines = _row(lines, line, separator, has_spaces)
            if _positions(names, wanted, path)[0].keys() >= set(needed):
                return _Header(line, line + n_lines, separator, has_spaces, names)
            widest = max(widest, names, key=len)
    _check_needed(_positions(widest, wanted, path)[0], needed, widest, path)
    raise AssertionError  # a header that lacks nothing was returned above


def _rows(
    lines: Sequence[str], header: _Header, n_columns: int, too_long: list[int]
) -> Iterator[tuple[int, list[str]]]:
    """The line of each row below the header, from 1, and its fields, as many as there are columns.

    Rows with nothing in them are passed over. The lines of those with too many fields are added to `too_long`.
    """
    line = header.first_row
    while line < len(lines):
        fields, n_lines = _row(lines, line, header.separator, header.has_spaces, n_columns)
        line += n_lines
        if not "".join(fields).strip():
            continue
        if len(fields) > n_columns and "".join(fields[n_columns:]).strip():
            too_long.append(line - n_lines + 1)
            continue
        yield line - n_lines + 1, fields + [""] * (n_columns - len(fields))


def _row(
    lines: Sequence[str], line: int, separator: str, has_spaces: bool, n_columns: int | None = None
) -> tuple[list[str], int]:
    """The fields of the row that begins in a line, and how many lines it takes.

    A quoted field may go on over lines; a quote that does not make a row of all columns of them is one that nobody
    closed.
    """
    if '"' not in lines[line] and not has_spaces:
        return lines[line].rstrip("\r\n").split(separator), 1
    for n_lines in range(1, LINES_OF_A_ROW + 1):
        text = lines[line] if n_lines == 1 else "".join(lines[line : line + n_lines])
        try:
            fields = next(csv.reader((text,), delimiter=separator, skipinitialspace=has_spaces, strict=True))
        except csv.Error:
            continue
        if n_lines == 1 or len(fields) == n_columns or n_columns is None:
            return fields, n_lines
        break
    return lines[line].rstrip("\r\n").split(separator), 1


def _is_numbered(lines: Sequence[str], header: _Header) -> bool:
    """Do rows begin with their own number, which the header does not name, as R writes them?"""
    first = islice(_rows(lines, header, len(header.names) + 1, []), 2)
    numbers = [fields[0].strip() for _, fields in first if fields[-1].strip()]
    return numbers in (["0"], ["0", "1"], ["1"], ["1", "2"])


def _positions(names: Sequence[str], wanted: Sequence[str], path: Path) -> tuple[dict[str, int], list[str]]:
    """Which columns are the wanted ones, and notes on those that are not called exactly so or are there twice."""
    positions: dict[str, int] = {}
    renamed: dict[str, str] = {}
    notes = []
    for name in wanted:
        exact = [i for i, other in enumerate(names) if other == name]
        called = (name, *ALSO_CALLED.get(name, ()))
        same = exact or [i for i, other in enumerate(names) if other.strip().strip('"').casefold() in called]
        if not same:
            continue
        positions[name] = same[0]
        if not exact:
            renamed[name] = repr(names[same[0]])
        if len(same) > 1:
            notes.append(f"{path}: {len(same)} columns are called {name}; the first is taken")
    if renamed:
        notes.append(f"{path}: columns {', '.join(renamed.values())} are taken for {', '.join(renamed)}")
    return positions, notes


def _check_needed(positions: Mapping[str, int], needed: Sequence[str], names: Sequence[str], path: Path) -> None:
    missing = [name for name in needed if name not in positions]
    if missing:
        told = ", ".join(f"{name[:40]!r}" for name in names[:NAMES_TOLD]) + (", …" if len(names) > NAMES_TOLD else "")
        it_has = f"it has {told}" if names else "it is empty"
        *others, last = needed
        columns = f"{', '.join(others)} and {last}"
        raise FovealError(f"{path}: not a table with the columns {columns} (no column {missing[0]!r}; {it_has})")


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _texts(column: pa.ChunkedArray) -> "pd.Series[str]":
    if _is_text(column.type):
        return column.fill_null("").to_pandas()
    return pd.Series([as_text(value) for value in column.to_pylist()], dtype="str")


def _with_decimal_points(
    columns: Mapping[str, pa.ChunkedArray], *, has_free_commas: bool
) -> tuple[dict[str, pa.ChunkedArray], int]:
    """Columns of numbers with points for decimal commas, if these are what the table has; and how many were replaced.

    In a table that has more of them than of points, what has a point is no number (it may be thousands). Where a comma
    means something else as well (`has_free_commas` is false), 1,024 does not show what it is.
    """
    texts = {name: column for name, column in columns.items() if _is_text(column.type)}
    n_commas = sum(_count(column, r"^\s*[+-]?\d*,\d+\s*$") for column in texts.values())
    n_thousands = sum(_count(column, r"^\s*[+-]?\d{1,3},\d{3}\s*$") for column in texts.values())
    n_points = sum(_count(column, r"\.") for column in texts.values())
    if n_commas <= n_points or (n_commas == n_thousands and not has_free_commas):
        return dict(columns), 0
    with_points = {
        name: pc.replace_substring(pc.if_else(pc.match_substring(column, "."), "", column), ",", ".")
        for name, column in texts.items()
    }
    return {**columns, **with_points}, n_commas


def _count(column: pa.ChunkedArray, pattern: str) -> int:
    return pc.sum(pc.match_substring_regex(column, pattern)).as_py() or 0


def _numbers(column: pa.ChunkedArray) -> Float[np.ndarray, " row"]:
    """A column as float64, NaN where it has no number."""
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        values: Any = column.cast(pa.float64(), safe=False).to_numpy()
        return values
    if not (_is_text(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind)):
        return np.full(len(column), np.nan)
    return pd.to_numeric(_texts(column).str.strip(), errors="coerce").to_numpy(np.float64)
