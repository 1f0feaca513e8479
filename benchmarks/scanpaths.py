"""Where the eye goes next: what a history tells, on pictures and on observers that were not fitted to.

    python benchmarks/scanpaths.py --data-root data [--kept FOLDER]

Models of scanpaths are fitted to OSIE and EyeCrowd together. All have the static density of foveal-s, which was itself
trained on these pictures and observers. So only what a history adds to it is held out: the information gain of the
conditional density above the static one of the same model, bit per fixation. Means over the fixations of an image, then
over images, with 95 % bootstrap intervals over images; of differences, the images are paired.

- pictures: as they come, fitted to all pictures but every fifth, judged on these.
- observers: fitted to every other observer, judged on the others, on every fifth picture.
- MIT1003: those of "pictures", on every fifth picture of a data set that neither they nor foveal-s were fitted to.

Then scores on the pixels of some held-out pictures (`foveal.benchmarking.conditional`), and the saccades of sampled
paths beside people's, each path beginning where a person began.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from timing import keep, say

import foveal
from foveal.benchmarking.conditional import conditional_scores
from foveal.gaze import Dataset
from foveal.gaze.folds import held_out_images
from foveal.gaze.scanpaths import saccades, scanpaths
from foveal.metrics.bootstrap import bootstrap_interval
from foveal.models.scanpaths import ScanpathModel, list_scanpath_models, load_scanpath_model
from foveal.training.fits.scanpaths import Statics, fit_scanpath_model, gain_of_images, next_fixations, statics_of
from foveal.training.scanpaths import DATASETS, HELD_OUT

N_FOLDS = 5
FITTED = [name for name in list_scanpath_models() if name != "static"]
ON_PIXELS, OBSERVERS = 4, 3  # every so many-th held-out picture is judged on its pixels, with so many observers
AMPLITUDES = np.linspace(0, 0.8, 33)  # of the longer side
SECTORS = 24


def statics(name: str, data: Dataset, kept: Path | None) -> Statics:
    """Static densities on cells, computed once."""
    file = kept and kept / f"{name}.pt"
    if file and file.is_file():
        return torch.load(file)
    computed = statics_of(load_scanpath_model("static").static, data, say)
    if file:
        torch.save(dict(computed), file)
    return computed


def of_subjects(data: Dataset, odd: bool) -> Dataset:
    """With every other observer."""
    return replace(data, fixations=data.fixations.where(data.fixations.subject % 2 == odd))


def mean_and_interval(values: np.ndarray) -> list[float]:
    """Mean over images, and its interval."""
    interval = bootstrap_interval(lambda rows: rows.mean(axis=-1), values)
    return [round(float(value), 4) for value in (values.mean(), *interval)]


def told(gains: Mapping[str, np.ndarray]) -> dict[str, list[float]]:
    """What each model gains, and foveal-path more than each other one."""
    table = {name: mean_and_interval(values) for name, values in gains.items()}
    best = gains["foveal-path"]
    return table | {f"foveal-path - {name}": mean_and_interval(best - gains[name]) for name in FITTED[:-1]}


def fitted(datasets: Sequence[tuple[Dataset, Statics]]) -> dict[str, ScanpathModel]:
    """Every model, fitted to data sets."""
    parts = [part for data, of_data in datasets for part in next_fixations(data, of_data, np.arange(len(data)))]
    models = {name: load_scanpath_model(name, fitted=False) for name in FITTED}
    for model in models.values():
        fit_scanpath_model(model, parts, progress=say)
    return models


def judged(models: Mapping[str, ScanpathModel], data: Dataset, of_data: Statics, images: np.ndarray) -> dict[str, Any]:
    """Gains on some images of a data set."""
    parts = next_fixations(data, of_data, images)
    return told({name: gain_of_images(model, parts, data) for name, model in models.items()}) | {
        "images": len(images),
        "fixations": sum(map(len, parts)),
    }


def on_pixels(models: Mapping[str, ScanpathModel], data: Dataset) -> dict[str, dict[str, float]]:
    """Mean scores of conditional densities, of all models on the same fixations."""
    scores = {name: conditional_scores(model, data) for name, model in models.items()}
    return {
        name: {
            score: round(float(table.groupby("image")[score].mean().mean()), 4) for score in ("LL", "IG", "NSS", "AUC")
        }
        for name, table in scores.items()
    }


def histograms(data: Dataset) -> dict[str, list[float]]:
    """Shares of saccades by amplitude and by direction, and quartiles of the amplitude."""
    table = saccades(data.fixations)
    amplitude = table.amplitude.to_numpy() / data.stimuli.sizes.max(axis=1)[table.image]
    half = 180 / SECTORS
    around = np.histogram((table.direction.dropna() + half) % 360, bins=SECTORS, range=(0, 360))[0]
    return {
        "amplitude": (np.histogram(amplitude, AMPLITUDES)[0] / len(amplitude)).round(4).tolist(),
        "direction": (around / around.sum()).round(4).tolist(),
        "quartiles": np.quantile(amplitude, [0.25, 0.5, 0.75]).round(4).tolist(),
    }


def sampled(model: ScanpathModel, data: Dataset) -> Dataset:
    """With a sampled path in the place of each person's, as long and with the same beginning."""
    columns = []
    for number, stimulus in enumerate(data.stimuli):
        static = model.static.log_density_of([stimulus.image], stimulus.known_pixels_per_degree)
        for path in scanpaths(data.fixations.for_image(number)):
            first = [(float(path.x[0]), float(path.y[0]))]
            one = model.sample_given(static, len(path), int(path.subject[0]), [first])
            columns.append((np.full(len(path), number), one.x, one.y, path.subject, path.order))
    image, x, y, subject, order = map(np.concatenate, zip(*columns, strict=True))
    return replace(data, fixations=foveal.Fixations.of(image, x, y, subject=subject, order=order))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root")
    parser.add_argument("--kept", type=Path, help="folder in which static densities are kept for the next time")
    arguments = parser.parse_args()
    datasets = {name: foveal.load_dataset(name, arguments.data_root).looked_at() for name in DATASETS}
    known = {name: statics(name, data, arguments.kept) for name, data in datasets.items()}
    held_out = {name: held_out_images(data, HELD_OUT, N_FOLDS) for name, data in datasets.items()}
    results: dict[str, Any] = {}

    models = {name: load_scanpath_model(name) for name in FITTED}
    for name, data in datasets.items():
        results[f"pictures, {name}"] = judged(models, data, known[name], held_out[name])
    mit1003 = foveal.load_dataset("mit1003", arguments.data_root)
    mit1003 = mit1003.select(np.arange(0, len(mit1003), N_FOLDS))
    of_mit1003 = statics("mit1003", mit1003, arguments.kept)
    results["MIT1003"] = judged(models, mit1003, of_mit1003, np.arange(len(mit1003)))
    results["strengths of inhibition"] = models["inhibition-of-return"].strength.detach().numpy().round(3).tolist()
    results["widths of inhibition"] = models["inhibition-of-return"].log_width.detach().exp().numpy().round(3).tolist()

    half = fitted([(of_subjects(data, odd=False), known[name]) for name, data in datasets.items()])
    for name, data in datasets.items():
        results[f"observers, {name}"] = judged(half, of_subjects(data, odd=True), known[name], held_out[name])

    models = {"static": load_scanpath_model("static")} | models
    for name, data in datasets.items():
        some = data.select(held_out[name][::ON_PIXELS])
        few = replace(some, fixations=some.fixations.where(some.fixations.subject < OBSERVERS))
        results[f"on pixels, {name}"] = on_pixels(models, few)
        results[f"saccades, {name}"] = {"people": histograms(few)} | {
            of: histograms(sampled(model, few)) for of, model in models.items()
        }
    keep("scanpaths", results)


if __name__ == "__main__":
    main()
