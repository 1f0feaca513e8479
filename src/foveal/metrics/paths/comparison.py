"""The path metrics by name, and two scanpaths compared by several of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from foveal.errors import FovealError
from foveal.gaze import Fixations
from foveal.gaze.given import positive_number, texts
from foveal.metrics.paths.multimatch import MultiMatch, multi_match
from foveal.metrics.paths.path import path_of
from foveal.metrics.paths.scanmatch import scan_match
from foveal.metrics.paths.string_edit import edit_similarity
from foveal.metrics.paths.time_warping import dynamic_time_warping
from foveal.registry import no_such

TIME_BIN = 50  # ms, of ScanMatch with durations
Size = tuple[int, int]


@dataclass(frozen=True)
class PathMetric:
    """A way to compare two scanpaths.

    Attributes
    ----------
    name
        What it is asked for by.
    numbers
        The names of the numbers that it gives.
    compare
        From two scanpaths and the (height, width) of their photograph to these numbers.
    higher_is_better
        Are scanpaths that are alike those with high numbers?
    unit
        Of the numbers: "px" becomes degrees where the scale is known; empty for pure numbers.
    needs_duration
        Must the duration of every fixation be known?
    """

    name: str
    numbers: tuple[str, ...]
    compare: Callable[[Fixations, Fixations, Size], Sequence[float]]
    higher_is_better: bool = True
    unit: str = ""
    needs_duration: bool = False


PATH_METRICS = {
    metric.name: metric
    for metric in (
        PathMetric("ScanMatch", ("ScanMatch",), lambda a, b, size: [scan_match(a, b, size)]),
        PathMetric(
            "ScanMatch_duration",
            ("ScanMatch_duration",),
            lambda a, b, size: [scan_match(a, b, size, time_bin=TIME_BIN)],
            needs_duration=True,
        ),
        PathMetric("MultiMatch", tuple(f"MultiMatch_{name}" for name in MultiMatch._fields), multi_match),
        PathMetric("edit", ("edit",), lambda a, b, size: [edit_similarity(a, b, size)]),
        PathMetric("DTW", ("DTW",), lambda a, b, _: [dynamic_time_warping(a, b)], higher_is_better=False, unit="px"),
    )
}


def get_path_metrics(names: Sequence[str] | str = "all", *, with_durations: bool = True) -> list[PathMetric]:
    """The path metrics of these names; of "all", without durations, those that need none.

    Raises
    ------
    FovealError
        If there is none of a name, or it needs durations, which are not known.
    """
    if names == "all":
        return [metric for metric in PATH_METRICS.values() if with_durations or not metric.needs_duration]
    chosen = []
    for name in texts(names, "path metrics"):
        if name not in PATH_METRICS:
            raise FovealError(no_such("path metric", name, list(PATH_METRICS)))
        if PATH_METRICS[name].needs_duration and not with_durations:
            raise FovealError(f"{name} needs the duration of every fixation")
        chosen.append(PATH_METRICS[name])
    return chosen


def compare_paths(
    first: Fixations,
    second: Fixations,
    size: Size,
    *,
    pixels_per_degree: float | int | None = None,
    metrics: Sequence[str] | str = "all",
) -> dict[str, float]:
    """The numbers of several metrics for two scanpaths, by name.

    Parameters
    ----------
    first, second
        Fixations of one observer on one photograph each: two people's, or a model's and a person's.
    size
        Height and width of the photograph in px.
    pixels_per_degree
        Of the photograph; distances are in degrees of visual angle if it is given, else in px.
    metrics
        Their names, in a list or in one text with commas between them. "all" leaves out those that need durations
        where one is not known.

    Raises
    ------
    FovealError
        If one is no scanpath, there is no metric of a name, or it needs durations, which are not known.

    >>> path = Fixations.of([0, 0, 0], [10, 90, 50], [5, 5, 60])
    >>> compare_paths(path, path, (80, 120), metrics="ScanMatch,DTW")
    {'ScanMatch': 1.0, 'DTW': 0.0}
    """
    scale = 1.0 if pixels_per_degree is None else positive_number(pixels_per_degree, "pixels_per_degree")
    with_durations = all(np.isfinite(path_of(path).duration).all() for path in (first, second))
    compared: dict[str, float] = {}
    for metric in get_path_metrics(metrics, with_durations=bool(with_durations)):
        values = metric.compare(first, second, size)
        if metric.unit == "px":
            values = [value / scale for value in values]
        compared |= zip(metric.numbers, values, strict=True)
    return compared
