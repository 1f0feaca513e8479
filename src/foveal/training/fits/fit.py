"""How `foveal train MODEL` fits a model to a data set: each way registers itself for the models that it fits."""

import math
from dataclasses import dataclass
from functools import singledispatch

import numpy as np
import torch
from jaxtyping import Float

from foveal.errors import FovealError
from foveal.gaze import Dataset
from foveal.gaze.center_bias import CenterBiasKDE
from foveal.images import RGBImage
from foveal.metrics import FixationBatch, log_likelihood
from foveal.models import SaliencyModel
from foveal.models.base import together_or_apart
from foveal.models.baselines import CenterBias, CrossValidatedCenterBias
from foveal.models.calibration import WorkingMaps
from foveal.training.fits.options import FitSettings

BATCH_SIZE = 8


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
    words
        What the fitted numbers say, a sentence each, where they are few.
    maps
        The model's maps before calibration, if it has some, and their images: from these its densities follow at once.
    """

    model: SaliencyModel
    held_out: Float[np.ndarray, " image"] | None
    words: tuple[str, ...] = ()
    maps: list[tuple[list[int], WorkingMaps]] | None = None


@singledispatch
def settings_of(model: SaliencyModel) -> type[FitSettings]:  # noqa: ARG001 (it is dispatched on)
    """The kind of settings with which models of a class are fitted: what there is to choose."""
    return FitSettings


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
            scale = data.stimuli[some[0]].known_pixels_per_degree
            return model.log_density_of([photographs[image] for image in some], scale)

        for some, log_density in together_or_apart(densities, list(photographs)):
            if not isinstance(log_density, FovealError):
                values[some] = log_likelihood_of(log_density, data, some)
    return values


def log_likelihood_of(
    log_density: Float[torch.Tensor, "image height width"], data: Dataset, images: list[int]
) -> Float[np.ndarray, " image"]:
    """Mean log-likelihood of the fixations of images whose densities are known, bit above uniform."""
    fixations = FixationBatch.stack([data.fixations.for_image(image) for image in images])
    return log_likelihood(log_density, fixations.to(log_density.device)).double().cpu().numpy()
