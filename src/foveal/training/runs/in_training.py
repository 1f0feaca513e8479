"""A network while it is trained, and the running mean of its weights."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from foveal.models.deep.network import DensityNetwork, Network
from foveal.models.parts.finalizer import normalize_log_density
from foveal.training.runs.batch import Batch

Tensors = tuple[Tensor, ...] | list[Tensor]


class InTraining(nn.Module):
    """A network, and if it says logits, for every data set how sharp its densities are and what its center bias counts.

    A network that says a map has no center bias before it is calibrated.
    """

    def __init__(self, model: Network, n_datasets: int) -> None:
        super().__init__()
        self.model = model
        if isinstance(model, DensityNetwork):
            self.log_sharpness = nn.Parameter(torch.zeros(n_datasets))
            self.prior_weights = nn.Parameter(model.prior_weight.repeat(n_datasets))

    def of_datasets(self) -> list[nn.Parameter]:
        """What it learns of each data set."""
        return list(self.parameters(recurse=False))

    def forward(self, batch: Batch) -> Float[Tensor, "image row column"]:
        """Over the cells of a batch's images, the log density of a network that says logits, the map of another."""
        saliency: Tensor = self.model(batch.seen, batch.size, batch.zoom)
        if not isinstance(self.model, DensityNetwork):
            return saliency
        sharpness, prior_weight = self.log_sharpness[batch.dataset].exp(), self.prior_weights[batch.dataset]
        return normalize_log_density(sharpness * saliency + prior_weight * batch.log_prior)


def running_mean(decay: float) -> Callable[[Tensors, Tensors, Tensor | int], None]:
    """What brings a mean of weights up to date, as `AveragedModel` takes it.

    At the start the mean is over fewer steps than `decay` says, or a short run would end with weights of its beginning:
    after n steps the decay is at most (1 + n) / (10 + n), as in TensorFlow's ExponentialMovingAverage.
    """

    @torch.no_grad()
    def update(averaged: Tensors, current: Tensors, steps: Tensor | int) -> None:
        n = int(steps)
        share = 1 - min(decay, (1 + n) / (10 + n))
        torch._foreach_lerp_(list(averaged), list(current), share)  # one call for hundreds, as in torch's own means

    return update
