"""Tables of trackers: columns found by what they may be called, and rows that belong together."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from foveal.datasets.recordings.formats import Head
from foveal.datasets.recordings.recording import Shown
from foveal.datasets.table import read_table
from foveal.gaze.detection import TimedFixations


@dataclass(frozen=True, eq=False)
class Columns:
    """The columns of a table that are there, by our names; `numbers` are NaN and `texts` "" where there is nothing."""

    numbers: Mapping[str, Float[np.ndarray, " row"]]
    texts: Mapping[str, np.ndarray]

    def pair(self, x: str, y: str) -> Float[np.ndarray, "row 2"] | None:
        """Two columns as positions, NaN where either is not a number; None if one of them is not there."""
        if x not in self.numbers or y not in self.numbers:
            return None
        positions = np.stack([self.numbers[x], self.numbers[y]], axis=1)
        positions[~np.isfinite(positions).all(axis=1)] = np.nan
        return positions

    def where(self, rows: Bool[np.ndarray, " row"]) -> "Columns":
        """The rows that a mask picks."""
        return Columns(
            {name: column[rows] for name, column in self.numbers.items()},
            {name: column[rows] for name, column in self.texts.items()},
        )

    def by(self, name: str) -> dict[str, "Columns"]:
        """The rows of each value of a text; all of them as "" if there is no such column, or nothing in it."""
        if not any(self.texts.get(name, ())):
            return {"": self}
        return {value: self.where(self.texts[name] == value) for value in dict.fromkeys(self.texts[name]) if value}


def read_columns(head: Head, names: list[str], numbers: Mapping[str, str], texts: Mapping[str, str]) -> Columns:
    """Read columns of a table.

    Parameters
    ----------
    head
        Of the file.
    names
        The header, in small letters.
    numbers, texts
        Regular expressions of what the columns may be called in small letters, by the names that they get.
    """
    found = {key: name for key, like in {**numbers, **texts}.items() for name in names if re.fullmatch(like, name)}
    of_texts = [name for key, name in found.items() if key in texts]
    of_numbers = [name for key, name in found.items() if key in numbers]
    table = read_table(head.path, needed=list(found.values()), texts=of_texts, numbers=of_numbers)
    return Columns(
        {key: table.numbers[name] for key, name in found.items() if key in numbers},
        {key: table.texts[name].str.strip().to_numpy(dtype=object) for key, name in found.items() if key in texts},
    )


def runs_of(values: np.ndarray) -> list[tuple[int, int]]:
    """First and last row of each run of one value; of "" and NaN there are none.

    >>> runs_of(np.array(["", "a", "a", "b", "", "b"], dtype=object))
    [(1, 2), (3, 3), (5, 5)]
    """
    if len(values) == 0:
        return []
    starts = np.concatenate([[0], np.flatnonzero(values[1:] != values[:-1]) + 1, [len(values)]])
    runs = zip(starts[:-1].tolist(), (starts[1:] - 1).tolist(), strict=True)
    return [(first, last) for first, last in runs if values[first] not in ("", None) and values[first] == values[first]]


def shown_in(time: Float[np.ndarray, " row"], pictures: np.ndarray) -> tuple[Shown, ...]:
    """What was shown, given the picture of each row: each until the next row that has another."""
    until = np.append(time[1:], time[-1:] + 1)
    return tuple(Shown(pictures[first], float(time[first]), float(until[last])) for first, last in runs_of(pictures))


def fixations_by(
    time: Float[np.ndarray, " row"], fixation: np.ndarray, positions: Float[np.ndarray, "row 2"]
) -> TimedFixations:
    """The fixations whose number or name each row has, "" or NaN where it is none.

    Each is at the mean of its rows' positions, and lasts until its last row and the usual time to a next one.
    """
    runs = [(first, last) for first, last in runs_of(fixation) if np.isfinite(positions[first : last + 1]).any()]
    centers = np.array([np.nanmean(positions[first : last + 1], axis=0) for first, last in runs]).reshape(-1, 2)
    first, last = np.array(runs, dtype=np.int64).reshape(-1, 2).T
    interval = np.median(np.diff(time)) if len(time) > 1 else 0.0
    return TimedFixations(time[first], time[last] + interval, centers[:, 0], centers[:, 1])
