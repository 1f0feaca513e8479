"""Data sets of films whose frames are pictures, each with a map of its fixations."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from foveal.datasets.catalogue import Contents
from foveal.datasets.matlab import masked_pixels, of_everybody
from foveal.datasets.read_once import read_once
from foveal.datasets.scale import ASSUMED_DEGREES
from foveal.errors import FovealError
from foveal.gaze import Fixations, Stimuli
from foveal.images import find_images, image_size, read_image

PARTS = ("training", "testing")
FACTS = "Each frame is a picture. The frames of a film are alike: judge on a split, for folds of frames share films."


class FilmFolder(NamedTuple):
    """The folder of one film, with `images` and `fixation` in it, and the part of the data set that it belongs to."""

    path: Path
    part: str


def folders_in(folder: Path) -> list[Path]:
    """The folders in this one, sorted by name.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    """
    return sorted(path for path in folder.iterdir() if path.is_dir())


def read_film_frames(name: str, films: Sequence[FilmFolder], base: Path) -> Contents:
    """Read `images/<frame>.png` of each film, and `fixation/<frame>.png`, which is not 0 where anybody looked.

    Splits are the parts. Ids are relative to `base`.

    Raises
    ------
    FileNotFoundError
        If the map of a frame is missing.
    FovealError
        If there are no frames, or a map is not of the size of the frames of its film.
    """
    sources: list[Path] = []
    parts: list[str] = []
    sizes: list[tuple[int, int]] = []
    left_out: list[str] = []
    for film in films:
        frames, problems = find_images(film.path / "images")
        sources += frames
        parts += [film.part] * len(frames)
        sizes += [image_size(frames[0])] * len(frames) if frames else []  # half a million headers are not read
        left_out += problems
    if not sources:
        raise FovealError(f"{base}: no photographs in folders called images")
    maps = [frame.parent.with_name("fixation") / f"{frame.stem}.png" for frame in sources]

    def read() -> tuple[Fixations, tuple[str, ...]]:
        return of_everybody(
            masked_pixels(read_image(path)[..., 0], size, str(path)) for path, size in zip(maps, sizes, strict=True)
        ), ()

    fixations, notes = read_once(name, maps, read)
    ids = [frame.relative_to(base).as_posix() for frame in sources]
    stimuli = Stimuli(sources, ids, np.max(sizes, axis=1) / ASSUMED_DEGREES, scale_is_assumed=True)
    stimuli.__dict__["sizes"] = np.array(sizes, dtype=np.int64)
    splits = {part: np.flatnonzero(np.array(parts) == part) for part in dict.fromkeys(parts)}
    return Contents(stimuli, fixations, splits, notes, problems=tuple(left_out))
