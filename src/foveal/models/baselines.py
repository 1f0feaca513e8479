"""The three yardsticks that need no pixels: the uniform density, the center bias, and the other observers.

Section 2.1 of DeepGaze I (Kümmerer, Theis & Bethge 2015) and Kümmerer, Wallis & Bethge 2015 (*PNAS* 112). A center bias
and a gold standard are made from the very data set that they are scored on; so that no fixation predicts itself, they
are cross-validated: the center bias over images, the gold standard over observers.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from foveal.errors import FovealError
from foveal.gaze import Dataset, Fixations
from foveal.gaze.center_bias import CenterBiasKDE
from foveal.gaze.kde import factored_kde, fit_bandwidth, leave_one_subject_out_densities
from foveal.models.base import SaliencyModel
from foveal.models.catalogue import register_model
from foveal.models.parts.finalizer import normalize_log_density, resize_log_density
from foveal.models.parts.prior import prior_of, uniform_prior

GOLD_BANDWIDTHS = (0.2, 4.0)  # degrees of visual angle: the range that is searched


class CrossValidatedBaseline(ABC):
    """A baseline fitted to a data set, which judges each fixation by a density that it had no part in."""

    dataset: Dataset

    @abstractmethod
    def log_densities(self, image: int) -> tuple[Float[Tensor, "view height width"], list[Fixations]]:
        """The held-out log densities of one image, and the fixations that each of them judges."""

    @property
    @abstractmethod
    def log_likelihoods(self) -> Float[np.ndarray, " fixation"]:
        """Held-out log density (nats) of every fixation of the data set, in the order of `dataset.fixations`."""

    @property
    def log_likelihood_per_image(self) -> Float[np.ndarray, " image"]:
        """Mean over each image's fixations, bit per fixation above uniform; NaN for an image without any."""
        areas = self.dataset.stimuli.sizes.prod(axis=1)
        nats = self.dataset.fixations.mean_by_image(self.log_likelihoods, len(areas))
        return (nats + np.log(areas)) / math.log(2)


@register_model("uniform", family="baseline", year=0, paper="every pixel is as likely as any other")
class Uniform(SaliencyModel):
    """Every pixel is as likely as any other."""

    def log_density(
        self, images: Float[Tensor, "image 3 height width"], pixels_per_degree: float | None = None
    ) -> Float[Tensor, "image height width"]:
        """Minus the logarithm of the number of pixels, everywhere."""
        return normalize_log_density(torch.zeros_like(images[:, 0]))


@register_model(
    "centerbias",
    family="baseline",
    year=2007,
    paper="Tatler, The central fixation bias in scene viewing, Journal of Vision 7(14), 2007",
    trainable=True,
    weights="package",
)
class CenterBias(SaliencyModel):
    """Where people look whatever the picture shows: a KDE of relative fixation positions, mixed with uniform.

    Shipped with the center bias of OSIE; `foveal evaluate` scores the data set's own instead, leaving out the image
    that it is scored on.
    """

    log_grid: Float[Tensor, "row column"]

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("log_grid", uniform_prior())

    @classmethod
    def of(cls, density: CenterBiasKDE) -> "CenterBias":
        """The model that predicts this center bias."""
        model = cls()
        model.log_grid = prior_of(density)
        return model

    @classmethod
    def cross_validated(cls, dataset: Dataset) -> "CrossValidatedCenterBias":
        """Each image's density from all other images' fixations."""
        return CrossValidatedCenterBias(dataset, CenterBiasKDE.fit(dataset))

    def log_density(
        self, images: Float[Tensor, "image 3 height width"], pixels_per_degree: float | None = None
    ) -> Float[Tensor, "image height width"]:
        """The center bias, for every image of a size."""
        height, width = images.shape[2:]
        return resize_log_density(self.log_grid[None], (height, width)).expand(len(images), -1, -1)


@dataclass(frozen=True)
class CrossValidatedCenterBias(CrossValidatedBaseline):
    """The center bias of a data set, without the image at hand."""

    dataset: Dataset
    density: CenterBiasKDE

    def log_densities(self, image: int) -> tuple[Float[Tensor, "view height width"], list[Fixations]]:
        """One density: that of all other images."""
        return self.density.leave_one_image_out(self.dataset, image)[None], [self.dataset.fixations.for_image(image)]

    @cached_property
    def log_likelihoods(self) -> Float[np.ndarray, " fixation"]:
        """Log density of every fixation."""
        images = np.unique(self.dataset.fixations.image).tolist()
        return np.concatenate([self.density.leave_one_image_out_at_fixations(self.dataset, image) for image in images])


