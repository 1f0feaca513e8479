"""Arguments that several commands share, and how lists are written on the command line."""

import re
from pathlib import Path
from typing import Annotated

import typer

from foveal.cli.console import SOME_INPUTS_FAILED, say, were_rows_left_out
from foveal.errors import FovealError

DatasetName = Annotated[str, typer.Option("--dataset", help="A name that `foveal datasets` lists, or a folder.")]
DataRoot = Annotated[Path | None, typer.Option(help="Where data sets lie (default: $FOVEAL_DATA).")]
Metrics = Annotated[str, typer.Option(help="all, or names separated by commas: LL,IG,AUC,...")]
Limit = Annotated[int | None, typer.Option(min=1, help="Only the first so many images.")]
Split = Annotated[str | None, typer.Option(help="Only this part of the data set.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with status 1 if rows of a table were left out.")]
Device = Annotated[str, typer.Option(help="Where to compute: cpu, cuda, ...")]


def listed(names: str) -> list[str]:
    """The names in a list separated by commas."""
    return [name.strip() for name in names.split(",") if name.strip()]


def numbers_listed(numbers: str, option: str) -> list[float]:
    """The numbers in a list separated by commas.

    Raises
    ------
    FovealError
        If one is no number.
    """
    try:
        return [float(number) for number in listed(numbers)]
    except ValueError:
        raise FovealError(f"{option}: numbers separated by commas, not {numbers!r}") from None


def pair_of(text: str, number: str, like: str, option: str) -> tuple[int, int]:
    """Two numbers written as 3x3, each of this pattern.

    Raises
    ------
    typer.BadParameter
        If the text is no such pair; it says what a pair is like.
    """
    match = re.fullmatch(f"({number})x({number})", text)
    if match is None:
        raise typer.BadParameter(f"{like}, not {text!r}", param_hint=option)
    return int(match[1]), int(match[2])


def range_of(text: str, number: str, like: str, option: str) -> tuple[str, str]:
    """First and last of a range written as 1-3, each of this pattern; of a single number, this twice.

    Raises
    ------
    typer.BadParameter
        If the text is no such range; it says what one is like.
    """
    match = re.fullmatch(f"({number})(?:-({number}))?", text.strip())
    if match is None:
        raise typer.BadParameter(f"{like}, not {text!r}", param_hint=option)
    return match[1], match[2] or match[1]


def milliseconds_of(text: str, option: str) -> float:
    """A time written as 500ms or 1.5s.

    Raises
    ------
    typer.BadParameter
        If the text is no such time.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?|\.\d+) ?(ms|s)", text.strip())
    if match is None:
        raise typer.BadParameter(f"a time such as 500ms or 1s, not {text!r}", param_hint=option)
    return float(match[1]) * (1000 if match[2] == "s" else 1)


def metrics_of(names: str) -> list[str] | str:
    """The metrics asked for, or "all"."""
    return "all" if names == "all" else listed(names)


def tell_problems(problems: list[str] | tuple[str, ...], *, strict: bool = False) -> None:
    """Say what failed; the exit status says so as well, with `strict` also of rows that were left out of a table."""
    for problem in problems:
        say(f"error: {problem}")
    if problems or (strict and were_rows_left_out()):
        raise typer.Exit(SOME_INPUTS_FAILED)
