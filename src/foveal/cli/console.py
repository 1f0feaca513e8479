"""What is said to a person goes to the standard error; the standard output is for results.

Names come from files and may hold anything. They are shown as text: no markup, and nothing that steers a terminal.
"""

import io
import json
import os
import sys
import unicodedata
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from foveal.errors import FovealError, FovealNote, RowsLeftOut, first_line
from foveal.progress import Report

SOME_INPUTS_FAILED = 1
PIPED_WIDTH = 200
CONTROL = frozenset({"Cc", "Cs", "Zl", "Zp"})  # Unicode's categories: controls, halves of pairs, ends of lines
DIRECTION = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})  # turn the text around

_stderr = Console(stderr=True, highlight=False, markup=False, emoji=False)
_notes: dict[str, type[Warning]] = {}  # that this command has said


def harmless(text: str) -> str:
    r"""Text in one line that a terminal only shows: what would steer it is spelled out.

    >>> harmless("a\x1b[31m\n.png")
    'a\\x1b[31m\\n.png'
    """
    return _steering(text, lambda character: character.encode("unicode_escape").decode())


def _steering(text: str, spelled_out: Callable[[str], str]) -> str:
    return "".join(
        spelled_out(character)
        if unicodedata.category(character) in CONTROL or unicodedata.bidirectional(character) in DIRECTION
        else character
        for character in text
    )


def take_any_character() -> None:
    """Spell out what the standard output and error cannot write: a name is no reason to stop."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(line: str) -> None:
    """One line to the standard error, as it is, however long."""
    _stderr.print(f"foveal: {harmless(line)}", soft_wrap=True)


@contextmanager
def notes_said() -> Iterator[None]:
    """Say the library's notes, each once; what other libraries warn of is not for the user."""

    def hear(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
        if issubclass(category, FovealNote) and str(message) not in _notes:
            _notes[str(message)] = category
            say(f"note: {message}")

    _notes.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("always", FovealNote)
        warnings.showwarning = hear
        yield


def were_rows_left_out() -> bool:
    """Did any note tell of rows that were left out of a table?"""
    return any(issubclass(category, RowsLeftOut) for category in _notes.values())


def tell(*lines: str) -> None:
    """Lines of results to the standard output."""
    for line in lines:
        _write(harmless(line))


def tell_json(value: Any) -> None:
    """Results as JSON to the standard output, with names as they are, in the characters that it can take."""
    is_unicode = "utf" in (getattr(sys.stdout, "encoding", None) or "").lower()
    text = json.dumps(value, indent=2, ensure_ascii=not is_unicode)
    _write("\n".join(_steering(line, lambda character: f"\\u{ord(character):04x}") for line in text.split("\n")))


def can_write(text: str) -> bool:
    """Does the standard output know all characters of a text?"""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def show(columns: Sequence[str], *sections: Iterable[Sequence[str]], title: str = "") -> None:
    """A table to the standard output, its sections ruled off; piped, it is as wide as it needs to be."""
    table = Table(*columns, title=Text(harmless(title)) if title else None)
    for rows in sections:
        for row in rows:
            table.add_row(*(Text(harmless(cell)) for cell in row))
        table.add_section()
    if sys.stdout is not None and sys.stdout.isatty():
        Console(markup=False, emoji=False).print(table)
        return
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"  # says which lines a table can be drawn with
    drawn = io.TextIOWrapper(io.BytesIO(), encoding, "backslashreplace", newline="\n", write_through=True)
    Console(file=drawn, width=PIPED_WIDTH).print(table)
    drawn.seek(0)
    _write(drawn.read().removesuffix("\n"))


def _write(text: str) -> None:
    """To the standard output; who closed it has seen enough, and the work goes on.

    Raises
    ------
    FovealError
        If it cannot be written to.
    """
    try:
        print(text, flush=True)
    except OSError as error:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())  # else Python tries again when it ends
        os.close(nowhere)
        if not isinstance(error, BrokenPipeError):
            raise FovealError(f"the standard output cannot be written to ({first_line(error)})") from error


@contextmanager
def progress_bars(*, as_lines: bool = False) -> Iterator[Report]:
    """Progress bars on the standard error, one for each thing that is reported; none if that is not a terminal.

    There, with `as_lines`, a line tells of each thing when it is done: of work that takes hours.
    """
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=_stderr, disable=not _stderr.is_terminal) as progress:
        tasks: dict[str, TaskID] = {}

        def report(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(harmless(what), total=total)
            task = tasks[what]
            if as_lines and progress.disable and done == total and not progress.tasks[task].finished:
                say(f"{what} done")
            progress.update(task, completed=done)

        yield report
