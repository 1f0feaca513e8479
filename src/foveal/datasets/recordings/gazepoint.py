"""Gazepoint: all_gaze.csv and fixations.csv of Gazepoint Analysis (Open Gaze API: positions are 0 to 1)."""

import numpy as np

from foveal.datasets.recordings.columns import read_columns, runs_of, shown_in
from foveal.datasets.recordings.formats import Head, register_tracker
from foveal.datasets.recordings.recording import Recording
from foveal.gaze.detection import TimedFixations

NUMBERS = {
    "time": r"time ?(\(.*\))?",
    **{name: name for name in ("fpogx", "fpogy", "fpogs", "fpogd", "fpogid", "fpogv", "bkid")},
    **{f"{eye}pog{what}": f"{eye}pog{what}" for eye in "blr" for what in "xyv"},
}
EYES = {"left": "l", "right": "r", "mean": "b"}  # "best" is the mean of both, or the one that is seen


def _header(head: Head) -> list[str]:
    return head.columns(NUMBERS["time"], "fpogx", "fpogid")


@register_tracker("Gazepoint", lambda head: bool(_header(head)))
def read_gazepoint(head: Head) -> list[Recording]:
    """Read gaze of each eye and the best of both, fixations (FPOG), blinks and media.

    A file that has each fixation in one row has no samples.
    """
    rows = read_columns(head, _header(head), NUMBERS, {"picture": "media_name"})
    rows = rows.where(np.isfinite(rows.numbers["time"]))
    seconds = rows.numbers["time"]
    # The clock may begin anew with each medium; what follows is put behind what was.
    before = np.concatenate([seconds[:1], seconds[:-1]])
    restarts = np.cumsum(np.where(seconds < before, before, 0))
    time, number = 1000 * (seconds + restarts), rows.numbers["fpogid"]
    gaze = {}
    for eye, letter in EYES.items():
        seen = rows.pair(f"{letter}pogx", f"{letter}pogy")
        if seen is not None:
            seen[rows.numbers.get(f"{letter}pogv", np.ones(len(time))) != 1] = np.nan
            gaze[eye] = seen
    valid = rows.numbers.get("fpogv", np.ones(len(time))) == 1
    # Rows of one fixation say how long it has lasted so far, the last one of them how long it did.
    of_fixation = np.flatnonzero(valid & np.isfinite(number))
    differs = (np.diff(number[of_fixation]) != 0) | (np.diff(restarts[of_fixation]) != 0)
    last = of_fixation[np.append(differs, True)[: len(of_fixation)]]
    start = 1000 * (rows.numbers["fpogs"] + restarts)[last]
    own = TimedFixations(
        start, start + 1000 * rows.numbers["fpogd"][last], rows.numbers["fpogx"][last], rows.numbers["fpogy"][last]
    )
    has_samples = len(own) < valid.sum() / 2
    shown = shown_in(time, rows.texts["picture"]) if "picture" in rows.texts else ()
    if shown and not has_samples:  # rows are written when their fixation ends
        shown = shown_in(start, rows.texts["picture"][last])
    blink = rows.numbers.get("bkid")
    blinks = None if blink is None else runs_of(np.where(blink > 0, blink, np.nan))
    return [
        Recording(
            "Gazepoint",
            "",
            (head.path,),
            time if has_samples else np.empty(0),
            gaze if has_samples else {},
            {"mean": own},
            None if blinks is None else np.array([[time[a], time[b]] for a, b in blinks]).reshape(-1, 2),
            units="fraction",
            shown=shown,
        )
    ]
