"""How `foveal train MODEL` fits a model to a data set: each way registers itself for the models that it fits."""

import math
from dataclasses import dataclass, field
from functools import singledispatch
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float

from foveal.errors import FovealError
from foveal.gaze import Dataset
from foveal.gaze.center_bias import CenterBiasKDE
from foveal.gaze.folds import folds_to_judge
from foveal.images import RGBImage
from foveal.metrics import FixationBatch, log_likelihood
from foveal.models import SaliencyModel
from foveal.models.base import together_or_apart
from foveal.models.baselines import CenterBias, CrossValidatedCenterBias
from foveal.models.calibration import WorkingMaps
from foveal.progress import Report
from foveal.training.fits.fit_readout import OptimizerName

BATCH_SIZE = 8
FOLDS_BY_DEFAULT = 5  # of what is fitted in minutes

LeftOut = Literal["images", "subjects"]


@dataclass(frozen=True)
class FitSettings:
    """What `train` was told, as the ways to fit take it (see there), and a line for each thing that cannot be used."""

    folder: Path
    folds: int | None
    left_out: LeftOut
    penalty: float
    optimizer: OptimizerName
    resume: bool
    seed: int
    progress: Report
    problems: list[str] = field(default_factory=list)

    def folds_of(self, data: Dataset) -> tuple[int, list[int]]:
        """The number of folds, and those that have images; by default as many as are soon fitted, of few images none.

        Raises
        ------
        FovealError
            If there are more folds than images, or holding one out leaves too little to fit to.
        """
        if self.folds is None:
            try:
                return FOLDS_BY_DEFAULT, folds_to_judge(data, FOLDS_BY_DEFAULT)
            except FovealError:
                return FOLDS_BY_DEFAULT, []
        if self.folds > len(data):
            raise FovealError(f"{self.folds} folds of {len(data)} images: give at most as many as images")
        return self.folds, folds_to_judge(data, self.folds)


@dataclass(frozen=True)
class Fitted:
    """What came of a fit.

    Attributes
    ----------
    model
        Fitted to all images.
    held_out
        Log-likelihood of each image's fixations under a model that was not fitted to them, bit per fixation above
        uniform, on the image's pixels; None if nothing was held out.
    maps
        The model's maps before calibration, if it has some, and their images: from these its densities follow at once.
    """

    model: SaliencyModel
    held_out: Float[np.ndarray, " image"] | None
    maps: list[tuple[list[int], WorkingMaps]] | None = None


@singledispatch
def fit(model: SaliencyModel, data: Dataset, settings: FitSettings) -> Fitted:  # noqa: ARG001 (what ways take)
    """Fit a model to a data set all of whose images have fixations.

    Raises
    ------
    FovealError
        If it cannot be fitted, or not as the settings say.
    """
    raise FovealError(f"{model.name} has nothing to train")


@fit.register
def fit_center_bias(model: CenterBias, data: Dataset, settings: FitSettings) -> Fitted:  # noqa: ARG001
    """Choose the density of relative positions; what is held out is each image in turn."""
    density = CenterBiasKDE.fit(data)
    return Fitted(CenterBias.of(density), CrossValidatedCenterBias(data, density).log_likelihood_per_image)


def log_likelihood_by_image(
    model: SaliencyModel, data: Dataset, images: list[int] | None = None
) -> Float[np.ndarray, " image"]:
    """Mean log-likelihood of each image's fixations, bit per fixation above uniform, on its own pixels.

    As `foveal evaluate` has it; NaN of images that cannot be read or predicted, and of those not asked for.
    """
    values = np.full(len(data), math.nan)
    chosen = np.arange(len(data)) if images is None else np.asarray(images)
    for batch in data.stimuli.select(chosen).batches(BATCH_SIZE):
        photographs, _ = data.stimuli.read(chosen[batch].tolist())

        def densities(some: list[int], photographs: dict[int, RGBImage] = photographs) -> torch.Tensor:
            scale = data.stimuli[some[0]].pixels_per_degree
            return model.log_density_of([photographs[image] for image in some], scale)

        for some, log_density in together_or_apart(densities, list(photographs)):
            if not isinstance(log_density, FovealError):
                values[some] = log_likelihood_of(log_density, data, some)
    return values


def log_likelihood_of(
    log_density: Float[torch.Tensor, "image height width"], data: Dataset, images: list[int]
) -> Float[np.ndarray, " image"]:
    """The same of images whose densities are known."""
    fixations = FixationBatch.stack([data.fixations.for_image(image) for image in images])
    return log_likelihood(log_density, fixations.to(log_density.device)).double().cpu().numpy()
