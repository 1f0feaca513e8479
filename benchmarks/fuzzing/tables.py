"""Damaged tables of fixations, in every form that spreadsheets, trackers and pandas write; MATLAB files of a layout."""

import io
import json
import os
import re
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import scipy.io

from fuzzing.damage import damaged, hostile_text
from fuzzing.inputs import COLUMNS, fixations_on, good_pictures, table_text, write_study
from fuzzing.outcomes import Finding, Job, check_scores, scores_in
from fuzzing.subject import Subject
from fuzzing.worker import Call, Result

PICTURES = good_pictures()
ROWS = fixations_on(list(PICTURES))
EVALUATE = [
    *["evaluate", "--dataset", "study", "--model", "centerbias", "--metrics", "LL,NSS"],
    *["--per-image", "out/images.csv", "--json", "out/table.json"],
]
LAYOUT = [
    *["evaluate", "--dataset", "osie", "--data-root", "root", "--model", "uniform", "--metrics", "NSS"],
    *["--json", "out/table.json"],
]
DESCRIBE = ["datasets", "study", "--json"]


def _text(change: Callable[[list[list[str]]], list[list[str]]] = lambda rows: rows, **options: str) -> str:
    return table_text(change([list(row) for row in ROWS]), **options)


def _images_renamed(rename: Callable[[str], str]) -> str:
    return _text(lambda rows: [[rename(row[0]), *row[1:]] for row in rows])


def _lines(change: Callable[[str], str], *, header: bool = True) -> str:
    """The table with every line changed, or all but the first."""
    first, *others = _text().splitlines()
    return "\n".join([change(first) if header else first, *map(change, others)]) + "\n"


def _decimal_commas() -> str:
    return _text(lambda rows: [[row[0], *(cell.replace(".", ",") for cell in row[1:])] for row in rows], delimiter=";")


def _shuffled_columns() -> str:
    frame = pd.DataFrame(ROWS, columns=COLUMNS)
    return str(frame[list(COLUMNS[::-1])].to_csv(index=False))


CAFE = unicodedata.normalize("NFD", "café")
# What the last picture is called where its name is what is tried.
CALLED = {"backslashes": "a/good-3.png", "letters composed otherwise": f"{CAFE}.png"}
# The same fixations otherwise written: nothing may be lost.
SAME: dict[str, Callable[[], bytes]] = {
    "byte-order mark": lambda: b"\xef\xbb\xbf" + _text().encode(),
    "carriage returns": lambda: _text(lineterminator="\r\n").encode(),
    "semicolons": lambda: _text(delimiter=";").encode(),
    "tabs": lambda: _text(delimiter="\t").encode(),
    "decimal commas": lambda: _decimal_commas().encode(),
    "a comma at the end of rows of data": lambda: _lines(lambda line: line + ",", header=False).encode(),
    "a comma at the end of all lines": lambda: _lines(lambda line: line + ",").encode(),
    "blank lines": lambda: _text().replace("\n", "\n\n").encode(),
    "no line end at the end": lambda: _text().rstrip("\n").encode(),
    "all quoted": lambda: table_text(ROWS, quoting=1).encode(),  # type: ignore[arg-type]
    "columns in another order": lambda: _shuffled_columns().encode(),
    "one more column": lambda: _lines(lambda line: line + ",[/b]").encode(),
    "backslashes": lambda: _images_renamed(lambda name: name.replace("good-3", "a\\good-3")).encode(),
    "letters composed otherwise": lambda: _images_renamed(
        lambda name: name.replace("good-3", unicodedata.normalize("NFC", CAFE))
    ).encode(),
    "capitals": lambda: _images_renamed(str.upper).encode(),
    "endings left out": lambda: _images_renamed(lambda name: name.removesuffix(".png")).encode(),
}
FRAME = pd.DataFrame(ROWS, columns=COLUMNS).astype({"x": float, "y": float, "order": int, "duration_ms": float})


def _parquet(change: Callable[[pd.DataFrame], pd.DataFrame] = lambda frame: frame, **options: Any) -> bytes:
    file = io.BytesIO()
    change(FRAME.copy()).to_parquet(file, index=options.pop("index", False), **options)
    return file.getvalue()


