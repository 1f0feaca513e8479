"""A folder of one's own pictures and fixations is a data set, with no code.

    images/…             pictures, sub-folders allowed
    fixations.csv        image,x,y[,subject,order,duration_ms,start_ms]   (or fixations.parquet)
    dataset.toml         optional: name, pixels_per_degree, licence, citation, units, origin
    categories.csv       optional: image,category: what kind of picture each is

`image` is the path under images/; x and y are in px of that picture, the center of its top left pixel at (0, 0), unless
dataset.toml says otherwise (`datasets.coordinates`).
"""

import os
import shutil
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import cv2
import numpy as np
import pandas as pd
import tomli_w

from foveal.datasets.coordinates import Coordinates
from foveal.datasets.table import Table, read_table
from foveal.errors import FovealError, FovealNote, RowsLeftOut, first_line
from foveal.files import read_toml, write_atomically
from foveal.gaze import Dataset, Fixations, Stimuli, Stimulus
from foveal.gaze.fixations import UNKNOWN
from foveal.gaze.given import described, text
from foveal.gaze.names import Match, match_names
from foveal.gaze.onsets import cumulated_durations
from foveal.gaze.stimuli import ASSUMED_PIXELS_PER_DEGREE
from foveal.images import IMAGE_SUFFIXES, find_images, image_size
from foveal.paths import check_name, is_unicode, path_of
from foveal.registry import no_such

SETTINGS = ("name", "pixels_per_degree", "licence", "citation", "units", "origin")
LONGEST_TOLD = 80  # characters of a name or a number that an error or a note quotes
TABLES = ("fixations.csv", "fixations.parquet")


def load_folder(folder: str | os.PathLike[str]) -> Dataset:
    """Load a folder laid out as described at the top of this file.

    What cannot be used is left out and named. Pictures that cannot be read are in `Dataset.problems`. Rows without a
    number for x or y, rows that name a missing picture, and fixations outside their picture are in `Dataset.notes`,
    as is what was assumed in reading the tables. Each note is a warning as well: `RowsLeftOut` of the rows, else
    `FovealNote`.

    Raises
    ------
    FovealError
        If the folder, its pictures, or its table of fixations is missing or cannot be read at all, or no row of the
        table can be used.
    """
    folder = Path(folder)
    try:
        data, left_out = _load(folder)
    except OSError as error:
        raise FovealError(f"{error.filename or folder}: cannot be read ({first_line(error)})") from error
    for note in data.notes:
        warnings.warn(note, RowsLeftOut if note in left_out else FovealNote, stacklevel=2)
    return data


def save_dataset(dataset: Dataset, folder: str | os.PathLike[str], fmt: Literal["csv", "parquet"] = "csv") -> None:
    """Write a data set as a folder that `load_folder` reads, pictures included.

    Raises
    ------
    FovealError
        If the folder cannot be written to, or cannot hold the data set: its pictures differ in pixels per degree, or
        an id is no path below the folder.
    """
    folder = path_of(folder, "folder of the data set")
    if not isinstance(dataset, Dataset):
        raise FovealError(f"a Dataset is needed to be saved, not {described(dataset)}")
    if text(fmt, "format") not in ("csv", "parquet"):
        raise FovealError(f"fixations are written as csv or parquet, not {fmt}")
    settings = _settings_of(dataset)
    names = [_file_name(stimulus) for stimulus in dataset.stimuli]
    for stimulus, name in zip(dataset.stimuli, names, strict=True):
        with write_atomically(folder / "images" / name) as temporary:
            if isinstance(stimulus.source, Path):
                shutil.copyfile(stimulus.source, temporary)
            else:
                temporary.write_bytes(_encoded(stimulus, temporary.suffix))
    fixations = dataset.fixations
    table = pd.DataFrame({"image": np.array(names)[fixations.image], "x": fixations.x, "y": fixations.y})
    if fixations.has_subjects:
        known = dataset.subject_names
        table["subject"] = np.array(known)[fixations.subject] if known else fixations.subject
    if (fixations.order >= 0).all():
        table["order"] = fixations.order
    if np.isfinite(fixations.duration).any():
        table["duration_ms"] = fixations.duration
    if np.isfinite(fixations.start).any():
        table["start_ms"] = fixations.start
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


