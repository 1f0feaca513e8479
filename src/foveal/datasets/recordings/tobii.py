"""Tobii: the table of samples that Pro Lab ("Data Export", .tsv) and the older Studio write."""

import re
from dataclasses import replace

import numpy as np

from foveal.datasets.recordings.columns import Columns, fixations_by, read_columns, runs_of, shown_in
from foveal.datasets.recordings.formats import Head, register_tracker
from foveal.datasets.recordings.recording import Recording, Shown
from foveal.errors import FovealError
from foveal.gaze.detection import TimedFixations

MICROSECONDS_FROM = 300  # between two samples; no tracker takes three a second
ON_SCREEN = r"( ?[\[(](dacs|adcs) ?px[\])])?"
TIME = r"recording ?timestamp( ?[\[(].*[\])])?"
NUMBERS = {
    "time": TIME,
    "x": rf"gaze ?point ?x{ON_SCREEN}",
    "y": rf"gaze ?point ?y{ON_SCREEN}",
    "left x": rf"gaze ?point ?left ?x{ON_SCREEN}",
    "left y": rf"gaze ?point ?left ?y{ON_SCREEN}",
    "right x": rf"gaze ?point ?right ?x{ON_SCREEN}",
    "right y": rf"gaze ?point ?right ?y{ON_SCREEN}",
    "fixation": r"eye movement type index|fixation ?index",
    "fixation x": rf"fixation ?point ?x{ON_SCREEN}",
    "fixation y": rf"fixation ?point ?y{ON_SCREEN}",
    "media x": rf"(presented )?media ?pos(ition)? ?x{ON_SCREEN}",
    "media y": rf"(presented )?media ?pos(ition)? ?y{ON_SCREEN}",
    "media width": r"(presented )?media ?width( ?[\[(]px[\])])?",
    "media height": r"(presented )?media ?height( ?[\[(]px[\])])?",
    "screen width": r"recording ?resolution ?width( ?[\[(]px[\])])?",
    "screen height": r"recording ?resolution ?height( ?[\[(]px[\])])?",
}
TEXTS = {
    "subject": r"participant ?name",
    "recording": r"recording ?name",
    "sensor": r"sensor",
    "left": r"validity ?left",
    "right": r"validity ?right",
    "event": r"eye movement type|gaze ?event ?type",
    "picture": r"presented media name|media ?name",
}
LOST = ("invalid", "2", "3", "4")  # Studio's codes count from 0, which is sure


def _header(head: Head) -> list[str]:
    return head.columns(TIME, r"(gaze|fixation) ?point ?.*x.*|participant ?name")


@register_tracker("Tobii", lambda head: bool(_header(head)))
def read_tobii(head: Head) -> list[Recording]:
    """Read gaze on the screen, fixations of the export's filter, participants, media and where they were shown.

    Raises
    ------
    FovealError
        If it has no gaze on the screen.
    """
    names = _header(head)
    table = read_columns(head, names, NUMBERS, TEXTS)
    if not {"x", "left x", "right x", "fixation x"} & table.numbers.keys():
        raise FovealError("no gaze on the screen in it; export Gaze point X and Gaze point Y (in px, DACS)")
    return [
        _recording(head, names, subject, rows)
        for subject, of_subject in table.by("subject").items()
        for rows in of_subject.by("recording").values()  # each has a clock of its own
    ]


def _recording(head: Head, names: list[str], subject: str, rows: Columns) -> Recording:
    rows = rows.where(np.isfinite(rows.numbers["time"]))
    # Rows of the mouse and the keyboard have no gaze; without this column, rows without gaze are lost samples.
    of_eyes = (
        np.char.startswith(np.char.lower(rows.texts["sensor"].astype(str)), "eye")
        if "sensor" in rows.texts
        else (np.ones(len(rows.numbers["time"]), dtype=bool))
    )
    rows = rows.where(of_eyes)
    time = _in_ms(rows.numbers["time"], next(name for name in names if re.fullmatch(TIME, name)))
    picture = rows.texts.get("picture")
    shown = _with_places(shown_in(time, picture), rows) if picture is not None else ()
    gaze = {
        "mean": rows.pair("x", "y"),
        "left": rows.pair("left x", "left y"),
        "right": rows.pair("right x", "right y"),
    }
    for eye in ("left", "right"):
        seen = gaze[eye]
        if seen is not None and eye in rows.texts:
            seen[np.isin(np.char.lower(rows.texts[eye].astype(str)), LOST)] = np.nan
    resolution = rows.pair("screen width", "screen height")
    screen = np.empty((0, 2)) if resolution is None else resolution[np.isfinite(resolution[:, 0])]
    return Recording(
        "Tobii",
        subject,
        (head.path,),
        time,
        {eye: seen for eye, seen in gaze.items() if seen is not None},
        _fixations(time, rows),
        screen=(int(screen[0, 0]), int(screen[0, 1])) if len(screen) else None,
        shown=shown,
    )


def _in_ms(time: np.ndarray, name: str) -> np.ndarray:
    """Of microseconds, as the column says it, or else as the steps show it."""
    steps = np.diff(np.unique(time))
    are_microseconds = (
        "μs" in name or "µs" in name or ("ms" not in name and len(steps) > 0 and np.median(steps) > MICROSECONDS_FROM)
    )
    return time / 1000 if are_microseconds else time


def _fixations(time: np.ndarray, rows: Columns) -> dict[str, TimedFixations]:
    at, event, number = rows.pair("fixation x", "fixation y"), rows.texts.get("event"), rows.numbers.get("fixation")
    if at is None or number is None:
        return {}
    of_fixation = np.isfinite(at[:, 0]) if event is None else event == "Fixation"
    return {"mean": fixations_by(time, np.where(of_fixation, number, np.nan), at)}


def _with_places(shown: tuple[Shown, ...], rows: Columns) -> tuple[Shown, ...]:
    """What was shown, with where it was on the screen, if the export says that."""
    corner, size = rows.pair("media x", "media y"), rows.pair("media width", "media height")
    if corner is None or size is None:
        return shown
    place = np.concatenate([corner, size], axis=1)
    return tuple(
        replace(each, at=(place[first, 0], place[first, 1]), size=(place[first, 2], place[first, 3]))
        if np.isfinite(place[first]).all()
        else each
        for each, (first, _) in zip(shown, runs_of(rows.texts["picture"]), strict=True)
    )
