"""`foveal train MODEL --dataset D`: fit a model to a data set and write its weights."""

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from math import nan
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from jaxtyping import Float

from foveal.datasets import load_dataset
from foveal.errors import FovealError, FovealNote
from foveal.files import make_writable_folder
from foveal.gaze import Dataset
from foveal.gaze.given import real_number, texts, whole_number
from foveal.gaze.recognition import as_text, perceptual_hashes
from foveal.metrics.bootstrap import bootstrap_interval
from foveal.models import SaliencyMapModel, SaliencyModel, load_model, save_model
from foveal.models.baselines import CenterBias
from foveal.models.calibration import WorkingMaps
from foveal.models.deep.deepgaze1 import DeepGaze1, DeepGaze1Config, config_for
from foveal.models.deep.foveal_l import FovealL
from foveal.models.deep.foveal_s import FovealS
from foveal.models.registry import has_weights, recognized, trainings_of
from foveal.paths import path_of
from foveal.progress import Progress, to_nobody
from foveal.training.fits import calibration, deepgaze1, transfer  # noqa: F401 (they register how their models are fitted)
from foveal.training.fits.fit import FitSettings, LeftOut, fit, log_likelihood_by_image, log_likelihood_of
from foveal.training.fits.fit_readout import OptimizerName
from foveal.training.fits.readout_problem import SPARSITY
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


def fit_model(
    model: str | os.PathLike[str],
    dataset: str | os.PathLike[str] | Dataset,
    *,
    out: str | os.PathLike[str] = "out",
    data_root: str | os.PathLike[str] | None = None,
    split: str | None = None,
    folds: int | None = None,
    left_out: str = "images",
    backbone: str | None = None,
    layers: Sequence[str] | None = None,
    penalty: float = SPARSITY,
    optimizer: str = "lbfgs",
    resume: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
) -> TrainingReport:
    """Fit a model to the fixations of a data set and write `<out>/<model>.safetensors`, as `foveal.train` says.

    Raises
    ------
    FovealError
        If the model cannot be trained, or the data set not be used for it.
    """
    if folds is not None:
        folds = whole_number(folds, "folds", 2)
    seed = whole_number(seed, "seed")
    penalty = real_number(penalty, "penalty")
    path_of(out, "out")
    if layers is not None:
        layers = texts(layers, "layers")
    fresh = load_model(model, fitted=False)
    name = fresh.name
    if not fresh.card.trainable:
        raise FovealError(f"{name} has nothing to train")
    if isinstance(fresh, DeepGaze1):
        if backbone not in (None, "alexnet") and not layers:
            raise FovealError(f"{backbone}: say which of its layers to read out (layers)")
        config = config_for(backbone or "alexnet", layers or DeepGaze1Config().layers)
        fresh = DeepGaze1(config)
        fresh.backbone.check_layers(config.layers)  # its weights are here, or the reason is said now
    elif backbone or layers or resume or (left_out, optimizer, penalty) != ("images", "lbfgs", SPARSITY):
        raise FovealError(
            f"{name} has no layers, optimizer, penalty or folds over subjects to choose, nor can it resume"
        )
    elif isinstance(fresh, FovealS | FovealL):
        fresh = load_model(model)  # its networks stay as they are
    leaves_out = _one_of(LeftOut, left_out, "left out")
    fitted_by = _one_of(OptimizerName, optimizer, "optimizer")
    if penalty < 0:
        raise FovealError(f"penalty: a number of at least 0, not {penalty:g}")
    data = dataset if isinstance(dataset, Dataset) else load_dataset(dataset, data_root)
    if split:
        data = data.split(split)
    data = data.looked_at().readable()
    if folds is not None and leaves_out == "subjects":
        raise FovealError("folds leave out images; of subjects, each is left out in turn")
    folder, problems, report = Path(out), list(data.problems), progress or to_nobody
    settings = FitSettings(folder, folds, leaves_out, penalty, fitted_by, resume, seed, report, problems)
    if folds is not None:
        settings.folds_of(data)  # complains, if there are no such folds
    path = make_writable_folder(folder) / f"{name}.safetensors"

    before = load_model(model) if has_weights(model) and not (backbone or layers) else None
    networks_stay = isinstance(fresh, FovealS | FovealL)
    earlier = {part or name: training for part, training in trainings_of(model).items() if part != CALIBRATION}
    if before is not None:
        _tell_if_known(data, model, earlier, too_good_if_held_out=networks_stay)
    fitted = fit(fresh, data, settings)

    by_image = {
        "log_likelihood": _log_likelihood(fitted.model, data, fitted.maps),
        "center_bias_log_likelihood": CenterBias.cross_validated(data).log_likelihood_per_image,
    }
    if before is not None:
        same_maps = fitted.maps if _differ_in_calibration_only(before, fitted.model) else None
        by_image["published_log_likelihood"] = _log_likelihood(before, data, same_maps)
    if fitted.held_out is not None:
        by_image["held_out_log_likelihood"] = fitted.held_out
    if before is not None and fitted.held_out is not None:
        by_image["gain"] = fitted.held_out - by_image["published_log_likelihood"]
    known = {key: values[np.isfinite(values)] for key, values in by_image.items()}
    given = {
        "split": split,
        "backbone": backbone,
        "layers": ",".join(layers or ()),
        "penalty": str(penalty) if penalty != SPARSITY else None,
        "optimizer": optimizer if optimizer != "lbfgs" else None,
        "seed": seed,
        "folds": folds,
        "leave-out": "subjects" if left_out == "subjects" else None,
    }
    options = "".join(f" --{option} {value}" for option, value in given.items() if value)
    given_name = data.name if isinstance(dataset, Dataset) else Path(dataset).name  # a folder without its place
    result = TrainingReport(
        name,
        data.name,
        data.licence,
        len(data),
        command=f"foveal train {name} --dataset {given_name}{options}",
        version=version("foveal"),
        problems=tuple(problems),
        path=os.fspath(path),
        intervals={key: bootstrap_interval(lambda rows: rows.mean(axis=-1), values) for key, values in known.items()},
        **{key: float(values.mean()) for key, values in known.items()},
    )
    provenance = asdict(result) | {"photographs": as_text(perceptual_hashes(data.stimuli))}
    del provenance["path"]  # a place on this machine says nothing elsewhere
    if networks_stay:  # the file knows what its networks have learned as well
        provenance = {"members": {**earlier, CALIBRATION: provenance}}
    save_model(fitted.model, path, provenance)
    return result


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


def _one_of(choices: Any, given: str, what: str) -> Any:
    """What was given, if it is one of the strings of a Literal type."""
    if given not in get_args(choices):
        raise FovealError(f"{what}: {' or '.join(get_args(choices))}, not {given!r}")
    return given
