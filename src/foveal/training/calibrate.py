"""Fit a calibration by maximum likelihood: nonlinearity, blur, weight of the centre bias (models.calibration)."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from foveal.errors import FovealError
from foveal.gaze import Dataset
from foveal.models.base import SaliencyMapModel
from foveal.models.calibration import BINS, Calibration, to_working_grid

LBFGS_STEPS = 40
BATCH_SIZE = 16
SMALLEST_STEP = 1e-4  # rise of the nonlinearity over a bin; zero would have no gradient
START_BLUR = 0.02  # share of the longer side

Progress = Callable[[int], None]


@dataclass(frozen=True)
class MapsAndFixations:
    """Prepared maps of one grid size and, in flat vectors, the cells that were fixated in each."""

    maps: Float[Tensor, "image h w"]
    image: Int[Tensor, " fixation"]
    cell: Int[Tensor, " fixation"]
    weight: Float[Tensor, " fixation"]  # one over the number of the image's fixations: every image counts the same


def fit_calibration(batches: Sequence[MapsAndFixations], log_prior: Float[Tensor, "row column"]) -> Calibration:
    """The calibration that maximises the mean log-likelihood over images, on a given centre bias.

    Full-batch L-BFGS from a straight line; gradients are summed batch by batch, so memory does not grow with the data.
    """
    log_steps = torch.full((BINS,), math.log(4 / BINS), requires_grad=True)
    log_blur = torch.tensor(math.log(START_BLUR), requires_grad=True)
    prior_weight = torch.tensor(1.0, requires_grad=True)
    parameters = [log_steps, log_blur, prior_weight]
    optimizer = torch.optim.LBFGS(parameters, max_iter=LBFGS_STEPS, line_search_fn="strong_wolfe")
    n_images = sum(len(batch.maps) for batch in batches)

    def calibration() -> Calibration:
        fitted = Calibration()
        fitted.steps = log_steps.exp() + SMALLEST_STEP
        fitted.blur = log_blur.exp()
        fitted.prior_weight = prior_weight
        fitted.log_prior = log_prior
        return fitted

    def closure() -> float:
        optimizer.zero_grad()
        total = 0.0
        for batch in batches:
            loss = -log_likelihood_sum(calibration(), batch) / n_images
            loss.backward()
            total += float(loss.detach())
        return total

    optimizer.step(closure)
    fitted = calibration()
    for name, buffer in fitted.named_buffers():
        setattr(fitted, name, buffer.detach().clone())
    return fitted


def log_likelihood_sum(calibration: Calibration, batch: MapsAndFixations) -> Float[Tensor, ""]:
    """Sum over the images of a batch of the mean log-likelihood of their fixations above uniform, in nats."""
    log_density = calibration.on_grid(batch.maps).flatten(1)
    return (log_density[batch.image, batch.cell] * batch.weight).sum() + len(log_density) * math.log(
        log_density.shape[1]
    )


def mean_log_likelihood(calibration: Calibration, batches: Sequence[MapsAndFixations]) -> float:
    """Mean over images of the mean log-likelihood of their fixations above uniform, in bit per fixation."""
    nats = sum(float(log_likelihood_sum(calibration, batch)) for batch in batches)
    return nats / sum(len(batch.maps) for batch in batches) / math.log(2)


def prepare(
    model: SaliencyMapModel, dataset: Dataset, problems: list[str], progress: Progress | None = None
) -> list[MapsAndFixations]:
    """Compute the model's maps of a data set whose images all have fixations, on the grid for calibration.

    A photograph that cannot be read is left out, and a line about it added to `problems`.

    Raises
    ------
    FovealError
        If not one photograph can be read.
    """
    batches = []
    for indices in dataset.stimuli.batches(BATCH_SIZE):
        photographs, unreadable = dataset.stimuli.read(indices)
        problems += unreadable
        if photographs:
            grids = to_working_grid(model.saliency_map_of(list(photographs.values())))
            batches.append(_with_fixations(grids.clone(), dataset, list(photographs)))
        if progress is not None:
            progress(len(indices))
    if not batches:
        raise FovealError(f"{dataset.name}: no photograph can be read")
    return batches


def _with_fixations(grids: Float[Tensor, "image h w"], dataset: Dataset, images: list[int]) -> MapsAndFixations:
    """Put the fixations of some images of one size onto their grids."""
    part = dataset.fixations.select(images)
    height, width = dataset.stimuli.sizes[images[0]].tolist()
    h, w = grids.shape[1:]
    column = (torch.from_numpy(part.x + 0.5) * w / width).long()
    row = (torch.from_numpy(part.y + 0.5) * h / height).long()
    image = torch.from_numpy(part.image)
    weight = (1 / torch.bincount(image).float())[image]
    return MapsAndFixations(grids, image, row * w + column, weight)
