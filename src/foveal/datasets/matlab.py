"""MATLAB files of fixations, read with care: what is missing is named."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from foveal.datasets.catalogue import Contents
from foveal.datasets.foreign import UnreadableFileError, mat_cells, mat_variables
from foveal.errors import FovealError
from foveal.gaze import Fixations, Stimuli
from foveal.gaze.folds import named_folds
from foveal.gaze.onsets import cumulated_durations

ONE_BASED = 1.0  # MATLAB counts pixels from one, Foveal from zero


def read_mat(path: Path, variable: str) -> Any:
    """One variable of a MATLAB file, singleton dimensions squeezed out, structs as dicts of their fields.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FovealError
        If it is no MATLAB file, or does not hold the variable.
    """
    contents = read_variables(path, [variable])
    if variable not in contents:
        raise FovealError(f"{path}: holds no variable {variable!r}")
    return contents[variable]


def read_variables(path: Path, names: list[str] | None = None) -> dict[str, Any]:
    """The named variables of a MATLAB file that are in it, all of them by default (see `read_mat`)."""
    try:
        return mat_variables(path, names)
    except UnreadableFileError as error:
        raise FovealError(f"{path}: not a MATLAB file that can be read ({error})") from error


def read_cells(path: Path, variable: str) -> np.ndarray:
    """The cells of a cell array of numbers, of a MATLAB file of any version (raises like `read_mat`)."""
    try:
        return mat_cells(path, variable)
    except UnreadableFileError as error:
        raise FovealError(f"{path}: holds no cell array {variable!r} that can be read ({error})") from error


def field(struct: Any, name: str, path: Path) -> Any:
    """One field of a MATLAB struct (see `fields`)."""
    return fields(struct, (name,), path)[0]


def fields(struct: Any, names: Sequence[str], path: Path) -> list[Any]:
    """Some fields of a MATLAB struct.

    Raises
    ------
    FovealError
        If the struct does not have one of them.
    """
    has = struct if isinstance(struct, dict) else {}
    for name in names:
        if name not in has:
            raise FovealError(f"{path}: a struct without the field {name!r} (it has {', '.join(has) or 'no fields'})")
    return [has[name] for name in names]


def read_fixation_structs(
    mat: Path, stimuli: Path, *, pixels_per_degree: float | None, first_is_forced: bool, is_whole: bool = True
) -> Contents:
    """The layout that OSIE made popular: `fixations(i).img`, `.subjects{j}.fix_x, .fix_y, .fix_duration`.

    Coordinates are in px, counted from one. Where the first fixation of every scanpath is the forced one at the
    center, it is left out, and the order of the others starts at 1. Onsets are cumulated durations, unless the file
    does not hold every scanpath from its first fixation on (`is_whole` is false).

    Raises
    ------
    FileNotFoundError
        If the file or the folder of stimuli is missing.
    FovealError
        If a variable, a field or a photograph is missing.
    """
    structs = np.atleast_1d(read_mat(mat, "fixations"))
    if not stimuli.is_dir():
        raise FileNotFoundError(2, "no such folder", str(stimuli))
    names = [str(field(struct, "img", mat)) for struct in structs]
    sources = [stimuli / name for name in names]
    for source in sources:
        if not source.is_file():
            raise FileNotFoundError(2, "no such file", str(source))

    def scanpaths() -> Iterator[Scanpath]:
        for image, struct in enumerate(structs):
            for subject, scanpath in enumerate(np.atleast_1d(field(struct, "subjects", mat))):
                columns = fields(scanpath, ("fix_x", "fix_y", "fix_duration"), mat)
                x, y, duration = map(np.atleast_1d, columns)
                yield Scanpath(image, subject, x, y, duration, None if is_whole else np.full(len(x), np.nan))

    fixations, notes = concatenate_scanpaths(scanpaths(), mat, origin=ONE_BASED)
    return Contents(
        Stimuli(sources, names, pixels_per_degree),
        fixations.drop_first() if first_is_forced else fixations,
        named_folds(len(names)),
        notes,
    )


class Scanpath(NamedTuple):
    """One observer's fixations on one image: numbers of the two, x, y, duration and start in ms.

    Without a start, each fixation follows the one before at once.
    """

    image: int
    subject: int
    x: np.ndarray
    y: np.ndarray
    duration: np.ndarray
    start: np.ndarray | None = None


def concatenate_scanpaths(
    scanpaths: Iterator[Scanpath], source: Path, *, origin: float
) -> tuple[Fixations, tuple[str, ...]]:
    """All fixations, and a line on those that have no coordinates; `origin` is subtracted from x and y.

    Raises
    ------
    FovealError
        If the columns of a scanpath differ in length.
    """
    names = ("image", "x", "y", "subject", "order", "duration", "start")
    columns: dict[str, list[np.ndarray]] = {name: [] for name in names}
    lost = []
    for path in scanpaths:
        n = len(path.x)
        if len(path.y) != n or len(path.duration) != n:
            raise FovealError(
                f"{source}: image {path.image + 1}, subject {path.subject + 1}: x, y and duration differ in length"
            )
        x, y = path.x.astype(np.float64) - origin, path.y.astype(np.float64) - origin
        good = np.isfinite(x) & np.isfinite(y)
        lost += [(path.image, path.subject)] * int((~good).sum())
        columns["image"].append(np.full(n, path.image)[good])
        columns["subject"].append(np.full(n, path.subject)[good])
        columns["order"].append(np.arange(n)[good])
        columns["x"].append(x[good])
        columns["y"].append(y[good])
        columns["duration"].append(path.duration[good])
        columns["start"].append(_start(path)[good])
    problems: tuple[str, ...] = ()
    if lost:
        image, subject = lost[0]
        first = f"image {image + 1}, subject {subject + 1}"
        problems = (f"{source}: {len(lost)} fixations without coordinates left out (first: {first})",)
    return Fixations.of(**{name: np.concatenate(parts) if parts else [] for name, parts in columns.items()}), problems


def _start(path: Scanpath) -> np.ndarray:
    """Of each fixation, those included that have no coordinates."""
    if path.start is not None:
        return path.start
    alone = np.zeros(len(path.x), dtype=np.int64)
    return cumulated_durations(alone, alone, np.arange(len(path.x)), path.duration.astype(np.float64))


def columns(values: Any, n_columns: int, source: Path) -> list[np.ndarray]:
    """The columns of rows of numbers, float64; singleton dimensions may have been squeezed out.

    Raises
    ------
    FovealError
        If there are not so many columns, or they hold no numbers.

    >>> columns(np.array([4, 5]), 2, Path("a.mat"))
    [array([4.]), array([5.])]
    """
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        array = np.zeros(())
    if array.size and array.shape[-1:] != (n_columns,):
        raise FovealError(f"{source}: rows of {n_columns} numbers are needed")
    return list(array.reshape(-1, n_columns).T)


def masked_pixels(mask: Any, size: tuple[int, int], source: str) -> tuple[np.ndarray, np.ndarray]:
    """Columns and rows of the pixels where a map of fixations is not 0, given (height, width) of its picture.

    Raises
    ------
    FovealError
        If it is no map of the size of the picture; `source` says which map.
    """
    array = np.asarray(mask)
    if array.shape != size or array.dtype.kind not in "buif":
        shape = " x ".join(map(str, array.shape)) or "one value"
        raise FovealError(f"{source}: a map of {shape}, and its picture has {size[0]} rows and {size[1]} columns")
    rows, columns = np.nonzero(array)
    return columns.astype(np.float64), rows.astype(np.float64)


def of_everybody(positions: Iterable[tuple[np.ndarray, np.ndarray]]) -> Fixations:
    """Fixations of nobody in particular, given the x and the y of those on each picture."""
    x, y = zip(*positions, strict=True)
    return Fixations.of(np.repeat(np.arange(len(x)), [len(some) for some in x]), np.concatenate(x), np.concatenate(y))
