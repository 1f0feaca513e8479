"""Films from disk, frame by frame, as they are meant to be seen."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from foveal.errors import FovealError, FovealNote, first_line
from foveal.film.pyav import pyav
from foveal.images import RGBImage

# fmt: off
FILM_SUFFIXES = frozenset({
    ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".mts", ".m2ts", ".ts", ".wmv", ".flv", ".ogv",
    ".3gp",
})
# fmt: on
LARGEST_SIDE = 960  # px that a frame is shrunk to: a film is for looking at, and the density is smooth
USUAL_RATE = Fraction(25)  # frames a second of a film that does not say it
CUT_SHORT = 1.0  # s that may be missing at the end: containers round


class BreaksOffError(FovealError):
    """A film ends before it says that it does."""


def is_film(path: str | os.PathLike[str]) -> bool:
    """Is it called like a film?

    >>> is_film("shop.MP4"), is_film("shop.gif")
    (True, False)
    """
    return Path(path).suffix.lower() in FILM_SUFFIXES


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame.

    Attributes
    ----------
    number
        Its position in the film, from 0.
    time
        Seconds since the first frame.
    picture
        RGB at the size `Film.small`.
    """

    number: int
    time: Fraction
    picture: RGBImage


@dataclass(frozen=True)
class Film:
    """What is known of a film before it is read.

    Attributes
    ----------
    path
        The file.
    size
        Height and width in px as it is shown: upright, and with square pixels.
    quarter_turns
        By how many a stored frame is turned, counterclockwise.
    rate
        Frames a second, on average.
    seconds
        How long the film says that it is; 0 where it does not.
    """

    path: Path
    size: tuple[int, int]
    quarter_turns: int
    rate: Fraction
    seconds: float

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> "Film":
        """Look at the header and the first frame.

        Raises
        ------
        FovealError
            If there is no film, or no frame in it that can be read.
        """
        path = Path(path)
        with _pictures(path) as (container, stream):
            first = next(_decoded(container, stream, []), None)
            if first is None:
                raise FovealError(f"{path}: no frame of the film can be read")
            turns = round(first.rotation / 90) % 4
            aspect = stream.sample_aspect_ratio or 1
            size = first.height, max(1, round(first.width * aspect))
            if stream.duration is not None:
                seconds = float(stream.duration * stream.time_base)
            else:  # of all streams together: sound may be longer
                seconds = (container.duration or 0) / 1e6 if len(container.streams) == 1 else 0.0
            rate = stream.average_rate or USUAL_RATE
            return cls(path, size[::-1] if turns % 2 else size, turns, Fraction(rate), seconds)

    @property
    def small(self) -> tuple[int, int]:
        """Height and width that frames are read at: at most `LARGEST_SIDE`, and even, as encoders need them."""
        scale = min(1.0, LARGEST_SIDE / max(self.size))
        height, width = (max(2, 2 * round(side * scale / 2)) for side in self.size)
        return height, width

    @property
    def expected_frames(self) -> int:
        """About how many frames there are."""
        return max(1, round(self.seconds * self.rate))

    def frames(self, start: int = 0) -> Iterator[Frame]:
        """The frames from this one on, one after the other. Those before are decoded, which is fast, and let go.

        Damaged frames are left out, and a note says how many.

        Raises
        ------
        BreaksOffError
            When the film breaks off before its end, after the last frame that there is.
        """
        damaged: list[str] = []
        begin, time, number = None, Fraction(0), -1
        with _pictures(self.path) as (container, stream):
            for number, frame in enumerate(_decoded(container, stream, damaged)):
                place = _time(frame, number / self.rate)
                begin = place if begin is None else begin
                time = max(time, place - begin)  # in order, whatever a damaged film says
                if number >= start:
                    yield Frame(number, time, self._upright(frame))
        if self.seconds - time - 1 / self.rate > CUT_SHORT:
            raise BreaksOffError(
                f"{self.path}: the film breaks off at {float(time):.1f} s of {self.seconds:.1f} s; so do the results"
            )
        if damaged:
            line = f"{self.path}: {len(damaged)} damaged places of the film were left out ({damaged[0]})"
            warnings.warn(line, FovealNote, stacklevel=2)

    def _upright(self, frame: Any) -> RGBImage:
        height, width = self.small[::-1] if self.quarter_turns % 2 else self.small
        stored = frame.reformat(width=width, height=height, format="rgb24", interpolation="AREA").to_ndarray()
        return np.ascontiguousarray(np.rot90(stored, self.quarter_turns))


def _time(frame: Any, otherwise: Fraction) -> Fraction:
    return otherwise if frame.pts is None else Fraction(frame.pts * frame.time_base)


@contextmanager
def _pictures(path: Path) -> Iterator[tuple[Any, Any]]:
    """An open film and its stream of pictures; whatever is wrong with it becomes one line that names it."""
    av = pyav()
    if not path.is_file():
        raise FovealError(f"{path}: {'not a file' if path.exists() else 'no such file'}")
    try:
        container = av.open(os.fspath(path))
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise FovealError(f"{path}: not a film that can be read ({first_line(error)})") from None
    with container:
        covers = av.stream.Disposition.attached_pic
        streams = [stream for stream in container.streams.video if not stream.disposition & covers]
        if not streams:
            raise FovealError(f"{path}: no pictures in it, only {_kinds(container)}")
        streams[0].thread_type = "AUTO"
        yield container, streams[0]


def _kinds(container: Any) -> str:
    kinds = {"audio": "sound", "video": "a cover"}
    return " and ".join(dict.fromkeys(kinds.get(stream.type, stream.type) for stream in container.streams)) or "nothing"


def _decoded(container: Any, stream: Any, damaged: list[str]) -> Iterator[Any]:
    """Frames in the order in which they are shown; what cannot be decoded is noted in `damaged`."""
    av = pyav()
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except av.error.FFmpegError as error:  # the file ends here, whatever it says
            damaged.append(first_line(error))
            return
        try:
            yield from packet.decode()
        except av.error.FFmpegError as error:
            damaged.append(first_line(error))
