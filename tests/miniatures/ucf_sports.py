"""UCF Sports in small: a film of each of two actions."""

from pathlib import Path

from miniatures.film_frames import write_film


def write(folder: Path) -> int:
    """Write the published layout; the number of fixations that are to be read from it."""
    write_film(folder / "training/Diving-Side-001", {"Diving-Side_001_001": [(0, 0), (5, 6)]})
    write_film(folder / "testing/Walk-Front-002", {"Walk-Front_002_001": [(35, 63)], "Walk-Front_002_002": [(1, 2)]})
    return 4
