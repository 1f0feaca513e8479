"""The end of a run: the running mean of the weights becomes a model, which says what it predicts of unseen images."""

import copy
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Int

from foveal.gaze import Dataset
from foveal.gaze.folds import fitted_images, held_out_images
from foveal.models.deep.foveal_s import FovealS
from foveal.models.deep.network import DensityNetwork, MapNetwork, Network
from foveal.progress import Progress
from foveal.training.fits.calibration import fitted_to_all, working_maps
from foveal.training.runs.prepare import log_prior_of
from foveal.training.runs.run import Run

# Images of a data set for a calibration, which has some twenty numbers. Fitted to 80 of OSIE, not to 315, that of
# spectral-residual has .006 bit less on the 70 of fold 0.
ENOUGH = 80

LogDensities = dict[str, dict[str, np.ndarray]]  # by data set and image


def finish(
    run: Run, datasets: Sequence[Dataset], problems: list[str], progress: Progress
) -> tuple[Network, LogDensities]:
    """The model that came of a run, and its log densities of held-out images, on a grid that suits it.

    A line about each photograph of which there is no map is added to `problems`.
    """
    model = copy.deepcopy(run.averaged.model)
    if isinstance(model, DensityNetwork):
        return _finished(model, run), _said(run, datasets)
    assert isinstance(model, MapNetwork)
    fitted = [data.select(_some(fitted_images(data, run.recipe.held_out))) for data in datasets]
    model.calibration = fitted_to_all(model, fitted, log_prior_of(run.examples), problems, progress)
    return model, _calibrated(model, run, datasets, problems, progress)


def _some(images: Int[np.ndarray, " image"]) -> Int[np.ndarray, " image"]:
    """As many images as a calibration needs at most, from all over the list."""
    return images[np.unique(np.linspace(0, len(images) - 1, ENOUGH).round().astype(int))] if len(images) else images


@torch.no_grad()
def _finished(model: DensityNetwork, run: Run) -> Network:
    """A network that says logits, for photographs of no data set in particular."""
    numbers = run.averaged.mean_numbers()
    # It takes up the mean sharpness, so that a temperature of 1 is as in training.
    model.absorb(numbers.pop("log_sharpness").exp())
    model.take(numbers)
    model.temperature.fill_(run.recipe.temperature)
    if run.recipe.prior_weight is not None:
        model.prior_weight.fill_(run.recipe.prior_weight)
    if run.recipe.seen_at is not None:
        assert isinstance(model, FovealS)  # `prepare.check` made sure
        return model.at_sizes(**run.recipe.seen_at)
    return model


def _said(run: Run, datasets: Sequence[Dataset]) -> LogDensities:
    """With each data set's own sharpness and center bias, on the network's cells."""
    log_densities: LogDensities = {}
    for group, rows, of_rows in run.held_out_parts():
        data = datasets[group.dataset]
        names = [data.stimuli.ids[group.shown.images[row]] for row in rows]
        log_densities.setdefault(data.name, {}).update(zip(names, of_rows.numpy(), strict=True))
    return log_densities


def _calibrated(
    model: MapNetwork, run: Run, datasets: Sequence[Dataset], problems: list[str], progress: Progress
) -> LogDensities:
    """On the grid of calibrations."""
    log_densities: LogDensities = {}
    for data in datasets:
        unseen = held_out_images(data, run.recipe.held_out)
        if len(unseen):
            part = data.select(unseen)
            log_densities[data.name] = {
                part.stimuli.ids[image]: log_density.numpy()
                for images, maps in working_maps(model, part, problems, progress)
                for image, log_density in zip(images, model.calibration.on_grid(maps.maps), strict=True)
            }
    return log_densities
