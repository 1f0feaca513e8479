"""The table of an evaluation, how sure its numbers are, and how it is written."""

import json
import math
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from foveal.errors import FovealError
from foveal.files import write_atomically
from foveal.gaze.given import text, whole_number
from foveal.metrics import Metric, get_metrics
from foveal.metrics.bootstrap import bootstrap_interval
from foveal.metrics.registry import asks_for_all

COLUMNS = ["model", "dataset", "metric", "value", "ci_low", "ci_high", "n_images"]
LABELS = ["model", "dataset", "image"]  # the columns of a table by image that hold no metric
GOLD = "gold_IG"  # the column of the gold standard's information gain
PER_IMAGE_FORMATS = (".csv", ".parquet")
MAIN_METRICS = ("IG", "AUC", "NSS")  # shown first where all are
NO_INTERVAL = 2e-7  # half of one that is what rounding leaves
FEWEST_DIGITS, MOST_DIGITS = 2, 4  # behind the point
LONGEST_NAME = 32  # characters


class Results(pd.DataFrame):
    """The table of an evaluation: model, dataset, metric, value, ci_low, ci_high, n_images.

    Attributes
    ----------
    per_image
        A table of model, dataset, image and one column for each metric that is defined on an image; with
        explained_information, "gold_IG" is the gold standard's information gain.
    problems
        One line for each thing that could not be scored.
    """

    _metadata = ["per_image", "problems"]  # noqa: RUF012 (pandas' own protocol for attributes)
    per_image: pd.DataFrame
    problems: list[str]

    @property
    def _constructor(self) -> Callable[..., pd.DataFrame]:
        return Results

    @classmethod
    def of(cls, per_image: pd.DataFrame, metrics: Sequence[str], problems: Sequence[str], seed: int) -> "Results":
        """Means and intervals from values by image."""
        rows = []
        for (model, dataset), table in per_image.groupby(["model", "dataset"], sort=False):
            for name, statistic, columns in _statistics(table, get_metrics(metrics)):
                interval = bootstrap_interval(statistic, *columns, seed=seed)
                rows.append((model, dataset, name, float(statistic(*columns)), *interval, len(columns[0])))
        results = cls(rows, columns=COLUMNS)
        results.per_image = per_image.reset_index(drop=True)
        results.problems = list(problems)
        return results

    def of_dataset(self, name: str) -> "Results":
        """The part of the table, and of the values by image, that is of one data set."""
        part = Results(self[self["dataset"] == name])
        part.per_image = self.per_image[self.per_image["dataset"] == name]
        part.problems = self.problems
        return part

    def against(self, model: str, *, seed: int = 0) -> pd.DataFrame:
        """How much every other model differs from this one, on the same images.

        Parameters
        ----------
        model
            The name of a model of the table.
        seed
            Of the bootstrap.

        Returns
        -------
        A table as this one, its values being differences (the other minus this one); an interval that leaves out zero
        says that the difference is not one of the choice of images. Images are resampled for both models together.

        Raises
        ------
        FovealError
            If the table has no such model, or lacks columns.
        """
        seed = whole_number(seed, "seed")
        if not set(COLUMNS) <= set(self.columns) or not isinstance(getattr(self, "per_image", None), pd.DataFrame):
            raise FovealError("results: these columns are not the whole table that an evaluation gives")
        if text(model, "model") not in set(self["model"]):
            raise FovealError(f"no model {model!r} among the results ({', '.join(dict.fromkeys(self['model']))})")
        rows = []
        for dataset in dict.fromkeys(self["dataset"]):
            tables = {
                name: table.set_index("image")
                for name, table in self.per_image[self.per_image["dataset"] == dataset].groupby("model", sort=False)
            }
            reference = tables.pop(model, pd.DataFrame())
            for name, table in tables.items():
                here = self[(self["model"] == name) & (self["dataset"] == dataset)]["metric"]
                for metric in get_metrics(list(here)):
                    names = _columns_of(metric)
                    if not set(names) <= set(table.columns) & set(reference.columns):
                        continue
                    theirs = reference[names].add_suffix(" of the reference")
                    both = pd.concat([table[names], theirs], axis=1, join="inner").dropna()
                    if len(both):
                        difference = _difference(_statistic_of(metric), len(names))
                        columns = [both[column].to_numpy() for column in both]
                        interval = bootstrap_interval(difference, *columns, seed=seed)
                        rows.append((name, dataset, metric.name, float(difference(*columns)), *interval, len(both)))
        return pd.DataFrame(rows, columns=COLUMNS)


Statistic = Callable[..., Float[np.ndarray, "*resample"]]


def _statistics(
    table: pd.DataFrame, metrics: Sequence[Metric]
) -> Iterator[tuple[str, Statistic, list[Float[np.ndarray, " image"]]]]:
    """Each metric that the table can give: its name, what to compute, and from which columns."""
    for metric in metrics:
        names = _columns_of(metric)
        if set(names) <= set(table.columns) and len(columns := table[names].dropna()):
            yield metric.name, _statistic_of(metric), [columns[name].to_numpy() for name in names]


def _columns_of(metric: Metric) -> list[str]:
    """The columns of a table by image that a metric's value follows from."""
    return ["IG", GOLD] if metric.uses == "information_gain" else [metric.name]


