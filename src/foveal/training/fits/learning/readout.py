"""Fit what a model makes of local features (see `models.parts.pixel_readout`) to fixations."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from foveal.errors import FovealError
from foveal.features.cache import FeatureGroup
from foveal.features.cells import counts_of, log_priors_of
from foveal.gaze import Dataset
from foveal.gaze.center_bias import CenterBiasKDE
from foveal.gaze.maps import gaussian_blur
from foveal.models.base import to_tensor
from foveal.models.parts.geometry import Grid
from foveal.models.parts.moments import moments
from foveal.models.parts.pixel_readout import PixelReadoutModel
from foveal.progress import Report
from foveal.training.fits.learning import way_to_learn

BATCH_SIZE = 16
EPOCHS = 30
LEARNING_RATE = 0.01
WEIGHT_DECAY = 1e-3
START_BLUR = 0.02  # share of the longer side


@dataclass(frozen=True)
class Batch:
    """Some images of one size: features, fixations in each cell, and the center bias without the image at hand."""

    features: Float[Tensor, "image feature h w"]
    counts: Float[Tensor, "image h w"]
    log_priors: Float[Tensor, "image h w"]


@way_to_learn.register(PixelReadoutModel)
def learn_readout(model: PixelReadoutModel, dataset: Dataset, seed: int, report: Report) -> None:
    """Fit a model's readout by maximum likelihood, with a blur and a weight of the center bias that are not kept.

    Images that cannot be read are left out.

    Raises
    ------
    FovealError
        If not one photograph can be read.
    """
    batches = _prepared(model, dataset, report)
    ((mean, deviation),) = moments({"": batch.features} for batch in batches).values()
    model.standardise(mean.float(), deviation.float())
    torch.manual_seed(seed)
    for layer in model.readout.modules():
        if isinstance(layer, torch.nn.Conv2d):
            layer.reset_parameters()
    log_blur = torch.tensor(math.log(START_BLUR), requires_grad=True)
    prior_weight = torch.tensor(1.0, requires_grad=True)
    groups = [
        {"params": list(model.readout.parameters()), "weight_decay": WEIGHT_DECAY},
        {"params": [log_blur, prior_weight], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS * len(batches))
    for epoch in range(EPOCHS):
        for number in torch.randperm(len(batches)).tolist():
            batch = batches[number]
            h, w = batch.counts.shape[1:]
            blurred = gaussian_blur(model.read_out(batch.features), log_blur.exp() * max(h, w))
            log_density = (blurred + prior_weight * batch.log_priors).flatten(1).log_softmax(dim=1)
            shares = batch.counts / batch.counts.sum(dim=(1, 2), keepdim=True)  # every image counts the same
            loss = -(shares.flatten(1) * log_density).sum(dim=1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        report("epochs", epoch + 1, EPOCHS)


@torch.no_grad()  # not inference mode: what comes of it is used in fits
def _prepared(model: PixelReadoutModel, dataset: Dataset, report: Report) -> list[Batch]:
    """Features and fixations of a data set whose images all have fixations."""
    density = CenterBiasKDE.fit(dataset)
    batches, done = [], 0
    for indices in dataset.stimuli.batches(BATCH_SIZE):
        photographs, _ = dataset.stimuli.read(indices)
        if photographs:
            features = model.features(to_tensor(list(photographs.values())))
            height, width = dataset.stimuli.sizes[indices[0]].tolist()
            size = height, width
            grid_of = {size: Grid.over(size, (features.shape[2], features.shape[3]))}.__getitem__
            groups = [FeatureGroup(size, list(photographs), {}, {})]
            (counts,) = counts_of(groups, dataset.fixations, grid_of)
            (log_priors,) = log_priors_of(groups, dataset, density, grid_of)
            batches.append(Batch(features, counts, log_priors.float()))
        done += len(indices)
        report("features", done, len(dataset))
    if not batches:
        raise FovealError(f"{dataset.name}: no photograph can be read")
    return batches