def _arrow(types: dict[str, Any], **options: Any) -> bytes:
    """With these types of columns."""
    table = pa.Table.from_pandas(FRAME, preserve_index=False)
    for name, kind in types.items():
        column = table[name].combine_chunks()
        column = column.dictionary_encode() if kind == "dictionary" else column.cast(kind, safe=False)
        table = table.set_column(table.column_names.index(name), name, column)
    file = io.BytesIO()
    pq.write_table(table, file, **options)
    return file.getvalue()


SAME_PARQUET: dict[str, Callable[[], bytes]] = {
    "plain": _parquet,
    "with its index": lambda: _parquet(index=True),
    "categories": lambda: _parquet(lambda frame: frame.astype({"image": "category", "subject": "category"})),
    "nullable numbers": lambda: _parquet(lambda frame: frame.astype({"x": "Float64", "order": "Int64"})),
    "pandas' strings": lambda: _parquet(lambda frame: frame.astype({"image": "string", "subject": "string"})),
    "numbers as text": lambda: _parquet(lambda frame: frame.astype({"x": str, "y": str, "duration_ms": str})),
    "large strings": lambda: _arrow({"image": pa.large_string(), "subject": pa.large_string()}),
    "string views": lambda: _arrow({"image": pa.string_view()}),
    "bytes": lambda: _arrow({"image": pa.binary(), "subject": pa.binary()}),
    "large bytes": lambda: _arrow({"image": pa.large_binary()}),
    "dictionaries": lambda: _arrow({"image": "dictionary", "subject": "dictionary", "x": "dictionary"}),
    "decimals": lambda: _arrow({"x": pa.decimal128(12, 4), "y": pa.decimal256(40, 4)}),
    "single precision": lambda: _arrow({"x": pa.float32(), "y": pa.float32()}),
    "small integers": lambda: _arrow({"order": pa.uint8(), "duration_ms": pa.int16()}),
    "gzip": lambda: _arrow({"order": pa.int64()}, compression="gzip"),
    "zstd": lambda: _arrow({}, compression="zstd", row_group_size=7),
    "brotli": lambda: _arrow({}, compression="brotli"),
    "version 1": lambda: _arrow({}, version="1.0", compression="none"),
}


def _without_utf8() -> bytes:
    return _text(lambda rows: [[*row[:3], "Zoé", *row[4:]] for row in rows]).encode("latin-1")


def _two_levels(frame: pd.DataFrame) -> pd.DataFrame:
    frame.columns = pd.MultiIndex.from_tuples([(name, "a") for name in frame.columns])
    return frame


def _numbered(frame: pd.DataFrame) -> pd.DataFrame:
    frame.columns = pd.Index(range(len(frame.columns)))
    return frame


