"""What can be asked for by name: models, metrics, data sets, losses."""

import difflib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

from foveal.errors import FovealError

Thing = TypeVar("Thing")


class Registry(Generic[Thing]):
    """Things of one kind by their names, in the order in which they came.

    >>> losses = Registry[Any]("loss")
    >>> losses.add("cosine", max, of=max)
    >>> losses.get("cosin")
    Traceback (most recent call last):
        ...
    foveal.errors.FovealError: no loss 'cosin' (did you mean cosine? known: cosine)
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._things: dict[str, Thing] = {}
        self._places: dict[str, str] = {}

    def add(self, name: str, thing: Thing, *, of: Callable[..., Any]) -> None:
        """Give a thing its name; `of` is the class or function that it stands for.

        The same class or function may come again, when its module is imported anew.

        Raises
        ------
        FovealError
            If another one has the name.
        """
        place = f"{of.__module__}.{of.__qualname__}"
        if (other := self._places.get(name, place)) != place:
            raise FovealError(f"{self._kind} {name!r}: {other} is called so already; choose another name")
        self._things[name], self._places[name] = thing, place

    def get(self, name: str) -> Thing:
        """The thing of this name.

        Raises
        ------
        FovealError
            If there is none.
        """
        if name not in self:
            raise FovealError(no_such(self._kind, name, self))
        return self._things[name]

    def values(self) -> list[Thing]:
        """All things."""
        return list(self._things.values())

    def __contains__(self, name: str) -> bool:
        return name in self._things

    def __iter__(self) -> Iterator[str]:
        return iter(self._things)


def no_such(kind: str, name: str, known: Iterable[str], also: str = "") -> str:
    """One line that says that nothing has a name, and what has; `also` is what else could be given.

    >>> no_such("model", "BMS", ["bms", "itti"], also="or a file")
    "no model 'BMS' (did you mean bms? known: bms, itti; or a file)"
    """
    by_lower_case = {one.lower(): one for one in known}
    near = difflib.get_close_matches(name.lower(), by_lower_case, n=1)
    meant = f"did you mean {by_lower_case[near[0]]}? " if near else ""
    return f"no {kind} {name!r} ({meant}known: {', '.join(by_lower_case.values())}{also and '; '}{also})"
