"""How long work says how far it is."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]  # what is being done, how much of it is done, of how much


def to_nobody(what: str, done: int, total: int) -> None:
    """For whoever does not want to know."""
