"""Names of metrics, and what each is computed from."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args

from foveal.discovery import import_all
from foveal.errors import FovealError
from foveal.gaze.given import texts
from foveal.metrics.arguments import FIXATIONS, MAPS, SHARES, checked_on_maps, checked_on_values
from foveal.registry import Registry, no_such

Uses = Literal[
    "log_density",
    "density",
    "blurred",
    "over_center_bias",
    "similarity_map",
    "log_likelihood",
    "information_gain",
]
ON_VALUES = ("log_likelihood", "information_gain")  # of the above, those that are values by image
Function = TypeVar("Function", bound=Callable[..., Any])

_METRICS = Registry["Metric"]("metric")


@dataclass(frozen=True)
class Metric:
    """A registered metric.

    Attributes
    ----------
    name, function
        What it is called, what computes it: with its arguments checked (`foveal.metrics.arguments`).
    uses
        What its first argument is: the form of a density that is best for it (a name of `foveal.metrics.forms`); or
        per-image values ("log_likelihood", "information_gain").
    needs
        What its other arguments without a default are: "fixations", "nonfixations" (all other images', rescaled),
        "ten_others" (of ten other images only), "empirical_map", "center_bias" (a density); of metrics on per-image
        values, the yardstick's.
    shares
        What it would compute of its map first, and takes ready-made: "pixels" (`foveal.metrics.maps.pixel_ranks`).
    draws
        Does it draw at random, from a `seed` that it takes?
    equalizes
        Is a density best for it when each value counts as its rank, which it is told by `equalize`?
    takes_any_map
        Is it defined for a saliency map that is no density?
    higher_is_better
        Which end of the scale is good.
    unit
        Of its values; empty for a pure number.
    chance
        What a map that knows nothing has; None where that depends on the data.
    meaning
        What it says, in one short sentence.
    """

    name: str
    function: Callable[..., Any]
    uses: Uses
    needs: tuple[str, ...]
    shares: tuple[str, ...]
    draws: bool
    equalizes: bool
    takes_any_map: bool
    higher_is_better: bool
    unit: str
    chance: float | None
    meaning: str

    @property
    def takes_map(self) -> bool:
        """Is it computed from a map, not from other metrics?"""
        return self.uses not in ON_VALUES

    @property
    def needs_other_images(self) -> bool:
        """Does it rest on the fixations of other images?"""
        return (
            not self.takes_map
            or self.uses == "over_center_bias"
            or not {"nonfixations", "ten_others", "center_bias"}.isdisjoint(self.needs)
        )


def register_metric(
    name: str,
    *,
    uses: Uses,
    takes_any_map: bool = False,
    higher_is_better: bool = True,
    unit: str = "",
    chance: float | None = None,
    meaning: str = "",
) -> Callable[[Function], Function]:
    """Give a metric function its name; the names of its parameters say what it needs.

    The first is its map, or for a metric on values by image, the model's. Those without a default are what
    `Metric.needs` lists; "pixels", "seed" and "equalize" are given where the function has them; any other has a default
    and is left at it. What is registered, and what the decorated name then is, is the function with its arguments
    checked.

    Parameters
    ----------
    name, uses, takes_any_map, higher_is_better, unit, chance, meaning
        See `Metric`.

    Raises
    ------
    FovealError
        If nothing of that kind can be given to the function, or another metric has the name.

    >>> @register_metric("darkness", uses="density")  # doctest: +ELLIPSIS
    ... def darkness(saliency, fixation): ...
    Traceback (most recent call last):
        ...
    foveal.errors.FovealError: metric 'darkness': nothing is called 'fixation' (known: fixations, ...
    """

    def register(function: Function) -> Function:
        parameters = list(inspect.signature(function).parameters.values())
        needs = tuple(p.name for p in parameters[1:] if p.default is p.empty)
        if why_not := _why_not(uses, len(parameters), needs):
            raise FovealError(f"metric {name!r}: {why_not}")
        checked = (checked_on_values if uses in ON_VALUES else checked_on_maps)(function, name)
        names = {p.name for p in parameters}
        shares = tuple(share for share in SHARES if share in names)
        draws, equalizes = "seed" in names, "equalize" in names
        metric = Metric(
            name,
            checked,
            uses,
            needs,
            shares,
            draws,
            equalizes,
            takes_any_map,
            higher_is_better,
            unit,
            chance,
            meaning,
        )
        _METRICS.add(name, metric, of=function)
        return checked

    return register


def _why_not(uses: str, n_parameters: int, needs: Sequence[str]) -> str | None:
    """What keeps a function of these parameters from being a metric; None if naught."""
    if uses not in get_args(Uses):
        return f"nothing is called {uses!r} that it could use (known: {', '.join(get_args(Uses))})"
    if uses in ON_VALUES:
        two = n_parameters == 2 and len(needs) == 1
        return None if two else "a function of values by image takes two arguments: the model's, the yardstick's"
    known = (*FIXATIONS, *MAPS)
    unknown = [need for need in needs if need not in known]
    if unknown:
        return f"nothing is called {unknown[0]!r} (known: {', '.join(known)}; another parameter needs a default)"
    return None if n_parameters else "its function takes no map"


def list_metrics() -> list[str]:
    """All metrics' names: those of Foveal, and of packages that name a module under the entry points foveal.metrics."""
    import_all("foveal.metrics")
    return list(_METRICS)


def asks_for_all(names: Sequence[str] | str) -> bool:
    """Is "all" among the names of metrics, in lower or upper case?"""
    return "all" in [name.lower() for name in texts(names, "metrics")]


def get_metrics(names: Sequence[str] | str) -> list[Metric]:
    """The metrics of these names, in lower or upper case, each once; "all", alone or among them, is all of them.

    Names come in a list, or in one text with commas between them.

    Raises
    ------
    FovealError
        If a name is not known.

    >>> [metric.name for metric in get_metrics("ig, auc")]
    ['IG', 'AUC']
    """
    known = list_metrics()
    if asks_for_all(names):
        return _METRICS.values()
    names = texts(names, "metrics")
    by_lower_case = {metric.name.lower(): metric for metric in _METRICS.values()}
    unknown = [name for name in names if name.lower() not in by_lower_case]
    if unknown:
        raise FovealError(no_such("metric", unknown[0], known))
    return list({by_lower_case[name.lower()].name: by_lower_case[name.lower()] for name in names}.values())
