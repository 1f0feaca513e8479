"""BIDS: `<matches>_recording-eye1_physio.tsv.gz` (or `_eyetrack.tsv`) with its .json, and `<matches>_events.tsv`.

Brain Imaging Data Structure, "Physiological recordings" with PhysioType "eyetrack" (BEP 020). Times are in seconds.
"""

import gzip
import io
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from foveal.datasets.coordinates import Units
from foveal.datasets.recordings.formats import Head, register_tracker
from foveal.datasets.recordings.recording import Recording, Shown, pixels_per_degree_of
from foveal.errors import FovealError, first_line

UNITS: dict[str, Units] = {"p": "px", "d": "degree", "n": "fraction"}  # pixel, px; deg; normalized
EYES = {"left": "left", "right": "right", "cyclopean": "mean"}
X = re.compile(r"(?:eye(\d)_)?x_coordinate")
# Where ScreenOrigin is on the screen, as shares of its width and height.
ORIGINS = {
    frozenset({"top", "left"}): (0.0, 0.0),
    frozenset({"top", "right"}): (1.0, 0.0),
    frozenset({"bottom", "left"}): (0.0, 1.0),
    frozenset({"bottom", "right"}): (1.0, 1.0),
    frozenset({"center"}): (0.5, 0.5),
}
FARTHEST = 1.5  # intervals from a time to the nearest sample of another eye
PICTURES = ("stim_file", "stimulus", "trial_type")  # columns of events that may name one


def _sidecar(path: Path) -> Path:
    return path.with_name(re.sub(r"\.tsv(\.gz)?$", "", path.name) + ".json")


def _is_bids(head: Head) -> bool:
    return "x_coordinate" in "".join(head.lines[:1]) or any(
        isinstance(name, str) and X.fullmatch(name) for name in _read_json(_sidecar(head.path)).get("Columns", ())
    )


@register_tracker("BIDS", _is_bids)
def read_bids(head: Head) -> list[Recording]:
    """Read a run: gaze of this file's eye and of the others beside it, and from the events what was shown.

    Raises
    ------
    FovealError
        If the .json lacks what is needed, the units are none of a screen, or the origin is none that is known.
    """
    path = head.path
    run = re.sub(r"_recording-[^_]+", "", re.sub(r"_(physio|eyetrack)\.tsv(\.gz)?$", "", path.name))
    kind = re.search(r"_(?:physio|eyetrack)\.tsv(?:\.gz)?$", path.name)
    others = path.parent.glob(f"{run}_recording-*{kind[0]}") if kind and "_recording-" in path.name else ()
    files = sorted({path, *(other for other in others if _is_bids(Head.of(other)))})
    parts = [_gaze(file) for file in files]
    about, time = parts[0][0], parts[0][1]
    gaze = {}
    for _, other, of_eyes in parts:
        for eye, positions in of_eyes.items():
            gaze[eye] = _at(time, other, positions)
    events = _read_json(path.with_name(f"{run}_events.json")).get("StimulusPresentation", {})
    screen = {**about, **about.get("StimulusPresentation", {}), **events}
    resolution, size, distance = (screen.get(f"Screen{what}") for what in ("Resolution", "Size", "Distance"))
    units, origin = _units(about), screen.get("ScreenOrigin")
    if origin:
        gaze = {eye: _from_left_upper(seen, origin, units, resolution) for eye, seen in gaze.items()}
    subject = re.match(r"sub-([^_]+)", path.name)
    return [
        Recording(
            "BIDS",
            subject[1] if subject else "",
            tuple(files),
            time,
            gaze,
            units=units,
            screen=(int(resolution[0]), int(resolution[1])) if resolution else None,
            pixels_per_degree=pixels_per_degree_of(float(resolution[0]), float(size[0]), float(distance))
            if resolution and size and distance
            else None,
            shown=_shown(path.with_name(f"{run}_events.tsv")),
        )
    ]


