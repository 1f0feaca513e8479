"""`foveal train`: fit a model to a data set and write its weights."""

import math
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch

from foveal.datasets import load_dataset
from foveal.errors import FovealError, FovealNote
from foveal.files import make_writable_folder
from foveal.gaze import Dataset
from foveal.gaze.center_bias import CenterBiasKDE
from foveal.metrics import FixationBatch, log_likelihood
from foveal.models import SaliencyMapModel, SaliencyModel, load_model, save_model
from foveal.models.baselines import CenterBias, CrossValidatedCenterBias
from foveal.models.deep.deepgaze1 import DeepGaze1, DeepGaze1Config, config_for
from foveal.models.deep.foveal_l import FovealL
from foveal.models.deep.foveal_s import FovealS
from foveal.models.registry import datasets_of, trainings_of
from foveal.progress import Progress, to_nobody
from foveal.training.calibrate import BATCH_SIZE, MapsAndFixations, fit_calibration, mean_log_likelihood, prepare
from foveal.training.fit_readout import OptimizerName
from foveal.training.learning import learn
from foveal.training.readout_problem import SPARSITY
from foveal.training.train_readout import LeftOut, train_readout
from foveal.training.transfer import fit_transfer, held_out_gain, unseen_of, with_transfer

CALIBRATION = "calibration"  # what it is called among the trainings of a model whose networks were trained before


@dataclass(frozen=True)
class TrainingReport:
    """What a training run did.

    Attributes
    ----------
    model, dataset, licence, n_images
        What was fitted to what, and the licence of that data.
    log_likelihood
        Mean over the images that it was fitted to, bit per fixation above uniform: too good for other images.
    center_bias_log_likelihood
        The same of the data set's centre bias, without the image at hand.
    held_out_log_likelihood
        The same of the model on images that it was not fitted to: of a calibration None without folds, of a centre bias
        each image left out in turn.
    command, version
        What makes these weights, with which Foveal.
    problems
        One line for each thing that could not be used.
    path
        The weights.
    """

    model: str
    dataset: str
    licence: str
    n_images: int
    log_likelihood: float
    center_bias_log_likelihood: float
    held_out_log_likelihood: float | None
    command: str
    version: str
    problems: tuple[str, ...]
    path: str


