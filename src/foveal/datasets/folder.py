"""A folder of one's own pictures and fixations is a data set, with no code.

    images/…             pictures, sub-folders allowed
    fixations.csv        image,x,y[,subject,order,duration_ms]   (or fixations.parquet)
    dataset.toml         optional: name, pixels_per_degree, licence, citation

`image` is the path under images/; x and y are in px of that picture, the center of its top left pixel at (0, 0).
"""

import os
import shutil
import tomllib
import warnings
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import pandas as pd

from foveal.errors import FovealError, FovealNote
from foveal.files import write_atomically
from foveal.gaze import Dataset, Fixations, Stimuli
from foveal.images import find_images, read_image

ASSUMED_PIXELS_PER_DEGREE = 35.0
SETTINGS = ("name", "pixels_per_degree", "licence", "citation")


def load_folder(folder: str | os.PathLike[str]) -> Dataset:
    """Load a folder laid out as described at the top of this file.

    What cannot be used is left out and named in `Dataset.problems`: pictures that cannot be read, rows without a
    number for x or y, rows that name a missing picture, fixations outside their picture.

    Raises
    ------
    FovealError
        If the folder, its pictures, or its table of fixations is missing or cannot be read at all.
    """
    folder = Path(folder)
    settings = _read_settings(folder / "dataset.toml")
    name = str(settings.get("name", folder.resolve().name))
    if "pixels_per_degree" not in settings:
        warnings.warn(
            f"{name}: {ASSUMED_PIXELS_PER_DEGREE:g} pixels per degree assumed (say pixels_per_degree in dataset.toml)",
            FovealNote,
            stacklevel=2,
        )
    if not (folder / "images").is_dir():
        raise FovealError(f"{folder}: no folder images in it (a data set has images/ and fixations.csv)")
    sources, problems = _readable(find_images(folder / "images"))
    if not sources:
        raise FovealError(f"{folder / 'images'}: no picture that can be read")
    ids = [source.relative_to(folder / "images").as_posix() for source in sources]
    stimuli = Stimuli(sources, ids, float(settings.get("pixels_per_degree", ASSUMED_PIXELS_PER_DEGREE)))

    table, path = _read_table(folder)
    fixations, row_problems = _usable_fixations(table, stimuli, path)
    return Dataset(
        name,
        stimuli,
        fixations,
        licence=str(settings.get("licence", "not stated")),
        citation=str(settings.get("citation", "not stated")),
        problems=(*problems, *row_problems),
    )


def save_dataset(dataset: Dataset, folder: str | os.PathLike[str], fmt: Literal["csv", "parquet"] = "csv") -> None:
    """Write a data set as a folder that `load_folder` reads, pictures included.

    Raises
    ------
    FovealError
        If the folder cannot be written to.
    """
    folder = Path(folder)
    names = []
    for stimulus in dataset.stimuli:
        is_file = isinstance(stimulus.source, Path)
        name = stimulus.id if is_file else f"{stimulus.id}.png"
        names.append(name)
        with write_atomically(folder / "images" / name) as temporary:
            if isinstance(stimulus.source, Path):
                shutil.copyfile(stimulus.source, temporary)
            else:
                cv2.imwrite(str(temporary), cv2.cvtColor(stimulus.image, cv2.COLOR_RGB2BGR))
    fixations = dataset.fixations
    table = pd.DataFrame({"image": np.array(names)[fixations.image], "x": fixations.x, "y": fixations.y})
    if fixations.has_subjects:
        table["subject"] = fixations.subject
    if (fixations.order >= 0).all():
        table["order"] = fixations.order
    if np.isfinite(fixations.duration).any():
        table["duration_ms"] = fixations.duration
    with write_atomically(folder / f"fixations.{fmt}") as temporary:
        if fmt == "csv":
            table.to_csv(temporary, index=False)
        else:
            table.to_parquet(temporary, index=False)
    with write_atomically(folder / "dataset.toml") as temporary:
        temporary.write_text(_settings_of(dataset), encoding="utf-8")


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
    if not isinstance(ppd, int | float) or not ppd > 0:
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
    quoted = {key: f'"{_escaped(value)}"' if isinstance(value, str) else value for key, value in values.items()}
    return "".join(f"{key} = {value}\n" for key, value in quoted.items())


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")


def _readable(paths: list[Path]) -> tuple[list[Path], list[str]]:
    """The pictures that decode, and a line for each that does not."""
    good, problems = [], []
    for path in paths:
        try:
            read_image(path)
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
        table = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    except Exception as error:  # whatever a broken file makes pandas or pyarrow say
        raise FovealError(f"{path}: not a table that can be read ({str(error).splitlines()[0]})") from error
    missing = [column for column in ("image", "x", "y") if column not in table.columns]
    if missing:
        raise FovealError(f"{path}: no column {missing[0]!r} (needed: image, x, y; it has {', '.join(table.columns)})")
    return table, path


def _usable_fixations(table: pd.DataFrame, stimuli: Stimuli, path: Path) -> tuple[Fixations, list[str]]:
    """The rows that are fixations inside a known picture, and a line for each kind of row that is not."""
    position = {name: index for index, name in enumerate(stimuli.ids)}
    image = table["image"].astype(str).map(position)
    x = pd.to_numeric(table["x"], errors="coerce")
    y = pd.to_numeric(table["y"], errors="coerce")
    problems: list[str] = []

    def keep(good: Any, what: str) -> Any:
        """Note the rows that are not good and return the mask."""
        bad = np.flatnonzero(~np.asarray(good))
        if len(bad):
            # Row 1 of the data is line 2 of the file: its first line holds the names of the columns.
            problems.append(f"{path}: {len(bad)} of {len(table)} rows left out: {what} (first: row {bad[0] + 1})")
        return np.asarray(good)

    known = keep(image.notna(), "their image is not among the pictures that can be read")
    good = known & keep(np.isfinite(x) & np.isfinite(y), "x or y is not a number")

    def column(name: str, values: Any) -> Any:
        return np.asarray(values)[good] if name in table.columns else None

    fixations = Fixations.of(
        image[good],
        x[good],
        y[good],
        subject=column("subject", pd.factorize(table.get("subject", x))[0]),
        order=column("order", pd.to_numeric(table.get("order", x), errors="coerce").fillna(-1)),
        duration=column("duration_ms", pd.to_numeric(table.get("duration_ms", x), errors="coerce")),
    )
    inside = fixations.is_inside(stimuli.sizes)
    if not inside.all():
        first = int(np.argmin(inside))
        name, at = stimuli.ids[fixations.image[first]], (float(fixations.x[first]), float(fixations.y[first]))
        problems.append(
            f"{path}: {int((~inside).sum())} fixations outside their image left out (first: {at} on {name})"
        )
    return fixations.where(inside), problems
