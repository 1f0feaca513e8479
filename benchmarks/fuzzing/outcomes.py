"""What a command made of its inputs, in one word, and the checks that several kinds of inputs share."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import h5py
import numpy as np
import pandas as pd
from safetensors import safe_open

from fuzzing.worker import Call, Result

LARGEST_MEMORY = 2048  # MB, of the whole process
INTERRUPTED = (130, 143)
OUTCOMES = ("fine", "error", "traceback", "hang", "crash", "lost", "wrong", "untidy", "noise", "memory")
GOOD_OUTCOMES = OUTCOMES[:2]
NORMALIZED = 1e-3  # |logsumexp| of a log density
TOLERANCE = 1e-3  # between a value in a batch and the same alone

# What a terminal would obey: escape sequences and the like, and marks that turn the direction of writing.
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u202a-\u202e\u2066-\u2069]")
# What libraries in C print by themselves.
LIBRARY_LINE = re.compile(
    r"libpng |Corrupt JPEG|Premature end|\[ ?(WARN|ERROR)|.?TIFF|\w*Decode|JPEG|HDF5-DIAG|tempfile\.tif", re.I
)
OWN_LINE = re.compile(r"foveal: |Usage: |Try '|Error: |[╭│╰]|Aborted|\s*$")


@dataclass(frozen=True)
class Finding:
    """An outcome, and the line that explains it."""

    outcome: str
    detail: str = ""


@dataclass
class Job:
    """One command on some cases.

    Attributes
    ----------
    call
        The command.
    cases
        What each is, by number.
    check
        Looks at what was written; None if all is right.
    own
        What the input of a case is called where a command names it; it tells which of several cases failed.
    before
        Files that were there before.
    out
        The folder that the command may write to; "" all of its own.
    may_leave
        Is it right that temporaries stay, of a process that was killed?
    """

    call: Call
    cases: Mapping[int, str]
    check: Callable[[Result], Finding | None] = lambda _: None
    own: Mapping[int, str] = field(default_factory=dict)
    before: set[Path] = field(default_factory=set)
    out: str = "out"
    may_leave: bool = False


def judged(job: Job, result: Result, around: Path) -> Finding:
    """The outcome of a command; `around` is the folder in which nothing but its own output may be new."""
    if result.hung:
        return Finding("hang", f"stopped after {result.seconds:.0f} s")
    if result.signal:
        return Finding("crash", f"signal {result.signal}")
    if result.traceback:
        last = result.traceback.strip().splitlines()[-1]
        outcome = (
            "memory" if last.startswith(("MemoryError", "numpy._core._exceptions._ArrayMemoryError")) else "traceback"
        )
        return Finding(outcome, f"{last} ({_where(result.traceback)})")
    if result.peak > LARGEST_MEMORY:
        return Finding("memory", f"{result.peak:.0f} MB")
    if result.status not in (0, 1, 2):
        return Finding("wrong", f"exit status {result.status}")
    new = {path for path in around.rglob("*") if path.is_file()} - job.before
    strays = [path for path in new if not path.is_relative_to(job.call.folder / job.out)]
    if strays:
        return Finding("wrong", f"written outside its folder: {strays[0].relative_to(around)!s:.80}")
    temporaries = {path for path in new if path.name.startswith((".", "unfinished-"))}
    if (hidden := [path for path in temporaries if path.name.startswith(".")]) and not job.may_leave:
        return Finding("lost", f"a temporary file is left: {hidden[0].name!r:.60}")
    for path in new - temporaries:
        if not is_whole(path):
            return Finding("lost", f"not whole: {path.name!r:.80}")
    if finding := job.check(result):
        return finding
    for line in [*result.err.split("\n"), *result.out.split("\n")]:
        if CONTROL.search(line):
            return Finding("untidy", f"reaches the terminal: {line!r:.120}")
    strange = [line for line in result.err.split("\n") if not OWN_LINE.match(line)]
    if strange:
        outcome = "noise" if all(LIBRARY_LINE.match(line) for line in strange) else "untidy"
        return Finding(outcome, f"no line of Foveal's: {strange[0]!r:.120}")
    if result.status and not result.err.strip():
        return Finding("untidy", f"status {result.status} and not a word")
    return Finding("error" if result.status else "fine", result.err.strip().split("\n")[0])


def _where(text: str) -> str:
    """The last place in Foveal's own code that a traceback names."""
    places = re.findall(r'File "[^"]*/(foveal/[^"]+)", line (\d+)', text)
    return ":".join(places[-1]) if places else "?"


