"""The center bias that a model holds, to which it adds what it says of an image: the prior of its densities."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from foveal.gaze.center_bias import CenterBiasKDE
from foveal.models.parts.finalizer import resize_maps

PRIOR_GRID = 64  # rows and columns


def uniform_prior() -> Float[Tensor, "row column"]:
    """The logarithm of a prior that says nothing, up to a constant."""
    return torch.zeros(PRIOR_GRID, PRIOR_GRID)


def prior_of(density: CenterBiasKDE) -> Float[Tensor, "row column"]:
    """The logarithm of a data set's center bias."""
    return density.log_density((PRIOR_GRID, PRIOR_GRID))


class WithPrior(nn.Module):
    """A module that holds the logarithm of a center bias as a buffer, `log_prior`; fresh, it is uniform."""

    log_prior: Float[Tensor, "row column"]

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("log_prior", uniform_prior())

    def prior_on(self, size: tuple[int, int]) -> Float[Tensor, "1 row column"]:
        """The logarithm of the prior, up to a constant, on a grid of so many (rows, columns)."""
        return resize_maps(self.log_prior[None], size)
