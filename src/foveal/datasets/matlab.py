"""MATLAB files of fixations, read with care: what is missing is named."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io

from foveal.datasets.catalogue import Contents, folds
from foveal.errors import FovealError
from foveal.gaze import Fixations, Stimuli

ONE_BASED = 1.0  # MATLAB counts pixels from one, Foveal from zero


def read_mat(path: Path, variable: str) -> Any:
    """One variable of a MATLAB file, singleton dimensions squeezed out, structs with their fields as attributes.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FovealError
        If it is no MATLAB file, or does not hold the variable.
    """
    if not path.is_file():
        raise FileNotFoundError(2, "no such file", str(path))
    try:
        contents = scipy.io.loadmat(path, squeeze_me=True, struct_as_record=False, variable_names=[variable])
    except Exception as error:  # whatever a broken file makes scipy say
        raise FovealError(f"{path}: not a MATLAB file that can be read ({str(error).splitlines()[0]})") from error
    if variable not in contents:
        raise FovealError(f"{path}: holds no variable {variable!r}")
    return contents[variable]


def field(struct: Any, name: str, path: Path) -> Any:
    """One field of a MATLAB struct.

    Raises
    ------
    FovealError
        If the struct does not have it.
    """
    if not hasattr(struct, name):
        known = ", ".join(getattr(struct, "_fieldnames", [])) or "no fields"
        raise FovealError(f"{path}: a struct without the field {name!r} (it has {known})")
    return getattr(struct, name)


def read_fixation_structs(mat: Path, stimuli: Path, *, first_is_forced: bool) -> Contents:
    """The layout that OSIE made popular: `fixations(i).img`, `.subjects{j}.fix_x, .fix_y, .fix_duration`.

    Coordinates are in px, counted from one. Where the first fixation of every scanpath is the forced one at the
    center, it is left out, and the order of the others starts at 1.

    Raises
    ------
    FileNotFoundError
        If the file or the folder of stimuli is missing.
    FovealError
        If a variable, a field or a photograph is missing.
    """
    structs = np.atleast_1d(read_mat(mat, "fixations"))
    if not stimuli.is_dir():
        raise FileNotFoundError(2, "no such folder", str(stimuli))
    names = [str(field(struct, "img", mat)) for struct in structs]
    sources = [stimuli / name for name in names]
    for source in sources:
        if not source.is_file():
            raise FileNotFoundError(2, "no such file", str(source))

    def scanpaths() -> Iterator[tuple[int, int, Any, Any, Any]]:
        for image, struct in enumerate(structs):
            for subject, scanpath in enumerate(np.atleast_1d(field(struct, "subjects", mat))):
                x, y, duration = (
                    np.atleast_1d(field(scanpath, name, mat)) for name in ("fix_x", "fix_y", "fix_duration")
                )
                yield image, subject, x, y, duration

    fixations = concatenate_scanpaths(scanpaths(), origin=ONE_BASED)
    return Contents(
        Stimuli(sources, names),
        fixations.drop_first() if first_is_forced else fixations,
        folds(len(names)),
    )


def concatenate_scanpaths(scanpaths: Iterator[tuple[int, int, Any, Any, Any]], *, origin: float) -> Fixations:
    """Fixations from (image, subject, x, y, duration in ms) of each scanpath; `origin` is subtracted from x and y."""
    image, subject, x, y, order, duration = [], [], [], [], [], []
    for path_image, path_subject, path_x, path_y, path_duration in scanpaths:
        n = len(path_x)
        image.append(np.full(n, path_image))
        subject.append(np.full(n, path_subject))
        order.append(np.arange(n))
        x.append(path_x)
        y.append(path_y)
        duration.append(path_duration)
    return Fixations.of(
        np.concatenate(image),
        np.concatenate(x) - origin,
        np.concatenate(y) - origin,
        subject=np.concatenate(subject),
        order=np.concatenate(order),
        duration=np.concatenate(duration),
    )
