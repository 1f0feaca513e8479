"""Fixations that lie in thousands of files: read once, and kept in the user's cache folder."""

import hashlib
import inspect
import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path

import numpy as np

from foveal.errors import FovealError, FovealNote
from foveal.files import cache_folder, write_atomically
from foveal.gaze import Fixations

MANY = 1000  # files; reading more takes so long that it is said

Read = Callable[[], tuple[Fixations, tuple[str, ...]]]


def read_once(name: str, files: Sequence[Path], read: Read) -> tuple[Fixations, tuple[str, ...]]:
    """What `read` says of these files: fixations, and notes on those left out.

    It is asked again where a file has another size or time of change, or the module that it stands in is another. One
    answer a data set is kept. A cache folder that is missing, full or damaged costs time, and nothing else.

    Raises
    ------
    FileNotFoundError
        If one of the files is missing.
    """
    digest = _digest(files, read)
    try:
        path = cache_folder("") / "fixations" / f"{name}.npz"
    except FovealError:  # a user without a home folder
        return read()
    kept = _kept(path, digest)
    if kept is not None:
        return kept
    if len(files) > MANY:
        note = f"{name}: {len(files)} files are read, which takes minutes; the next time takes seconds"
        warnings.warn(note, FovealNote, stacklevel=3)
    fixations, notes = read()
    columns = {column.name: getattr(fixations, column.name) for column in fields(fixations)}
    try:
        with write_atomically(path) as temporary:
            np.savez_compressed(temporary, digest=digest, notes=np.array(notes, dtype=str), **columns)
    except FovealError as error:
        warnings.warn(f"{name}: its fixations are read again the next time ({error})", FovealNote, stacklevel=3)
    return fixations, notes


def _digest(files: Sequence[Path], read: Read) -> str:
    """A text that changes with the files, and with the code that reads them."""
    digest = hashlib.sha256(Path(inspect.getfile(read)).read_bytes() + version("foveal").encode())
    for file in files:
        status = file.stat()
        place = os.path.abspath(file)  # noqa: PTH100 (no look at the disk)
        digest.update(os.fsencode(place) + f"\0{status.st_size} {status.st_mtime_ns}\0".encode())
    return digest.hexdigest()


def _kept(path: Path, digest: str) -> tuple[Fixations, tuple[str, ...]] | None:
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            if str(file["digest"]) != digest:
                return None
            columns = {column.name: file[column.name] for column in fields(Fixations)}
            return Fixations.of(**columns), tuple(file["notes"].tolist())
    except Exception:  # not there, or whatever a damaged file makes NumPy say
        return None
