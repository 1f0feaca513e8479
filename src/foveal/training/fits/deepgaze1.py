"""`foveal train deepgaze1`: features, one fit to everything, and others to measure it on what they did not see."""

import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool

from foveal.errors import FovealError, FovealNote
from foveal.features.cache import FeatureCache
from foveal.features.cells import counts_of, log_priors_of
from foveal.features.deviations import standard_deviations
from foveal.gaze import Dataset
from foveal.gaze.center_bias import CenterBiasKDE
from foveal.gaze.folds import fold_of
from foveal.gaze.given import real_number, text, texts
from foveal.kept import differing
from foveal.models import SaliencyModel, load_model, save_model
from foveal.models.deep.deepgaze1 import DeepGaze1, DeepGaze1Config, config_for, density_grid
from foveal.models.parts.prior import prior_of
from foveal.models.parts.readout import LinearReadout
from foveal.models.registry import read_provenance
from foveal.training.fits.fit import Fitted, fit, settings_of
from foveal.training.fits.fit_readout import STEPS, OptimizerName, fit_readout
from foveal.training.fits.options import FitSettings, choice, option
from foveal.training.fits.readout_problem import SPARSITY, ReadoutProblem, log_likelihoods

LeftOut = Literal["images", "subjects"]

FOLDS_AT_ONCE = 5  # are fitted together, which reads the features once for all; bounds memory and what is lost


@dataclass(frozen=True)
class Fold:
    """Which fixations are fitted to, and which are judged."""

    trained_on: Bool[np.ndarray, " fixation"]
    judged: Bool[np.ndarray, " fixation"]


def _penalty(given: Any) -> float:
    penalty = real_number(given, "penalty")
    if penalty < 0:
        raise FovealError(f"penalty: a number of at least 0, not {penalty:g}")
    return penalty


@dataclass(frozen=True, kw_only=True)
class ReadoutSettings(FitSettings):
    """What is chosen of a readout, as `foveal.train` describes it."""

    backbone: str | None = option(None, lambda given: text(given, "backbone"))
    layers: Sequence[str] | None = option(None, lambda given: texts(given, "layers"))
    penalty: float = option(SPARSITY, _penalty)
    optimizer: OptimizerName = option("lbfgs", choice(OptimizerName, "optimizer"))  # noqa: RUF009 (it makes a field)
    left_out: LeftOut = option("images", choice(LeftOut, "left out"))  # noqa: RUF009
    resume: bool = option(False, bool)

    def __post_init__(self) -> None:
        if self.folds is not None and self.left_out == "subjects":
            raise FovealError("folds leave out images; of subjects, each is left out in turn")

    @property
    def is_of_other_parts(self) -> bool:
        """Is it read out of another network, or of other layers, than the published one?"""
        return bool(self.backbone or self.layers)

    def to_fit(self, fresh: SaliencyModel, source: str | os.PathLike[str]) -> SaliencyModel:
        """A readout of the layers that are chosen, whose network's weights are here."""
        if self.backbone not in (None, "alexnet") and not self.layers:
            raise FovealError(f"{self.backbone}: say which of its layers to read out (layers)")
        config = config_for(self.backbone or "alexnet", self.layers or DeepGaze1Config().layers)
        model = DeepGaze1(config)
        model.backbone.check_layers(config.layers)
        return model


@settings_of.register
def readout_settings(model: DeepGaze1) -> type[ReadoutSettings]:  # noqa: ARG001 (it is dispatched on)
    """Those of a readout."""
    return ReadoutSettings


