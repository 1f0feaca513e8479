"""`foveal train MODEL --dataset D`: fit a model to a data set and write its weights."""

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from foveal.datasets import load_dataset
from foveal.errors import FovealError, FovealNote
from foveal.files import make_writable_folder
from foveal.gaze import Dataset
from foveal.gaze.recognition import as_text, perceptual_hashes
from foveal.metrics.bootstrap import bootstrap_interval
from foveal.models import SaliencyMapModel, SaliencyModel, load_model, save_model
from foveal.models.baselines import CenterBias
from foveal.models.calibration import WorkingMaps
from foveal.models.registry import has_weights, recognized, trainings_of
from foveal.paths import path_of
from foveal.progress import Progress, Report
from foveal.training.fits import calibration, deepgaze1, numbers  # noqa: F401 (they register how their models are fitted)
from foveal.training.fits.fit import Fitted, fit, log_likelihood_by_image, log_likelihood_of, settings_of
from foveal.training.fits.options import as_flags
from foveal.training.trained import Trained

CALIBRATION = "calibration"  # what it is called among the trainings of a model whose networks were trained before


@dataclass(frozen=True)
class TrainingReport(Trained):
    """What came of fitting a model to a data set.

    Attributes
    ----------
    model, dataset, licence, n_images
        What was fitted to what, and the licence of that data.
    log_likelihood
        Of the saved model on the images that it was fitted to, as `evaluate` has it: mean over the images, bit per
        fixation above uniform. Too good for other images.
    center_bias_log_likelihood
        The same of the data set's center bias, without the image at hand.
    command, version
        What makes these weights, with which Foveal.
    problems
        One line for each thing that could not be used.
    path
        The weights.
    intervals
        95 % bootstrap intervals over images of all likelihoods and of the gain, by their names here.
    published_log_likelihood
        The same of the model as it was before: as published, or as it is in the file that was given; None of a model
        without weights.
    held_out_log_likelihood
        The same of models that were not fitted to the image that they are judged on: of a center bias each image left
        out in turn; None if nothing was held out.
    gain
        By how much that is above the model before, on the same images.
    words
        What a network's numbers say of this data set beside pictures in general, a sentence each.
    """

    model: str
    dataset: str
    licence: str
    n_images: int
    log_likelihood: float
    center_bias_log_likelihood: float
    command: str
    version: str
    problems: tuple[str, ...]
    path: str
    intervals: dict[str, tuple[float, float]]
    published_log_likelihood: float | None = None
    held_out_log_likelihood: float | None = None
    gain: float | None = None
    words: tuple[str, ...] = ()


