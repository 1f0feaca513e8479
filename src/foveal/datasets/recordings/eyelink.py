"""EyeLink: .asc files, as edf2asc writes them of .edf (EyeLink user manual, "Data Files")."""

import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from foveal.datasets.recordings.formats import Head, register_tracker
from foveal.datasets.recordings.recording import Recording, Shown, is_picture
from foveal.errors import FovealError
from foveal.gaze.detection import TimedFixations

SIDES = {"L": "left", "R": "right"}
MESSAGE = re.compile(r"MSG\s+([\d.]+)\s+(?:(-?\d+)\s+)?(.*)")  # its time, how many ms after the event it was sent, text
IMAGE = re.compile(r"!V IMGLOAD (FILL|CENTER|TOP_LEFT) (.*?)((?:\s+-?[\d.]+)*)\s*$")
COORDINATES = re.compile(r"(?:DISPLAY|GAZE)_COORDS\s*=?\s*([-\d.]+)[\s,]+([-\d.]+)[\s,]+([-\d.]+)[\s,]+([-\d.]+)")
RESOLUTION = re.compile(r"END\s.*\sRES\s+([\d.]+)\s+([\d.]+)")
CLOSING = re.compile(r"!V CLEAR|TRIAL_RESULT|TRIALID")


def _is_eyelink(head: Head) -> bool:
    return any(re.match(r"\*\* .*(EDF|EYELINK)|MSG\s+\d+|(START|SFIX|SAMPLES|EVENTS)\s", line) for line in head.lines)


@register_tracker("EyeLink", _is_eyelink)
def read_eyelink(head: Head) -> list[Recording]:
    """Read samples, EFIX and EBLINK, the display's size, px per degree (RES), and what was shown.

    That is said by `!V IMGLOAD`; if there is none, by messages that end with the name of a picture; if there is none
    either, by trial variables (`!V TRIAL_VAR image kitchen.jpg`), of the whole trial.
    A message that ends with the picture that is on the screen is about its end.

    Raises
    ------
    FovealError
        If its samples are not gaze on the screen.
    """
    reading = _Reading()
    with head.path.open(encoding="utf-8-sig", errors="replace") as file:
        for line in file:
            reading.take(line)
    return [reading.recording(head)]


