"""`foveal evaluate`: score models against the fixations of a data set."""

import os
import warnings
from collections.abc import Iterator, Sequence
from numbers import Integral

import numpy as np
import pandas as pd
import torch
from jaxtyping import Int

from foveal.benchmarking.entries import Entry, Scorable, make_entries
from foveal.benchmarking.observations import Observations
from foveal.benchmarking.predictions import Predictions
from foveal.benchmarking.results import GOLD, LABELS, Results
from foveal.benchmarking.scoring import Scores, score
from foveal.benchmarking.yardsticks import Yardsticks
from foveal.datasets import load_dataset
from foveal.errors import FovealError, FovealNote
from foveal.gaze import Dataset
from foveal.gaze.given import listed, pair, whole_number
from foveal.metrics import Metric, get_metrics
from foveal.models import SaliencyModel
from foveal.progress import Progress, Report


def evaluate(
    models: Sequence[Scorable] | Scorable,
    dataset: Dataset | str | os.PathLike[str],
    metrics: Sequence[str] | str = "all",
    *,
    data_root: str | os.PathLike[str] | None = None,
    split: str | None = None,
    limit: int | None = None,
    window: tuple[float | int, float | int] | None = None,
    order: tuple[int, int] | int | None = None,
    raw: bool = False,
    device: str | torch.device = "cpu",
    seed: int = 0,
    progress: Report | None = None,
) -> Results:
    """Score models on the fixations of a data set: means over images with 95 % bootstrap intervals over images.

    Of a density, each metric judges the map that is best for it (`foveal.metrics.forms`). The baselines "centerbias"
    and "gold", given by name, are made from the data set itself, cross-validated over images and over observers: from
    the whole of it, also when only a part is scored. The baseline of IG is that center bias. Images without fixations
    are left out.

    Parameters
    ----------
    models
        One or several models, names of models, files of weights, or `Predictions` from files.
    dataset
        A data set, the name of one, or the path of a folder.
    metrics
        Names of metrics, in a list or in one text with commas between them. "all" leaves out what the data set
        or a raw map cannot give.
    data_root
        Where the data sets of the catalogue lie.
    split, limit
        Score only this named part of the data set, and of what is left only the first so many images.
    window, order
        Only the fixations that began in this time (`Dataset.between`), or have this number or these numbers, from the
        first to the last (`Dataset.nth`). Center bias and gold standard are made from the same ones. They are named in
        the column `dataset`.
    raw
        Score saliency maps as the models compute them instead of calibrated densities; only for metrics that take any
        map.
    device
        Where models that are given by name compute.
    seed
        Of the bootstrap, and of what single metrics draw.
    progress
        Called with a model's name, the number of images done and of all.

    Raises
    ------
    FovealError
        If a model, metric or data set is not known, or they do not go together.
    """
    get_metrics(metrics)  # a name that is none is said before anything is read
    data = dataset if isinstance(dataset, Dataset) else load_dataset(dataset, data_root)
    data, which = _chosen(data, window, order)
    images = images_to_score(data, split, limit)
    if isinstance(models, SaliencyModel | Predictions | str | os.PathLike):
        models = [models]
    models = listed(models, "models")
    yardsticks = Yardsticks(data)
    entries = make_entries(models, data, yardsticks, metrics, raw=raw, device=device, images=images)
    observations = Observations(data, yardsticks, seed)
    report = Progress.of(progress)

    tables, problems = [], list(data.problems)
    for entry in entries:
        scores: Scores = {}
        for batch_scores, batch_problems in scores_of(entry, images.tolist(), entry.on_maps, observations):
            scores |= batch_scores
            problems += [problem for problem in batch_problems if problem not in problems]
            report(entry.name, len(scores), len(images))
        if scores:
            tables.append(finished_table(scores, entry.name, entry.metrics, yardsticks))
        else:
            problems.append(f"{data.name}: no image could be scored by {entry.name}")
    if not tables:
        raise FovealError(f"{data.name}: no image could be scored ({problems[-2 if len(problems) > 1 else -1]})")
    tell_of_other_images(tables, data.name)
    chosen = list(dict.fromkeys(metric.name for entry in entries for metric in entry.metrics))
    values = pd.concat(tables)
    values["dataset"] += which
    return Results.of(values, chosen, problems, seed)


