"""MIT300 in small: pictures, and nothing else."""

from pathlib import Path

from toy import make_photograph, write_image


def write(folder: Path) -> int:
    """Write the published layout; the number of fixations that are to be read from it."""
    for number in (1, 2, 10):
        write_image(folder / f"BenchmarkIMAGES/i{number}.jpg", make_photograph(number))
    return 0