def _encoded(stimulus: Stimulus, suffix: str) -> bytes:
    try:
        encoded, data = cv2.imencode(suffix, cv2.cvtColor(stimulus.image, cv2.COLOR_RGB2BGR))
    except cv2.error:  # it knows no such format
        encoded = False
    if not encoded:
        raise FovealError(f"{stimulus.id}: a picture cannot be written as {suffix}")
    return data.tobytes()


def _file_name(stimulus: Stimulus) -> str:
    """The path of a stimulus below images/: its id, with an ending that says that it is a picture."""
    name = PurePosixPath(stimulus.id)
    if name.is_absolute() or ".." in name.parts:
        raise FovealError(f"the id {stimulus.id!r} is no path below a folder")
    if name.suffix.lower() in IMAGE_SUFFIXES:
        return str(name)
    return f"{name}{stimulus.source.suffix if isinstance(stimulus.source, Path) else '.png'}"


def _settings_of(dataset: Dataset) -> str:
    ppd = dataset.stimuli.pixels_per_degree
    values: dict[str, str | float] = {
        "name": check_name(dataset.name),
        "licence": dataset.licence,
        "citation": dataset.citation,
    }
    if ppd is not None and len(np.unique(ppd)) > 1:
        raise FovealError(f"{dataset.name}: its pictures differ in pixels per degree, which a folder cannot say")
    if ppd is not None and not dataset.stimuli.scale_is_assumed:
        values["pixels_per_degree"] = float(ppd[0])
    return tomli_w.dumps(values)


def _load(folder: Path) -> tuple[Dataset, list[str]]:
    """The data set of a folder, and those of its notes that tell of rows left out."""
    settings, coordinates = _read_settings(folder / "dataset.toml")
    try:
        name = check_name(str(settings.get("name", folder.resolve().name)))
    except FovealError as error:
        raise FovealError(f"{folder / 'dataset.toml'}: {error}") from None
    if not os.path.isdir(folder / "images"):  # noqa: PTH112 (Path.is_dir raises where a folder may not be looked into)
        raise FovealError(f"{folder}: no folder images in it (a data set has images/ and fixations.csv)")
    pictures, not_taken = find_images(folder / "images")
    sources, unreadable = _readable(pictures)
    if not sources:
        raise FovealError(f"{folder / 'images'}: no picture that can be read")
    all_ids, ids = ([p.relative_to(folder / "images").as_posix() for p in paths] for paths in (pictures, sources))
    ppd = float(settings.get("pixels_per_degree", ASSUMED_PIXELS_PER_DEGREE))
    stimuli = Stimuli(sources, ids, ppd, scale_is_assumed="pixels_per_degree" not in settings)

    path = next((folder / table for table in TABLES if (folder / table).is_file()), None)
    if path is None:
        raise FovealError(f"{folder}: no {' or '.join(TABLES)} in it")
    numbers = ("x", "y", "order", "duration_ms", "start_ms")
    table = read_table(path, needed=("image", "x", "y"), texts=("image", "subject"), numbers=numbers)
    rows = _Rows(table, all_ids, ids)
    fixations, names = _usable_fixations(rows, stimuli, coordinates, ppd)
    notes, left_out = rows.notes, rows.left_out
    categories: tuple[str, ...] = ()
    if (folder / "categories.csv").is_file():
        table = read_table(folder / "categories.csv", needed=("image", "category"), texts=("image", "category"))
        rows = _Rows(table, all_ids, ids)
        categories = _categories(rows, len(ids))
        notes, left_out = notes + rows.notes, left_out + rows.left_out
    if "pixels_per_degree" not in settings:
        assumed = f"{ppd:g} pixels per degree assumed (say pixels_per_degree in dataset.toml)"
        notes = [f"{name}: {assumed}", *notes]
    data = Dataset(
        name,
        stimuli,
        fixations,
        licence=str(settings.get("licence", "not stated")),
        citation=str(settings.get("citation", "not stated")),
        subject_names=names,
        categories=categories,
        problems=(*not_taken, *unreadable),
        notes=(*notes, *left_out),
    )
    return data, left_out


