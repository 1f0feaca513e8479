"""Settings that check themselves: frozen dataclasses of pydantic, whose wrong values are one line of what they need.

A field says in its annotation what it takes and, as its description, how that reads after "needs".
"""

import difflib
from abc import ABCMeta
from collections.abc import Callable, Collection
from dataclasses import fields
from typing import Annotated, Any

from pydantic import ConfigDict, Field, ValidationError

from foveal.errors import FovealError

STRICT = ConfigDict(strict=True, allow_inf_nan=False, extra="forbid")  # true is no number, "8" is none

Whole = Annotated[int, Field(ge=0, description="a whole number")]
Count = Annotated[int, Field(ge=1, description="a whole number from 1 on")]
Amount = Annotated[float, Field(ge=0, description="a number from 0 on")]
Positive = Annotated[float, Field(gt=0, description="a number above 0")]
Share = Annotated[float, Field(ge=0, le=1, description="a number from 0 to 1")]
LessThanOne = Annotated[float, Field(ge=0, lt=1, description="a number from 0 to less than 1")]

_CONTAINERS = {"tuple_type": "a list", "dict_type": "a table"}  # as TOML calls them


class InOneLine(ABCMeta):
    """Metaclass of settings: what pydantic says of wrong ones becomes a `FovealError`.

    >>> from pydantic.dataclasses import dataclass
    >>> @dataclass(frozen=True, config=STRICT)
    ... class Steps(metaclass=InOneLine):
    ...     count: Count
    >>> Steps(0)
    Traceback (most recent call last):
    foveal.errors.FovealError: count: 0 (needs a whole number from 1 on)
    """

    def __call__(cls, /, *args: Any, **kwargs: Any) -> Any:
        """Make settings, or say in one line why not."""
        try:
            return super().__call__(*args, **kwargs)
        except ValidationError as error:
            raise in_one_line(error, cls, args, kwargs) from None


def in_one_line(error: ValidationError, kind: type, args: tuple[Any, ...], kwargs: dict[str, Any]) -> FovealError:
    """What is wrong first with the values that settings of this kind were to be made of."""
    known = [field.name for field in fields(kind)]
    problems = error.errors(include_url=False)
    # Of a misspelled name, it is no help that the right one is missing.
    first = min(problems, key=lambda problem: problem["type"] != "unexpected_keyword_argument")
    cause = first.get("ctx", {}).get("error")
    if not first["loc"]:  # of no single field
        return FovealError(str(cause or first["msg"]))
    position = first["loc"][0]
    name = known[position] if isinstance(position, int) else position
    if first["type"] == "unexpected_keyword_argument":
        return unknown(name, known)
    if first["type"] == "missing":
        return FovealError(f"{name} {'are' if name.endswith('s') else 'is'} missing")
    need = kind.__pydantic_fields__[name].description or cause  # type: ignore[attr-defined]
    if len(first["loc"]) == 1:
        need = _CONTAINERS.get(first["type"], need)
    value = (dict(zip(known, args, strict=False)) | kwargs)[name]
    return FovealError(f"{name}: {list(value) if isinstance(value, tuple) else value!r} (needs {need})")


def unknown(name: str, known: Collection[str]) -> FovealError:
    """What to say of a name that settings do not have."""
    near = difflib.get_close_matches(name, known, n=1)
    return FovealError(f"unknown: {name} ({f'did you mean {near[0]}? ' if near else ''}known: {', '.join(known)})")


def one_of(names: Callable[[], Collection[str]]) -> Callable[[Any], Any]:
    """A validator of fields that take one of some names, which are asked for when a value comes."""

    def check(value: Any) -> Any:
        known = list(names())
        if value not in known:
            raise ValueError(f"one of {', '.join(known)}" if len(known) > 1 else known[0])
        return value

    return check