# What need not be read, and must be told of in one line.
ODD: dict[str, Callable[[], bytes]] = {
    "csv empty": lambda: b"",
    "csv header only": lambda: _text(lambda _: []).encode(),
    "csv no header": lambda: _text().split("\n", 1)[1].encode(),
    "csv columns twice": lambda: (",".join(["image", "image", "x", "x", "y", "y"]) + "\n" + "a,b,1,2,3,4\n").encode(),
    "csv latin-1": _without_utf8,
    "csv utf-16": lambda: _text().encode("utf-16"),
    "csv one quote": lambda: _text().replace("good-2.png", '"good-2.png', 1).encode(),
    "csv zero bytes": lambda: _text().replace("good-2", "good\0-2").encode(),
    "csv only zeros": lambda: bytes(500),
    "csv one long line": lambda: b"image,x,y\n" + b"a" * 2_000_000,
    "csv many columns": lambda: (",".join(map(str, range(50_000))) + "\n").encode() * 3,
    "csv of HTML": lambda: b"<!doctype html><table><tr><td>image,x,y</table>",
    "csv of parquet": _parquet,
    "csv folder": lambda: b"",
    "csv pipe": lambda: b"",
    "csv nowhere": lambda: b"",
    "parquet of csv": lambda: _text().encode(),
    "parquet empty": lambda: b"",
    "parquet numbered columns": lambda: _parquet(_numbered, index=None),
    "parquet columns of two levels": lambda: _parquet(_two_levels, index=None),
    "parquet index of names": lambda: _parquet(lambda frame: frame.set_index("image"), index=True),
    "parquet no rows": lambda: _parquet(lambda frame: frame.iloc[:0]),
    "parquet lists": lambda: _parquet(lambda frame: frame.assign(x=[[value] for value in frame["x"]])),
    "parquet structs": lambda: _parquet(lambda frame: frame.assign(image=[{"a": name} for name in frame["image"]])),
    "parquet times": lambda: _parquet(lambda frame: frame.assign(x=pd.to_datetime(frame["x"]))),
    "parquet time spans": lambda: _parquet(lambda frame: frame.assign(duration_ms=pd.to_timedelta(frame["x"], "ms"))),
    "parquet truths": lambda: _parquet(lambda frame: frame.assign(x=True)),
    "parquet nothing": lambda: _parquet(lambda frame: frame.assign(subject=None, x=None)),
    "parquet null images": lambda: _parquet(lambda frame: frame.assign(image=frame["image"].where(frame.index > 5))),
    "parquet half precision": lambda: _arrow({"x": pa.float16()}),
    "parquet bytes that are no text": lambda: _parquet(lambda frame: frame.assign(subject=b"\xff\xfe")),
    "parquet images are numbers": lambda: _parquet(lambda frame: frame.assign(image=1)),
    "parquet infinite": lambda: _parquet(lambda frame: frame.assign(x=frame["x"].where(frame.index > 5, np.inf))),
    "parquet order is text": lambda: _parquet(lambda frame: frame.assign(order="first")),
    "parquet huge order": lambda: _parquet(lambda frame: frame.assign(order=1e300)),
}
# Observers that are not the same: text, and how many there are.
OBSERVERS = {
    "01, 1, 001": ("01", "1", "001"),
    "1e2, 100, 10e1": ("1e2", "100", "10e1"),
    "True, true, 1": ("True", "true", "1"),
    "NA, nan, None": ("NA", "nan", "None"),
    "1, 1.0, 1.00": ("1", "1.0", "1.00"),
}


