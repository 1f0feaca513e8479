"""Convolutions that know where they are: beside their features they see fixed maps of where a cell lies.

Kruthiventi, Ayush & Babu, "DeepFix: A fully convolutional neural network for predicting human eye fixations",
*IEEE Transactions on Image Processing* 26(9), 2017 (arXiv:1510.02927).
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

CELLS = 14  # of a side, in which the deviations are measured
DEVIATIONS = (1.0, 2.0, 3.0, 4.0)  # of each axis: every pair is a map
KERNEL, DILATION = 5, 6


def location_maps(shape: tuple[int, int], device: torch.device | None = None) -> Float[Tensor, "16 row column"]:
    """Gaussians in the middle, one of each height and width, on so many rows and columns.

    They stretch with the map. On 14 x 14 cells, the sum of each is about one, so that wide ones are lower.
    """
    of_rows, of_columns = (_bumps(length, device) for length in shape)
    return (of_rows[:, None, :, None] * of_columns[None, :, None, :]).flatten(0, 1)


class LocationBiasedConv(nn.Module):
    r"""$R = \mathrm{ReLU}(W * I + W' * L + b)$ of features $I$ and the `location_maps` $L$: 5 x 5 values, 6 apart.

    What $W' * L$ adds depends on the place alone.

    Parameters
    ----------
    channels
        Number of features, of what comes in as of what comes out.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        n_maps = len(DEVIATIONS) ** 2
        padding = DILATION * (KERNEL // 2)
        self.convolution = nn.Conv2d(channels + n_maps, channels, KERNEL, padding=padding, dilation=DILATION)

    def forward(self, features: Float[Tensor, "image feature h w"]) -> Float[Tensor, "image feature h w"]:
        """Of as many features."""
        maps = location_maps((features.shape[2], features.shape[3]), features.device)
        beside = maps.to(features).expand(len(features), -1, -1, -1)
        return F.relu(self.convolution(torch.cat([features, beside], dim=1)))


def _bumps(length: int, device: torch.device | None) -> Float[Tensor, "deviation value"]:
    """A Gaussian of each deviation along one axis of the map."""
    place = ((torch.arange(length, device=device) + 0.5) / length - 0.5) * CELLS
    deviations = torch.tensor(DEVIATIONS, device=device)[:, None]
    return (-((place / deviations) ** 2) / 2).exp() / (deviations * math.sqrt(2 * math.pi))
