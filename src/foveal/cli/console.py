"""What is said to a person goes to the standard error; the standard output is for results."""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from foveal.errors import FovealNote, RowsLeftOut

SOME_INPUTS_FAILED = 1

_stderr = Console(stderr=True, highlight=False)
_notes: dict[str, type[Warning]] = {}  # that this command has said


class Report(Protocol):
    """Moves a bar: what is being done, how much of it is done, of how much."""

    def __call__(self, what: str, done: int, total: int) -> None: ...


def say(line: str) -> None:
    """One line to the standard error, as it is, however long."""
    _stderr.print(f"foveal: {line}", markup=False, soft_wrap=True)


@contextmanager
def notes_said() -> Iterator[None]:
    """Say the library's notes, each once; what other libraries warn of is not for the user."""

    def tell(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
        if issubclass(category, FovealNote) and str(message) not in _notes:
            _notes[str(message)] = category
            say(f"note: {message}")

    _notes.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("always", FovealNote)
        warnings.showwarning = tell
        yield


def were_rows_left_out() -> bool:
    """Did any note tell of rows that were left out of a table?"""
    return any(issubclass(category, RowsLeftOut) for category in _notes.values())


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
