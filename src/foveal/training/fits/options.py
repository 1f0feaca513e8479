"""What may be chosen of a fit: fields of settings that know how they are read from what a caller gives."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar, TypeVar, get_args

from foveal.errors import FovealError
from foveal.gaze import Dataset
from foveal.gaze.folds import folds_to_judge
from foveal.gaze.given import whole_number
from foveal.models import SaliencyModel
from foveal.progress import Progress

FOLDS_BY_DEFAULT = 5  # of what is fitted in minutes

Settings = TypeVar("Settings", bound="FitSettings")


def option(default: Any, read: Callable[[Any], Any]) -> Any:
    """A field that is an option of `foveal.train`, and what makes its value of what is given, or complains."""
    return field(default=default, metadata={"read": read})


def choice(kind: Any, what: str) -> Callable[[Any], Any]:
    """What reads one of the strings of a Literal type."""

    def read(given: Any) -> Any:
        if given not in get_args(kind):
            raise FovealError(f"{what}: {' or '.join(get_args(kind))}, not {given!r}")
        return given

    return read


@dataclass(frozen=True, kw_only=True)
class FitSettings:
    """What a fit is told. A way to fit that takes other options than these has settings of its own, with them.

    Attributes
    ----------
    folder
        Where weights are written.
    progress
        Is told how far the fit is.
    problems
        Gets a line for each thing that cannot be used.
    seed, folds
        Options, as `foveal.train` describes them.
    """

    keeps_networks: ClassVar[bool] = False  # whose weights were learned before, from data that the file names as well

    folder: Path
    progress: Progress
    problems: list[str] = field(default_factory=list)
    seed: int = option(0, lambda given: whole_number(given, "seed"))
    folds: int | None = option(None, lambda given: whole_number(given, "folds", 2))

    @classmethod
    def read(cls: type[Settings], given: Mapping[str, Any], model: str, folder: Path, progress: Progress) -> Settings:
        """The settings with the options that are given for a model.

        Raises
        ------
        FovealError
            If models of this kind do not have such an option, or its value is not right.
        """
        readers = {field.name: field.metadata["read"] for field in fields(cls) if "read" in field.metadata}
        if others := [name for name in given if name not in readers]:
            raise FovealError(f"{flag(others[0])}: not with {model}, which takes {', '.join(map(flag, readers))}")
        values = {name: readers[name](value) for name, value in given.items()}
        return cls(folder=folder, progress=progress, **values)

    @property
    def is_of_other_parts(self) -> bool:
        """Is the model made of other parts than the one that was named, which it cannot be compared with?"""
        return False

    def to_fit(self, fresh: SaliencyModel, source: str | os.PathLike[str]) -> SaliencyModel:
        """The model that is fitted, given a fresh one of the model or file that was named.

        Raises
        ------
        FovealError
            If it cannot be made as the options say.
        """
        return fresh

    def folds_of(self, data: Dataset) -> tuple[int, list[int]]:
        """The number of folds, and those that have images; by default as many as are soon fitted, of few images none.

        Raises
        ------
        FovealError
            If there are more folds than images, or holding one out leaves too little to fit to.
        """
        if self.folds is None:
            try:
                return FOLDS_BY_DEFAULT, folds_to_judge(data, FOLDS_BY_DEFAULT)
            except FovealError:
                return FOLDS_BY_DEFAULT, []
        if self.folds > len(data):
            raise FovealError(f"{self.folds} folds of {len(data)} images: give at most as many as images")
        return self.folds, folds_to_judge(data, self.folds)


def flag(name: str) -> str:
    """How an option of `foveal.train` is called on the command line.

    >>> flag("left_out"), flag("data_root")
    ('--leave-out', '--data-root')
    """
    return "--leave-out" if name == "left_out" else f"--{name.replace('_', '-')}"


def as_flags(options: Mapping[str, Any]) -> str:
    """Options as they stand in a command that makes the same weights.

    >>> as_flags({"layers": ["conv4", "conv5"], "penalty": 0.1, "left_out": "subjects", "resume": True})
    ' --layers conv4,conv5 --penalty 0.1 --leave-out subjects'
    """
    parts = {name: ",".join(map(str, value)) if isinstance(value, list) else value for name, value in options.items()}
    return "".join(f" {flag(name)} {value}" for name, value in parts.items() if name != "resume")
