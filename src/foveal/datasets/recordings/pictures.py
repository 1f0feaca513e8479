"""From the screen to the pictures that were on it: which was shown when, where, and how large."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from foveal.datasets.recordings.recording import Recording, Screen, Shown
from foveal.datasets.table import read_table
from foveal.errors import FovealError
from foveal.gaze.detection import TimedFixations
from foveal.gaze.names import match_names

Place = tuple[float, float, float, float]  # left, top, width and height in px of the screen


def read_times(path: Path) -> list[tuple[str, Shown]]:
    """What a table says was shown when: columns picture, start_ms and end_ms, and subject where they differ.

    Times are counted from the beginning of the recording.

    Raises
    ------
    FovealError
        If it is no such table, or a time is no number.
    """
    needed = ("picture", "start_ms", "end_ms")
    table = read_table(path, needed=needed, texts=("picture", "subject"), numbers=needed[1:])
    start, stop = (table.numbers[name] for name in needed[1:])
    if not (start < stop).all():
        row = int(np.argmin(start < stop))
        raise FovealError(f"{path}: start_ms and end_ms in {table.place(row)} are no time from one to a later one")
    subjects = table.texts.get("subject", [""] * len(start))
    rows = zip(subjects, table.texts["picture"], start.tolist(), stop.tolist(), strict=True)
    return [(subject, Shown(picture, begin, end)) for subject, picture, begin, end in rows]


def shown_to(recording: Recording, times: Sequence[tuple[str, Shown]], ids: Sequence[str]) -> list[Shown]:
    """What of a folder's pictures was on the screen, with their ids for names; also what the folder lacks, as it is.

    A table of times counts more than the recording itself. A single picture was shown all the time if neither says
    anything.

    Raises
    ------
    FovealError
        If nothing says what was shown, the table has other subjects only, or no picture is among the known ones.
    """
    listed = [each for subject, each in times if subject in ("", recording.subject)]
    if times and not listed:
        raise FovealError(f"--times has no row of the subject {recording.subject!r} (its first is {times[0][0]!r})")
    begin, end = recording.period
    shown = [replace(each, start=begin + each.start, stop=begin + each.stop) for each in listed] or list(
        recording.shown
    )
    if not shown and not times and len(ids) == 1:
        return [Shown(ids[0], begin, np.nextafter(end, np.inf))]
    if not shown:
        raise FovealError("nothing says which picture was shown when; give --times with picture,start_ms,end_ms")
    matches, _ = match_names({each.picture for each in shown}, ids)
    if not matches:
        raise FovealError(f"none of the pictures that it names is in --images (first: {shown[0].picture!r})")
    return [
        replace(each, picture=matches[each.picture].name if each.picture in matches else each.picture)
        for each in shown
        if each.stop > each.start
    ]


def place_of(shown: Shown, size: tuple[int, int], screen: Screen) -> Place:
    """Where a picture of (height, width) was on the screen.

    If nothing says it, it was in the center: in its own size, or shrunk to fit. Trackers that count in fractions show
    pictures as large as they fit.
    """
    height, width = size
    fit = min(screen.width / width, screen.height / height)
    scale = fit if screen.units == "fraction" else min(1.0, fit)
    own = 1.0 if shown.at else scale
    wide, high = shown.size or (own * width, own * height)
    if shown.at is None:
        return (screen.width - wide) / 2, (screen.height - high) / 2, wide, high
    x, y = shown.at
    return (x - wide / 2, y - high / 2, wide, high) if shown.is_center else (x, y, wide, high)


def on_picture(
    size: tuple[int, int], place: Place, fixations: TimedFixations, period: tuple[float, float]
) -> pd.DataFrame:
    """The fixations that begin while a picture of (height, width) is shown: x and y in its px, times in ms, inside.

    `start` counts from when the picture appeared. One that is under way then belongs to what was before.
    """
    rows = np.flatnonzero((fixations.start >= period[0]) & (fixations.start < period[1]))
    rows = rows[np.argsort(fixations.start[rows], kind="stable")]
    (height, width), (left, top, wide, high) = size, place
    # Centers of pixels are whole numbers on the screen and in the picture.
    x = (fixations.x[rows] + 0.5 - left) / wide * width - 0.5
    y = (fixations.y[rows] + 0.5 - top) / high * height - 0.5
    inside = (x >= -0.5) & (x < width - 0.5) & (y >= -0.5) & (y < height - 0.5)
    start, stop = fixations.start[rows], fixations.stop[rows]
    return pd.DataFrame({"x": x, "y": y, "start": start - period[0], "duration": stop - start, "inside": inside})
