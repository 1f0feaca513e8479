"""`foveal train deepgaze1`: features, one fit to everything, and others to measure it on what they did not see."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Float

from foveal.errors import FovealError
from foveal.gaze import Dataset
from foveal.gaze.center_bias import CenterBiasKDE
from foveal.models import load_model, save_model
from foveal.models.baselines import CenterBias
from foveal.models.deep.deepgaze1 import DeepGaze1
from foveal.models.parts.readout import LinearReadout
from foveal.models.registry import read_provenance
from foveal.training.feature_cache import FeatureCache
from foveal.training.fit_readout import STEPS, OptimizerName, fit_readout
from foveal.training.readout_problem import (
    ReadoutProblem,
    counts_of,
    log_likelihoods,
    log_priors_of,
    standard_deviations,
)

FOLDS_AT_ONCE = 16  # bounds the memory of folds that are fitted together

Progress = Callable[[str, int, int], None]
LeftOut = Literal["images", "subjects"]


@dataclass(frozen=True)
class ReadoutTraining:
    """What came of it: mean over images, bit per fixation above uniform.

    Attributes
    ----------
    log_likelihood
        Of the fixations that the model was fitted to.
    held_out_log_likelihood
        Of fixations that a model was not fitted to, one fold after the other; None without folds.
    """

    log_likelihood: float
    held_out_log_likelihood: float | None


@dataclass(frozen=True)
class Fold:
    """Which fixations are fitted to, and which are judged."""

    trained_on: Bool[np.ndarray, " fixation"]
    judged: Bool[np.ndarray, " fixation"]


def train_readout(
    model: DeepGaze1,
    data: Dataset,
    out: Path,
    *,
    folds: int | None,
    left_out: LeftOut,
    penalty: float,
    optimizer: OptimizerName,
    resume: bool,
    seed: int,
    progress: Progress,
) -> ReadoutTraining:
    """Fit the readout to all fixations, in place; measure it on held-out images or subjects if asked for.

    The fits of the folds are kept in `out`/folds as they are done; with `resume`, those that are there are not done
    again.

    Raises
    ------
    FovealError
        If folds that are to be kept were fitted with other settings.
    """
    parts = folds_over_subjects(data) if left_out == "subjects" else folds_over_images(data, folds) if folds else []
    cache = FeatureCache(model, data)
    settings = {
        "features": cache.key,
        "layers": list(model.config.layers),
        "penalty": penalty,
        "folds": len(parts),
        "left_out": left_out,
    }
    kept = _kept_folds(out / "folds", len(parts), settings) if resume else {}
    groups = cache.groups(progress)
    model.readout.std = standard_deviations(groups)
    density = CenterBiasKDE.fit(data)
    model.log_prior = CenterBias.of(density).log_grid
    everything = ReadoutProblem(groups, log_priors_of(groups, data, density), counts_of(groups, data.fixations))

    def report(passes: int, _: float) -> None:
        progress("steps", passes, STEPS)

    fit_readout(model.readout, everything, penalty=penalty, optimizer=optimizer, seed=seed, report=report)

    def mean(values: Float[np.ndarray, " fixation"]) -> float:
        return float(np.nanmean(data.fixations.mean_by_image(values, len(data))))

    likelihood = mean(log_likelihoods(model.readout, everything, data.fixations))
    if not parts:
        return ReadoutTraining(likelihood, None)

    held_out = np.full(len(data.fixations), np.nan)
    for number, readout, problem in fitted_folds(model.readout, everything, data, parts, left_out, penalty, kept):
        if number not in kept:
            fold = DeepGaze1(model.config)
            fold.readout, fold.log_prior = readout, model.log_prior
            save_model(fold, out / "folds" / f"{number}.safetensors", settings)
        judged = parts[number].judged
        held_out[judged] = log_likelihoods(readout, problem, data.fixations.where(judged))
        progress("folds", number + 1, len(parts))
    return ReadoutTraining(likelihood, mean(held_out))


def folds_over_subjects(data: Dataset) -> list[Fold]:
    """Each subject left out in turn."""
    subject = data.fixations.subject
    return [Fold(subject != number, subject == number) for number in data.fixations.subjects.tolist()]


def folds_over_images(data: Dataset, n_folds: int) -> list[Fold]:
    """Of fold k, images k, k + n_folds and so on are left out."""
    group = data.fixations.image % n_folds
    return [Fold(group != number, group == number) for number in range(n_folds)]


def _fold_problem(everything: ReadoutProblem, data: Dataset, fold: Fold, left_out: LeftOut) -> ReadoutProblem:
    """Fit to the fixations that the fold is trained on; where it leaves out images, the prior does not know them."""
    log_priors = everything.log_priors
    if left_out == "images":
        unseen = np.unique(data.fixations.image[fold.judged]).tolist()
        of_others = CenterBiasKDE.fit(data.select(np.setdiff1d(np.arange(len(data)), unseen)))
        log_priors = log_priors_of(everything.groups, data, of_others, unseen, everything.grid_of)
    counts = counts_of(everything.groups, data.fixations.where(fold.trained_on), everything.grid_of)
    return replace(everything, log_priors=log_priors, counts=counts)


def fitted_folds(
    start: LinearReadout,
    everything: ReadoutProblem,
    data: Dataset,
    parts: Sequence[Fold],
    left_out: LeftOut,
    penalty: float,
    kept: Mapping[int, LinearReadout],
) -> Iterator[tuple[int, LinearReadout, ReadoutProblem]]:
    """Each fold's number, readout and problem; those that are not kept from earlier are fitted, many together.

    The fit begins at the readout of all fixations, which is near; the features are read once for all folds.
    """
    for first in range(0, len(parts), FOLDS_AT_ONCE):
        numbers = range(first, min(first + FOLDS_AT_ONCE, len(parts)))
        problems = {number: _fold_problem(everything, data, parts[number], left_out) for number in numbers}
        missing = [number for number in numbers if number not in kept]
        readouts = dict(kept)
        if missing:
            stack = LinearReadout.stack([start] * len(missing))
            joined = ReadoutProblem.joined([problems[number] for number in missing])
            fit_readout(stack, joined, penalty=penalty, warm=True)
            readouts.update(zip(missing, stack.unstacked(), strict=True))
        for number in numbers:
            yield number, readouts[number], problems[number]


def _kept_folds(folder: Path, n_folds: int, settings: dict[str, Any]) -> dict[int, LinearReadout]:
    """The readouts of an earlier run, by fold."""
    kept = {}
    for number in range(n_folds):
        path = folder / f"{number}.safetensors"
        if path.is_file():
            if read_provenance(path) != settings:
                raise FovealError(f"{path}: fitted with other settings; choose another --out, or leave out --resume")
            model = load_model(path)
            assert isinstance(model, DeepGaze1)  # train_readout writes no other
            kept[number] = model.readout
    return kept
