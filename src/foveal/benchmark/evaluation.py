"""`foveal evaluate`: score models against the fixations of a data set."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float

from foveal.benchmark.bootstrap import bootstrap_interval
from foveal.benchmark.scoring import Scores, score_baseline, score_model
from foveal.datasets import load_dataset
from foveal.errors import FovealError
from foveal.files import write_atomically
from foveal.gaze import Dataset
from foveal.metrics import Metric, get_metrics, information_gain
from foveal.models import SaliencyModel, load_model
from foveal.models.baselines import CenterBias, CrossValidatedBaseline, CrossValidatedCenterBias, GoldStandard

Progress = Callable[[str, int, int], None]  # name of the model, images done, images in all


class Results(pd.DataFrame):
    """The table of an evaluation: model, dataset, metric, value, ci_low, ci_high, n_images.

    Attributes
    ----------
    per_image
        A table of model, dataset, image and one column for each metric that is defined on an image.
    problems
        One line for each thing that could not be scored.
    """

    _metadata = ["per_image", "problems"]  # noqa: RUF012 (pandas' own protocol for attributes)
    per_image: pd.DataFrame
    problems: list[str]

    @property
    def _constructor(self) -> Callable[..., pd.DataFrame]:
        return Results


def evaluate(
    models: Sequence[SaliencyModel | str | os.PathLike[str]] | SaliencyModel | str | os.PathLike[str],
    dataset: Dataset | str | os.PathLike[str],
    metrics: Sequence[str] | str = "all",
    *,
    data_root: str | os.PathLike[str] | None = None,
    split: str | None = None,
    limit: int | None = None,
    raw: bool = False,
    device: str | torch.device = "cpu",
    seed: int = 0,
    progress: Progress | None = None,
) -> Results:
    """Score models on the fixations of a data set: means over images with 95 % bootstrap intervals over images.

    The baselines "centerbias" and "gold", given by name, are made from the data set itself, cross-validated over images
    and over observers: from the whole of it, also when only a part is scored. The baseline of IG is that centre bias.
    Images without fixations are left out.

    Parameters
    ----------
    models
        One or several models, names of models, or files of weights.
    dataset
        A data set, the name of one, or the path of a folder.
    metrics
        Names of metrics. "all" leaves out what the data set or a raw map cannot give.
    data_root
        Where the data sets of the catalogue lie.
    split, limit
        Score only this named part of the data set, and of what is left only the first so many images.
    raw
        Score saliency maps as the models compute them instead of calibrated densities; only for metrics that take any
        map.
    device
        Where models that are given by name compute.
    seed
        Of the bootstrap.
    progress
        Called with a model's name, the number of images done and of all.

    Raises
    ------
    FovealError
        If a model, metric or data set is not known, or they do not go together.
    """
    data = dataset if isinstance(dataset, Dataset) else load_dataset(dataset, data_root)
    part = data.split_indices(split) if split else np.arange(len(data))
    images = part[:limit][np.isin(part[:limit], data.fixations.image)].tolist()
    if not images:
        raise FovealError(f"{data.name}: no image to score has fixations")
    chosen = _choose(metrics, data, raw=raw)
    on_maps = [metric for metric in chosen if metric.takes_map]
    if any(not metric.takes_map for metric in chosen):
        on_maps = list(dict.fromkeys([*on_maps, *get_metrics(["LL"])]))
    if isinstance(models, SaliencyModel | str | os.PathLike):
        models = [models]
    yardsticks = _Yardsticks(data)
    # What cannot be done is said before anything is computed.
    named = _named_models(models, device)
    baselines = {name: yardsticks.fitted(name) for name in YARDSTICKS if name in models and not raw}

    rows, tables, problems = [], [], list(data.problems)
    for name, model in named.items():
        if name in baselines:
            scoring = score_baseline(baselines[name], on_maps, images)
        else:
            scoring = score_model(model, data, on_maps, images, raw=raw)
        scores: Scores = {}
        for batch_scores, batch_problems in scoring:
            scores |= batch_scores
            problems += [problem for problem in batch_problems if problem not in problems]
            if progress is not None:
                progress(name, len(scores), len(images))
        if not scores:
            raise FovealError(f"{data.name}: no image could be scored ({problems[-1]})")
        table = pd.DataFrame.from_dict(scores, orient="index").sort_index()
        for metric, summary in _summaries(table, chosen, yardsticks, seed):
            rows.append((name, data.name, metric, *summary, len(table)))
        table = table[[metric.name for metric in chosen if metric.name in table]]
        labels = {"model": name, "dataset": data.name, "image": [data.stimuli.ids[image] for image in scores]}
        tables.append(pd.concat([pd.DataFrame(labels, index=list(scores)).loc[table.index], table], axis=1))

    results = Results(rows, columns=["model", "dataset", "metric", "value", "ci_low", "ci_high", "n_images"])
    results.per_image = pd.concat(tables, ignore_index=True)
    results.problems = problems
    return results


def _summaries(
    table: pd.DataFrame, metrics: Sequence[Metric], yardsticks: "_Yardsticks", seed: int
) -> Iterator[tuple[str, tuple[float, float, float]]]:
    """Value and interval of each metric, from a table of one row an image; what follows from LL is added to it."""
    for metric in metrics:
        if metric.uses == "log_likelihood":
            baseline = yardsticks.center_bias_log_likelihood[table.index]
            table[metric.name] = metric.function(table["LL"].to_numpy(), baseline)
        if metric.uses == "information_gain":
            statistic = metric.function
            gain = information_gain(table["LL"].to_numpy(), yardsticks.center_bias_log_likelihood[table.index])
            columns = [gain, yardsticks.gold_information_gain[table.index]]
        else:
            statistic = _mean
            columns = [table[metric.name].to_numpy()]
        yield metric.name, (float(statistic(*columns)), *bootstrap_interval(statistic, *columns, seed=seed))


def _mean(values: Float[np.ndarray, "*resample image"]) -> Float[np.ndarray, "*resample"]:
    return np.asarray(values.mean(axis=-1))


def write_json(results: pd.DataFrame, path: str | os.PathLike[str]) -> None:
    """Write a table of results as a list of {"model", "dataset", "metric", "value", "ci_low", "ci_high", "n_images"}.

    Raises
    ------
    FovealError
        If the file cannot be written.
    """
    # A share of nothing (a gold standard no better than the centre bias) is no number; JSON says null.
    rows = [{key: None if value != value else value for key, value in row.items()} for row in _records(results)]
    with write_atomically(path) as temporary:
        temporary.write_text(json.dumps(rows, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def _records(results: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in results.to_dict(orient="records")]


YARDSTICKS = ("centerbias", "gold")  # given by name, these are made from the data set


class _Yardsticks:
    """The centre bias and the gold standard of a data set, each fitted once, when first needed."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

    @cached_property
    def center_bias(self) -> CrossValidatedCenterBias:
        return CenterBias.cross_validated(self.dataset)

    @cached_property
    def gold(self) -> CrossValidatedBaseline:
        return GoldStandard.cross_validated(self.dataset, self.center_bias)

    def fitted(self, name: str) -> CrossValidatedBaseline:
        return self.center_bias if name == "centerbias" else self.gold

    @cached_property
    def center_bias_log_likelihood(self) -> Float[np.ndarray, " image"]:
        """Of every image, NaN where it has no fixations."""
        return self.center_bias.log_likelihood_per_image

    @cached_property
    def gold_information_gain(self) -> Float[np.ndarray, " image"]:
        """Of every image, NaN where it has no fixations."""
        return information_gain(self.gold.log_likelihood_per_image, self.center_bias_log_likelihood)


