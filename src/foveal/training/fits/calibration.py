"""Fit a calibration by maximum likelihood: nonlinearity, blur, weight of the center bias (models.calibration)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from foveal.errors import FovealError
from foveal.gaze import Dataset
from foveal.gaze.cells import cells_of
from foveal.gaze.center_bias import CenterBiasKDE
from foveal.gaze.folds import fold_of
from foveal.images import RGBImage
from foveal.models.base import SaliencyMapModel, together_or_apart
from foveal.models.calibration import BINS, Calibration, WorkingMaps
from foveal.models.parts.prior import prior_of
from foveal.progress import Report
from foveal.training.fits.fit import Fitted, fit, log_likelihood_of
from foveal.training.fits.learning import learn
from foveal.training.fits.options import FitSettings

LBFGS_STEPS = 40
BATCH_SIZE = 16
SMALLEST_STEP = 1e-4  # rise of the nonlinearity over a bin; zero would have no gradient
LARGEST_STEP = 1e3  # steps and a blur without bound cancel each other, until float32 says nonsense
START_BLUR = 0.02  # share of the longer side
LARGEST_BLUR = 1.0  # beyond, a map says nothing about places


@dataclass(frozen=True)
class MapsAndFixations:
    """Prepared maps of one grid size and, in flat vectors, the cells that were fixated in each."""

    maps: Float[Tensor, "image h w"]
    image: Int[Tensor, " fixation"]
    cell: Int[Tensor, " fixation"]
    weight: Float[Tensor, " fixation"]  # one over the number of the image's fixations: every image counts the same


def fit_calibration(batches: Sequence[MapsAndFixations], log_prior: Float[Tensor, "row column"]) -> Calibration:
    """The calibration that maximises the mean log-likelihood over images, on a given center bias.

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
        fitted.steps = log_steps.exp().clamp(max=LARGEST_STEP) + SMALLEST_STEP
        fitted.blur = log_blur.exp().clamp(max=LARGEST_BLUR)
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


@fit.register
def fit_map_model(model: SaliencyMapModel, data: Dataset, settings: FitSettings) -> Fitted:
    """Let a model learn what its maps are made of, if it learns, then fit its calibration, in all and by folds."""
    if model.map_is_fitted and settings.folds is not None:
        raise FovealError(
            f"{model.name}: its map is fitted to fixations or labels before it is calibrated: it has no folds"
        )
    n_folds, folds = (0, []) if model.map_is_fitted else settings.folds_of(data)
    report = settings.progress
    learn(model, data, settings.seed, report)
    maps = working_maps(model, data, settings.problems, report)
    report("fits", 0, 1 + len(folds))
    model.calibration = calibration_of(maps, data)
    report("fits", 1, 1 + len(folds))
    if not folds:
        return Fitted(model, None, maps=maps)
    held_out, number = np.full(len(data), math.nan), fold_of(data, n_folds)
    for done, fold in enumerate(folds, start=2):
        others = data.select(np.flatnonzero(number != fold))
        calibration = calibration_of(_only(maps, number != fold), data, of_others=others)
        for images, of_size in _only(maps, number == fold):
            held_out[images] = log_likelihood_of(of_size.log_density(calibration), data, images)
        report("fits", done, 1 + len(folds))
    return Fitted(model, held_out, maps=maps)


def calibration_of(
    maps: Sequence[tuple[list[int], WorkingMaps]], data: Dataset, *, of_others: Dataset | None = None
) -> Calibration:
    """The calibration that fits some images of a data set best, on the center bias of the whole or of a part."""
    log_prior = prior_of(CenterBiasKDE.fit(of_others or data))
    return fit_calibration([_with_fixations(of_size.maps, data, images) for images, of_size in maps], log_prior)


def fitted_to_all(
    model: SaliencyMapModel,
    datasets: Sequence[Dataset],
    log_prior: Float[Tensor, "row column"],
    problems: list[str],
    progress: Report,
) -> Calibration:
    """One calibration for a model's maps of several data sets, every image of which counts the same.

    A line about each photograph that has no map is added to `problems`.

    Raises
    ------
    FovealError
        If no photograph of a data set has one.
    """
    batches = [
        _with_fixations(of_size.maps, data, images)
        for data in datasets
        for images, of_size in working_maps(model, data, problems, progress)
    ]
    return fit_calibration(batches, log_prior)


def working_maps(
    model: SaliencyMapModel, dataset: Dataset, problems: list[str], progress: Report
) -> list[tuple[list[int], WorkingMaps]]:
    """A model's maps of a data set on the grid of calibrations, with the positions of their images.

    A photograph that cannot be read, or whose map cannot be computed, is left out, and a line about it added to
    `problems`.

    Raises
    ------
    FovealError
        If not one photograph can be read.
    """
    maps, done = [], 0
    for indices in dataset.stimuli.batches(BATCH_SIZE):
        photographs, unreadable = dataset.stimuli.read(indices)
        problems += unreadable

        def maps_of(some: list[int], photographs: dict[int, RGBImage] = photographs) -> WorkingMaps:
            computed = model.working_maps_of([photographs[image] for image in some])
            # No inference tensors, for they are fitted to; on the CPU, wherever the model is.
            return replace(computed, maps=computed.maps.cpu().clone(), is_blank=computed.is_blank.cpu())

        for some, computed in together_or_apart(maps_of, list(photographs)):
            if isinstance(computed, FovealError):
                problems.append(f"{dataset.stimuli.ids[some[0]]}: {computed}")
            else:
                maps.append((some, computed))
        done += len(indices)
        progress("maps", done, len(dataset))
    if not maps:
        raise FovealError(f"{dataset.name}: there is no map of any photograph ({problems[0]})")
    return maps


def _only(
    maps: Sequence[tuple[list[int], WorkingMaps]], chosen: Bool[np.ndarray, " image"]
) -> list[tuple[list[int], WorkingMaps]]:
    """Those of some images of the data set."""
    parts = [(images, of_size, np.flatnonzero(chosen[images])) for images, of_size in maps]
    return [([images[row] for row in rows], of_size.only(rows)) for images, of_size, rows in parts if len(rows)]


def _with_fixations(grids: Float[Tensor, "image h w"], dataset: Dataset, images: list[int]) -> MapsAndFixations:
    """Put the fixations of some images of one size onto their grids."""
    part = dataset.fixations.select(images)
    height, width = dataset.stimuli.sizes[images[0]].tolist()
    h, w = grids.shape[1:]
    cell = cells_of(part.pixel_y, height / h, h) * w + cells_of(part.pixel_x, width / w, w)
    image = torch.from_numpy(part.image)
    weight = (1 / torch.bincount(image).float())[image]
    return MapsAndFixations(grids, image, torch.from_numpy(cell), weight)
