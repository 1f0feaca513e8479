"""How long work says how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Report = Callable[[str, int, int], None]  # what is being done, how much of it is done, of how much


def to_nobody(what: str, done: int, total: int) -> None:
    """For whoever does not want to know."""


@dataclass(frozen=True)
class Progress:
    """A report that parts of the work can be given under names of their own.

    >>> progress = Progress(print)
    >>> progress("epoch 1/2", 5, 20)
    epoch 1/2 5 20
    >>> progress.within("fold 3/10")("epoch 1/2", 5, 20)
    fold 3/10: epoch 1/2 5 20

    Attributes
    ----------
    report
        What is called: any function of what is being done, how much of it is done, and of how much.
    """

    report: Report = to_nobody

    @classmethod
    def of(cls, report: Report | None) -> Progress:
        """What a caller gave for progress: a function, a `Progress`, or nothing."""
        if isinstance(report, Progress):
            return report
        return cls() if report is None else cls(report)

    def __call__(self, what: str, done: int, total: int) -> None:
        """Say that so much of it is done."""
        self.report(what, done, total)

    def within(self, label: str) -> Progress:
        """Progress of a part of the work, whose name is put before all that it says."""
        return Progress(lambda what, done, total: self(f"{label}: {what}", done, total))

    def counting(self, what: str, total: int, before: int = 0) -> Callable[[int], None]:
        """A report for work that says nothing but how much it has done; `before` was done already.

        >>> Progress(print).counting("features", total=100, before=60)(5)
        features 65 100
        """
        return lambda done: self(what, before + done, total)