def _named_models(
    models: Sequence[SaliencyModel | str | os.PathLike[str]], device: str | torch.device
) -> dict[str, SaliencyModel]:
    """Every model loaded, by what it is called in the results: its name, or the file that it comes from.

    Raises
    ------
    FovealError
        If there are none, one cannot be loaded, or two are called the same.
    """
    named: dict[str, SaliencyModel] = {}
    for given in models:
        model = given if isinstance(given, SaliencyModel) else load_model(given, device)
        name = model.name if isinstance(given, SaliencyModel) else os.fspath(given)
        if name in named:
            raise FovealError(f"two of the models are called {name!r}; save one and give its file instead")
        named[name] = model
    if not named:
        raise FovealError("no model to evaluate")
    return named


def _choose(metrics: Sequence[str] | str, data: Dataset, *, raw: bool) -> list[Metric]:
    """The metrics asked for; of "all", those that can be had.

    Raises
    ------
    FovealError
        If one that was named cannot be had, or none is left.
    """
    names = [metrics] if isinstance(metrics, str) and metrics != "all" else metrics
    looked_at = pd.DataFrame({"image": data.fixations.image, "subject": data.fixations.subject})
    subjects_per_image = looked_at.groupby("image")["subject"].nunique()
    possible = []
    for metric in get_metrics(names):
        why_not = None
        if raw and not metric.takes_any_map:
            why_not = f"{metric.name} is defined for densities, not for raw maps"
        elif not metric.takes_map and len(subjects_per_image) < 2:
            why_not = f"{metric.name} needs a centre bias, and {data.name} has fixations on one image only"
        elif metric.uses == "information_gain" and not data.fixations.has_subjects:
            why_not = f"{metric.name} needs a gold standard, and {data.name} does not say which subject looked where"
        elif metric.uses == "information_gain" and data.stimuli.pixels_per_degree is None:
            why_not = f"{metric.name} needs a gold standard, and {data.name} does not say its pixels per degree"
        elif metric.uses == "information_gain" and subjects_per_image.max() < 2:
            why_not = f"{metric.name} needs a gold standard, and {data.name} has no image with two subjects"
        if why_not is None:
            possible.append(metric)
        elif metrics != "all":
            raise FovealError(why_not)
    if not possible:
        raise FovealError("no metric to compute")
    return possible
