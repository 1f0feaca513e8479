"""Fit the readout of DeepGaze I by maximum likelihood, on cached features.

Section 1 of the paper: the cost is the mean negative log-likelihood of the fixations, plus λ‖w‖₁/‖w‖₂. The features are
those of frozen layers, so that every step goes over all of them: full-batch L-BFGS.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from foveal.gaze import Dataset, Fixations
from foveal.gaze.center_bias import CenterBiasKDE, relative_positions
from foveal.models.deep.deepgaze1 import DeepGaze1, density_grid
from foveal.models.parts.finalizer import resize_log_density
from foveal.models.parts.geometry import Grid
from foveal.training.feature_cache import FeatureGroup

IMAGES_AT_ONCE = 32  # bounds the memory of a step
SPARSITY = 0.001  # λ of section 1.1
STEPS = 150
HISTORY = 20  # steps that L-BFGS remembers
TOLERANCE = 1e-7  # nats: a step that gains less is the last
SMALL = 1e-12  # keeps the norms differentiable at zero
START = 0.01  # deviation of the first weights


@dataclass(frozen=True)
class ReadoutProblem:
    """Features, priors and the cells that were fixated: what is fitted to.

    Attributes
    ----------
    groups
        Features, image size by image size.
    log_priors
        Log centre bias on each image's cells, made without the image itself; one tensor a group.
    counts
        Fixations in each cell, one tensor a group.
    """

    groups: Sequence[FeatureGroup]
    log_priors: list[Float[Tensor, "image row column"]]
    counts: list[Float[Tensor, "image row column"]]

    def chunks(self) -> Iterator[tuple[FeatureGroup, slice, Tensor, Tensor]]:
        """Some images of one size after the others, with their priors and counts."""
        for group, log_prior, counts in zip(self.groups, self.log_priors, self.counts, strict=True):
            for start in range(0, len(group.images), IMAGES_AT_ONCE):
                rows = slice(start, start + IMAGES_AT_ONCE)
                yield group, rows, log_prior[rows], counts[rows]

    @property
    def n_fixations(self) -> float:
        """Of all images."""
        return float(sum(counts.sum() for counts in self.counts))


@dataclass
class Fit:
    """How a fit went.

    Attributes
    ----------
    objective
        The cost after each evaluation, nats.
    """

    objective: list[float] = field(default_factory=list)


def log_priors_of(
    groups: Sequence[FeatureGroup], data: Dataset, density: CenterBiasKDE, unseen: Sequence[int] = ()
) -> list[Float[Tensor, "image row column"]]:
    """The centre bias on each image's cells, without its own fixations; `unseen` images had no part in it anyway."""

    def of_image(image: int, grid: Grid) -> Float[Tensor, "row column"]:
        shape = grid.rows.length, grid.columns.length
        return density.log_density(shape, None if image in unseen else relative_positions(data, image))

    return [torch.stack([of_image(image, density_grid(group.size)) for image in group.images]) for group in groups]


def counts_of(groups: Sequence[FeatureGroup], fixations: Fixations) -> list[Float[Tensor, "image row column"]]:
    """How many of the fixations fall into each cell."""
    counts = []
    for group in groups:
        grid = density_grid(group.size)
        of_group = torch.zeros(len(group.images), grid.rows.length, grid.columns.length)
        for number, image in enumerate(group.images):
            part = fixations.for_image(image)
            cells = (
                _cells(part.pixel_y, grid.rows.step, grid.rows.length),
                _cells(part.pixel_x, grid.columns.step, grid.columns.length),
            )
            of_group[number].index_put_(cells, torch.ones(len(part)), accumulate=True)
        counts.append(of_group)
    return counts


def _cells(pixels: Int[np.ndarray, " fixation"], step: float, length: int) -> Int[Tensor, " fixation"]:
    return torch.from_numpy(((pixels + 0.5) / step).astype(np.int64)).clamp(max=length - 1)


