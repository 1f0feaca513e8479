"""Extreme learning machines: a hidden layer by chance, which stays as it is, and output weights that are solved for.

Huang, Zhu & Siew, "Extreme learning machine: theory and applications", Neurocomputing 70, 2006.
"""

from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor


@lru_cache(maxsize=2)  # a large ensemble's is drawn once, not for every image
def hidden_layers(
    learners: range, inputs: int, units: int, device: torch.device
) -> tuple[Float[Tensor, "learner unit input"], Float[Tensor, "learner unit"]]:
    """Weights and biases of the learners of these numbers, from -1 to 1: for each number always the same.

    They are drawn on the CPU, so that they do not depend on the device.
    """
    layers = []
    for number in learners:
        generator = torch.Generator().manual_seed(number)
        layers.append(2 * torch.rand(units, inputs + 1, generator=generator, device="cpu") - 1)
    stacked = torch.stack(layers).to(device)
    return stacked[:, :, :-1].contiguous(), stacked[:, :, -1].contiguous()


def hidden_values(
    samples: Float[Tensor, "sample input"],
    weights: Float[Tensor, "learner unit input"],
    biases: Float[Tensor, "learner unit"],
) -> Float[Tensor, "sample learner unit"]:
    """What the hidden units of all learners say of samples: the logistic function of their weighted sums."""
    sums = samples @ weights.flatten(0, 1).T + biases.flatten()
    return sums.sigmoid().unflatten(1, biases.shape)


def output_weights(
    hidden: Float[Tensor, "sample unit"], targets: Float[Tensor, " sample"], penalty: float
) -> Float[Tensor, " unit"]:
    r"""Weights $w$ of the hidden units that minimise $\sum_i (y_i - w^\top h_i)^2 + \lambda |w|^2$.

    A small penalty gives what the pseudo-inverse does.

    >>> output_weights(torch.eye(2), torch.tensor([3.0, 4.0]), 1.0)
    tensor([1.5000, 2.0000])
    """
    h, y = hidden.double(), targets.double()
    normal = h.T @ h + penalty * torch.eye(h.shape[1], dtype=h.dtype, device=h.device)
    return torch.linalg.solve(normal, h.T @ y).float()
