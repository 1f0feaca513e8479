"""What the readout of DeepGaze I is fitted to, and the cost of it.

Section 1 of the paper: the cost is the mean negative log-likelihood of the fixations, plus λ‖w‖₁/‖w‖₂. A problem can be
several at once (a cross-validation's), which differ in the fixations and perhaps the priors but share the features:
these are then read and multiplied once for all.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from foveal.features.cache import FeatureGroup
from foveal.gaze import Fixations
from foveal.models.parts.finalizer import resize_log_density
from foveal.models.parts.geometry import Grid, GridOf
from foveal.models.parts.readout import LinearReadout

IMAGES_AT_ONCE = 32  # bounds the memory of a step
SPARSITY = 0.001  # λ of section 1.1
SMALL = 1e-12  # keeps the norms differentiable at zero


@dataclass(frozen=True)
class ReadoutProblem:
    """Features, priors and the cells that were fixated: what is fitted to.

    Attributes
    ----------
    groups
        Features, image size by image size.
    log_priors
        Log center bias on each image's cells, made without the image itself; one tensor a group.
    counts
        Fixations in each cell, one tensor a group. Of several problems the first dimension is the problem.
    grid_of
        The cells of an image of a (height, width).
    """

    groups: Sequence[FeatureGroup]
    log_priors: list[Float[Tensor, "*#problem image row column"]]
    counts: list[Float[Tensor, "*problem image row column"]]
    grid_of: GridOf

    @classmethod
    def joined(cls, problems: Sequence["ReadoutProblem"]) -> "ReadoutProblem":
        """Several problems on the same features as one; priors that are the same are kept once."""
        first, *others = problems
        log_priors = first.log_priors
        if any(other.log_priors is not first.log_priors for other in others):
            log_priors = [torch.stack(each) for each in zip(*(p.log_priors for p in problems), strict=True)]
        counts = [torch.stack(each) for each in zip(*(p.counts for p in problems), strict=True)]
        return replace(first, log_priors=log_priors, counts=counts)

    def chunks(self, size: int = IMAGES_AT_ONCE) -> Iterator["Chunk"]:
        """At most so many images of one size after the others."""
        for group, log_prior, counts in zip(self.groups, self.log_priors, self.counts, strict=True):
            for start in range(0, len(group.images), size):
                rows = slice(start, start + size)
                grid = self.grid_of(group.size)
                yield Chunk(group, rows, grid, log_prior[..., rows, :, :], counts[..., rows, :, :])

    @property
    def n_fixations(self) -> Float[Tensor, "*problem"]:
        """Number of fixations on all images."""
        return torch.stack([counts.sum(dim=(-3, -2, -1)) for counts in self.counts]).sum(dim=0)


@dataclass(frozen=True)
class Chunk:
    """Some images of one size, their priors, and how often each cell was fixated."""

    group: FeatureGroup
    rows: slice
    grid: Grid
    log_prior: Float[Tensor, "*#problem image row column"]
    counts: Float[Tensor, "*problem image row column"]

    @property
    def images(self) -> list[int]:
        """Their positions in the data set."""
        return self.group.images[self.rows]

    def log_density(self, readout: LinearReadout) -> Float[Tensor, "*problem image row column"]:
        """Over the cells."""
        return readout(self.group.read(self.rows), self.group.grids, self.grid, self.log_prior)

    def cost(self, readout: LinearReadout, n_fixations: Float[Tensor, "*problem"]) -> Float[Tensor, ""]:
        """The chunk's part of the negative log-likelihood, nats a fixation; of several problems the mean."""
        return -((self.counts * self.log_density(readout)).sum(dim=(-3, -2, -1)) / n_fixations).mean()


def sparsity(weight: Float[Tensor, "*problem feature"]) -> Float[Tensor, "*problem"]:
    """‖w‖₁/‖w‖₂, from 1 (one feature) to the root of their number (all alike)."""
    return (weight.square() + SMALL).sqrt().sum(dim=-1) / (weight.square().sum(dim=-1) + SMALL).sqrt()


def objective(readout: LinearReadout, problem: ReadoutProblem, penalty: float) -> float:
    """The cost in nats (of several problems the mean); its gradient is added to that of the readout's parameters."""
    value, n_fixations = 0.0, problem.n_fixations
    for chunk in problem.chunks():
        value += _added(chunk.cost(readout, n_fixations))
    return value + _added(penalty * sparsity(readout.weight).mean())


def _added(cost: Float[Tensor, ""]) -> float:
    """The value of a part of the cost, whose gradient is added to the others'."""
    if cost.requires_grad:
        cost.backward()
    return float(cost.detach())


@torch.inference_mode()
def sums_over_fixations(
    readout: LinearReadout, problem: ReadoutProblem
) -> tuple[Float[Tensor, "*problem image"], Float[Tensor, "*problem image"]]:
    """Sum of the log-likelihoods of each image's fixations, bit above uniform, and their number; over the cells.

    The quick way where there are many readouts: no density is brought to the image's own size.
    """
    images = [image for group in problem.groups for image in group.images]
    sums, numbers = (torch.zeros(*readout.weight.shape[:-1], max(images) + 1) for _ in range(2))
    for chunk in problem.chunks():
        log_density = chunk.log_density(readout)
        numbers[..., chunk.images] = chunk.counts.sum(dim=(-2, -1))
        nats = (chunk.counts * (log_density + math.log(math.prod(log_density.shape[-2:])))).sum(dim=(-2, -1))
        sums[..., chunk.images] = nats / math.log(2)
    return sums, numbers


@torch.inference_mode()
def log_likelihoods(
    readout: LinearReadout, problem: ReadoutProblem, fixations: Fixations
) -> Float[np.ndarray, "*problem fixation"]:
    """Log-likelihood of every fixation, bit above uniform, under the density at the images' own size."""
    values = np.full((*readout.weight.shape[:-1], len(fixations)), np.nan)
    for chunk in problem.chunks():
        size = chunk.group.size
        for image, log_density in zip(chunk.images, chunk.log_density(readout).movedim(-3, 0), strict=True):
            full = resize_log_density(log_density.reshape(-1, *log_density.shape[-2:]), size)
            part = fixations.for_image(image)
            nats = full[:, torch.from_numpy(part.pixel_y), torch.from_numpy(part.pixel_x)].double()
            bits = (nats + math.log(math.prod(size))) / math.log(2)
            values[..., fixations.rows_of(image)] = bits.reshape(*log_density.shape[:-2], -1).numpy()
    return values
