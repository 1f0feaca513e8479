"""Files are written whole or not at all, and where the user's cache is."""

import hashlib
import io
import os
import platform
import re
import secrets
import tempfile
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import platformdirs

from foveal.errors import FovealError, first_line

_STARTED = time.time()
LONGEST_TOML = 20_000  # characters; reading a key of many parts takes memory that grows with its square


def _process_space() -> str:
    """Where a number of a process means the same process: this machine, and on Linux this container of it."""
    place = platform.node()
    with suppress(OSError):
        place += os.readlink("/proc/self/ns/pid")  # noqa: PTH115 (it is no path)
    return hashlib.sha256(place.encode()).hexdigest()[:6]


_PROCESS_SPACE = _process_space()
_TEMPORARY = re.compile(rf"\.foveal-{_PROCESS_SPACE}-(\d{{1,9}})-[0-9a-f]{{6}}(\..*)?", re.DOTALL)
_cleared: set[str] = set()  # folders in which this process has looked for what killed ones left


@contextmanager
def write_atomically(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path beside `path` to write to; it takes the name `path` when the block ends without an error.

    Whatever stops the block (an error, Ctrl-C, a kill) leaves either the old file or none under the final name. The
    temporary name ends like `path` does, because many writers choose their format by the ending. What a killed process
    left under such a name is removed by the next that writes into the folder.

    Raises
    ------
    FovealError
        If the folder cannot be made or written to, the disk is full, or the text cannot be written as UTF-8.
    """
    path = Path(path)
    # Without the name itself: one that is just allowed must not become too long.
    temporary = path.with_name(f".foveal-{_PROCESS_SPACE}-{os.getpid()}-{secrets.token_hex(3)}{path.suffix}")
    try:
        _make_folder(path.parent)
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
    except UnicodeEncodeError as error:
        raise FovealError(f"{path}: cannot be written (a name in it is not UTF-8: {error.object!r})") from error
    finally:
        with suppress(OSError):  # the folder itself may be missing
            temporary.unlink(missing_ok=True)


class NewFile(io.FileIO):
    """A file for a library that does not survive a full disk, such as HDF5, which ends the process by a signal.

    The library is told that all was written. The first error is kept, and `check` raises it.
    """

    error: OSError | None = None

    def write(self, data: Any, /) -> int:
        """Write all of it; after an error, nothing more."""
        left = memoryview(data).cast("B")
        size = len(left)
        try:
            while len(left) and self.error is None:
                left = left[super().write(left) :]
        except OSError as error:
            self.error = error
        return size

    def truncate(self, size: int | None = None, /) -> int:
        """Make the file this long."""
        try:
            return super().truncate(size)
        except OSError as error:
            self.error = self.error or error
            return size or 0

    def check(self) -> None:
        """Raise the first error, if there was one."""
        if self.error is not None:
            raise self.error


@contextmanager
def new_file(path: Path) -> Iterator[NewFile]:
    """Open a file as `NewFile`, and raise in the end what went wrong with it.

    Raises
    ------
    OSError
        If not all could be written.
    """
    with NewFile(path, "w+b") as file:
        try:
            yield file
        except Exception:
            file.check()  # whatever the library made of it
            raise
        file.check()


def make_writable_folder(path: str | os.PathLike[str]) -> Path:
    """Make a folder, parents included, and make sure before any long work that files can be written into it.

    Raises
    ------
    FovealError
        If it cannot be made or written to.
    """
    folder = Path(path)
    try:
        _make_folder(folder)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise FovealError(f"{folder}: cannot be written to ({first_line(error)}); choose another folder") from error
    return folder


def cache_folder(instead: str) -> Path:
    """The user's cache folder for Foveal.

    Parameters
    ----------
    instead
        The environment variable that says of another place, or "" if only that of all caches does.

    Raises
    ------
    FovealError
        If the user has no home in which it could be.
    """
    try:
        folder = platformdirs.user_cache_path("foveal")
    except (RuntimeError, KeyError, OSError):
        folder = Path()
    if not folder.is_absolute():  # "~" as it stands
        say = " or ".join(filter(None, (instead, "XDG_CACHE_HOME")))
        raise FovealError(f"no cache folder: this user has no home folder; set {say} to a folder")
    return folder


def _make_folder(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    place = os.path.abspath(folder)  # noqa: PTH100 (no look at the disk)
    if place not in _cleared:
        _cleared.add(place)
        _remove_what_killed_runs_left(folder)


def _remove_what_killed_runs_left(folder: Path) -> None:
    """Remove temporary files from before this process whose own process is gone; never those of one that runs."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            name = _TEMPORARY.fullmatch(entry.name)
            if name is not None and entry.stat().st_mtime < _STARTED and not _runs(int(name[1])):
                with suppress(OSError):
                    Path(entry).unlink()


def _runs(process: int) -> bool:
    if process == os.getpid():
        return False  # an earlier process had the number
    if os.name != "posix":
        return True  # it cannot be asked without harm
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # another user's
    return True


def read_toml(path: str | os.PathLike[str], otherwise: str) -> dict[str, Any]:
    """The table that a TOML file holds.

    Raises
    ------
    FovealError
        If it cannot be read, or is no TOML: it is then told as `otherwise` says ("no recipe").
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise FovealError(f"{path}: {otherwise} ({first_line(error)})") from None
    return parse_toml(text, path, otherwise)


def parse_toml(text: str, path: str | os.PathLike[str], otherwise: str) -> dict[str, Any]:
    """What a TOML text says that was found in a file."""
    try:
        if len(text) > LONGEST_TOML:
            raise ValueError(f"{len(text)} characters, of at most {LONGEST_TOML}")
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also of numbers with thousands of digits, and of deep nesting
        raise FovealError(f"{path}: {otherwise} ({first_line(error)})") from None