def _read_settings(path: Path) -> tuple[dict[str, Any], Coordinates]:
    """What a dataset.toml says, and how it says that positions are counted."""
    if not path.is_file():
        return {}, Coordinates()
    settings = read_toml(path, "not TOML")
    if "license" in settings:  # American spelling
        settings.setdefault("licence", settings.pop("license"))
    unknown = set(settings) - set(SETTINGS)
    if unknown:
        raise FovealError(f"{path}: {no_such('setting', min(unknown), SETTINGS)}")
    ppd = settings.get("pixels_per_degree", ASSUMED_PIXELS_PER_DEGREE)
    if not isinstance(ppd, int | float) or isinstance(ppd, bool) or not 0 < ppd <= sys.float_info.max:
        told = ppd if len(repr(ppd)) <= LONGEST_TOLD else f"a number of {len(repr(ppd))} characters"
        raise FovealError(f"{path}: pixels_per_degree must be a positive number, not {told!r}")
    try:
        coordinates = Coordinates.of(settings)
    except FovealError as error:
        raise FovealError(f"{path}: {error}") from None
    if coordinates.units == "degree" and "pixels_per_degree" not in settings:
        raise FovealError(f"{path}: units are degrees, which needs pixels_per_degree")
    return settings, coordinates


def _readable(paths: list[Path]) -> tuple[list[Path], list[str]]:
    """The files whose headers are those of pictures, and a line for each other."""
    good, problems = [], []
    for path in paths:
        if not is_unicode(str(path)):
            problems.append(f"{path}: its name is no UTF-8, which tables need; rename it")
            continue
        try:
            image_size(path)
        except FovealError as error:
            problems.append(str(error))
        else:
            good.append(path)
    return good, problems


class _Rows:
    """The rows of a table that name a picture: of which each is, which are used, and what is said of the others.

    Attributes
    ----------
    image
        Position in `ids` of the picture that each row names; -1 where it is none of them.
    is_used
        Which rows are used so far.
    notes
        Lines on what was assumed.
    """

    def __init__(self, table: Table, pictures: Sequence[str], ids: Sequence[str]) -> None:
        self.table = table
        self.notes = list(table.notes)
        self._reasons = dict(table.left_out)
        self._named = table.texts["image"]
        self.is_used = np.ones(len(self._named), dtype=bool)
        # Among all pictures: of one that cannot be read, no other must take the place.
        matches, unclear = match_names(self._named.unique(), pictures)
        self._note_other_names(matches)
        position = {name: index for index, name in enumerate(ids)}
        image_of = {name: position.get(match.name, -1) for name, match in matches.items()}
        self.image = np.array([image_of.get(name, -1) for name in self._named], dtype=np.int64)
        self.leave_out(self._named.isin(unclear), "it is not clear which picture they name")
        self.leave_out(self.image < 0, "their image is not among the pictures that can be read")

    def leave_out(self, rows: Any, why: str) -> None:
        """Use these rows no more; a row that was left out before keeps its reason."""
        rows = np.asarray(rows) & self.is_used
        self.is_used &= ~rows
        if rows.any():
            self._reasons[f"{why} (first: {self._first(rows)})"] = int(rows.sum())

    @property
    def left_out(self) -> list[str]:
        """A line for each reason why rows are not used."""
        path, n_rows = self.table.path, self.table.n_rows
        return [f"{path}: {count} of {n_rows} rows left out: {why}" for why, count in self._reasons.items()]

    def check_some_are_used(self, doubts: Sequence[str]) -> None:
        """Complain if there are rows, and none of them is used.

        Raises
        ------
        FovealError
            If it is so, with the reason of most of them, and with the doubts that there are about their positions.
        """
        if self._reasons and not self.is_used.any():
            why = max(self._reasons, key=lambda why: self._reasons[why])
            reasons = "; ".join([why, *doubts])
            raise FovealError(f"{self.table.path}: none of its {self.table.n_rows} rows can be used: {reasons}")

    def _note_other_names(self, matches: Mapping[str, Match]) -> None:
        for how in dict.fromkeys(match.differs for match in matches.values() if match.differs):
            rows = self._named.isin([name for name, match in matches.items() if match.differs == how]).to_numpy()
            picture = matches[self._named[rows.argmax()]].name
            self.notes.append(
                f"{self.table.path}: {rows.sum()} of {self.table.n_rows} rows name their picture {how} "
                f"(first: {self._first(rows)}, taken for {_told(picture)})"
            )

    def _first(self, rows: np.ndarray) -> str:
        first = int(rows.argmax())
        return f"{_told(self._named[first])} in {self.table.place(first)}"