def train(
    model: str,
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
    """Fit a model to the fixations of a data set and write `out`/<model>.safetensors, which `load_model` reads.

    Of a model that computes a saliency map, the calibration is fitted, after what it makes the map of, if that is
    learned: from fixations (`icf`, `judd`, `lds`), from labelled faces (`faces`), or from the photographs alone (`aim`,
    `sun`, `dva`; folds share these). Of `centerbias`, the density; of `deepgaze1`, the readout, on features that are
    computed once and kept; of `foveal-s` and `foveal-l`, the centre bias and how sure they are (`training.transfer`),
    while `train_by_recipe` trains the networks.

    Parameters
    ----------
    model
        Name of a trainable model, or a file of its weights.
    dataset
        A data set, its name, or the path of a folder.
    out
        Folder for the weights.
    data_root
        Where the data sets of the catalogue lie.
    split
        Only this named part of the data set.
    folds
        Fit as many times again, each time to all images but one part, to measure the likelihood of images that were
        not fitted.
    left_out
        What the folds leave out: "images", or of `deepgaze1` one of the "subjects" in turn.
    backbone, layers
        Of `deepgaze1`: another network than AlexNet, other layers than conv5.
    penalty
        Of `deepgaze1`: λ, what sparsity of the weights is worth.
    optimizer
        Of `deepgaze1`: "lbfgs", "sfo" (the paper's) or "adam".
    resume
        Of `deepgaze1`: do not fit folds again whose readout is in `out`.
    seed
        Of what is learned from first values or samples by chance: of `deepgaze1`, filters, readouts of local
        features, faces, and `lds`.
    progress
        Called with what is being done, how much of it is done, and of how much.

    Raises
    ------
    FovealError
        If the model cannot be trained, or the data set not be used for it.
    """
    fitted_model = load_model(model, fitted=False)
    name = fitted_model.name
    if not fitted_model.card.trainable:
        raise FovealError(f"{name} has nothing to train")
    if isinstance(fitted_model, DeepGaze1):
        if backbone not in (None, "alexnet") and not layers:
            raise FovealError(f"{backbone}: say which of its layers to read out (layers)")
        config = config_for(backbone or "alexnet", layers or DeepGaze1Config().layers)
        fitted_model = DeepGaze1(config)
        fitted_model.backbone.check_layers(config.layers)  # its weights are here, or the reason is said now
    elif backbone or layers or resume or (left_out, optimizer, penalty) != ("images", "lbfgs", SPARSITY):
        raise FovealError(
            f"{name} has no layers, optimizer, penalty or folds over subjects to choose, nor can it resume"
        )
    leaves_out = _one_of(LeftOut, left_out, "left out")
    fitted_by = _one_of(OptimizerName, optimizer, "optimizer")
    if not 0 <= penalty < math.inf:
        raise FovealError(f"penalty: a number of at least 0, not {penalty:g}")
    data = dataset if isinstance(dataset, Dataset) else load_dataset(dataset, data_root)
    if split:
        data = data.split(split)
    data = data.looked_at()
    if folds is not None and isinstance(fitted_model, SaliencyMapModel) and fitted_model.map_is_fitted:
        raise FovealError(f"{name}: its map is fitted to fixations or labels before it is calibrated: it has no folds")
    if folds is not None and leaves_out == "subjects":
        raise FovealError("folds leave out images; of subjects, each is left out in turn")
    if folds is not None and not 2 <= folds <= len(data):
        raise FovealError(f"{folds} folds of {len(data)} images: give at least 2 and at most as many as images")
    path = make_writable_folder(out) / f"{name}.safetensors"

    density = CenterBiasKDE.fit(data)
    center_bias = CenterBias.of(density)
    prior_likelihood = float(CrossValidatedCenterBias(data, density).log_likelihood_per_image.mean())
    problems = list(data.problems)
    networks_learned: dict[str, dict[str, Any]] = {}
    trained: SaliencyModel
    if isinstance(fitted_model, DeepGaze1):
        done = train_readout(
            fitted_model,
            data,
            path.parent,
            folds=folds,
            left_out=leaves_out,
            penalty=penalty,
            optimizer=fitted_by,
            resume=resume,
            seed=seed,
            progress=progress or to_nobody,
        )
        likelihood, held_out = done.log_likelihood, done.held_out_log_likelihood
        trained = fitted_model
    elif isinstance(fitted_model, SaliencyMapModel):
        learn(fitted_model, data, seed, progress or to_nobody)
        likelihood, held_out = _calibrate(fitted_model, data, center_bias, folds, problems, progress or to_nobody)
        trained = fitted_model
    elif isinstance(fitted_model, FovealS | FovealL):
        networks = load_model(model)
        assert isinstance(networks, FovealS | FovealL)
        parts = trainings_of(model).items()
        networks_learned = {part or name: training for part, training in parts if part != CALIBRATION}
        _tell_if_known(data, name, networks_learned)
        unseen = unseen_of(networks, data, progress or to_nobody)
        fit = fit_transfer(unseen)
        trained = with_transfer(networks, fit, data)
        gains = torch.cat([some.gain(1 / fit.temperature, fit.prior_weight) for some in unseen])
        likelihood = prior_likelihood + float(gains.mean())
        held_out = None if folds is None else prior_likelihood + held_out_gain(unseen, folds)
    else:
        likelihood, held_out = _fitted_log_likelihood(center_bias, data), prior_likelihood
        trained = center_bias

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
    command = f"foveal train {name} --dataset {given_name}{options}"
    result = TrainingReport(
        name,
        data.name,
        data.licence,
        len(data),
        likelihood,
        prior_likelihood,
        held_out,
        command,
        version("foveal"),
        tuple(problems),
        os.fspath(path),
    )
    provenance = asdict(result)
    del provenance["path"]  # a place on this machine says nothing elsewhere
    if isinstance(trained, FovealS | FovealL):  # which knows what its networks have learned as well
        provenance = {"members": {**networks_learned, CALIBRATION: provenance}}
    save_model(trained, path, provenance)
    return result


def _tell_if_known(data: Dataset, name: str, trainings: Mapping[str, Mapping[str, Any]]) -> None:
    """Say, in a note, if the networks of a model were trained on the data set that it is calibrated to."""
    if any(known["name"] == data.name for training in trainings.values() for known in datasets_of(training)):
        note = f"{name} was trained on {data.name}: its numbers there are too good, of held-out images as well"
        warnings.warn(note, FovealNote, stacklevel=3)


def _one_of(choices: Any, given: str, what: str) -> Any:
    """What was given, if it is one of the strings of a Literal type."""
    if given not in get_args(choices):
        raise FovealError(f"{what}: {' or '.join(get_args(choices))}, not {given!r}")
    return given


def _calibrate(
    model: SaliencyMapModel,
    data: Dataset,
    center_bias: CenterBias,
    folds: int | None,
    problems: list[str],
    report: Progress,
) -> tuple[float, float | None]:
    """Give the model the calibration that fits all images; how well it fits them, and held-out ones if asked for."""
    parts = _prepared_parts(model, data, folds or 1, problems, report)
    fits = 1 + (folds or 0)
    report("fits", 0, fits)
    everything = [batch for part in parts for batch in part]
    model.calibration = fit_calibration(everything, center_bias.log_grid)
    report("fits", 1, fits)
    held_out = None
    if folds is not None:
        held_out = _held_out_log_likelihood(data, parts, lambda done: report("fits", 1 + done, fits))
    return mean_log_likelihood(model.calibration, everything), held_out


def _fitted_log_likelihood(center_bias: CenterBias, data: Dataset) -> float:
    """Mean over images of the log-likelihood of the fixations that a centre bias was fitted to, in bit per fixation."""
    per_image = []
    for indices in data.stimuli.batches(BATCH_SIZE):
        height, width = data.stimuli.sizes[indices[0]].tolist()
        log_density = center_bias.log_density(torch.zeros(len(indices), 3, height, width))
        fixations = FixationBatch.stack([data.fixations.for_image(index) for index in indices])
        per_image += log_likelihood(log_density, fixations).tolist()
    return float(np.mean(per_image))


def _prepared_parts(
    model: SaliencyMapModel, data: Dataset, n_parts: int, problems: list[str], report: Progress
) -> list[list[MapsAndFixations]]:
    """The maps of the data set's folds: of fold k, images k, k + n_parts, and so on."""
    done = 0

    def count(n: int) -> None:
        nonlocal done
        done += n
        report("maps", done, len(data))

    folds = [data.select(np.arange(k, len(data), n_parts)) for k in range(n_parts)]
    return [prepare(model, fold, problems, count) for fold in folds]


def _held_out_log_likelihood(
    data: Dataset, parts: list[list[MapsAndFixations]], progress: Callable[[int], None]
) -> float:
    """Mean over the images of each fold, under a calibration and a centre bias fitted to the other folds."""
    fold_of = np.arange(len(data)) % len(parts)
    total, n_images = 0.0, 0
    for fold, part in enumerate(parts):
        prior = CenterBias.of(CenterBiasKDE.fit(data.select(np.flatnonzero(fold_of != fold)))).log_grid
        others = [batch for other, batches in enumerate(parts) if other != fold for batch in batches]
        n = sum(len(batch.maps) for batch in part)
        total += n * mean_log_likelihood(fit_calibration(others, prior), part)
        n_images += n
        progress(fold + 1)
    return total / n_images
