"""Does as large a share of the fixations fall into a part of the image as a density says?

Of a density, the smallest region that holds a share q of its mass is asked how many fixations it holds: fewer where the
model is too sure of itself, more where it is not sure enough (highest-density regions: Hyndman 1996, The American
Statistician).
"""

import torch
from jaxtyping import Float
from torch import Tensor


def mass_levels(log_density: Float[Tensor, "image row column"]) -> Float[Tensor, "image row column"]:
    """Mass of all that is denser than a cell, and half of the cell's own: near 0 at the peak, near 1 where it is least.

    >>> mass_levels(torch.tensor([[[0.5, 0.2, 0.3]]]).log())
    tensor([[[0.2500, 0.9000, 0.6500]]])
    """
    mass, order = log_density.flatten(1).softmax(dim=1).sort(dim=1, descending=True)
    levels = mass.cumsum(dim=1) - mass / 2
    return torch.zeros_like(levels).scatter_(1, order, levels).view_as(log_density)


def observed_shares(
    log_density: Float[Tensor, "image row column"],
    counts: Float[Tensor, "image row column"],
    predicted: Float[Tensor, " level"],
) -> Float[Tensor, "image level"]:
    """Share of each image's fixations (counted by cells) in the regions that hold these shares of the density."""
    within = mass_levels(log_density).flatten(1)[:, None] <= predicted[:, None]
    return (counts.flatten(1)[:, None] * within).sum(dim=2) / counts.sum(dim=(1, 2))[:, None]
