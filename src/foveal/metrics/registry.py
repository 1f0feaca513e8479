"""Names of metrics, and what each is computed from."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from foveal.errors import FovealError

Uses = Literal[
    "log_density",
    "density",
    "blurred",
    "over_center_bias",
    "similarity_map",
    "log_likelihood",
    "information_gain",
]
Function = TypeVar("Function", bound=Callable[..., Any])

_METRICS: dict[str, "Metric"] = {}


@dataclass(frozen=True)
class Metric:
    """A registered metric.

    Attributes
    ----------
    name, function
        What it is called, what computes it.
    uses
        What its first argument is: the form of a density that is best for it (a name of `foveal.metrics.forms`); or
        per-image values ("log_likelihood", "information_gain").
    needs
        What its other arguments without a default are: "fixations", "nonfixations" (all other images', rescaled),
        "ten_others" (of ten other images only), "empirical_map", "center_bias" (a density); of metrics on per-image
        values, the yardstick's.
    shares
        What it would compute of its map first, and takes ready-made: keyword arguments whose default is None.
    draws
        Does it draw at random, from a `seed` that it takes?
    equalizes
        Is a density best for it when each value counts as its rank, which it is told by `equalize`?
    takes_any_map
        Is it defined for a saliency map that is no density?
    higher_is_better
        Which end of the scale is good.
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

    @property
    def takes_map(self) -> bool:
        """Is it computed from a map, not from other metrics?"""
        return self.uses not in ("log_likelihood", "information_gain")

    @property
    def needs_other_images(self) -> bool:
        """Does it rest on the fixations of other images?"""
        return (
            not self.takes_map
            or self.uses == "over_center_bias"
            or not {"nonfixations", "ten_others", "center_bias"}.isdisjoint(self.needs)
        )


def register_metric(
    name: str, *, uses: Uses, takes_any_map: bool = False, higher_is_better: bool = True
) -> Callable[[Function], Function]:
    """Give a metric function its name; the names of its parameters say what it needs."""

    def register(function: Function) -> Function:
        parameters = list(inspect.signature(function).parameters.values())
        needs = tuple(p.name for p in parameters[1:] if p.default is p.empty)
        shares = tuple(p.name for p in parameters if p.default is None)
        names = {p.name for p in parameters}
        draws, equalizes = "seed" in names, "equalize" in names
        _METRICS[name] = Metric(name, function, uses, needs, shares, draws, equalizes, takes_any_map, higher_is_better)
        return function

    return register


def list_metrics() -> list[str]:
    """All metrics' names."""
    return list(_METRICS)


def get_metrics(names: Sequence[str] | str) -> list[Metric]:
    """The metrics of these names, in lower or upper case, each once; "all", alone or among them, is all of them.

    Raises
    ------
    FovealError
        If a name is not known.
    """
    if names == "all" or "all" in names:
        return list(_METRICS.values())
    by_lower_case = {name.lower(): metric for name, metric in _METRICS.items()}
    unknown = [name for name in names if name.lower() not in by_lower_case]
    if unknown:
        raise FovealError(f"no metric {unknown[0]!r} (known: {', '.join(_METRICS)})")
    return list({by_lower_case[name.lower()].name: by_lower_case[name.lower()] for name in names}.values())
