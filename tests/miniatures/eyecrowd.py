"""EyeCrowd in small."""

from pathlib import Path

from miniatures.structs import SCANPATHS, write_structs


def write(folder: Path) -> int:
    """Write the published layout; the number of fixations that are to be read from it."""
    write_structs(folder / "eye/fixations.mat", folder / "stimuli", SCANPATHS)
    return 3  # the first of each scanpath is forced, another is outside
