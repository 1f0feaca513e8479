"""A folder of one's own pictures and fixations is a data set, with no code.

    images/…             pictures, sub-folders allowed
    fixations.csv        image,x,y[,subject,order,duration_ms]   (or fixations.parquet)
    dataset.toml         optional: name, pixels_per_degree, licence, citation
    categories.csv       optional: image,category: what kind of picture each is

`image` is the path under images/; x and y are in px of that picture, the center of its top left pixel at (0, 0).
"""

import json
import os
import shutil
import tomllib
import warnings
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import cv2
import numpy as np
import pandas as pd

from foveal.errors import FovealError, FovealNote, first_line
from foveal.files import write_atomically
from foveal.gaze import Dataset, Fixations, Stimuli, Stimulus
from foveal.gaze.fixations import UNKNOWN
from foveal.images import IMAGE_SUFFIXES, find_images, image_size

ASSUMED_PIXELS_PER_DEGREE = 35.0
SETTINGS = ("name", "pixels_per_degree", "licence", "citation")


def load_folder(folder: str | os.PathLike[str]) -> Dataset:
    """Load a folder laid out as described at the top of this file.

    What cannot be used is left out and named in `Dataset.problems`: files that are no pictures, rows without a
    number for x or y, rows that name a missing picture, fixations outside their picture.

    Raises
    ------
    FovealError
        If the folder, its pictures, or its table of fixations is missing or cannot be read at all.
    """
    folder = Path(folder)
    settings = _read_settings(folder / "dataset.toml")
    name = str(settings.get("name", folder.resolve().name))
    if not (folder / "images").is_dir():
        raise FovealError(f"{folder}: no folder images in it (a data set has images/ and fixations.csv)")
    sources, problems = _readable(find_images(folder / "images"))
    if not sources:
        raise FovealError(f"{folder / 'images'}: no picture that can be read")
    ids = [source.relative_to(folder / "images").as_posix() for source in sources]
    stimuli = Stimuli(sources, ids, float(settings.get("pixels_per_degree", ASSUMED_PIXELS_PER_DEGREE)))

    table, path = _read_table(folder)
    if "pixels_per_degree" not in settings:
        warnings.warn(
            f"{name}: {ASSUMED_PIXELS_PER_DEGREE:g} pixels per degree assumed (say pixels_per_degree in dataset.toml)",
            FovealNote,
            stacklevel=2,
        )
    fixations, names, row_problems = _usable_fixations(table, stimuli, path)
    return Dataset(
        name,
        stimuli,
        fixations,
        licence=str(settings.get("licence", "not stated")),
        citation=str(settings.get("citation", "not stated")),
        subject_names=names,
        categories=_read_categories(folder / "categories.csv", stimuli),
        problems=(*problems, *row_problems),
    )


def save_dataset(dataset: Dataset, folder: str | os.PathLike[str], fmt: Literal["csv", "parquet"] = "csv") -> None:
    """Write a data set as a folder that `load_folder` reads, pictures included.

    Raises
    ------
    FovealError
        If the folder cannot be written to, or cannot hold the data set: its pictures differ in pixels per degree, or
        an id is no path below the folder.
    """
    folder = Path(folder)
    if fmt not in ("csv", "parquet"):
        raise FovealError(f"fixations are written as csv or parquet, not {fmt}")
    settings = _settings_of(dataset)
    names = [_file_name(stimulus) for stimulus in dataset.stimuli]
    for stimulus, name in zip(dataset.stimuli, names, strict=True):
        with write_atomically(folder / "images" / name) as temporary:
            if isinstance(stimulus.source, Path):
                shutil.copyfile(stimulus.source, temporary)
            else:
                cv2.imwrite(str(temporary), cv2.cvtColor(stimulus.image, cv2.COLOR_RGB2BGR))
    fixations = dataset.fixations
    table = pd.DataFrame({"image": np.array(names)[fixations.image], "x": fixations.x, "y": fixations.y})
    if fixations.has_subjects:
        known = dataset.subject_names
        table["subject"] = np.array(known)[fixations.subject] if known else fixations.subject
    if (fixations.order >= 0).all():
        table["order"] = fixations.order
    if np.isfinite(fixations.duration).any():
        table["duration_ms"] = fixations.duration
    with write_atomically(folder / f"fixations.{fmt}") as temporary:
        if fmt == "csv":
            table.to_csv(temporary, index=False)
        else:
            table.to_parquet(temporary, index=False)
    if dataset.categories:
        with write_atomically(folder / "categories.csv") as temporary:
            pd.DataFrame({"image": names, "category": dataset.categories}).to_csv(temporary, index=False)
    else:
        (folder / "categories.csv").unlink(missing_ok=True)
    (folder / ("fixations.parquet" if fmt == "csv" else "fixations.csv")).unlink(missing_ok=True)
    with write_atomically(folder / "dataset.toml") as temporary:
        temporary.write_text(settings, encoding="utf-8")


def _file_name(stimulus: Stimulus) -> str:
    """The path of a stimulus below images/: its id, with an ending that says that it is a picture."""
    name = PurePosixPath(stimulus.id)
    if name.is_absolute() or ".." in name.parts:
        raise FovealError(f"the id {stimulus.id!r} is no path below a folder")
    if name.suffix.lower() in IMAGE_SUFFIXES:
        return str(name)
    return f"{name}{stimulus.source.suffix if isinstance(stimulus.source, Path) else '.png'}"