@register_model(
    "gold",
    family="baseline",
    year=2015,
    paper="Kümmerer, Wallis & Bethge, Information-theoretic model comparison unifies saliency metrics, PNAS 112, 2015",
    needs_fixations=True,
)
class GoldStandard(SaliencyModel):
    """The other observers of the same image: how well any model could do."""

    @classmethod
    def cross_validated(
        cls, dataset: Dataset, center_bias: CrossValidatedCenterBias | None = None
    ) -> "CrossValidatedGoldStandard":
        """Each observer's density from all others' fixations on the image; a center bias given is not fitted anew."""
        return CrossValidatedGoldStandard.fit(dataset, center_bias or CenterBias.cross_validated(dataset))

    def log_density(
        self, images: Float[Tensor, "image 3 height width"], pixels_per_degree: float | None = None
    ) -> Float[Tensor, "image height width"]:
        """Not to be had.

        Raises
        ------
        FovealError
            Always: pixels do not tell where people looked.
        """
        raise FovealError("gold is made from fixations on the image itself; use it in evaluate, not in predict")


@dataclass(frozen=True)
class CrossValidatedGoldStandard(CrossValidatedBaseline):
    """KDE of all other observers' fixations on an image, mixed with the center bias and the uniform density.

    Attributes
    ----------
    bandwidth
        Of the Gaussian, in degrees of visual angle.
    weights
        Of the other observers, the center bias and the uniform density; they sum to one.
    """

    dataset: Dataset
    center_bias: CrossValidatedCenterBias
    bandwidth: float
    weights: Float[np.ndarray, "3"]

    @classmethod
    def fit(cls, dataset: Dataset, center_bias: CrossValidatedCenterBias) -> "CrossValidatedGoldStandard":
        """Choose bandwidth and weights by the likelihood of each observer's fixations under the others'.

        Raises
        ------
        FovealError
            If it is not known who made which fixation, or how large the images were.
        """
        if not dataset.fixations.has_subjects:
            raise FovealError(f"{dataset.name}: a gold standard needs to know which subject made each fixation")
        if dataset.stimuli.pixels_per_degree is None:
            raise FovealError(f"{dataset.name}: a gold standard needs pixels_per_degree")
        prior = np.exp(center_bias.log_likelihoods)
        uniform = 1 / dataset.stimuli.sizes.prod(axis=1)[dataset.fixations.image]

        def densities(bandwidth: float) -> np.ndarray:
            others = _densities_of_the_others(dataset, bandwidth)
            components = np.stack([others, prior, uniform])[:, ~np.isnan(others)]
            if components.shape[1] == 0:
                raise FovealError(f"{dataset.name}: a gold standard needs two subjects or more on an image")
            return components

        return cls(dataset, center_bias, *fit_bandwidth(densities, GOLD_BANDWIDTHS))

    def log_densities(self, image: int) -> tuple[Float[Tensor, "view height width"], list[Fixations]]:
        """One density for each observer of the image: that of all the others."""
        fixations = self.dataset.fixations.for_image(image)
        height, width = self.dataset.stimuli.sizes[image].tolist()
        factors = factored_kde(fixations.x, fixations.y, (height, width), _sigma(self.dataset, image, self.bandwidth))
        prior = self.center_bias.log_densities(image)[0][0].exp()
        floor = self.weights[1] * prior + self.weights[2] / prior.numel()
        views = torch.empty(len(fixations.subjects), height, width)
        for view, subject in zip(views, fixations.subjects, strict=True):
            others = fixations.subject != subject
            if others.any():
                torch.addmm(floor, *factors(others), alpha=float(self.weights[0]) / int(others.sum()), out=view)
            else:
                view.copy_(floor / (1 - self.weights[0]))
        return views.log_(), [fixations.for_subject(subject) for subject in fixations.subjects]

    @cached_property
    def log_likelihoods(self) -> Float[np.ndarray, " fixation"]:
        """Log density of every fixation under the others, by pairwise sums: no map is rendered."""
        areas = self.dataset.stimuli.sizes.prod(axis=1)[self.dataset.fixations.image]
        floor = self.weights[1] * np.exp(self.center_bias.log_likelihoods) + self.weights[2] / areas
        others = _densities_of_the_others(self.dataset, self.bandwidth)
        return np.log(np.where(np.isnan(others), floor / (1 - self.weights[0]), self.weights[0] * others + floor))


def _sigma(dataset: Dataset, image: int, bandwidth: float) -> float:
    """Bandwidth in px of one image."""
    ppd = dataset.stimuli[image].pixels_per_degree
    assert ppd is not None  # CrossValidatedGoldStandard.fit refuses a data set without it
    return bandwidth * ppd


def _densities_of_the_others(dataset: Dataset, bandwidth: float) -> Float[np.ndarray, " fixation"]:
    """Density of every fixation under a KDE of all other observers' fixations on its image; NaN without others."""
    fixations = dataset.fixations
    densities = np.empty(len(fixations))
    for image in np.unique(fixations.image).tolist():
        part = fixations.for_image(image)
        height, width = dataset.stimuli.sizes[image].tolist()
        densities[fixations.rows_of(image)] = leave_one_subject_out_densities(
            part.x, part.y, part.subject, (height, width), _sigma(dataset, image, bandwidth)
        )
    return densities
