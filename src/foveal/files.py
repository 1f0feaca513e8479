"""Files are written whole or not at all."""

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from foveal.errors import FovealError


@contextmanager
def write_atomically(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path beside `path` to write to; it takes the name `path` when the block ends without an error.

    Whatever stops the block (an error, Ctrl-C, a kill) leaves either the old file or none under the final name. The
    temporary name ends like `path` does, because many writers choose their format by the ending.

    Raises
    ------
    FovealError
        If the folder cannot be made or written to.
    """
    path = Path(path)
    temporary = path.with_name(f".{secrets.token_hex(4)}.part.{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise FovealError(f"{path}: cannot be written ({error.strerror or error}); choose another place") from error
    finally:
        with suppress(OSError):  # the folder itself may be missing
            temporary.unlink(missing_ok=True)


def make_writable_folder(path: str | os.PathLike[str]) -> Path:
    """Make a folder, parents included, and make sure before any long work that files can be written into it.

    Raises
    ------
    FovealError
        If it cannot be made or written to.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise FovealError(f"{folder}: cannot be written to ({error.strerror}); choose another folder") from error
    return folder