def column_by_image(metric: str) -> str:
    """The column of a table by image that says how well an image was done under a metric."""
    return _columns_of(get_metrics([metric])[0])[0]


def _statistic_of(metric: Metric) -> Statistic:
    """From those columns to the value of all images."""
    return metric.function if metric.uses == "information_gain" else _mean


def _mean(values: Float[np.ndarray, "*resample image"]) -> Float[np.ndarray, "*resample"]:
    return np.asarray(values.mean(axis=-1))


def _difference(statistic: Statistic, n: int) -> Statistic:
    """The statistic of the first n columns minus that of the others."""
    return lambda *columns: np.asarray(statistic(*columns[:n]) - statistic(*columns[n:]))


def write_json(results: pd.DataFrame, path: str | os.PathLike[str]) -> None:
    """Write a table of results as a list of {"model", "dataset", "metric", "value", "ci_low", "ci_high", "n_images"}.

    Raises
    ------
    FovealError
        If the file cannot be written.
    """
    # A share of nothing (a gold standard no better than the center bias) is no number; JSON says null.
    rows = [
        {key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in row.items()}
        for row in records(results)
    ]
    with write_atomically(path) as temporary:
        temporary.write_text(json.dumps(rows, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def in_order(metrics: Sequence[str] | str) -> list[str]:
    """Names of metrics in the order in which they are shown: that asked for; of "all", the main ones first.

    >>> in_order("nss,IG"), in_order("all")[:4]
    (['NSS', 'IG'], ['IG', 'AUC', 'NSS', 'sAUC'])
    """
    names = [metric.name for metric in get_metrics(metrics)]
    return sorted(names, key=_rank_among_main) if asks_for_all(metrics) else names


def _rank_among_main(metric: str) -> int:
    return MAIN_METRICS.index(metric) if metric in MAIN_METRICS else len(MAIN_METRICS)


def digits_of(table: pd.DataFrame) -> int:
    """How many digits behind the point the values of one metric deserve: those that their narrowest interval leaves.

    Half an interval tells its first digit, and the second if the first is 1. Values without an interval tell nothing.

    >>> digits_of(pd.DataFrame({"ci_low": [0.91, 0.5], "ci_high": [0.926, 0.5]}))
    3
    """
    halves = (table["ci_high"] - table["ci_low"]) / 2
    half = float(halves[halves > NO_INTERVAL].min())
    if not math.isfinite(half):
        return FEWEST_DIGITS
    digits = -math.floor(math.log10(half))
    digits += half * 10**digits < 2
    return min(max(digits, FEWEST_DIGITS), MOST_DIGITS)


def in_digits(value: float, digits: int) -> str:
    """A number with so many digits behind the point, and no minus before a zero.

    >>> in_digits(-0.0004, 2), in_digits(0.125, 2), in_digits(math.nan, 2)
    ('0.00', '0.12', '–')
    """
    return "–" if math.isnan(value) else f"{round(value, digits) + 0:.{digits}f}"  # adding zero takes the minus away


def short_names(names: Sequence[str]) -> dict[str, str]:
    """What each name is shown as: a file by its folder and stem, a long name without its middle; no two alike.

    >>> short_names(["bms", "/data/runs/a/weights.safetensors", "/data/runs/b/weights.safetensors"]).values()
    dict_values(['bms', 'a/weights', 'b/weights'])
    """
    choices = {name: _shorter(name) for name in names}
    shown = {name: shorter.pop(0) for name, shorter in choices.items()}
    while alike := [name for name, n in Counter(shown.values()).items() if n > 1]:
        for name, short in shown.items():
            if short in alike and choices[name]:
                shown[name] = choices[name].pop(0)
    return shown


def _shorter(name: str) -> list[str]:
    """Ways to show a name, the shortest first, itself last."""
    parts = Path(name).parts
    if len(parts) < 2 and not name.endswith(".safetensors"):
        return [_without_middle(name), name]
    stems = [*parts[:-1], parts[-1].removesuffix(".safetensors")]
    tails = ["/".join(stems[-n:]) for n in range(2, len(stems) + 1)] or stems
    return [*map(_without_middle, tails), *tails, name]


def _without_middle(name: str) -> str:
    half = LONGEST_NAME // 2
    return name if len(name) <= LONGEST_NAME else f"{name[: half - 1]}…{name[-half:]}"


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table as dictionaries."""
    return [{str(key): value for key, value in row.items()} for row in table.to_dict(orient="records")]


def write_per_image(per_image: pd.DataFrame, path: str | os.PathLike[str]) -> None:
    """Write values by image as .csv or .parquet, whichever the path ends with.

    Raises
    ------
    FovealError
        If it ends otherwise, or cannot be written.
    """
    check_per_image_format(path)
    with write_atomically(path) as temporary:
        if temporary.suffix.lower() == ".csv":
            per_image.to_csv(temporary, index=False)
        else:
            per_image.to_parquet(temporary, index=False)


def check_per_image_format(path: str | os.PathLike[str]) -> None:
    """Make sure that values by image can be written in the format that this path asks for.

    Raises
    ------
    FovealError
        If they cannot.
    """
    if Path(path).suffix.lower() not in PER_IMAGE_FORMATS:
        raise FovealError(f"{path}: values by image are written as {' or '.join(PER_IMAGE_FORMATS)}")
