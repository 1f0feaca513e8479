"""What is scored: models, the yardsticks of a data set, and predictions from files, each in the same terms."""

import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Float, Int

from foveal.benchmark.predictions import Predictions
from foveal.benchmark.scoring import MapsOfModel, MapsOfPredictions, MapsOfYardstick, MapSource
from foveal.benchmark.yardsticks import YARDSTICKS, Yardsticks
from foveal.errors import FovealError, FovealNote
from foveal.gaze import Dataset
from foveal.gaze.given import texts
from foveal.metrics import Metric, get_metrics
from foveal.metrics.registry import asks_for_all
from foveal.models import SaliencyMapModel, SaliencyModel, load_model
from foveal.models.registry import recognized, trainings_of
from foveal.paths import is_unicode

Scorable: TypeAlias = SaliencyModel | Predictions | str | os.PathLike[str]


@dataclass(frozen=True)
class Entry:
    """One line of a comparison on one data set; it can be pickled, and so be scored in another process.

    Attributes
    ----------
    name
        What it is called in the results.
    metrics
        Those that can be had of it.
    maps
        Gives its maps.
    raw
        Are they scored as they are, being no densities?
    log_likelihood
        Gives LL of every image where that needs no map.
    n_trained_on
        How many of the images that are scored it was trained on.
    """

    name: str
    metrics: list[Metric]
    maps: MapSource
    raw: bool
    log_likelihood: Callable[[], Float[np.ndarray, " image"]] | None = None
    n_trained_on: int = 0

    @property
    def on_maps(self) -> list[Metric]:
        """The metrics to compute of maps: those asked for, and LL where others follow from it."""
        return on_maps(self.metrics)


def on_maps(metrics: Sequence[Metric]) -> list[Metric]:
    """Those of the metrics that are computed of maps, and LL where one follows from it."""
    computed = [metric for metric in metrics if metric.takes_map]
    if len(computed) < len(metrics):
        computed += [metric for metric in get_metrics(["LL"]) if metric not in computed]
    return computed


def make_entries(
    given: Sequence[Scorable],
    data: Dataset,
    yardsticks: Yardsticks,
    metrics: Sequence[str] | str,
    *,
    raw: bool,
    device: str | torch.device,
    images: Int[np.ndarray, " image"],
) -> list[Entry]:
    """Everything loaded that is to be scored on some images, and what can be; what cannot be done is said here.

    Raises
    ------
    FovealError
        If there is nothing, something cannot be loaded, two are called the same, or a metric that was named cannot be
        had.
    """
    entries: list[Entry] = []
    for one in given:
        entry = _entry(one, data, yardsticks, metrics, raw=raw, device=device, images=images)
        if not is_unicode(entry.name):
            raise FovealError(f"{entry.name}: its name is no UTF-8, which tables need; rename it")
        if entry.name in [other.name for other in entries]:
            raise FovealError(f"two of the models are called {entry.name!r}; save one and give its file instead")
        entries.append(entry)
    if not entries:
        raise FovealError("no model to evaluate")
    return entries


def _entry(
    given: Scorable,
    data: Dataset,
    yardsticks: Yardsticks,
    metrics: Sequence[str] | str,
    *,
    raw: bool,
    device: str | torch.device,
    images: Int[np.ndarray, " image"],
) -> Entry:
    if isinstance(given, Predictions):
        places = given.places_of(data.stimuli.ids)
        log_density = given.are_log_densities(data.stimuli, places)
        source = MapsOfPredictions(given, data, places, log_density)
        raw = raw or not log_density
        return Entry(given.name, possible_metrics(metrics, yardsticks, raw=raw), source, raw)
    if isinstance(given, str) and given in YARDSTICKS and not raw:
        name = str(given)
        if why_not := yardsticks.why_not(name):
            raise FovealError(f"{name} needs {why_not}")
        chosen = possible_metrics(metrics, yardsticks, raw=False, by_observer=name == "gold")
        maps = MapsOfYardstick(yardsticks, name)
        return Entry(name, chosen, maps, False, maps.log_likelihood_per_image)
    model = given if isinstance(given, SaliencyModel) else load_model(given, device)
    model.make_ready()
    name = model.name if isinstance(given, SaliencyModel) else os.fspath(given)
    scores_what_was_fitted = not raw or (isinstance(model, SaliencyMapModel) and model.map_is_fitted)
    n_trained_on = 0
    if scores_what_was_fitted and not isinstance(given, SaliencyModel):
        n_trained_on = int(recognized(trainings_of(given).values(), data, images.tolist()).sum())
    if n_trained_on:
        note = f"{data.name}: {n_trained_on} of {len(images)} photographs were trained on by {name}: "
        warnings.warn(note + "its numbers tell how well it fits, not how well it predicts", FovealNote, stacklevel=2)
    chosen = possible_metrics(metrics, yardsticks, raw=raw)
    return Entry(name, chosen, MapsOfModel(model, data, raw), raw, n_trained_on=n_trained_on)


def possible_metrics(
    metrics: Sequence[str] | str, yardsticks: Yardsticks, *, raw: bool, by_observer: bool = False
) -> list[Metric]:
    """The metrics asked for; of "all", those that can be had.

    Parameters
    ----------
    metrics
        Names in a list, or in one text with commas between them; or "all".
    yardsticks
        Of the whole data set.
    raw
        Is a map scored that is no density?
    by_observer
        Is each observer scored apart, so that there is no empirical map that the prediction had no part in?

    Raises
    ------
    FovealError
        If one that was named cannot be had, or none is left.
    """
    names = texts(metrics, "metrics")
    no_center_bias, no_gold = (yardsticks.why_not(name) for name in YARDSTICKS)
    possible, reasons = [], []
    for metric in get_metrics(names):
        why_not = None
        if raw and not metric.takes_any_map:
            why_not = f"{metric.name} is defined for densities, not for raw maps (these have AUC, NSS, IG_MIT …)"
        elif by_observer and "empirical_map" in metric.needs:
            # The empirical map is made of the very observers that the gold standard predicts with.
            reasons.append(f"{metric.name} of the gold standard is not defined")
            continue
        elif no_center_bias and metric.needs_other_images:
            why_not = f"{metric.name} needs {no_center_bias}"
        elif no_gold and metric.uses == "information_gain":
            why_not = f"{metric.name} needs {no_gold}"
        if why_not is None:
            possible.append(metric)
        elif not asks_for_all(metrics):
            raise FovealError(why_not)
    if not possible:
        raise FovealError(reasons[0] if reasons else "no metric to compute")
    return possible
