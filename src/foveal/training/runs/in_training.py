"""A network while it is trained, and the running mean of its weights."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from foveal.models.deep.network import DensityNetwork, Network, Numbers, mixed, with_prior
from foveal.models.parts.finalizer import normalize_log_density
from foveal.training.runs.batch import Batch

Tensors = tuple[Tensor, ...] | list[Tensor]


class InTraining(nn.Module):
    """A network, and if it says logits, for every data set the numbers that a data set has of its own.

    A network that says a map has no center bias before it is calibrated.
    """

    def __init__(self, model: Network, n_datasets: int) -> None:
        super().__init__()
        self.model = model
        own = model.numbers() if isinstance(model, DensityNetwork) else {}
        self.numbers = nn.ParameterDict(
            {name: value.expand(n_datasets, *value.shape).clone() for name, value in own.items()}
        )

    def of_datasets(self) -> list[nn.Parameter]:
        """What it learns of each data set."""
        return list(self.numbers.parameters())

    def forward(self, batch: Batch) -> Float[Tensor, "image *map row column"]:
        """Over the cells of a batch's images, the log density of a network that says logits, all maps of another.

        In training mode the log densities of all components of a mixture, each of which is trained alone.
        """
        said: Tensor = self.model(batch.seen, batch.size, batch.viewing)
        if not isinstance(self.model, DensityNetwork):
            return said
        numbers = {name: values[batch.dataset] for name, values in self.numbers.items()}
        log_prior = numbers["prior_weight"] * batch.log_prior
        logits = with_prior(self.model.combined(said, numbers), log_prior)
        if logits.ndim == 4 and self.training:
            return normalize_log_density(logits.flatten(0, 1)).unflatten(0, logits.shape[:2])
        return normalize_log_density(mixed(logits))

    def mean_numbers(self) -> Numbers:
        """The mean over the data sets of each number."""
        return {name: values.detach().mean(dim=0) for name, values in self.numbers.items()}


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