def _read_settings(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FovealError(f"{path}: not TOML ({error})") from None
    unknown = set(settings) - set(SETTINGS)
    if unknown:
        raise FovealError(f"{path}: no setting {sorted(unknown)[0]!r} (known: {', '.join(SETTINGS)})")
    ppd = settings.get("pixels_per_degree", ASSUMED_PIXELS_PER_DEGREE)
    if not isinstance(ppd, int | float) or isinstance(ppd, bool) or not 0 < ppd < float("inf"):
        raise FovealError(f"{path}: pixels_per_degree must be a positive number, not {ppd!r}")
    return settings


def _settings_of(dataset: Dataset) -> str:
    ppd = dataset.stimuli.pixels_per_degree
    values: dict[str, str | float] = {
        "name": dataset.name,
        "licence": dataset.licence,
        "citation": dataset.citation,
    }
    if ppd is not None:
        if len(np.unique(ppd)) > 1:
            raise FovealError(f"{dataset.name}: its pictures differ in pixels per degree, which a folder cannot say")
        values["pixels_per_degree"] = float(ppd[0])
    # A string in JSON is one in TOML as well.
    return "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in values.items())


def _read_categories(path: Path, stimuli: Stimuli) -> tuple[str, ...]:
    """The category of every picture, "" for one without; none at all if there is no table."""
    if not path.is_file():
        return ()
    try:
        table = pd.read_csv(path, keep_default_na=False, dtype=str)
        category_of = dict(zip(table["image"], table["category"], strict=True))
    except Exception as error:  # whatever a broken file makes pandas say
        raise FovealError(f"{path}: not a table with the columns image and category ({first_line(error)})") from error
    return tuple(category_of.get(name, "") for name in stimuli.ids)


def _readable(paths: list[Path]) -> tuple[list[Path], list[str]]:
    """The files whose headers are those of pictures, and a line for each other."""
    good, problems = [], []
    for path in paths:
        try:
            image_size(path)
        except FovealError as error:
            problems.append(str(error))
        else:
            good.append(path)
    return good, problems


def _read_table(folder: Path) -> tuple[pd.DataFrame, Path]:
    path = next((folder / f for f in ("fixations.csv", "fixations.parquet") if (folder / f).is_file()), None)
    if path is None:
        raise FovealError(f"{folder}: no fixations.csv or fixations.parquet in it")
    try:
        # Nothing is taken for missing that might be a name, such as an observer "NA".
        table = pd.read_csv(path, keep_default_na=False) if path.suffix == ".csv" else pd.read_parquet(path)
    except Exception as error:  # whatever a broken file makes pandas or pyarrow say
        raise FovealError(f"{path}: not a table that can be read ({first_line(error)})") from error
    missing = [column for column in ("image", "x", "y") if column not in table.columns]
    if missing:
        raise FovealError(f"{path}: no column {missing[0]!r} (needed: image, x, y; it has {', '.join(table.columns)})")
    return table, path


def _usable_fixations(
    table: pd.DataFrame, stimuli: Stimuli, path: Path
) -> tuple[Fixations, tuple[str, ...], list[str]]:
    """Rows that are fixations inside a known picture, the subjects' names, and a line for each kind of other row."""
    position = {name: index for index, name in enumerate(stimuli.ids)}
    image = table["image"].astype(str).map(position)
    x, y = _numbers(table, "x"), _numbers(table, "y")
    problems: list[str] = []
    first_line_of_data = 2 if path.suffix == ".csv" else 1  # the first line of a CSV holds the names of the columns

    def keep(good: Any, what: str) -> np.ndarray:
        """Note the rows that are not good."""
        bad = np.flatnonzero(~np.asarray(good))
        if len(bad):
            at = f"{table['image'].iloc[bad[0]]!r} in line {bad[0] + first_line_of_data}"
            problems.append(f"{path}: {len(bad)} of {len(table)} rows left out: {what} (first: {at})")
        return np.asarray(good)

    known = keep(image.notna(), "their image is not among the pictures that can be read")
    number = keep(np.isfinite(x) & np.isfinite(y), "x or y is not a number")
    sizes = stimuli.sizes[image.fillna(0).astype(int)]
    inside = (x >= -0.5) & (x < sizes[:, 1] - 0.5) & (y >= -0.5) & (y < sizes[:, 0] - 0.5)
    good = known & number & keep(inside | ~known | ~number, "the fixation is outside its image")

    subject, names = _subjects(table)
    nobody = int((subject[good] == UNKNOWN).sum())
    if nobody and "subject" in table:
        problems.append(f"{path}: {nobody} rows do not say their subject, so there is no gold standard")
    duration = _numbers(table, "duration_ms")
    fixations = Fixations.of(image[good], x[good], y[good], subject[good], _orders(table)[good], duration[good])
    return fixations, names, problems


def _numbers(table: pd.DataFrame, column: str) -> "pd.Series[float]":
    """A column as numbers, NaN where it has none or is not there."""
    return pd.to_numeric(table[column], errors="coerce") if column in table else pd.Series(np.nan, table.index)


def _orders(table: pd.DataFrame) -> "pd.Series[int]":
    """The places in the scanpaths, UNKNOWN where there is no whole number."""
    order = _numbers(table, "order")
    return order.where((order >= 0) & (order % 1 == 0) & (order < 2**31), UNKNOWN).astype(int)


def _subjects(table: pd.DataFrame) -> tuple[np.ndarray, tuple[str, ...]]:
    """Numbers for the subjects, UNKNOWN where none is named, and their names."""
    if "subject" not in table:
        return np.full(len(table), UNKNOWN), ()
    said = table["subject"].astype(str).where(table["subject"].notna(), "")
    numbers, names = pd.factorize(said.where(said != ""))
    return numbers, tuple(str(name) for name in names)
