"""`foveal benchmark`: models x data sets x metrics, resumable, with a report."""

import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from foveal import metrics as metrics_package
from foveal.benchmarking.entries import Entry, make_entries, on_maps
from foveal.benchmarking.evaluation import finished_table, images_to_score, scores_of, tell_of_other_images
from foveal.benchmarking.observations import Observations
from foveal.benchmarking.report import LogDensity, Section, best_model, extreme_images, leading_metric, write_report
from foveal.benchmarking.results import GOLD, LABELS, Results, in_order, write_json
from foveal.benchmarking.scoring import Scores
from foveal.benchmarking.yardsticks import Yardsticks
from foveal.datasets import load_dataset
from foveal.errors import FovealError
from foveal.files import make_writable_folder, write_atomically
from foveal.gaze import Dataset
from foveal.kept import KeptTable
from foveal.metrics import Metric
from foveal.models import SaliencyModel, load_model
from foveal.paths import safe_file_name
from foveal.progress import Progress, Report

SECONDS_BETWEEN_SAVES = 20
KEY_WITHIN = 1000  # bytes: the head of a report
N_EXAMPLES = 3  # images of each data set that the report shows


@dataclass(frozen=True)
class BenchmarkRun:
    """What a benchmark wrote.

    Attributes
    ----------
    results
        The table of all models and data sets.
    out
        The folder with results.csv, results.json, report.html and the values by image.
    """

    results: Results
    out: Path


def benchmark(
    models: Sequence[str],
    datasets: Sequence[str | Dataset],
    out: str | os.PathLike[str],
    metrics: Sequence[str] | str = "all",
    *,
    data_root: str | os.PathLike[str] | None = None,
    split: str | None = None,
    limit: int | None = None,
    device: str | torch.device = "cpu",
    seed: int = 0,
    progress: Report | None = None,
) -> BenchmarkRun:
    """Score models on data sets, and write tables and a report.

    Values by image are kept in `out`/per_image as they are computed; what is there is not computed again, unless the
    model, the data set, the seed or the code of the metrics is another. So a run that was interrupted goes on where it
    was.

    Parameters
    ----------
    models
        Names of models, or files of weights.
    datasets
        Names of data sets, folders, or data sets.
    out
        A folder, made if it is not there.
    metrics, data_root, split, limit, device, seed
        As in `evaluate`.
    progress
        Called with "model on data set", the number of images done and of all.

    Raises
    ------
    FovealError
        If something cannot be loaded, or the folder cannot be written to.
    """
    if not models or not datasets:
        raise FovealError(f"nothing to do: {len(models)} models and {len(datasets)} data sets")
    if not all(isinstance(model, str) for model in models):
        raise FovealError("benchmark: give models by their names or files, by which their values are kept")
    out = make_writable_folder(out)
    loaded = [one if isinstance(one, Dataset) else load_dataset(one, data_root) for one in datasets]
    if len({data.name for data in loaded}) < len(loaded):
        raise FovealError("two of the data sets have the same name")
    # What cannot be done is said before anything is computed.
    plans = []
    for data in loaded:
        yardsticks = Yardsticks(data)
        images = images_to_score(data, split, limit)
        entries = make_entries(models, data, yardsticks, metrics, raw=False, device=device, images=images)
        plans.append(_Plan(data, yardsticks, entries, images, data.digest()))
    tables, chosen = [], []
    problems: list[str] = []
    for plan in plans:
        observations = Observations(plan.data, plan.yardsticks, seed)
        problems += plan.data.problems
        for entry in plan.entries:
            path = out / "per_image" / safe_file_name(plan.data.name) / f"{safe_file_name(entry.name)}.parquet"
            kept = _Kept(path, entry, plan, seed)
            for new_problems in _compute_missing(
                kept, plan.images, plan.yardsticks, observations, Progress.of(progress)
            ):
                problems += [problem for problem in new_problems if problem not in problems]
            tables.append(kept.select(plan.images))
            chosen += [metric.name for metric in entry.metrics]
        tell_of_other_images([table for table in tables[-len(plan.entries) :] if len(table)], plan.data.name)
    scored = [table for table in tables if len(table)]
    if not scored:
        raise FovealError(problems[-1])
    results = Results.of(pd.concat(scored), list(dict.fromkeys(chosen)), problems, seed)
    with write_atomically(out / "results.csv") as temporary:
        results.to_csv(temporary, index=False)
    write_json(results, out / "results.json")
    _write_report_if_it_changed(results, plans, in_order(metrics), out / "report.html")
    return BenchmarkRun(results, out)


@dataclass(frozen=True)
class _Plan:
    """What is to be scored on one data set."""

    data: Dataset
    yardsticks: Yardsticks
    entries: list[Entry]
    images: np.ndarray
    digest: str  # of the data


def _write_report_if_it_changed(results: Results, plans: Sequence[_Plan], columns: Sequence[str], path: Path) -> None:
    """The pictures of a report take longest; one that says in its head that it is of all this is left as it is."""
    digest = hashlib.sha256(repr((version("foveal"), results.to_json(), results.problems, columns)).encode())
    for plan in plans:
        data = plan.data
        digest.update(repr((data.categories, data.licence, data.citation, data.notes, plan.digest)).encode())
        digest.update(repr([fingerprint(entry.name) for entry in plan.entries]).encode())
    key = digest.hexdigest()
    if key.encode() in _beginning(path):
        return
    sections = [_section(plan, results, columns) for plan in plans if plan.data.name in set(results["dataset"])]
    write_report(results, sections, columns, path, key=key)


