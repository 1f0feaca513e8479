"""Names of metrics, and what each is computed from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from foveal.errors import FovealError

Uses = Literal["log_density", "density", "log_likelihood", "information_gain"]
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
        What it takes: a map ("log_density", "density") and fixations; or per-image values of the model and of a
        yardstick ("log_likelihood" and the centre bias's, "information_gain" and the gold standard's).
    takes_any_map
        Is it defined for a saliency map that is no density?
    higher_is_better
        Which end of the scale is good.
    """

    name: str
    function: Callable[..., Any]
    uses: Uses
    takes_any_map: bool
    higher_is_better: bool

    @property
    def takes_map(self) -> bool:
        """Is it computed from a map and fixations, not from other metrics?"""
        return self.uses in ("log_density", "density")


def register_metric(
    name: str, *, uses: Uses, takes_any_map: bool = False, higher_is_better: bool = True
) -> Callable[[Function], Function]:
    """Give a metric function its name."""

    def register(function: Function) -> Function:
        _METRICS[name] = Metric(name, function, uses, takes_any_map, higher_is_better)
        return function

    return register


def list_metrics() -> list[str]:
    """All metrics' names."""
    return list(_METRICS)


def get_metrics(names: Sequence[str] | str) -> list[Metric]:
    """The metrics of these names, in lower or upper case.

    Raises
    ------
    FovealError
        If a name is not known.
    """
    if names == "all":
        return list(_METRICS.values())
    by_lower_case = {name.lower(): metric for name, metric in _METRICS.items()}
    unknown = [name for name in names if name.lower() not in by_lower_case]
    if unknown:
        raise FovealError(f"no metric {unknown[0]!r} (known: {', '.join(_METRICS)})")
    return [by_lower_case[name.lower()] for name in names]