def _told(name: str) -> str:
    return repr(name if len(name) <= LONGEST_TOLD else f"{name[:LONGEST_TOLD]}…")


def _usable_fixations(
    rows: _Rows, stimuli: Stimuli, coordinates: Coordinates, pixels_per_degree: float
) -> tuple[Fixations, tuple[str, ...]]:
    """The rows that are fixations inside a known picture, and the subjects' names."""
    numbers, path = rows.table.numbers, rows.table.path
    x, y = numbers["x"], numbers["y"]
    rows.leave_out(~(np.isfinite(x) & np.isfinite(y)), "x or y is not a number")
    sizes = stimuli.sizes[np.maximum(rows.image, 0)]
    doubts = coordinates.doubts(x[rows.is_used], y[rows.is_used], sizes[rows.is_used])
    rows.notes += [f"{path}: {doubt}" for doubt in doubts]
    x, y = coordinates.in_px(x, y, sizes, pixels_per_degree)
    height, width = sizes.T
    is_inside = (x >= -0.5) & (x < width - 0.5) & (y >= -0.5) & (y < height - 0.5)
    rows.leave_out(~is_inside, "the fixation is outside its image")
    rows.check_some_are_used(doubts)

    used = rows.is_used
    subject, names = _subjects(rows.table, used)
    nobody = int((subject == UNKNOWN).sum())
    if nobody and "subject" in rows.table.texts:
        rows.notes.append(f"{path}: {nobody} rows do not say their subject, so there is no gold standard")
    unknown = np.full(len(used), np.nan)
    order, duration = numbers.get("order", unknown), numbers.get("duration_ms", unknown)
    is_order = (order >= 0) & (order == np.floor(order)) & (order < 2**31)
    order = np.where(is_order, order, UNKNOWN).astype(np.int64)
    if "start_ms" in numbers:
        start = numbers["start_ms"]
    else:  # fixations that are left out took their time
        everybody, _ = _subjects(rows.table, np.ones(len(used), dtype=bool))
        start = cumulated_durations(rows.image, everybody, order, duration)
    fixations = Fixations.of(rows.image[used], x[used], y[used], subject, order[used], duration[used], start[used])
    return fixations, names


def _subjects(table: Table, used: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Numbers for the subjects, UNKNOWN where none is named, and their names."""
    if "subject" not in table.texts:
        return np.full(int(used.sum()), UNKNOWN), ()
    said = table.texts["subject"][used]
    numbers, names = pd.factorize(said.where(said != ""))
    return numbers, tuple(str(name) for name in names)


def _categories(rows: _Rows, n_images: int) -> tuple[str, ...]:
    """The category of every picture, "" for one without."""
    categories = [""] * n_images
    for image, category in zip(rows.image[rows.is_used], rows.table.texts["category"][rows.is_used], strict=True):
        categories[image] = category
    return tuple(categories)