class Tables(Subject):
    """Fixations."""

    name = "tables"
    cases = 300

    def prepare(self) -> None:
        """What the good table says."""
        write_study(self.room / "study", PICTURES)
        self.rehearsed(EVALUATE, self.room)
        self.scores = scores_in(self.room / "out/images.csv")
        self.fixed: list[tuple[str, str]] = [
            *(("same", name) for name in SAME),
            *(("same parquet", name) for name in SAME_PARQUET),
            *(("odd", name) for name in ODD),
            *(("observers", name) for name in OBSERVERS),
        ]
        self.mat = _published_fixations()
        _write_layout(self.room / "root", self.mat)
        self.rehearsed(LAYOUT, self.room)

    def job(self, folder: Path, numbers: Sequence[int]) -> Job:
        """One table."""
        (number,) = numbers
        if number < len(self.fixed):
            return self._fixed(folder, number)
        rng = self.rng(number)
        way = rng.choice(["bytes", "cell", "cell", "parquet", "mat"])
        study = write_study(folder / "study", PICTURES)
        table = study / "fixations.csv"
        argv = EVALUATE if rng.random() < 0.5 else DESCRIBE
        if way == "cell":
            return self._cell(folder, number, rng)
        if way == "mat":
            return self._layout(folder, number, rng)
        if way == "bytes":
            data, label = damaged(_text().encode(), rng)
            table.write_bytes(data)
        else:
            table.unlink()
            names = list(SAME_PARQUET)
            kind = names[int(rng.integers(len(names)))]
            data, label = damaged(SAME_PARQUET[kind](), rng)
            table.with_suffix(".parquet").write_bytes(data)
            label = f"{kind}: {label}"
        return Job(Call(argv, folder, {}), {number: f"{way}: {label}"})

    def _fixed(self, folder: Path, number: int) -> Job:
        kind, name = self.fixed[number]
        pictures = dict(PICTURES)
        called = CALLED.get(name, "good-3.png")
        pictures[called] = pictures.pop("good-3.png")
        study = write_study(folder / "study", pictures)
        table = study / "fixations.csv"
        case = {number: f"{kind}: {name}"}
        scores = self.scores.rename(index={"good-3.png": called}, level="image")
        if kind == "observers":
            names = OBSERVERS[name]
            rows = [[*row[:3], names[index % 3], *row[4:]] for index, row in enumerate(ROWS)]
            table.write_text(table_text(rows), encoding="utf-8")
            return Job(
                Call(DESCRIBE, folder, {}), case, lambda result: _check_count(result, "observers", 3, exact=True)
            )
        if kind == "same":
            table.write_bytes(SAME[name]())
            return Job(Call(EVALUATE, folder, {}), case, lambda _: check_scores(folder / "out/images.csv", scores))
        if kind == "same parquet":
            table.unlink()
            table.with_suffix(".parquet").write_bytes(SAME_PARQUET[name]())
            return Job(Call(EVALUATE, folder, {}), case, lambda _: check_scores(folder / "out/images.csv", scores))
        table.unlink()
        table = table.with_suffix("." + name.split()[0])
        match name:
            case "csv folder":
                table.mkdir()
            case "csv nowhere":
                table.symlink_to("nowhere")
            case "csv pipe":
                os.mkfifo(table)
            case _:
                table.write_bytes(ODD[name]())
        return Job(Call(EVALUATE if number % 2 else DESCRIBE, folder, {}), case)

    def _cell(self, folder: Path, number: int, rng: np.random.Generator) -> Job:
        """One cell, in one row, holds something else: the other rows stay."""
        rows = [list(row) for row in ROWS]
        row, column, value = int(rng.integers(len(rows))), int(rng.integers(len(COLUMNS))), hostile_text(rng)
        rows[row][column] = value
        table = folder / "study/fixations.csv"
        if rng.random() < 0.3:  # with the types of text, as pandas writes them
            pd.DataFrame(rows, columns=COLUMNS).to_parquet(table.with_suffix(".parquet"), index=False)
            table.unlink()
            kind = "parquet"
        else:
            table.write_text(table_text(rows), encoding="utf-8")
            kind = "csv"
        least = len(rows) - (column < 3)
        label = f"{kind}, row {row}: {COLUMNS[column]} is {value!r:.60}"
        return Job(
            Call(DESCRIBE, folder, {}),
            {number: label},
            lambda result: _check_count(result, "fixations", least, exact=False),
        )

    def _layout(self, folder: Path, number: int, rng: np.random.Generator) -> Job:
        """A published data set whose MATLAB file is damaged."""
        data, label = damaged(self.mat, rng)
        _write_layout(folder / "root", data)
        argv = ["datasets", "osie", "--data-root", "root", "--json"]
        return Job(Call(argv if rng.random() < 0.5 else LAYOUT, folder, {}), {number: f"osie's fixations.mat: {label}"})


def _write_layout(root: Path, fixations: bytes) -> None:
    """The folder of a published data set."""
    data = root / "osie/data"
    (data / "eye").mkdir(parents=True)
    (data / "stimuli").mkdir()
    (data / "eye/fixations.mat").write_bytes(fixations)
    for name, picture in PICTURES.items():
        (data / "stimuli" / name).write_bytes(picture)


def _published_fixations() -> bytes:
    """OSIE's layout, as MATLAB writes it."""
    structs = []
    for name in PICTURES:
        subjects = np.empty((len(ROWS) // len(PICTURES) // 4, 1), object)
        for index in range(len(subjects)):
            rows = [row for row in ROWS if row[0] == name][index * 4 : index * 4 + 4]
            columns = {
                f"fix_{key}": np.array([[float(row[at]) for row in rows]])
                for key, at in (("x", 1), ("y", 2), ("duration", 5))
            }
            subjects[index, 0] = columns
        structs.append({"img": name, "subjects": subjects})
    cells = np.empty((len(structs), 1), object)
    cells[:, 0] = structs
    file = io.BytesIO()
    scipy.io.savemat(file, {"fixations": cells})
    return file.getvalue()


def _check_count(result: Result, what: str, least: int, *, exact: bool) -> Finding | None:
    """Does the description of a data set say so many?"""
    if not result.out.strip().startswith("{"):
        return Finding("lost", f"no {what} at all")
    found = int(json.loads(re.sub(r"\x1b\[[0-9;]*m", "", result.out))[what])
    if found < least or (exact and found != least):
        return Finding("lost", f"{found} {what} of {least}")
    return None
