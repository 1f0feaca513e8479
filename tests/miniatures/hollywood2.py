"""Hollywood-2 in small: two shots of one clip, whose frames are numbered on, and one of another part."""

from pathlib import Path

from miniatures.film_frames import write_film


def write(folder: Path) -> int:
    """Write the published layout; the number of fixations that are to be read from it."""
    clip = "actioncliptrain00001"
    write_film(folder / f"training/{clip}_1", {f"{clip}_00001": [(0, 0)], f"{clip}_00002": [(35, 63)]})
    write_film(folder / f"training/{clip}_2", {f"{clip}_00003": []})
    write_film(folder / "testing/actioncliptest00001_1", {"actioncliptest00001_00001": [(1, 2), (3, 4)]})
    return 4
