"""report.html: what a benchmark found, in one file that needs no other."""

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from foveal.benchmarking.page_parts import page_environment, picture_uri
from foveal.benchmarking.results import (
    Results,
    column_by_image,
    digits_of,
    in_digits,
    records,
    short_names,
)
from foveal.benchmarking.yardsticks import YARDSTICKS
from foveal.figures import Axis, overlay
from foveal.files import write_atomically
from foveal.gaze import Dataset, fixation_map
from foveal.metrics import Metric, get_metrics
from foveal.metrics.bootstrap import CONFIDENCE

EXAMPLE_WIDTH = 360  # px of a picture in the report
MOST_IN_A_ROW = 6  # pictures
N_EXTREMES = 3  # images that the best model does best, and as many that it does worst
LEADING = "IG"  # the metric that says which model is best, if it was computed; else the first

LogDensity = Float[np.ndarray, "height width"]
Cell = dict[str, Any]


@dataclass(frozen=True)
class Section:
    """One data set of a report.

    Attributes
    ----------
    data
        The whole of it.
    examples
        Example images, with the log density of every model.
    n_trained_on
        How many of its images that are scored the models were trained on that were trained on some.
    best
        The model that the others are compared with.
    extremes
        The images that it does best, the best first, and the images that it does worst, the worst last; with its log
        density.
    """

    data: Dataset
    examples: Mapping[int, Mapping[str, LogDensity]]
    n_trained_on: Mapping[str, int]
    best: str
    extremes: Mapping[int, Mapping[str, LogDensity]]


def leading_metric(columns: Sequence[str]) -> str:
    """The metric that says which model is best."""
    return LEADING if LEADING in columns else columns[0]


def best_model(table: pd.DataFrame, metric: str) -> str:
    """The best of the models of a table; a yardstick only where there is nothing else."""
    values = table[table["metric"] == metric].dropna(subset="value").set_index("model")["value"]
    if values.empty:
        return str(table["model"].iloc[0])
    models = values[~values.index.isin(YARDSTICKS)]
    candidates = values if models.empty else models
    [of] = get_metrics([metric])
    return str(candidates.idxmax() if of.higher_is_better else candidates.idxmin())