def _chosen(
    data: Dataset, window: tuple[float | int, float | int] | None, order: tuple[int, int] | int | None
) -> tuple[Dataset, str]:
    """The data set with the fixations that are to be scored, and in words which these are."""
    which = ""
    if order is not None:  # before the window, in which others would be the first
        first, last = pair(order, "order") if not isinstance(order, Integral) else (order, order)
        data = data.nth(first, last)
        which += f", fixation {first}" if first == last else f", fixations {first} to {last}"
    if window is not None:
        start, stop = pair(window, "window")
        data = data.between(start, stop)
        which += f", {start:g} to {stop:g} ms"
    return data, which


def tell_of_other_images(tables: Sequence[pd.DataFrame], dataset: str) -> None:
    """Say, in a note, if tables of values by image are not all of the same images."""
    images = [frozenset(table["image"]) for table in tables]
    if len(set(images)) > 1:
        n_common = len(frozenset.intersection(*images))
        warnings.warn(
            f"{dataset}: not all models are scored on the same images ({n_common} of "
            f"{len(frozenset.union(*images))} are scored by all); --against compares two on the same",
            FovealNote,
            stacklevel=3,
        )


def images_to_score(data: Dataset, split: str | None, limit: int | None) -> Int[np.ndarray, " image"]:
    """Positions of the images of a part of a data set that have fixations.

    Raises
    ------
    FovealError
        If there is no such part, the limit is no whole number from 1 on, or no image of it has fixations.
    """
    if limit is not None:
        limit = whole_number(limit, "limit", 1)
    part = (data.split_indices(split) if split is not None else np.arange(len(data)))[:limit]
    images = part[np.isin(part, data.fixations.image)]
    if len(images) == 0:
        raise FovealError(f"{data.name}: no image to score has fixations")
    return images


def scores_of(
    entry: Entry, images: Sequence[int], metrics: Sequence[Metric], observations: Observations
) -> Iterator[tuple[Scores, list[str]]]:
    """Scores of a batch of images after the other, and a line for each image that cannot be scored."""
    if entry.log_likelihood is None:
        yield from score(entry.maps, images, metrics, observations, raw=entry.raw)
        return
    # Where the likelihood is known without a map, maps are rendered for other metrics only.
    log_likelihood = entry.log_likelihood()
    known = {image: {"LL": float(log_likelihood[image])} for image in images}
    others = [metric for metric in metrics if metric.name != "LL"]
    if not others:
        yield known, []
        return
    for scores, problems in score(entry.maps, images, others, observations, raw=False):
        yield {image: known[image] | values for image, values in scores.items()}, problems


def finished_table(scores: Scores, model: str, metrics: Sequence[Metric], yardsticks: Yardsticks) -> pd.DataFrame:
    """One row an image, in the order of the data set: labels, the metrics asked for, and what follows from LL."""
    data = yardsticks.dataset
    table = pd.DataFrame.from_dict(scores, orient="index").sort_index()
    for metric in metrics:
        if metric.uses == "log_likelihood":
            baseline = yardsticks.center_bias_log_likelihood[table.index]
            table[metric.name] = metric.function(table["LL"].to_numpy(), baseline)
        if metric.uses == "information_gain":
            table["IG"] = table["LL"] - yardsticks.center_bias_log_likelihood[table.index]
            table[GOLD] = yardsticks.gold_information_gain[table.index]
    names = [metric.name for metric in metrics if metric.name in table]
    if GOLD in table:
        names = list(dict.fromkeys([*names, "IG", GOLD]))
    labels = dict(zip(LABELS, (model, data.name, [data.stimuli.ids[image] for image in table.index]), strict=True))
    return pd.concat([pd.DataFrame(labels, index=table.index), table[names]], axis=1)