def _at(time: np.ndarray, other: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Positions of one eye at the times of another's samples; NaN where it has no sample near."""
    if len(other) < 2:
        return np.full((len(time), 2), np.nan)
    moved = np.stack([np.interp(time, other, axis, left=np.nan, right=np.nan) for axis in positions.T], axis=1)
    after = np.searchsorted(other, time).clip(1, len(other) - 1)
    nearest = np.minimum(abs(time - other[after - 1]), abs(other[after] - time))
    moved[nearest > FARTHEST * np.median(np.diff(other))] = np.nan
    return moved


def _from_left_upper(
    positions: np.ndarray, origin: Any, units: Units, resolution: Sequence[int | float] | None
) -> np.ndarray:
    """Positions from the left upper corner, y going down; degrees are from the center, and stay so."""
    share = ORIGINS.get(frozenset(re.findall("[a-z]+", str(origin).lower())))
    if share is None or (units == "degree" and share != (0.5, 0.5)):
        raise FovealError(f"its ScreenOrigin {origin} for positions in {units} is none that can be read")
    if units == "degree" or share == (0.0, 0.0):
        return positions
    if units == "px" and resolution is None:
        raise FovealError(f"its ScreenOrigin {origin} needs the ScreenResolution")
    last = np.array(resolution, dtype=np.float64) - 1 if units == "px" else np.ones(2)
    toward = np.where(np.array(share) == 1, -1, 1)  # from a side, positions count into the screen
    return np.array(share) * last + toward * positions


def _read_json(path: Path) -> dict[str, Any]:
    try:
        about = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise FovealError(f"{path}: not JSON ({first_line(error)})") from None
    return about if isinstance(about, dict) else {}


def _gaze(path: Path) -> tuple[dict[str, Any], np.ndarray, dict[str, np.ndarray]]:
    """What the .json says, the times in ms since the run began, and the gaze by eye."""
    about = _read_json(_sidecar(path))
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError) as error:
        raise FovealError(f"{path}: not complete ({first_line(error)})") from None
    has_header = b"x_coordinate" in data.split(b"\n", 1)[0]
    if not has_header and "Columns" not in about:
        raise FovealError(f"{path}: no {_sidecar(path).name} beside it that says its Columns")
    table = pd.read_csv(
        io.BytesIO(data), sep="\t", header=0 if has_header else None, names=None if has_header else about["Columns"]
    ).apply(pd.to_numeric, errors="coerce")
    begin = 1000 * float(about.get("StartTime") or 0)
    clock = next((name for name in ("timestamp", "eye_timestamp") if name in table), None)
    if clock is not None:
        table = table[np.isfinite(table[clock])]
        unit = str(about.get(clock, {}).get("Units", "s"))
        time = table[clock].to_numpy(np.float64) * (1 if unit.startswith("m") else 1000)
        time = time - time[:1] + begin  # the tracker's clock, which is not that of the run
    elif rate := about.get("SamplingFrequency"):
        time = begin + 1000 * np.arange(len(table)) / float(rate)
    else:
        raise FovealError(f"{path}: neither a column timestamp nor a SamplingFrequency says when its samples were")
    recorded = about.get("RecordedEye", "cyclopean")
    by_file = [recorded] if isinstance(recorded, str) else list(recorded)
    gaze = {}
    for name in filter(X.fullmatch, table.columns):
        number = X.fullmatch(name)
        eye = by_file[int(number[1] or 1) - 1] if number and int(number[1] or 1) <= len(by_file) else "right"
        positions = table[[name, name.replace("x_coordinate", "y_coordinate")]].to_numpy(np.float64, copy=True)
        positions[~np.isfinite(positions).all(axis=1)] = np.nan
        gaze[EYES.get(eye.lower(), "mean")] = positions
    return about, time, gaze


def _units(about: dict[str, Any]) -> Units:
    columns = (about[name] for name in about if X.fullmatch(name) and isinstance(about[name], dict))
    said = str(next((column.get("Units") for column in columns), None) or about.get("SampleCoordinateUnits") or "pixel")
    if said[:1].lower() not in UNITS:
        raise FovealError(f"its positions are in {said}, not in px, degrees or fractions of the screen")
    return UNITS[said[:1].lower()]


def _shown(path: Path) -> tuple[Shown, ...]:
    if not path.is_file():
        return ()
    events = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    column = next((name for name in PICTURES if name in events), None)
    if column is None:
        return ()
    start = 1000 * pd.to_numeric(events["onset"], errors="coerce")
    stop = start + 1000 * pd.to_numeric(events["duration"], errors="coerce")
    return tuple(
        Shown(picture, begin, end)
        for picture, begin, end in zip(events[column], start, stop, strict=True)
        if picture not in ("", "n/a") and end > begin
    )