def fit_model(
    model: str | os.PathLike[str],
    dataset: str | os.PathLike[str] | Dataset,
    options: Mapping[str, Any],
    *,
    out: str | os.PathLike[str] = "out",
    data_root: str | os.PathLike[str] | None = None,
    split: str | None = None,
    progress: Report | None = None,
) -> TrainingReport:
    """Fit a model to the fixations of a data set and write `<out>/<model>.safetensors`, as `foveal.train` says.

    `options` are those of a fit that are given, by their names there.

    Raises
    ------
    FovealError
        If the model cannot be trained, or not as the options say, or the data set not be used for it.
    """
    path_of(out, "out")
    fresh = load_model(model, fitted=False)
    name = fresh.name
    if not fresh.card.trainable:
        raise FovealError(f"{name} has nothing to train")
    settings = settings_of(fresh).read(options, name, Path(out), Progress.of(progress))
    fresh = settings.to_fit(fresh, model)
    data = dataset if isinstance(dataset, Dataset) else load_dataset(dataset, data_root)
    if split:
        data = data.split(split)
    data = data.looked_at().readable()
    settings.problems.extend(data.problems)
    if settings.folds is not None:
        settings.folds_of(data)  # complains, if there are no such folds
    path = make_writable_folder(settings.folder) / f"{name}.safetensors"

    before = load_model(model) if has_weights(model) and not settings.is_of_other_parts else None
    earlier = {part or name: training for part, training in trainings_of(model).items() if part != CALIBRATION}
    if before is not None:
        _tell_if_known(data, model, earlier, too_good_if_held_out=settings.keeps_networks)
    fitted = fit(fresh, data, settings)

    values = _values_by_image(fitted, before, data)
    known = {key: of_images[np.isfinite(of_images)] for key, of_images in values.items()}
    given_name = data.name if isinstance(dataset, Dataset) else Path(dataset).name  # a folder without its place
    given = ({"split": split} if split else {}) | {key: getattr(settings, key) for key in options}
    result = TrainingReport(
        name,
        data.name,
        data.licence,
        len(data),
        command=f"foveal train {name} --dataset {given_name}{as_flags(given)}",
        version=version("foveal"),
        problems=tuple(settings.problems),
        path=os.fspath(path),
        words=fitted.words,
        intervals={key: bootstrap_interval(lambda rows: rows.mean(axis=-1), of) for key, of in known.items()},
        **{key: float(of.mean()) for key, of in known.items()},
    )
    provenance = asdict(result) | {"photographs": as_text(perceptual_hashes(data.stimuli))}
    del provenance["path"]  # a place on this machine says nothing elsewhere
    if settings.keeps_networks:  # the file knows what its networks have learned as well
        provenance = {"members": {**earlier, CALIBRATION: provenance}}
    save_model(fitted.model, path, provenance)
    return result


def _values_by_image(
    fitted: Fitted, before: SaliencyModel | None, data: Dataset
) -> dict[str, Float[np.ndarray, " image"]]:
    """Likelihoods of each image, and the gain on the model before, by their names in the report."""
    values = {
        "log_likelihood": _log_likelihood(fitted.model, data, fitted.maps),
        "center_bias_log_likelihood": CenterBias.cross_validated(data).log_likelihood_per_image,
    }
    if before is not None:
        same_maps = fitted.maps if _differ_in_calibration_only(before, fitted.model) else None
        values["published_log_likelihood"] = _log_likelihood(before, data, same_maps)
    if fitted.held_out is not None:
        values["held_out_log_likelihood"] = fitted.held_out
    if before is not None and fitted.held_out is not None:
        values["gain"] = fitted.held_out - values["published_log_likelihood"]
    return values


def _log_likelihood(
    model: SaliencyModel, data: Dataset, maps: Sequence[tuple[list[int], WorkingMaps]] | None
) -> Float[np.ndarray, " image"]:
    """As `log_likelihood_by_image`, from the maps that the model has of the images where these are known."""
    if maps is None or not isinstance(model, SaliencyMapModel):
        return log_likelihood_by_image(model, data)
    values = np.full(len(data), nan)
    for images, of_size in maps:
        values[images] = log_likelihood_of(of_size.log_density(model.calibration), data, images)
    return values


def _differ_in_calibration_only(one: SaliencyModel, other: SaliencyModel) -> bool:
    """Do two models of one class compute the same maps?"""
    first, second = one.state_dict(), other.state_dict()
    of_maps = [key for key in first if not key.startswith("calibration.")]
    return one.config == other.config and all(torch.equal(first[key], second[key]) for key in of_maps)


def _tell_if_known(
    data: Dataset,
    model: str | os.PathLike[str],
    trainings: Mapping[str, Mapping[str, Any]],
    *,
    too_good_if_held_out: bool,
) -> None:
    """Say, in a note, how many of the photographs the model as it was before has been trained on."""
    n_known = int(recognized(trainings.values(), data).sum())
    if n_known:
        note = f"{data.name}: {n_known} of {len(data)} photographs were trained on by {model} as it was: its numbers "
        note += "are too good"
        warnings.warn(note + ", of held-out images as well" * too_good_if_held_out, FovealNote, stacklevel=4)