@fit.register
def fit_deepgaze1(model: DeepGaze1, data: Dataset, settings: ReadoutSettings) -> Fitted:
    """Fit the readout to all fixations, in place; measure it on held-out images or subjects if asked for.

    Folds are fitted a few at a time and then kept in a folder `folds`; with `resume`, what is there is not done again.

    Raises
    ------
    FovealError
        If subjects are to be left out and are not known, or folds that are to be kept were fitted with other settings.
    """
    out, left_out, progress = settings.folder, settings.left_out, settings.progress
    penalty, optimizer, seed = settings.penalty, settings.optimizer, settings.seed
    parts: list[Fold] = []
    if left_out == "subjects":
        parts = folds_over_subjects(data)
    elif settings.folds is not None:
        parts = folds_over_images(data, *settings.folds_of(data))
    cache = FeatureCache(model, data)
    chosen = {
        "features": cache.key,
        "layers": list(model.config.layers),
        "fixations": data.fixations.digest(),
        "penalty": penalty,
        "optimizer": optimizer,
        "folds": len(parts),
        "left_out": left_out,
        "seed": seed,
    }
    kept = _kept_folds(out / "folds", len(parts), chosen) if settings.resume else {}
    groups = cache.groups(progress)
    model.readout.std = standard_deviations(groups)
    density = CenterBiasKDE.fit(data)
    model.log_prior = prior_of(density)
    everything = ReadoutProblem(
        groups,
        log_priors_of(groups, data, density, density_grid),
        counts_of(groups, data.fixations, density_grid),
        density_grid,
    )

    def report(what: str) -> Callable[[int, float], None]:
        return lambda passes, _: progress(what, passes, 2 * STEPS)

    fit_readout(model.readout, everything, penalty=penalty, optimizer=optimizer, seed=seed, report=report("passes"))
    progress("passes", 2 * STEPS, 2 * STEPS)  # it may have been done earlier

    if not parts:
        return Fitted(model, None)

    for path in (out / "folds").glob("*.safetensors"):
        if path.stem not in {str(number) for number in kept}:
            path.unlink()  # of an earlier run, which is not gone on with
    held_out = np.full(len(data.fixations), np.nan)
    at_once = FOLDS_AT_ONCE if optimizer == "lbfgs" else 1  # the others take mini-batches, which are read faster
    for start in range(0, len(parts), at_once):
        progress("folds", start, len(parts))
        numbers = range(start, min(start + at_once, len(parts)))
        each = {number: _fold_problem(everything, data, parts[number], left_out) for number in numbers}
        if not all(number in kept for number in numbers):
            # All afresh, for the fit of one hangs, by rounding, on those beside it. And from the start: begun at the
            # readout of all fixations, a fold would keep what that learned of those it is judged on.
            stack = LinearReadout(model.readout.channels, len(numbers))
            stack.std = model.readout.std
            joined = ReadoutProblem.joined([problem for problem, _ in each.values()])
            passes = f"folds {start + 1} to {numbers.stop}: passes"
            fit_readout(stack, joined, penalty=penalty, optimizer=optimizer, seed=seed, report=report(passes))
            progress(passes, 2 * STEPS, 2 * STEPS)
            for number, readout in zip(numbers, stack.unstacked(), strict=True):
                fold = DeepGaze1(model.config)
                fold.readout, fold.log_prior = readout, prior_of(each[number][1] or density)
                save_model(fold, out / "folds" / f"{number}.safetensors", chosen)
                kept[number] = readout
        for number in numbers:
            judged = parts[number].judged
            held_out[judged] = log_likelihoods(kept[number], each[number][0], data.fixations.where(judged))
    progress("folds", len(parts), len(parts))
    return Fitted(model, data.fixations.mean_by_image(held_out, len(data)))


def folds_over_subjects(data: Dataset) -> list[Fold]:
    """Each subject left out in turn.

    Raises
    ------
    FovealError
        If there are no two subjects, or it is not known who looked where.
    """
    if not data.fixations.has_subjects or len(data.fixations.subjects) < 2:
        raise FovealError(f"{data.name}: no two subjects are known, of which one could be left out")
    subject = data.fixations.subject
    return [Fold(subject != number, subject == number) for number in data.fixations.subjects.tolist()]


def folds_over_images(data: Dataset, n_folds: int, folds: Sequence[int]) -> list[Fold]:
    """The images of each fold left out in turn."""
    fold_of_fixation = fold_of(data, n_folds)[data.fixations.image]
    return [Fold(fold_of_fixation != fold, fold_of_fixation == fold) for fold in folds]


def _fold_problem(
    everything: ReadoutProblem, data: Dataset, fold: Fold, left_out: LeftOut
) -> tuple[ReadoutProblem, CenterBiasKDE | None]:
    """What a fold is fitted to, and its center bias where it must not know all images."""
    counts = counts_of(everything.groups, data.fixations.where(fold.trained_on), everything.grid_of)
    if left_out == "subjects":
        return replace(everything, counts=counts), None
    unseen = np.unique(data.fixations.image[fold.judged]).tolist()
    of_others = CenterBiasKDE.fit(data.select(np.setdiff1d(np.arange(len(data)), unseen)))
    log_priors = log_priors_of(everything.groups, data, of_others, everything.grid_of, unseen)
    return replace(everything, log_priors=log_priors, counts=counts), of_others


def _kept_folds(folder: Path, n_folds: int, settings: dict[str, Any]) -> dict[int, LinearReadout]:
    """The readouts of an earlier run, by fold."""
    kept = {}
    for number in range(n_folds):
        path = folder / f"{number}.safetensors"
        if path.is_file():
            if other := differing(read_provenance(path), settings):
                raise FovealError(
                    f"{path}: fitted with other settings ({', '.join(other)}); choose another --out, "
                    "or leave out --resume to replace the folds"
                )
            model = load_model(path)
            assert isinstance(model, DeepGaze1)  # train_readout writes no other
            kept[number] = model.readout
    warnings.warn(f"{len(kept)} of {n_folds} folds are there already", FovealNote, stacklevel=2)
    return kept
