"""Pupil Labs: gaze and fixations as Pupil Player (Core) and Pupil Cloud or Neon Player write them, as .csv.

Only positions on a surface or a reference image are positions on a picture. Others are those in the picture of the
scene camera, which moves with the head.
"""

import numpy as np

from foveal.datasets.coordinates import Units
from foveal.datasets.recordings.columns import Columns, fixations_by, read_columns, runs_of
from foveal.datasets.recordings.formats import Head, register_tracker
from foveal.datasets.recordings.recording import Recording
from foveal.gaze.detection import TimedFixations

SURE = 0.6  # Pupil Player's own lowest confidence
# Positions, in the order in which they are taken if a file has several.
PLACES: dict[str, tuple[str, str, Units]] = {
    "surface (Player)": ("x_norm", "y_norm", "fraction"),
    "scene or surface (Player)": ("norm_pos_x", "norm_pos_y", "fraction"),
    "surface (Cloud)": (
        r"(gaze position on surface|fixation) x \[normalized\]",
        r"(gaze position on surface|fixation) y \[normalized\]",
        "fraction",
    ),
    "reference image (Cloud)": (
        r"gaze position in reference image x \[px\]",
        r"gaze position in reference image y \[px\]",
        "px",
    ),
    "scene (Cloud)": (r"(gaze|fixation) x \[px\]", r"(gaze|fixation) y \[px\]", "px"),
}
NUMBERS = {
    "s": r"gaze_timestamp|start_timestamp|timestamp",  # Player's
    "ns": r"(start )?timestamp \[ns\]",  # Cloud's
    "duration": r"duration( \[ms\])?",
    "fixation": r"fixation[ _]id|id",
    "blink": "blink id",
    "confidence": "confidence",
}
TEXTS = {
    "on": r"on_surf|(gaze|fixation) detected (on surface|in reference image)",
    "person": "recording id",
}


def _header(head: Head) -> list[str]:
    for x, y, _ in PLACES.values():
        if names := head.columns(f"{NUMBERS['s']}|{NUMBERS['ns']}", x, y):
            return names
    return []


@register_tracker("Pupil Labs", lambda head: bool(_header(head)))
def read_pupil_labs(head: Head) -> list[Recording]:
    """Read gaze with the fixations that it belongs to, or fixations; of an enrichment, a recording of each id."""
    names = _header(head)
    what, (x, y, units) = next((what, place) for what, place in PLACES.items() if head.columns(place[0], place[1]))
    table = read_columns(head, names, {**NUMBERS, "x": x, "y": y}, TEXTS)
    people = table.by("person")
    notes: tuple[str, ...] = ()
    if "scene" in what and "on" not in table.texts:
        notes = (f"{head.path}: positions are those in the scene camera's picture, not on a picture that was shown",)
    return [
        _recording(head, person if len(people) > 1 else "", rows, units, notes, is_turned="Player" in what)
        for person, rows in people.items()
    ]


def _recording(
    head: Head, person: str, rows: Columns, units: Units, notes: tuple[str, ...], *, is_turned: bool
) -> Recording:
    time = 1000 * rows.numbers["s"] if "s" in rows.numbers else rows.numbers["ns"] / 1e6
    rows, time = rows.where(np.isfinite(time)), time[np.isfinite(time)]
    positions = rows.pair("x", "y")
    assert positions is not None  # it was found by them
    if is_turned:  # Player's y goes up
        positions[:, 1] = 1 - positions[:, 1]
    if "on" in rows.texts:
        positions[np.char.lower(rows.texts["on"].astype(str)) == "false"] = np.nan
    number, blink = rows.numbers.get("fixation"), rows.numbers.get("blink")
    if "duration" in rows.numbers and number is not None:  # rows are fixations, on a surface one a frame of the film
        own = _one_a_number(time, rows.numbers["duration"], number, positions)
        return Recording("Pupil Labs", person, (head.path,), fixations={"mean": own}, units=units, notes=notes)
    positions[rows.numbers.get("confidence", np.ones(len(time))) < SURE] = np.nan
    blinks = None
    if blink is not None:
        positions[blink > 0] = np.nan
        blinks = np.array([[time[first], time[last]] for first, last in runs_of(blink)]).reshape(-1, 2)
    own_of = {} if number is None else {"mean": fixations_by(time, number, positions)}
    return Recording("Pupil Labs", person, (head.path,), time, {"mean": positions}, own_of, blinks, units, notes=notes)


def _one_a_number(time: np.ndarray, duration: np.ndarray, number: np.ndarray, positions: np.ndarray) -> TimedFixations:
    """One fixation of each number, at the mean of its rows."""
    seen = np.isfinite(positions[:, 0]) & np.isfinite(number)
    _, first, fixation, count = np.unique(number[seen], return_index=True, return_inverse=True, return_counts=True)
    x, y = (np.bincount(fixation, column, len(first)) / count for column in positions[seen].T)
    start = time[seen][first]
    in_order = np.argsort(start, kind="stable")
    return TimedFixations(*(c[in_order] for c in (start, start + duration[seen][first], x, y)))
