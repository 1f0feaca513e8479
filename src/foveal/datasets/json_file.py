"""JSON files of published data sets: what is missing is named."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from foveal.errors import FovealError, first_line


def read_json(path: Path) -> Any:
    """What a JSON file holds.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FovealError
        If it is no JSON.
    """
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise FovealError(f"{path}: not JSON that can be read ({first_line(error)})") from error


def entries(value: Any, names: Sequence[str], path: Path) -> list[list[Any]]:
    """Some fields of every entry of a list.

    Raises
    ------
    FovealError
        If it is no list of tables, or one of them lacks a field.
    """
    if not isinstance(value, list):
        raise FovealError(f"{path}: a list is needed, not {type(value).__name__}")
    for number, entry in enumerate(value, 1):
        has = entry if isinstance(entry, dict) else {}
        for name in names:
            if name not in has:
                said = ", ".join(map(str, has)) or "no fields"
                raise FovealError(f"{path}: entry {number} without the field {name!r} (it has {said})")
    return [[entry[name] for name in names] for entry in value]
