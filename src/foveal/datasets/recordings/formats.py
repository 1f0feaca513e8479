"""Which tracker wrote a file: known by what stands in it, whatever it is called."""

import gzip
import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from foveal.datasets.recordings.recording import Recording
from foveal.datasets.table import BYTE_ORDER_MARKS, HEADER_WITHIN, SEPARATORS
from foveal.discovery import import_all
from foveal.errors import FovealError, first_line
from foveal.registry import Registry

HEAD = 1 << 17  # bytes that are looked at


@dataclass(frozen=True)
class Head:
    """The first lines of a file."""

    path: Path
    lines: tuple[str, ...]

    @classmethod
    def of(cls, path: Path) -> "Head":
        """Read them; a file that gzip packed is unpacked.

        Raises
        ------
        FovealError
            If there is no such file, it is empty, or it holds no text.
        """
        if path.is_dir():
            raise FovealError(f"{path}: a folder; give the files of the recordings in it")
        try:
            with path.open("rb") as file:
                data = file.read(HEAD)
            if data.startswith(b"\x1f\x8b"):
                with gzip.open(path) as unpacked:
                    data = unpacked.read(HEAD)
        except (OSError, EOFError) as error:
            raise FovealError(f"{path}: cannot be read ({first_line(error)})") from None
        if not data.strip():
            raise FovealError(f"{path}: empty")
        encoding = next((name for mark, name in BYTE_ORDER_MARKS.items() if data.startswith(mark)), "utf-8")
        text = data.decode(encoding, "replace")
        if "\0" in text:
            raise FovealError(f"{path}: not text; export the recording as text (EyeLink: edf2asc, SMI: IDF converter)")
        return cls(path, tuple(text.splitlines()))

    @cached_property
    def rows(self) -> list[list[str]]:
        """What may be the header of a table: lines split at tabs, commas or semicolons, in small letters."""
        lines = [line for line in self.lines[:HEADER_WITHIN] if not line.startswith("##")]
        split = [line.split(separator) for line in lines for separator in SEPARATORS if separator in line]
        return [[name.strip().strip('"\ufeff').casefold() for name in row] for row in split]

    def columns(self, *patterns: str) -> list[str]:
        """The names in the first line that has a column like each of these regular expressions; none if none has."""
        return next((row for row in self.rows if all(any(re.fullmatch(p, name) for name in row) for p in patterns)), [])


Reader = Callable[[Head], list[Recording]]
_TRACKERS = Registry[tuple[Callable[[Head], bool], Reader]]("tracker")


def register_tracker(name: str, is_it: Callable[[Head], bool]) -> Callable[[Reader], Reader]:
    """Enter a tracker; the decorated function reads its files, which `is_it` knows by their first lines.

    Raises
    ------
    FovealError
        If another tracker has the name.
    """

    def register(reader: Reader) -> Reader:
        _TRACKERS.add(name, (is_it, reader), of=reader)
        return reader

    return register


def read_recordings(path: Path) -> list[Recording]:
    """What a tracker's file holds: a recording of each person.

    Raises
    ------
    FovealError
        If the file cannot be read, no tracker's format is recognized, or no gaze is in it.
    """
    import_all("foveal.datasets.recordings", "register_tracker")
    head = Head.of(path)
    reader = next((reader for is_it, reader in _TRACKERS.values() if is_it(head)), None)
    if reader is None:
        known = ", ".join(sorted(_TRACKERS))
        raise FovealError(f"{path}: not a recording that is recognized (known are text exports of {known})")
    try:
        recordings = reader(head)
    except FovealError as error:
        raise FovealError(str(error) if str(error).startswith(str(path)) else f"{path}: {error}") from None
    except Exception as error:  # whatever a damaged file makes Python say
        raise FovealError(f"{path}: damaged, or not complete ({first_line(error)})") from error
    recordings = [each for each in recordings if len(each.time) or any(len(own) for own in each.fixations.values())]
    if not recordings:
        raise FovealError(f"{path}: no gaze in it; is the file complete?")
    if _ends_within_a_line(path):
        note = f"{path}: ends within a line, so it may not be complete; what is there is read"
        recordings[0] = replace(recordings[0], notes=(*recordings[0].notes, note))
    return recordings


def subjects_of(paths: Sequence[Path]) -> dict[Path, str]:
    """Whom files are of that do not say it: their stems, with the folders that tell those apart that are the same.

    Two files of one person have the same name, as Gazepoint's all_gaze and fixations have.
    """
    stems = {path: re.sub(r"_(all_gaze|fixations)$", "", path.stem) for path in paths}
    count = Counter(stems.values())
    common = os.path.commonpath([path.resolve().parent for path in paths]) if paths else ""
    return {
        path: stem if count[stem] == 1 else (path.resolve().parent.relative_to(common) / stem).as_posix()
        for path, stem in stems.items()
    }


def _ends_within_a_line(path: Path) -> bool:
    """Does the last line of a table end without its last columns?"""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - HEAD))
        end = file.read()
    before, last = [b"", *end.split(b"\n")][-2:]
    return any(last and last.count(mark) < before.count(mark) for mark in (b"\t", b",", b";"))
