"""What a model is made of, where there is a choice: configurations, and whether a model can be made of one."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from foveal.errors import FovealError

FARTHEST = 100  # times its default: a larger number in a configuration is damage, and may take all memory

Configuration = TypeVar("Configuration", bound="ModelConfig")


@dataclass(frozen=True)
class ModelConfig:
    """What a model is made of, where there is a choice; a subclass is written with the weights."""

    @classmethod
    def of(cls: type[Configuration], values: Mapping[str, Any]) -> Configuration:
        """From what JSON makes of it."""
        return cls(**with_tuples(values))

    @classmethod
    def read(cls: type[Configuration], values: Any) -> Configuration:
        """From what JSON makes of a file's header, which may be damaged.

        Raises
        ------
        TypeError
            If a value is not of the kind that it should be, there is one of another name, or these are no values.
        """
        if not isinstance(values, Mapping):
            raise TypeError(f"no configuration, but {type(values).__name__}")
        config = cls.of(values)
        kinds, defaults = get_type_hints(cls), cls()
        for name in values:
            if not _is_of_kind(getattr(config, name), kinds[name], getattr(defaults, name)):
                raise TypeError(f"{name}: {getattr(config, name)!r}")
        return config

    def completed(self: Configuration) -> Configuration:
        """A copy with all that follows from it, of which a model can be made.

        Raises
        ------
        FovealError
            If it cannot.
        """
        kinds, defaults = get_type_hints(type(self)), type(self)()
        for field in fields(self):
            value, default = getattr(self, field.name), getattr(defaults, field.name)
            too_small = _is_too_small(value, default)
            if too_small or not _is_of_kind(value, kinds[field.name], default):
                raise FovealError(f"{field.name}: {as_written(value)} (needs a value such as {as_written(default)})")
        return self


def _is_of_kind(value: Any, kind: Any, default: Any) -> bool:
    """Is a value of a type that a configuration has, and a number not absurdly far from the default?"""
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    if get_origin(kind) is tuple:
        highest = max((one for one in default if isinstance(one, int | float)), default=0)
        return isinstance(value, tuple) and all(_is_of_kind(one, get_args(kind)[0], highest) for one in value)
    if kind in (int, float):
        of_kind = isinstance(value, int | float) if kind is float else isinstance(value, int)
        return of_kind and not isinstance(value, bool) and abs(value) <= FARTHEST * max(1, abs(default))
    return isinstance(value, get_origin(kind) or kind)


def _is_too_small(value: Any, default: Any) -> bool:
    """Is a number, or one in a list, below one where the default is not, or negative where that is not?"""
    if isinstance(value, tuple) and isinstance(default, tuple):
        return len(default) > 0 and any(_is_too_small(one, default[0]) for one in value)
    if type(value) is int and is_whole(default, 0):
        return bool(value < min(1, default))
    return is_number(value) and is_number(default, 0.0) and bool(value < 0)


def with_tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    """What JSON or TOML made lists of is tuples again."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}


def as_written(value: Any) -> str:
    """A value as a file says it, in which there are lists and no tuples."""
    return repr(list(value) if isinstance(value, tuple) else value)


def is_whole(value: Any, least: int) -> bool:
    """Is it a whole number, and not too small?"""
    return type(value) is int and value >= least  # True is no number


def is_number(value: Any, least: float = -math.inf) -> bool:
    """Is it a finite number, and not too small?"""
    return type(value) in (int, float) and math.isfinite(value) and value >= least


def check_values(settings: Any, needed: dict[str, tuple[bool, str]]) -> None:
    """Complain of the first attribute that is not right: for each, is it, and what is needed?

    Raises
    ------
    FovealError
        If there is one.
    """
    for name, (is_right, need) in needed.items():
        if not is_right:
            raise FovealError(f"{name}: {as_written(getattr(settings, name))} (needs {need})")
