"""Pictures whose names are numbers."""

import re
from pathlib import Path

from foveal.errors import FovealError
from foveal.images import find_images


def numbered_images(folder: Path) -> tuple[list[Path], list[str]]:
    """The pictures of a folder in the order of the numbers in their names, which files sort otherwise (10 before 2).

    Also a line for each picture that cannot be read as such (see `find_images`).

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    FovealError
        If there are no pictures with numbers in it.
    """
    if not folder.is_dir():
        raise FileNotFoundError(2, "no such folder", str(folder))
    found, left_out = find_images(folder)
    numbers = {path: re.fullmatch(r"\D*(\d+)", path.stem) for path in found if path.parent == folder}
    sources = {path: int(match[1]) for path, match in numbers.items() if match}
    if not sources:
        raise FovealError(f"{folder}: no photographs that are called by numbers")
    return sorted(sources, key=lambda path: sources[path]), left_out
