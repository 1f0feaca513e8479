"""How sure a model may be of itself, and what the center bias counts, on photographs unlike those it was trained on.

Both numbers are chosen on a data set that had no part in the training: a temperature T by which the saliency is divided
(Guo et al. 2017, "On calibration of modern neural networks", ICML), and the weight w of that data set's center bias.
"""

import copy
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from foveal.errors import FovealError
from foveal.features.cache import FeatureGroup
from foveal.features.cells import counts_of, log_priors_of
from foveal.gaze import Dataset
from foveal.gaze.center_bias import CenterBiasKDE
from foveal.gaze.folds import fold_of
from foveal.models import SaliencyModel, load_model
from foveal.models.base import stacked
from foveal.models.deep.foveal_l import FovealL
from foveal.models.deep.network import DensityNetwork, Network
from foveal.models.parts.finalizer import resize_maps
from foveal.models.parts.geometry import Grid
from foveal.models.parts.prior import prior_of
from foveal.progress import Progress, Report
from foveal.threads import computed_ahead
from foveal.training.fits.fit import Fitted, fit, log_likelihood_by_image, settings_of
from foveal.training.fits.options import FitSettings

Model = TypeVar("Model", bound=DensityNetwork | FovealL)
BATCH_SIZE = 2
STEPS = 50  # at most; of a problem of two numbers


@dataclass(frozen=True)
class Transfer:
    """What is chosen for photographs of another kind: p ∝ exp(saliency / temperature) · center bias ^ prior_weight."""

    temperature: float
    prior_weight: float


@dataclass(frozen=True)
class Unseen:
    """What a model says of images of one size that it was not trained on.

    Attributes
    ----------
    images
        Their positions in the data set.
    saliency
        What each member of the model (most have but one) adds to the logarithm of the center bias, not divided by its
        temperature.
    log_priors
        The data set's center bias, made without the image at hand.
    counts
        Fixations in each cell.
    """

    images: list[int]
    saliency: Float[Tensor, "member image row column"]
    log_priors: Float[Tensor, "image row column"]
    counts: Float[Tensor, "image row column"]

    def only(self, chosen: Bool[np.ndarray, " image"]) -> "Unseen":
        """Some of the images."""
        rows = np.flatnonzero(chosen).tolist()
        images = [self.images[row] for row in rows]
        return Unseen(images, self.saliency[:, rows], self.log_priors[rows], self.counts[rows])

    def log_density(
        self, sharpness: float | Float[Tensor, ""], prior_weight: float | Float[Tensor, ""]
    ) -> Float[Tensor, "image row column"]:
        """Over the cells, the mean of the members' densities; `sharpness` is the inverse of a temperature."""
        total = sharpness * self.saliency + prior_weight * self.log_priors
        by_member = total.flatten(2).log_softmax(dim=2)
        return (by_member.logsumexp(dim=0) - math.log(len(by_member))).view_as(self.log_priors)

    def gain(
        self, sharpness: float | Float[Tensor, ""], prior_weight: float | Float[Tensor, ""]
    ) -> Float[Tensor, " image"]:
        """Information gain of each image, bit per fixation above the center bias."""
        difference = self.log_density(sharpness, prior_weight) - self.log_priors
        return (self.counts * difference).sum(dim=(1, 2)) / self.counts.sum(dim=(1, 2)) / math.log(2)


def networks_of(model: DensityNetwork | FovealL) -> list[DensityNetwork]:
    """A network, or all members of a mixture.

    Raises
    ------
    FovealError
        If one says maps, of which there is no temperature.
    """
    members = model.networks if isinstance(model, FovealL) else [model]
    densities = [member for member in members if isinstance(member, DensityNetwork)]
    if len(densities) < len(members):
        raise FovealError(f"{model.name}: one of its networks says maps, and is calibrated by itself")
    return densities