def set_standard_deviations(model: DeepGaze1, groups: Sequence[FeatureGroup]) -> None:
    """Make every feature of unit standard deviation over all images and places."""
    sums: dict[str, list[Tensor]] = {}
    for group in groups:
        for start in range(0, len(group.images), IMAGES_AT_ONCE):
            for layer, maps in group.read(slice(start, start + IMAGES_AT_ONCE)).items():
                maps = maps.double()
                parts = [maps.sum(dim=(0, 2, 3)), maps.square().sum(dim=(0, 2, 3)), torch.tensor(maps[:, 0].numel())]
                sums[layer] = [a + b for a, b in zip(sums[layer], parts, strict=True)] if layer in sums else parts
    deviations = []
    for layer in model.config.layers:
        total, squares, n = sums[layer]
        deviations.append((squares / n - (total / n).square()).clamp(min=0).sqrt())
    # A feature that never responds has no deviation; left as it is, it stays without effect.
    std = torch.cat(deviations).float()
    model.readout.std = torch.where(std > 0, std, 1.0)


def sparsity(weight: Float[Tensor, " feature"]) -> Float[Tensor, ""]:
    """‖w‖₁/‖w‖₂, from 1 (one feature) to the root of their number (all alike)."""
    return (weight.square() + SMALL).sqrt().sum() / (weight.square().sum() + SMALL).sqrt()


def objective(model: DeepGaze1, problem: ReadoutProblem, penalty: float) -> float:
    """The cost in nats; its gradient is added to that of the readout's parameters."""
    value, n_fixations = 0.0, problem.n_fixations
    for group, rows, log_prior, counts in problem.chunks():
        log_density = model.readout(group.read(rows), group.grids, density_grid(group.size), log_prior)
        loss = -(counts * log_density).sum() / n_fixations
        if loss.requires_grad:
            loss.backward()
        value += float(loss.detach())
    regularization = penalty * sparsity(model.readout.weight)
    if regularization.requires_grad:
        regularization.backward()
    return value + float(regularization.detach())


def fit_readout(
    model: DeepGaze1,
    problem: ReadoutProblem,
    *,
    penalty: float = SPARSITY,
    steps: int = STEPS,
    seed: int = 0,
    warm: bool = False,
    report: Callable[[int, float], None] | None = None,
) -> Fit:
    """Fit weights, blur and the weight of the centre bias.

    Parameters
    ----------
    model
        Its readout is changed in place.
    problem
        What to fit to.
    penalty
        λ.
    steps
        Of L-BFGS, at most.
    seed
        Of the first weights.
    warm
        Begin at the readout as it is.
    report
        Called with the number of evaluations and the cost.
    """
    readout, fit = model.readout, Fit()
    if not warm:
        with torch.no_grad():
            readout.weight.normal_(0, START, generator=torch.Generator().manual_seed(seed))
            readout.log_sigma.fill_(math.log(35.0))  # one degree of visual angle in MIT1003
            readout.prior_weight.fill_(1.0)
    parameters = [readout.weight, readout.log_sigma, readout.prior_weight]
    optimizer = torch.optim.LBFGS(
        parameters,
        max_iter=steps,
        max_eval=2 * steps,
        history_size=HISTORY,
        tolerance_change=TOLERANCE,
        tolerance_grad=0.0,
        line_search_fn="strong_wolfe",
    )

    def closure() -> float:
        optimizer.zero_grad()
        fit.objective.append(objective(model, problem, penalty))
        if report is not None:
            report(len(fit.objective), fit.objective[-1])
        return fit.objective[-1]

    optimizer.step(closure)
    return fit


@torch.inference_mode()
def log_likelihoods(
    model: DeepGaze1, problem: ReadoutProblem, fixations: Fixations
) -> tuple[Int[np.ndarray, " fixation"], Float[np.ndarray, " fixation"]]:
    """Image and log-likelihood of every fixation, bit above uniform, of the density at the images' own size."""
    images, values = [], []
    for group, rows, log_prior, _ in problem.chunks():
        log_density = model.readout(group.read(rows), group.grids, density_grid(group.size), log_prior)
        for one, image in zip(log_density, group.images[rows], strict=True):
            full = resize_log_density(one[None], group.size)[0]
            part = fixations.for_image(image)
            nats = full[torch.from_numpy(part.pixel_y), torch.from_numpy(part.pixel_x)]
            images.append(part.image)
            values.append((nats.double().numpy() + math.log(math.prod(group.size))) / math.log(2))
    return np.concatenate(images), np.concatenate(values)