def _section(plan: _Plan, results: Results, columns: Sequence[str]) -> Section:
    """Everything that is predicted for a report."""
    of_data = results.of_dataset(plan.data.name)
    metric = leading_metric([name for name in columns if name in set(of_data["metric"])])
    n_trained_on = {entry.name: entry.n_trained_on for entry in plan.entries if entry.n_trained_on}
    best = best_model(of_data, metric)
    mine = of_data.per_image[of_data.per_image["model"] == best]
    place = {name: position for position, name in enumerate(plan.data.stimuli.ids)}
    extremes = [place[name] for name in extreme_images(mine, metric)]
    images = plan.images
    spread = images[np.linspace(0, len(images) - 1, min(N_EXAMPLES, len(images))).round().astype(int)].tolist()
    scored = [entry for entry in plan.entries if entry.name in set(of_data["model"])]
    of_best = [entry for entry in scored if entry.name == best]
    return Section(plan.data, _maps(scored, spread), n_trained_on, best, _maps(of_best, extremes))


def _beginning(path: Path) -> bytes:
    """Of a report; nothing of one that cannot be read, which is written anew."""
    try:
        with path.open("rb") as file:
            return file.read(KEY_WITHIN)
    except OSError:
        return b""


class _Kept(KeptTable):
    """The values by image of one model on one data set, as far as they are known, and the file that keeps them."""

    def __init__(self, path: Path, entry: Entry, plan: _Plan, seed: int) -> None:
        self.entry = entry
        self.data = plan.data
        metrics, model = _fingerprint_of_metrics(), fingerprint(entry.name)
        super().__init__(path, {"metrics": metrics, "model": model, "data": plan.digest, "seed": seed}, by=LABELS)

    def missing(self, images: np.ndarray) -> tuple[list[int], list[Metric]]:
        """The images that lack values, and the metrics that some of them lack."""
        of_image = self.select(images).set_index("image")
        of_image = of_image.reindex([self.data.stimuli.ids[image] for image in images])
        lacking = {
            metric.name: of_image[name].isna().to_numpy() if name in of_image else np.ones(len(images), bool)
            for metric in self.entry.metrics
            for name in [GOLD if metric.uses == "information_gain" else metric.name]
        }
        incomplete = np.any(list(lacking.values()), axis=0)
        metrics = [metric for metric in self.entry.metrics if lacking[metric.name].any()]
        return images[incomplete].tolist(), metrics

    def select(self, images: np.ndarray) -> pd.DataFrame:
        """The rows of some images, in their order."""
        wanted = {self.data.stimuli.ids[image]: position for position, image in enumerate(images)}
        rows = self.table[self.table["image"].isin(wanted.keys())]
        return rows.iloc[rows["image"].map(wanted).argsort().to_numpy()] if len(rows) else rows


def _compute_missing(
    kept: _Kept,
    images: np.ndarray,
    yardsticks: Yardsticks,
    observations: Observations,
    progress: Progress,
) -> Iterator[list[str]]:
    """Score the images that lack values; gives the problems of each batch."""
    todo, metrics = kept.missing(images)
    entry = kept.entry
    label, done = f"{entry.name} on {kept.data.name}", len(images) - len(todo)
    progress(label, done, len(images))
    if not todo:
        return
    scores: Scores = {}
    saved = time.monotonic()
    try:
        for batch_scores, problems in scores_of(entry, todo, on_maps(metrics), observations):
            scores |= batch_scores
            done += len(batch_scores)
            yield problems
            progress(label, done, len(images))
            if scores and time.monotonic() - saved > SECONDS_BETWEEN_SAVES:
                kept.add(finished_table(scores, entry.name, metrics, yardsticks))
                scores, saved = {}, time.monotonic()
    finally:  # also of an interruption
        if scores:
            kept.add(finished_table(scores, entry.name, metrics, yardsticks))
    if kept.table.empty:
        yield [f"{kept.data.name}: no image could be scored by {entry.name}"]


def _maps(entries: Sequence[Entry], chosen: Sequence[int]) -> dict[int, dict[str, LogDensity]]:
    """Log densities of every model for a few images; the mean where observers are judged apart."""
    examples: dict[int, dict[str, LogDensity]] = {image: {} for image in chosen}
    for entry in entries:
        for batch in entry.maps(chosen):
            for image in dict.fromkeys(batch.images):
                assert batch.maps is not None  # a batch of images has maps
                views = batch.maps[torch.tensor(batch.images) == image]
                examples[image][entry.name] = (views.exp().mean(dim=0).log()).cpu().numpy()
    return {image: maps for image, maps in examples.items() if len(maps) == len(entries)}


@cache
def _fingerprint_of_metrics() -> str:
    """Says whether the metrics still are what they were: their version and source."""
    digest = hashlib.sha256(version("foveal").encode())
    for path in sorted(Path(metrics_package.__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def fingerprint(name: str, model: SaliencyModel | None = None) -> str:
    """Says whether a model still is the one that it was: its configuration and weights, whatever file they lie in."""
    model = model or load_model(name)
    digest = hashlib.sha256(f"{name} {model.config}".encode())
    for place, tensor in sorted(model.state_dict().items()):
        digest.update(place.encode())
        digest.update(tensor.cpu().numpy().tobytes())
    return digest.hexdigest()[:16]
