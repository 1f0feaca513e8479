"""SMI: samples as the IDF converter and BeGaze ("Raw Data Export") write them as text."""

import re

import numpy as np

from foveal.datasets.recordings.columns import Columns, fixations_by, read_columns, shown_in
from foveal.datasets.recordings.formats import Head, register_tracker
from foveal.datasets.recordings.recording import Recording, Shown, is_picture, pixels_per_degree_of
from foveal.gaze.detection import TimedFixations

SETTING = re.compile(r"##\s*(.*?):\s*(.*?)\s*$")
MESSAGE = re.compile(r"#?\s*Message:\s*(.+?)\s*$")
SIDES = {"left": "l", "right": "r"}
NUMBERS = {
    "μs": "time",
    "ms": r"recordingtime \[ms\]",
    **{
        f"{eye} {axis}": rf"{side} por {axis} \[px\]|point of regard {eye} {axis} \[px\]|"
        rf"{side} mapped {axis} \[px\]"
        for eye, side in SIDES.items()
        for axis in "xy"
    },
    "mean x": r"(b por|point of regard binocular) x \[px\]",
    "mean y": r"(b por|point of regard binocular) y \[px\]",
}
TEXTS = {
    "type": "type",
    "picture": "stimulus",
    "subject": "participant",
    "left": r"l event info|category left",
    "right": r"r event info|category right",
    "mean": r"b event info|category binocular",
}


def _header(head: Head) -> list[str]:
    return head.columns(r"time|recordingtime \[ms\]", r".*(por|point of regard|mapped).* x \[px\]")


@register_tracker("SMI", lambda head: bool(_header(head)))
def read_smi(head: Head) -> list[Recording]:
    """Read gaze, fixations and blinks of BeGaze, and what was shown: by messages or the column of stimuli."""
    names = _header(head)
    texts = {**TEXTS, "message": re.escape(names[3])}  # rows of messages have theirs where samples have the next column
    table = read_columns(head, names, NUMBERS, texts)
    said = {match[1]: match[2] for match in map(SETTING.match, head.lines) if match}
    return [
        _recording(head, subject or said.get("Subject", ""), said, rows)
        for subject, rows in table.by("subject").items()
    ]


def _recording(head: Head, subject: str, said: dict[str, str], rows: Columns) -> Recording:
    clock = rows.numbers["ms"] if "ms" in rows.numbers else rows.numbers["μs"] / 1000
    rows, time = rows.where(np.isfinite(clock)), clock[np.isfinite(clock)]
    kind, message = rows.texts.get("type"), rows.texts["message"]
    shown = shown_in(time, rows.texts["picture"]) if "picture" in rows.texts else ()
    if kind is not None:
        said_then = [
            (at, match[1])
            for at, text in zip(time[kind == "MSG"], message[kind == "MSG"], strict=True)
            if (match := MESSAGE.match(text))
        ]
        # Messages about other things neither show a picture nor end one.
        said_then = [(at, text) for at, text in said_then if is_picture(text)] or said_then
        until = [*(at for at, _ in said_then[1:]), np.inf]
        shown = shown or tuple(
            Shown(text, float(at), float(end)) for (at, text), end in zip(said_then, until, strict=True)
        )
        rows, time = rows.where(kind == "SMP"), time[kind == "SMP"]
    gaze: dict[str, np.ndarray] = {}
    own: dict[str, TimedFixations] = {}
    blinks = None
    for eye in ("left", "right", "mean"):
        positions = rows.pair(f"{eye} x", f"{eye} y")
        if positions is None:
            continue
        positions[(positions == 0).all(axis=1)] = np.nan  # as SMI writes a lost eye
        gaze[eye] = positions
        if eye in rows.texts:
            event = rows.texts[eye]
            own[eye] = fixations_by(time, np.where(event == "Fixation", event, ""), positions)
            closed = fixations_by(time, np.where(event == "Blink", event, ""), np.zeros_like(positions))
            blinks = np.stack([closed.start, closed.stop], axis=1) if blinks is None else blinks
    area, size, distance = (
        _numbers(said.get(what, "")) for what in ("Calibration Area", "Stimulus Dimension [mm]", "Head Distance [mm]")
    )
    return Recording(
        "SMI",
        subject,
        (head.path,),
        time,
        gaze,
        own,
        blinks,
        screen=(int(area[0]), int(area[1])) if len(area) == 2 else None,
        pixels_per_degree=pixels_per_degree_of(area[0], size[0], distance[0]) if area and size and distance else None,
        shown=shown,
    )


def _numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"[\d.]+", text)]