def extreme_images(per_image: pd.DataFrame, metric: str) -> list[str]:
    """The names of the images with a model's best values, the best first, and with its worst, the worst last."""
    column = column_by_image(metric)
    if column not in per_image:
        return []
    [of] = get_metrics([metric])
    known = per_image.dropna(subset=column).sort_values(column, ascending=not of.higher_is_better, kind="stable")
    n = min(N_EXTREMES, len(known) // 2)
    names = known["image"].tolist()
    return [*names[:n], *names[len(names) - n :]]


def write_report(
    results: Results,
    sections: Sequence[Section],
    columns: Sequence[str],
    path: str | os.PathLike[str],
    *,
    key: str = "",
) -> None:
    """Write the report: for each data set tables, points with intervals, differences, categories and pictures.

    Parameters
    ----------
    results
        Of all data sets.
    sections
        What else is shown of each.
    columns
        The metrics, in the order in which they are shown.
    path
        The file.
    key
        Is written into its head: what it was made of.

    Raises
    ------
    FovealError
        If the file cannot be written.
    """
    environment = page_environment("foveal.benchmarking")
    shown = short_names(list(dict.fromkeys(results["model"])))
    environment.filters["short"] = lambda name: shown.get(name, name)
    page = environment.get_template("report.html").render(
        version=version("foveal"),
        key=key,
        confidence=f"{CONFIDENCE:.0%}",
        sections=[_describe(section, results, columns) for section in sections],
        problems=results.problems,
        notes=[note for section in sections for note in section.data.notes],
    )
    with write_atomically(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _describe(section: Section, results: Results, columns: Sequence[str]) -> dict[str, Any]:
    """All that the page says of one data set."""
    data = section.data
    of_data = results.of_dataset(data.name)
    models = list(dict.fromkeys(of_data["model"]))
    computed = set(of_data["metric"])
    metrics = get_metrics([name for name in columns if name in computed])
    leading = leading_metric([metric.name for metric in metrics])
    differences = of_data.against(section.best) if len(models) > 1 else None
    return {
        "name": data.name,
        "licence": data.licence,
        "citation": data.citation,
        "n_images": int(of_data["n_images"].max()),
        "n_images_in_all": len(data),
        "n_trained_on": section.n_trained_on,
        "metrics": metrics,
        "leading": leading,
        "best": section.best,
        "rows": _rows(of_data, models, metrics, mark_best=True),
        "differences": [] if differences is None else _rows(differences, models, metrics, leave_out=section.best),
        "charts": [_chart(of_data[of_data["metric"] == metric.name], metric) for metric in metrics],
        "categories": _by_category(of_data, data, models, leading),
        "columns": _columns_of(2 + len(models)),
        "examples": _all_pictures(data, section.examples),
        "extremes": _extremes(section, of_data, leading),
    }


def _rows(
    table: pd.DataFrame,
    models: Sequence[str],
    metrics: Sequence[Metric],
    *,
    mark_best: bool = False,
    leave_out: str | None = None,
) -> list[tuple[str, list[Cell | None]]]:
    """A row for each model, with a cell for each metric; the best model of each column can be marked."""
    cells: dict[tuple[str, str], Cell | None] = {}
    for metric in metrics:
        of_metric = table[table["metric"] == metric.name]
        digits = digits_of(of_metric)
        cells |= {(row["model"], metric.name): _cell(row, digits) for row in records(of_metric)}
        rivals = of_metric[~of_metric["model"].isin(YARDSTICKS)].dropna(subset="value")
        if mark_best and len(rivals) > 1:
            best = cells[best_model(rivals, metric.name), metric.name]
            assert best is not None  # it has a value
            best["best"] = True
    return [(model, [cells.get((model, metric.name)) for metric in metrics]) for model in models if model != leave_out]


def _cell(row: dict[str, Any], digits: int) -> Cell | None:
    """A value as it is shown, with its interval, and whether that leaves out zero; without one where it has none."""
    if math.isnan(row["value"]):
        return None
    low, high = row["ci_low"], row["ci_high"]
    return {
        "value": row["value"],
        "text": in_digits(row["value"], digits),
        "interval": f"{in_digits(low, digits)} … {in_digits(high, digits)}" if low < high else "",
        "is_sure": low > 0 or high < 0,
        "n_images": row["n_images"],
    }


def _chart(rows: pd.DataFrame, metric: Metric) -> dict[str, Any]:
    """A point with its interval for each model, where they stand on the axis."""
    known = rows.dropna(subset=["value", "ci_low", "ci_high"])
    axis = Axis.over(known[["value", "ci_low", "ci_high"]].to_numpy().ravel().tolist(), metric.chance)
    return {
        "metric": metric,
        "points": [
            (row["model"], *(axis.percent(row[column]) for column in ("ci_low", "value", "ci_high")))
            for row in records(known)
        ],
        "chance": None if metric.chance is None else axis.percent(metric.chance),
        "ticks": [(axis.percent(tick), f"{tick:g}") for tick in axis.ticks],
    }


def _by_category(of_data: Results, data: Dataset, models: Sequence[str], metric: str) -> dict[str, Any] | None:
    """Means of one metric over the images of each category; None where the data set has none."""
    if not data.categories:
        return None
    per_image = of_data.per_image
    category = per_image["image"].map(dict(zip(data.stimuli.ids, data.categories, strict=True)))
    tables = {name: Results.of(table, [metric], [], 0) for name, table in per_image.groupby(category, sort=False)}
    tables = {name: table for name, table in tables.items() if len(table)}
    if not tables:
        return None
    digits = digits_of(pd.concat(tables.values()))
    rows = []
    for name, table in sorted(tables.items(), key=lambda item: -item[1]["n_images"].max()):
        cells = {row["model"]: _cell(row, digits) for row in records(table)}
        rows.append((name, int(table["n_images"].max()), [cells.get(model) for model in models]))
    return {"metric": get_metrics([metric])[0], "models": models, "rows": rows}


def _columns_of(n: int) -> int:
    """How many pictures stand in a row: rows as full as can be."""
    return math.ceil(n / math.ceil(n / MOST_IN_A_ROW))


def _extremes(section: Section, of_data: Results, metric: str) -> list[dict[str, Any]]:
    """The images that the best model does best, and worst, with its value."""
    column, per_image = column_by_image(metric), of_data.per_image
    mine = per_image[per_image["model"] == section.best]
    examples = _all_pictures(section.data, section.extremes)
    for example in examples:
        example["value"] = in_digits(float(mine.set_index("image")[column][example["id"]]), 2)
    return examples


def _all_pictures(data: Dataset, images: Mapping[int, Mapping[str, LogDensity]]) -> list[dict[str, Any]]:
    return [_pictures(data, image, maps) for image, maps in images.items() if _is_readable(data, image)]


def _is_readable(data: Dataset, image: int) -> bool:
    """A photograph that cannot be read is among the problems already, where pixels were needed."""
    return bool(data.stimuli.read([image])[0])


def _pictures(data: Dataset, image: int, maps: Mapping[str, LogDensity]) -> dict[str, Any]:
    """A photograph, where people looked, and where every model says that they do."""
    stimulus = data.stimuli[image]
    photograph = stimulus.image
    sigma = stimulus.assumed_pixels_per_degree
    empirical = fixation_map(data.fixations.for_image(image), stimulus.size, sigma=sigma)
    people = np.log(np.maximum(empirical, np.finfo(np.float32).tiny))
    pictures = [("photograph", photograph)]
    for label, log_density in {"people": people, **maps}.items():
        pictures.append((label, overlay(photograph, log_density, largest_side=2 * EXAMPLE_WIDTH)))
    return {
        "id": stimulus.id,
        "pictures": [(label, picture_uri(picture, EXAMPLE_WIDTH)) for label, picture in pictures],
    }