@torch.no_grad()  # not inference mode: what comes of it is used in fits
def unseen_of(
    model: DensityNetwork | FovealL, data: Dataset, progress: Report, *, only: Sequence[int] | np.ndarray | None = None
) -> list[Unseen]:
    """What a model says of the images of a data set, or of some of them, image size by image size.

    Of a mixture, all members on the cells of the one that has the finest.

    Raises
    ------
    FovealError
        If an image cannot be read.
    """
    members = networks_of(model)

    def grid_of(size: tuple[int, int]) -> Grid:
        return max((member.cells(size) for member in members), key=lambda cells: cells.rows.length)

    looked_at = np.unique(data.fixations.image)
    images = looked_at if only is None else np.intersect1d(looked_at, only)
    groups = [FeatureGroup(size, of_size, {}, {}) for size, of_size in data.stimuli.by_size(images.tolist()).items()]
    log_priors = log_priors_of(groups, data, CenterBiasKDE.fit(data), grid_of)
    counts = counts_of(groups, data.fixations, grid_of)
    done, found = 0, []
    for group, log_prior, count in zip(groups, log_priors, counts, strict=True):
        parts = []
        batches = [group.images[start : start + BATCH_SIZE] for start in range(0, len(group.images), BATCH_SIZE)]
        for pixels, problems in computed_ahead(data.stimuli.read, batches):
            if problems:
                raise FovealError(problems[0])
            tensor = stacked(list(pixels.values()))
            size = int(count.shape[1]), int(count.shape[2])
            parts.append(torch.stack([resize_maps(member.saliency(tensor), size) for member in members]))
            done += len(pixels)
            progress(data.name, done, len(images))
        found.append(Unseen(group.images, torch.cat(parts, dim=1), log_prior, count))
    return found


def fit_transfer(unseen: Sequence[Unseen]) -> Transfer:
    """Temperature and weight with the highest mean information gain."""
    # The logarithm of the inverse temperature: below zero, the saliency would be turned upside down.
    values = torch.tensor([0.0, 1.0], requires_grad=True)
    optimizer = torch.optim.LBFGS([values], max_iter=STEPS, line_search_fn="strong_wolfe")

    def cost() -> Float[Tensor, ""]:
        optimizer.zero_grad()
        loss = -torch.cat([some.gain(values[0].exp(), values[1]) for some in unseen]).mean()
        loss.backward()
        return loss

    optimizer.step(cost)
    log_sharpness, prior_weight = values.tolist()
    return Transfer(math.exp(-log_sharpness), prior_weight)


@dataclass(frozen=True, kw_only=True)
class TransferSettings(FitSettings):
    """What is chosen of networks that stay as they are."""

    keeps_networks: ClassVar[bool] = True

    def to_fit(self, fresh: SaliencyModel, source: str | os.PathLike[str]) -> SaliencyModel:
        """The model with what it has learned."""
        return load_model(source)


@settings_of.register(Network | FovealL)
def transfer_settings(model: Network | FovealL) -> type[TransferSettings]:  # noqa: ARG001 (it is dispatched on)
    """Those of networks that stay as they are."""
    return TransferSettings


@fit.register(DensityNetwork | FovealL)
def fit_foveal(model: DensityNetwork | FovealL, data: Dataset, settings: FitSettings) -> Fitted:
    """Choose temperature, weight and center bias in all, and by folds to see what they are worth on other images."""
    n_folds, folds = settings.folds_of(data)
    unseen = unseen_of(model, data, settings.progress)
    held_out, number = np.full(len(data), math.nan), fold_of(data, n_folds)
    for fold in folds:
        fitted = [some.only(number[some.images] != fold) for some in unseen]
        others = data.select(np.flatnonzero(number != fold))
        of_fold = with_transfer(model, fit_transfer([some for some in fitted if some.images]), others)
        images = np.flatnonzero(number == fold).tolist()
        held_out[images] = log_likelihood_by_image(of_fold, data, images)[images]
    return Fitted(with_transfer(model, fit_transfer(unseen), data), held_out if folds else None)


def calibrated_to(model: Model, data: Dataset, progress: Report | None = None) -> Model:
    """A copy of a model for photographs, observers and a task like those of a data set.

    They get its center bias, and the temperature and the weight of it that fit its fixations best; the networks' own
    weights stay as they are, so that a few dozen photographs are enough.

    Raises
    ------
    FovealError
        If an image cannot be read, or nobody looked at any.
    """
    return with_transfer(model, fit_transfer(unseen_of(model, data, Progress.of(progress))), data)


def with_transfer(model: Model, fit: Transfer, data: Dataset) -> Model:
    """A copy of a model with a temperature, a weight of the center bias, and the center bias of a data set."""
    log_prior = prior_of(CenterBiasKDE.fit(data)).float()
    calibrated = copy.deepcopy(model)
    for network in networks_of(calibrated):
        network.temperature.fill_(fit.temperature)
        network.prior_weight.fill_(fit.prior_weight)
        network.log_prior.copy_(log_prior)
    return calibrated