def is_whole(path: Path) -> bool:
    """Can a file that a command wrote be read from beginning to end?"""
    try:
        match path.suffix:
            case ".npy":
                np.load(path, mmap_mode="r")
            case ".png":
                return cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED) is not None
            case ".json":
                json.loads(path.read_text(encoding="utf-8"))
            case ".hdf5":
                arrays_of(path)
            case ".safetensors":
                weights_in(path)
            case ".parquet":
                pd.read_parquet(path)
            case ".onnx":
                import onnx

                onnx.load(path)
            case ".html":
                return path.read_text(encoding="utf-8").rstrip().endswith("</html>")
            case ".csv":
                return path.read_bytes().endswith(b"\n")
    except Exception:  # whatever a file that is not whole makes its reader say
        return False
    return True


def arrays_of(path: Path) -> dict[str, np.ndarray]:
    """All arrays of an HDF5 file, by their names."""
    arrays: dict[str, np.ndarray] = {}
    with h5py.File(path) as file:
        file.visititems(lambda key, item: arrays.update({key: item[()]}) if isinstance(item, h5py.Dataset) else None)
    return arrays


def weights_in(path: Path) -> dict[str, np.ndarray]:
    """Tensors and header of a safetensors file, which writes the latter in any order."""
    with safe_open(path, framework="np") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        return {**tensors, "": np.array(sorted((file.metadata() or {}).items()))}


def check_predictions(
    out: Path, good: Mapping[str, np.ndarray], given: Sequence[str], where: str = "in"
) -> Finding | None:
    """Are the good photographs' densities there and right, is every density one, and is every input accounted for?

    Parameters
    ----------
    out
        What `foveal predict` wrote.
    good
        The log densities of the good photographs, by their names in the folder `where`.
    given
        Names of all photographs there that must be either predicted or named as failed.
    """
    if not (out / "predictions.json").is_file():
        return Finding("lost", "no predictions.json")
    listing = json.loads((out / "predictions.json").read_text(encoding="utf-8"))
    entries = {Path(entry["image"]).relative_to(where).as_posix(): entry for entry in listing["predictions"]}
    for name, expected in good.items():
        if name not in entries:
            return Finding("lost", f"{name} was not predicted")
        found = np.load(out.parent / entries[name]["files"]["density"])
        if found.shape != expected.shape or not np.allclose(found, expected, atol=TOLERANCE):
            return Finding("lost", f"{name} has another density than alone")
    for name, entry in entries.items():
        density = np.load(out.parent / entry["files"]["density"], mmap_mode="r")
        if finding := check_density(density, name):
            return finding
        if density.shape != (entry["height"], entry["width"]):
            return Finding("wrong", f"{name}: density of another size")
    failures = " ".join(failure["image"] + failure["error"] for failure in listing["failed"])
    if unsaid := [name for name in given if name not in entries and name not in failures]:
        return Finding("lost", f"left out with no word: {unsaid[0]!r:.80}")
    return None


def check_density(log_density: np.ndarray, name: str) -> Finding | None:
    """Does it sum to one? Row by row, for it may be large, and on disk."""
    mass = sum(float(np.exp(row, dtype=np.float64).sum()) for row in log_density)
    if mass > 0 and abs(np.log(mass)) < NORMALIZED:  # which NaN is not
        return None
    return Finding("wrong", f"{name!r:.60}: not a density")


def check_scores(path: Path, expected: pd.DataFrame) -> Finding | None:
    """Does a table of values by image hold the expected rows?"""
    if not path.is_file():
        return Finding("lost", f"no {path.name}")
    found = pd.read_csv(path, dtype={"image": str}, keep_default_na=False).set_index(["model", "image"])
    for key, row in expected.iterrows():
        if key not in found.index:
            return Finding("lost", f"{key} was not scored")
        values = pd.to_numeric(found.loc[key, row.index], errors="coerce").to_numpy(float)
        if not np.allclose(values, row.to_numpy(float), atol=TOLERANCE, equal_nan=True):
            return Finding("lost", f"{key} is scored {values.tolist()}, alone {row.tolist()}")
    return None


def scores_in(path: Path) -> pd.DataFrame:
    """What `check_scores` expects, of a table that a command wrote."""
    table = pd.read_csv(path, dtype={"image": str}, keep_default_na=False).set_index(["model", "image"])
    return table.drop(columns="dataset")


def check_arrays(path: Path, expected: Mapping[str, np.ndarray]) -> Finding | None:
    """Does an HDF5 file hold the expected arrays?"""
    if not path.is_file():
        return Finding("lost", f"no {path.name}")
    found = arrays_of(path)
    for name, values in expected.items():
        if name not in found or found[name].shape != values.shape:
            return Finding("lost", f"{name} is not in {path.name}")
        if not np.allclose(found[name], values, atol=TOLERANCE):
            return Finding("lost", f"{name} is another in {path.name} than alone")
    return None
