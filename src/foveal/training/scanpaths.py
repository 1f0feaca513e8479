"""`foveal train` of a model of scanpaths: fit it to some data sets together, and write its weights."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, TypeGuard

from foveal.datasets import load_dataset
from foveal.errors import FovealError
from foveal.files import make_writable_folder
from foveal.gaze import Dataset
from foveal.gaze.folds import fitted_images, held_out_images
from foveal.gaze.recognition import as_text, perceptual_hashes
from foveal.metrics.bootstrap import bootstrap_interval
from foveal.models.scanpaths import list_scanpath_models, load_scanpath_model, save_scanpath_model
from foveal.models.scanpaths.base import STATIC
from foveal.progress import Progress, Report
from foveal.training.fits.options import FOLDS_BY_DEFAULT
from foveal.training.fits.scanpaths import fit_scanpath_model, gain_of_images, next_fixations, statics_of
from foveal.training.trained import Trained

DATASETS = ("osie", "eyecrowd")  # to which the published weights were fitted
HELD_OUT = 0  # the fold that is judged: every fifth image


@dataclass(frozen=True)
class ScanpathTraining(Trained):
    """What came of fitting a model of scanpaths.

    Attributes
    ----------
    path
        The weights.
    model
        Its name.
    n_images, n_fixations
        To how many it was fitted; only fixations that come after others count.
    gains
        By data set, the mean over held-out images of the information gain above the static density, bit per fixation,
        and its 95 % bootstrap interval over images.
    command
        What makes these weights.
    problems
        One line for each thing in the data that could not be used.
    """

    path: str
    model: str
    n_images: int
    n_fixations: int
    gains: dict[str, tuple[float, float, float]]
    command: str
    problems: tuple[str, ...] = ()


def is_scanpath_model(what: object) -> TypeGuard[str]:
    """Is it the name of a model of scanpaths?"""
    return isinstance(what, str) and what in list_scanpath_models()


def train_scanpath_model(
    name: str,
    dataset: str | os.PathLike[str] | Dataset | None = None,
    *,
    out: str | os.PathLike[str] = "out",
    data_root: str | os.PathLike[str] | None = None,
    seed: int = 0,
    progress: Report | None = None,
) -> ScanpathTraining:
    """Fit a model of scanpaths to all images but every fifth, judge it on these, and write `<out>/<name>.safetensors`.

    Parameters
    ----------
    name
        One of `list_scanpath_models()`.
    dataset
        A data set with observers and orders, its name, or a folder; by default, OSIE and EyeCrowd together.
    out, data_root, seed, progress
        As `foveal.train` takes them.

    Raises
    ------
    FovealError
        If the model has nothing to fit, or the data cannot be used for it.
    """
    report = Progress.of(progress)
    model = load_scanpath_model(name, fitted=False)
    if not model.epochs:
        raise FovealError(f"{name} has nothing to train")
    given: Sequence[str | os.PathLike[str] | Dataset] = DATASETS if dataset is None else (dataset,)
    datasets = [each if isinstance(each, Dataset) else load_dataset(each, data_root) for each in given]
    datasets = [data.looked_at().readable() for data in datasets]
    path = make_writable_folder(out) / f"{name}.safetensors"
    fitted, judged = [], {}
    for data in datasets:
        statics = statics_of(model.static, data, report)
        fitted += next_fixations(data, statics, fitted_images(data, HELD_OUT, FOLDS_BY_DEFAULT))
        judged[data.name] = next_fixations(data, statics, held_out_images(data, HELD_OUT, FOLDS_BY_DEFAULT))
    n_fixations = sum(map(len, fitted))
    if not n_fixations:
        raise FovealError(f"{datasets[0].name}: there is no fixation after another to fit to")
    fit_scanpath_model(model, fitted, seed, report)
    by_image = {data.name: gain_of_images(model, judged[data.name], data) for data in datasets}
    result = ScanpathTraining(
        os.fspath(path),
        name,
        sum(len(part.static) for part in fitted),
        n_fixations,
        {
            of: (float(values.mean()), *bootstrap_interval(lambda rows: rows.mean(axis=-1), values))
            for of, values in by_image.items()
            if len(values)
        },
        f"foveal train {name}" + (f" --dataset {datasets[0].name}" if dataset is not None else "") + f" --seed {seed}",
        tuple(problem for data in datasets for problem in data.problems),
    )
    save_scanpath_model(model, path, _provenance(result, datasets))
    return result


def _provenance(result: ScanpathTraining, datasets: Sequence[Dataset]) -> dict[str, Any]:
    """What a file of weights says of where they come from."""
    learned = {data.name: fitted_images(data, HELD_OUT, FOLDS_BY_DEFAULT) for data in datasets}
    return {
        "command": result.command,
        "version": version("foveal"),
        "static": STATIC,
        "held_out": f"image i with i modulo {FOLDS_BY_DEFAULT} = {HELD_OUT}",
        "fixations": result.n_fixations,
        "gains": result.gains,
        "datasets": [
            {
                "name": data.name,
                "licence": data.licence,
                "images": len(learned[data.name]),
                "photographs": as_text(perceptual_hashes(data.stimuli, learned[data.name].tolist())),
            }
            for data in datasets
        ],
    }
