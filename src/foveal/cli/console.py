"""What is said to a person goes to the standard error; the standard output is for results."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

SOME_INPUTS_FAILED = 1

_stderr = Console(stderr=True, highlight=False)


class Report(Protocol):
    """Moves a bar: what is being done, how much of it is done, of how much."""

    def __call__(self, what: str, done: int, total: int) -> None: ...


def say(line: str) -> None:
    """One line to the standard error, as it is, however long."""
    _stderr.print(f"foveal: {line}", markup=False, soft_wrap=True)


def show(table: Table) -> None:
    """A table to the standard output; piped, it is as wide as it needs to be."""
    console = Console() if sys.stdout.isatty() else Console(width=200)
    console.print(table)


@contextmanager
def progress_bars(*, as_lines: bool = False) -> Iterator[Report]:
    """Progress bars on the standard error, one for each thing that is reported; none if that is not a terminal.

    There, with `as_lines`, a line tells of each thing when it is done: of work that takes hours.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=_stderr, disable=not _stderr.is_terminal) as progress:
        tasks: dict[str, TaskID] = {}

        def report(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=total)
            task = tasks[what]
            if as_lines and progress.disable and done == total and not progress.tasks[task].finished:
                say(f"{what} done")
            progress.update(task, completed=done)

        yield report