class _Reading:
    """What was read so far."""

    def __init__(self) -> None:
        self.eyes: list[str] = []
        self.samples: list[tuple[float, ...]] = []  # time, x and y of the left eye, and of the right
        self.fixations: dict[str, list[list[float]]] = defaultdict(list)
        self.blinks: dict[str, list[list[float]]] = defaultdict(list)
        self.messages: list[tuple[float, str]] = []
        self.blocks: list[list[float]] = []  # start and end of each; without its end while it is open
        self.screen: tuple[int, int] | None = None
        self.resolutions: list[float] = []

    def take(self, line: str) -> None:
        """Take in one line."""
        if line[:1].isdigit():
            self._take_sample(line.split())
        elif line.startswith("MSG") and (message := MESSAGE.match(line)):
            self._take_message(float(message[1]) - float(message[2] or 0), message[3].strip())
        elif (words := line.split()) and words[0] in ("START", "SAMPLES"):
            self.eyes = [word.lower() for word in words if word in ("LEFT", "RIGHT")] or self.eyes
            if words[0] == "START":
                self.blocks.append([float(words[1])])
            elif words[1] != "GAZE":
                raise FovealError(f"its samples are {words[1]}, not gaze on the screen; convert it with edf2asc -sg")
        elif words and words[0] == "EFIX" and len(words) >= 7:
            start, duration, x, y = (_number(words[at]) for at in (2, 4, 5, 6))
            self.fixations[SIDES[words[1]]].append([start, start + duration, x, y])
        elif words and words[0] == "EBLINK" and len(words) >= 4:
            self.blinks[SIDES[words[1]]].append([float(words[2]), float(words[3])])
        elif words and words[0] == "END" and self.blocks and len(words) > 1:
            self.blocks[-1].append(float(words[1]))
            if resolution := RESOLUTION.match(line):
                self.resolutions += [value for value in map(float, resolution.groups()) if value > 0]

    def _take_sample(self, words: list[str]) -> None:
        if len(words) < 1 + 3 * max(1, len(self.eyes)):
            return  # cut off
        row = {"left": (np.nan, np.nan), "right": (np.nan, np.nan)}
        for eye, at in zip(self.eyes or ["left"], (1, 4), strict=False):
            x, y, pupil = map(_number, words[at : at + 3])
            if pupil != 0:  # it is while the eye is closed
                row[eye] = (x, y)
        self.samples.append((float(words[0]), *row["left"], *row["right"]))

    def _take_message(self, time: float, text: str) -> None:
        if coordinates := COORDINATES.match(text):
            left, top, right, bottom = map(float, coordinates.groups())
            self.screen = _even(right - left), _even(bottom - top)
        else:
            self.messages.append((time, text))

    def recording(self, head: Head) -> Recording:
        """What they are together."""
        samples = np.array(self.samples, dtype=np.float64).reshape(-1, 5)
        gaze = {"left": samples[:, 1:3], "right": samples[:, 3:5]}
        shown, n_unclear = self._shown()
        notes = []
        if self.blocks and len(self.blocks[-1]) == 1:
            notes.append(f"{head.path}: ends within a recording (no END); what is there is read")
        if n_unclear:
            notes.append(
                f"{head.path}: {n_unclear} trials left out: their variables name several pictures (see --times)"
            )
        return Recording(
            "EyeLink",
            "",
            (head.path,),
            samples[:, 0],
            {eye: seen for eye, seen in gaze.items() if np.isfinite(seen).any()},
            {eye: TimedFixations(*np.array(rows).T) for eye, rows in self.fixations.items()},
            np.array(next(iter(self.blinks.values()), [])).reshape(-1, 2),
            screen=self.screen,
            pixels_per_degree=float(np.mean(self.resolutions)) if self.resolutions else None,
            shown=tuple(shown),
            begun=self.blocks[0][0] if self.blocks else None,
            notes=tuple(notes),
        )

    def _shown(self) -> tuple[list[Shown], int]:
        """What was shown, and how many trials do not say it clearly."""
        ends = [block[1] for block in self.blocks if len(block) > 1]
        fills = [0.0, 0.0, *map(float, self.screen)] if self.screen else []
        closing = [*ends, *(time for time, text in self.messages if CLOSING.match(text))]
        if images := [(time, image) for time, text in self.messages if (image := IMAGE.match(text))]:
            opened = [
                (time, image[2], image[1], fills if image[1] == "FILL" else [float(n) for n in image[3].split()])
                for time, image in images
            ]
        else:
            words = [(time, text.split()[-1]) for time, text in self.messages if text and "TRIAL_VAR" not in text]
            named = [(time, word) for time, word in words if is_picture(word)]
            again = _closings(named, closing)
            closing += [named[at][0] for at in again]
            opened = [(time, word, "", []) for at, (time, word) in enumerate(named) if at not in again]
        if not opened:
            return self._by_variables()
        closing += [time for time, *_ in opened]
        shown = [
            Shown(
                picture,
                time,
                min((end for end in closing if end > time), default=np.inf),
                at=(numbers[0], numbers[1]) if len(numbers) > 1 else None,
                is_center=how == "CENTER",
                size=(numbers[2], numbers[3]) if len(numbers) > 3 else None,
            )
            for time, picture, how, numbers in opened
        ]
        return shown, 0

    def _by_variables(self) -> tuple[list[Shown], int]:
        """Trials by the picture that their variables name, before or after the gaze; and how many name several.

        A trial goes from one TRIALID to the next, or from one START to the next if there is no TRIALID.
        """
        begins = [(at, time) for at, (time, text) in enumerate(self.messages) if text.startswith("TRIALID")] or [
            (sum(time < block[0] for time, _ in self.messages), block[0]) for block in self.blocks
        ]
        shown, n_unclear = [], 0
        for (first, begin), (last, end) in pairwise([*begins, (len(self.messages), np.inf)]):
            words = (text.split()[-1] for _, text in self.messages[first:last] if "TRIAL_VAR" in text)
            pictures = set(filter(is_picture, words))
            n_unclear += len(pictures) > 1
            if len(pictures) == 1:
                [picture] = pictures
                blocks = [block for block in self.blocks if begin <= block[0] < end]
                shown += [Shown(picture, block[0], block[1] if len(block) > 1 else np.inf) for block in blocks]
        return shown, n_unclear


def _closings(named: Sequence[tuple[float, str]], closing: Sequence[float]) -> set[int]:
    """Which messages name the picture that is still on the screen: they say that it goes."""
    found: set[int] = set()
    on_screen, until = "", -np.inf
    for at, (time, word) in enumerate(named):
        if word == on_screen and time <= until:
            found.add(at)
            on_screen = ""
        else:
            on_screen, until = word, min((end for end in closing if end > time), default=np.inf)
    return found


def _number(word: str) -> float:
    return np.nan if word == "." else float(word)


def _even(last: float) -> int:
    """Length of a side of the screen: scripts say the number of the last px (1919), or how many there are (1920)."""
    return round(last) + round(last) % 2
