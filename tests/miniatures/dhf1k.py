"""DHF1K in small: a film of each part; of those whose fixations are not public, there is no folder."""

from pathlib import Path

from miniatures.film_frames import write_film


def write(folder: Path) -> int:
    """Write the published layout; the number of fixations that are to be read from it."""
    write_film(folder / "annotation/0001", {"0001": [(0, 0), (35, 63)], "0002": []})
    write_film(folder / "annotation/0601", {"0001": [(3, 4)]}, size=(48, 64))
    return 3
