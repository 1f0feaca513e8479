"""How alike the scanpaths of different people on the same picture are: what a model of scanpaths can reach."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise

import numpy as np
import pandas as pd

from foveal.errors import FovealError
from foveal.gaze import Dataset, Fixations
from foveal.gaze.scanpaths import scanpaths
from foveal.metrics.bootstrap import bootstrap_interval
from foveal.metrics.paths import compare_paths, get_path_metrics
from foveal.progress import Progress, Report

FEWEST = 2  # observers of a picture


@dataclass(frozen=True, eq=False)
class PathAgreement:
    """How alike people's scanpaths are.

    Attributes
    ----------
    table
        A row for each number of each metric: metric, value, ci_low, ci_high (95 % bootstrap interval over images),
        other_pictures, unit, n_images. `value` is the mean over the pairs of an image's observers, then over images.
        `other_pictures` is the same for pairs of which the second path is on another picture: what alone the center and
        the habits of eyes bring.
    per_image
        A row for each image: image, n_pairs, and a column for each number; NaN where no pair of its paths has it.
    """

    table: pd.DataFrame
    per_image: pd.DataFrame


def path_agreement(
    dataset: Dataset, metrics: Sequence[str] | str = "all", *, seed: int = 0, progress: Report | None = None
) -> PathAgreement:
    """Compare each observer's scanpath with that of each other observer of the same picture.

    This is the gold standard of models of scanpaths: two people agree so much. Images with less than two observers are
    left out.

    Parameters
    ----------
    dataset
        With observers and orders.
    metrics
        Names of path metrics (`foveal.metrics.paths.PATH_METRICS`), in a list or in one text with commas between them.
        "all" leaves out those that need durations where one is not known.
    seed
        Of the bootstrap.
    progress
        Called with a label, the number of images done and of all.

    Raises
    ------
    FovealError
        If a metric is not known, observers or orders are not known, or fewer than two images have two observers.
    """
    chosen = get_path_metrics(metrics)
    try:
        paths = _of_images(scanpaths(dataset.fixations))
    except FovealError as error:
        raise FovealError(f"{dataset.name}: {error}") from None
    if len(paths) < FEWEST:
        raise FovealError(f"{dataset.name}: agreement of people needs two images with two observers each")
    report, label = Progress.of(progress), f"people on {dataset.name}"
    same, other = [], []
    images = list(paths)
    for n_done, (image, another) in enumerate(pairwise([*images, images[0]]), start=1):
        elsewhere = [_moved(path, dataset, another, image) for path in paths[another]]
        observers = paths[image]
        same.append(_mean(dataset, image, combinations(observers, 2), metrics))
        pairs = ((a, b) for a in observers for b in elsewhere if a.subject[0] < b.subject[0])
        other.append(_mean(dataset, image, pairs, metrics))
        report(label, n_done, len(images))
    per_image, of_others = pd.DataFrame(same), pd.DataFrame(other)
    per_image.insert(0, "image", [dataset.stimuli.ids[image] for image in images])
    rows = []
    for metric in chosen:
        unit = metric.unit if dataset.stimuli.pixels_per_degree is None else metric.unit.replace("px", "degree")
        for name in metric.numbers:
            values = per_image[name].dropna().to_numpy() if name in per_image else np.zeros(0)
            if len(values):
                interval = bootstrap_interval(_mean_of_images, values, seed=seed)
                elsewhere_mean = of_others[name].mean() if name in of_others else np.nan
                rows.append((name, values.mean(), *interval, elsewhere_mean, unit, len(values)))
    columns = ["metric", "value", "ci_low", "ci_high", "other_pictures", "unit", "n_images"]
    return PathAgreement(pd.DataFrame(rows, columns=columns), per_image)


def _of_images(paths: Iterable[Fixations]) -> dict[int, list[Fixations]]:
    """The scanpaths on each image that has those of two observers."""
    of_image: dict[int, list[Fixations]] = {}
    for path in paths:
        of_image.setdefault(int(path.image[0]), []).append(path)
    return {image: found for image, found in of_image.items() if len(found) >= FEWEST}


def _moved(path: Fixations, dataset: Dataset, image: int, to: int) -> Fixations:
    """A path on one image, at the same relative places of another."""
    (down, across), (height, width) = dataset.stimuli.sizes[image].tolist(), dataset.stimuli.sizes[to].tolist()
    return replace(path, x=(path.x + 0.5) * (width / across) - 0.5, y=(path.y + 0.5) * (height / down) - 0.5)


def _mean(
    dataset: Dataset, image: int, pairs: Iterable[tuple[Fixations, Fixations]], metrics: Sequence[str] | str
) -> dict[str, float | int]:
    """Mean over pairs of paths on an image, of those that have a number; and how many pairs there are."""
    height, width = dataset.stimuli.sizes[image].tolist()
    ppd = dataset.stimuli[image].pixels_per_degree
    compared = pd.DataFrame(
        [compare_paths(a, b, (height, width), pixels_per_degree=ppd, metrics=metrics) for a, b in pairs]
    )
    return {"n_pairs": len(compared), **compared.mean()}


def _mean_of_images(values: np.ndarray) -> np.ndarray:
    return np.asarray(values.mean(axis=-1))
