"""report.html: what a benchmark found, in one file that needs no other."""

import base64
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import pandas as pd
from jaxtyping import Float
from jinja2 import Environment, PackageLoader

from foveal import __version__
from foveal.benchmark.results import Results, records
from foveal.datasets.folder import ASSUMED_PIXELS_PER_DEGREE
from foveal.errors import FovealError
from foveal.figures import bars_svg, overlay
from foveal.files import write_atomically
from foveal.gaze import Dataset, fixation_map
from foveal.images import RGBImage
from foveal.metrics import get_metrics
from foveal.metrics.bootstrap import CONFIDENCE

EXAMPLE_WIDTH = 360  # px of a picture in the report
JPEG_QUALITY = 82
MAIN_METRICS = ("IG", "AUC", "NSS")  # stand first; the table of categories shows the first that was computed

LogDensity = Float[np.ndarray, "height width"]


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
    """

    data: Dataset
    examples: Mapping[int, Mapping[str, LogDensity]]
    n_trained_on: Mapping[str, int]


def write_report(results: Results, sections: Sequence[Section], path: str | os.PathLike[str], *, key: str = "") -> None:
    """Write the report: for each data set a sortable table, bars, values by category, and examples.

    `key` is written into its head: what it was made of.

    Raises
    ------
    FovealError
        If the file cannot be written.
    """
    environment = Environment(
        loader=PackageLoader("foveal.benchmark", "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    page = environment.get_template("report.html").render(
        version=__version__,
        key=key,
        confidence=f"{CONFIDENCE:.0%}",
        sections=[_describe(section, results) for section in sections],
        problems=results.problems,
        notes=[note for section in sections for note in section.data.notes],
    )
    with write_atomically(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _describe(section: Section, results: Results) -> dict[str, Any]:
    """All that the page says of one data set."""
    data = section.data
    table = pd.DataFrame(results)[results["dataset"] == data.name]
    models = list(dict.fromkeys(table["model"]))
    metrics = sorted(dict.fromkeys(table["metric"]), key=lambda metric: metric not in MAIN_METRICS)  # all do not fit
    cells = {(row["model"], row["metric"]): row for row in records(table)}
    by_metric = {metric: [row for row in records(table) if row["metric"] == metric] for metric in metrics}
    return {
        "name": data.name,
        "licence": data.licence,
        "citation": data.citation,
        "n_images": int(table["n_images"].max()),
        "n_images_in_all": len(data),
        "n_trained_on": section.n_trained_on,
        "metrics": [
            {"name": metric.name, "higher_is_better": metric.higher_is_better} for metric in get_metrics(metrics)
        ],
        "rows": [(model, [cells.get((model, metric)) for metric in metrics]) for model in models],
        "bars": [(metric, _bars(rows)) for metric, rows in by_metric.items()],
        "categories": _by_category(results, data, models, metrics),
        "examples": [
            _pictures(data, image, maps) for image, maps in section.examples.items() if _is_readable(data, image)
        ],
    }


def _bars(rows: Sequence[dict[str, Any]]) -> str:
    known = [row for row in rows if not math.isnan(row["value"])]
    intervals = [(row["ci_low"], row["ci_high"]) for row in known]
    return bars_svg([row["model"] for row in known], [row["value"] for row in known], intervals)


def _by_category(
    results: Results, data: Dataset, models: Sequence[str], metrics: Sequence[str]
) -> dict[str, Any] | None:
    """Means of one metric over the images of each category; None where the data set has none."""
    metric = next((name for name in MAIN_METRICS if name in metrics), None)
    if not data.categories or metric is None:
        return None
    per_image = results.per_image[results.per_image["dataset"] == data.name]
    category = per_image["image"].map(dict(zip(data.stimuli.ids, data.categories, strict=True)))
    means = per_image.assign(category=category).pivot_table(metric, "category", "model", sort=False)
    count = category[per_image["model"] == models[0]].value_counts()
    shown = [model for model in models if model in means]
    rows = [(name, int(count[name]), means.loc[name, shown].tolist()) for name in count.index if name in means.index]
    return {"metric": metric, "models": shown, "rows": rows}


def _is_readable(data: Dataset, image: int) -> bool:
    """A photograph that cannot be read is among the problems already, where pixels were needed."""
    return bool(data.stimuli.read([image])[0])


def _pictures(data: Dataset, image: int, maps: Mapping[str, LogDensity]) -> dict[str, Any]:
    """A photograph, where people looked, and where every model says that they do."""
    stimulus = data.stimuli[image]
    photograph = stimulus.image
    sigma = stimulus.pixels_per_degree or ASSUMED_PIXELS_PER_DEGREE
    empirical = fixation_map(data.fixations.for_image(image), stimulus.size, sigma=sigma)
    people = np.log(np.maximum(empirical, np.finfo(np.float32).tiny))
    pictures = [("photograph", photograph), ("people", overlay(photograph, people))]
    pictures += [(model, overlay(photograph, log_density)) for model, log_density in maps.items()]
    return {"id": stimulus.id, "pictures": [(label, _data_uri(picture)) for label, picture in pictures]}


def _data_uri(picture: RGBImage) -> str:
    """A small JPEG, written into the page itself."""
    height = max(1, round(picture.shape[0] * EXAMPLE_WIDTH / picture.shape[1]))
    small = cv2.resize(picture, (EXAMPLE_WIDTH, height), interpolation=cv2.INTER_AREA)
    done, jpeg = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise FovealError("a picture of the report could not be encoded as JPEG")
    return "data:image/jpeg;base64," + base64.b64encode(jpeg.tobytes()).decode()
