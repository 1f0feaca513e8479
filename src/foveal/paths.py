"""Which texts are paths, which names may become part of one, and how any name does."""

import hashlib
import os
import re
import unicodedata
from pathlib import Path
from typing import Any

from foveal.errors import FovealError

LONGEST_NAME = 200  # characters of a name that something is called by
BYTES_OF_A_NAME = 120  # of one that becomes part of a file's name, which has 255 on most disks
LONGEST_FILE_NAME = 255  # bytes: of a file or folder, on every common system


def path_of(given: Any, what: str) -> Path:
    """What was given as a path, as one.

    Raises
    ------
    FovealError
        If it is none.
    """
    if not isinstance(given, str | os.PathLike) or not isinstance(os.fspath(given), str):
        raise FovealError(f"{what}: a text or a Path is needed, not {type(given).__name__}")
    path = Path(given)
    try:
        is_possible = "\0" not in str(path) and all(len(os.fsencode(part)) <= LONGEST_FILE_NAME for part in path.parts)
    except UnicodeEncodeError:  # half of a character
        is_possible = False
    if not is_possible:
        raise FovealError(f"{what}: no file can be called {str(path)[:50]!r} (a character 0, or more than 255 bytes)")
    return path


def is_unicode(name: str) -> bool:
    """Can a name be written into a table or a file of text? One that a disk holds in another encoding cannot."""
    try:
        name.encode()
    except UnicodeEncodeError:  # the bytes of another encoding, as Python keeps them
        return False
    return True


def check_name(name: str) -> str:
    """The name, if it is one that something can be called by: text on one line that is no path.

    Raises
    ------
    FovealError
        If it is empty, too long, has a slash, a backslash or a control character in it, or is "." or "..".

    >>> check_name("my study, 2")
    'my study, 2'
    """
    has_controls = any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in name)
    if not name.strip(" .") or len(name) > LONGEST_NAME or has_controls or "/" in name or "\\" in name:
        told = name if len(name) <= LONGEST_NAME else f"{name[:40]}…"
        raise FovealError(f"name: {told!r} (needs 1 to {LONGEST_NAME} characters, no slashes, no control characters)")
    return name


def safe_file_name(name: str) -> str:
    """A name of anything as that of a file in the folder where it is wanted; names that are changed by it stay apart.

    >>> safe_file_name("bms"), safe_file_name("../../bms")
    ('bms', 'bms-cb513fb4')
    """
    safe = re.sub(r"[^\w.-]", "_", Path(name).name).strip(".")
    safe = safe.encode()[:BYTES_OF_A_NAME].decode(errors="ignore") or "_"
    if safe == name:
        return name
    return f"{safe}-{hashlib.sha256(name.encode(errors='surrogatepass')).hexdigest()[:8]}"
