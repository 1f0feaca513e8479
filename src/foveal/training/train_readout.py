"""`foveal train deepgaze1`: features, one fit to everything, and others to measure it on what they did not see."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from foveal.gaze import Dataset
from foveal.gaze.center_bias import CenterBiasKDE
from foveal.models import load_model, save_model
from foveal.models.baselines import CenterBias
from foveal.models.deep.deepgaze1 import DeepGaze1
from foveal.training.feature_cache import FeatureCache
from foveal.training.fit_readout import (
    STEPS,
    ReadoutProblem,
    counts_of,
    fit_readout,
    log_likelihoods,
    log_priors_of,
    set_standard_deviations,
)

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


def train_readout(
    model: DeepGaze1,
    data: Dataset,
    out: Path,
    *,
    folds: int | None,
    left_out: LeftOut,
    penalty: float,
    resume: bool,
    seed: int,
    progress: Progress,
) -> ReadoutTraining:
    """Fit the readout to all fixations, in place; measure it on held-out images or subjects if asked for.

    The fit of each fold is kept in `out`/folds as it is done; with `resume`, those that are there are not done again.
    """
    groups = FeatureCache(model, data).groups(progress)
    set_standard_deviations(model, groups)
    density = CenterBiasKDE.fit(data)
    model.log_prior = CenterBias.of(density).log_grid
    priors = log_priors_of(groups, data, density)
    everything = ReadoutProblem(groups, priors, counts_of(groups, data.fixations))

    fit_readout(model, everything, penalty=penalty, seed=seed, report=lambda done, _: progress("steps", done, STEPS))
    likelihood = _mean_over_images(data, *log_likelihoods(model, everything, data.fixations))
    if folds is None and left_out == "images":
        return ReadoutTraining(likelihood, None)

    images = [np.zeros(0, dtype=np.int64)]
    values = [np.zeros(0)]
    parts = _parts(data, folds, left_out)
    for number, (trained_on, judged) in enumerate(parts):
        progress("folds", number, len(parts))
        log_priors = priors
        if left_out == "images":
            unseen = np.unique(data.fixations.image[judged]).tolist()
            of_others = CenterBiasKDE.fit(data.select(np.setdiff1d(np.arange(len(data)), unseen)))
            log_priors = log_priors_of(groups, data, of_others, unseen)
        problem = ReadoutProblem(groups, log_priors, counts_of(groups, data.fixations.where(trained_on)))
        fitted = _fitted_fold(model, problem, out / "folds" / f"{number}.safetensors", penalty, resume, seed)
        some_images, some_values = log_likelihoods(fitted, problem, data.fixations.where(judged))
        images.append(some_images)
        values.append(some_values)
    progress("folds", len(parts), len(parts))
    return ReadoutTraining(likelihood, _mean_over_images(data, np.concatenate(images), np.concatenate(values)))


def _parts(data: Dataset, folds: int | None, left_out: LeftOut) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each fold, which fixations are fitted to and which are judged."""
    if left_out == "subjects":
        group, numbers = data.fixations.subject, data.fixations.subjects.tolist()
    else:
        assert folds is not None  # else nothing is left out
        group, numbers = data.fixations.image % folds, list(range(folds))
    return [(group != number, group == number) for number in numbers]


def _fitted_fold(
    model: DeepGaze1, problem: ReadoutProblem, path: Path, penalty: float, resume: bool, seed: int
) -> DeepGaze1:
    """The readout of one fold, from the file that keeps it or fitted now."""
    if resume and path.is_file():
        kept = load_model(path)
        assert isinstance(kept, DeepGaze1)  # train_readout writes no other
        return kept
    fitted = DeepGaze1(model.config)
    fitted.load_state_dict(model.state_dict())
    # From the readout of all fixations, which is near; the optimum does not depend on where one begins.
    fit_readout(fitted, problem, penalty=penalty, seed=seed, warm=True)
    save_model(fitted, path)
    return fitted


def _mean_over_images(
    data: Dataset, image: Int[np.ndarray, " fixation"], value: Float[np.ndarray, " fixation"]
) -> float:
    count = np.bincount(image, minlength=len(data))
    total = np.bincount(image, weights=value, minlength=len(data))
    return float((total[count > 0] / count[count > 0]).mean())
