"""Files are written whole or not at all."""

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from foveal.errors import FovealError, first_line


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
    # As short as can be: a name that is just allowed must not become too long.
    temporary = path.with_name(f".{secrets.token_hex(4)}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch()
        mode = temporary.stat().st_mode  # as the user's umask has it; some writers would keep others from reading
        yield temporary
        temporary.chmod(mode)
        temporary.replace(path)
    except OSError as error:
        about = {os.fspath(place) for place in (temporary, path, *path.parents)}
        if error.filename is not None and os.fspath(error.filename) not in about:
            raise  # it is another file that the block had trouble with
        raise FovealError(f"{path}: cannot be written ({first_line(error)}); choose another place") from error
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
        raise FovealError(f"{folder}: cannot be written to ({first_line(error)}); choose another folder") from error
    return folder
