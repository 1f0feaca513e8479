"""Where people look in general, as Gaussians that are learned with the network.

`GaussianPriors` are those of Cornia, Baraldi, Serra & Cucchiara 2018, "Predicting human eye fixations via an LSTM-based
saliency attentive model", *IEEE TIP* 27(10), section III-B; the bounds are those of the published code.
`UnboundedGaussians` are those of Droste, Jiao & Noble 2020, "Unified image and video saliency modeling", ECCV.
"""

from itertools import product

import torch
from jaxtyping import Float
from torch import Tensor, nn

MEANS = (0.25, 0.75), (0.35, 0.65)  # bounds of x and of y, in shares of the width
DEVIATIONS = (0.1, 0.9), (0.2, 0.8)
FIRST_MEANS, FIRST_DEVIATIONS = (0.3, 0.7), (0.05, 0.3)
PLACES = (0.25, 0.5, 0.75)  # of unbounded Gaussians, at first
NARROW, WIDE = -1.5, 0.0  # logarithms of their deviations
PEAK = 6.0  # their highest value: that of a feature after ReLU6


class GaussianPriors(nn.Module):
    r"""$f(x, y) = \exp(-(x-\mu_x)^2 / 2\sigma_x^2 - (y-\mu_y)^2 / 2\sigma_y^2)$ of each, divided by its largest value.

    x goes from 0 to 1, and y as far as the map is high: from $(1 - h/w)/2$ to $(1 + h/w)/2$.

    Parameters
    ----------
    number
        Of Gaussians.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.means = nn.Parameter(torch.empty(number, 2).uniform_(*FIRST_MEANS))  # x, y
        self.deviations = nn.Parameter(torch.empty(number, 2).uniform_(*FIRST_DEVIATIONS))

    def forward(self, shape: tuple[int, int]) -> Float[Tensor, "gaussian row column"]:
        """On so many rows and columns."""
        rows, columns = shape
        half = rows / columns / 2
        x = torch.linspace(0, 1, columns, device=self.means.device)
        y = torch.linspace(0.5 - half, 0.5 + half, rows, device=self.means.device)
        of_x, of_y = (
            _exponents(axis, self.means[:, n].clamp(*MEANS[n]), self.deviations[:, n].clamp(*DEVIATIONS[n]))
            for n, axis in enumerate((x, y))
        )
        exponent = of_y[:, :, None] + of_x[:, None, :]
        return (exponent - exponent.amax(dim=(1, 2), keepdim=True)).exp()


class UnboundedGaussians(nn.Module):
    r"""$f(x, y) = 6 \exp(-(x-\mu_x)^2 / 2\sigma_x^2 - (y-\mu_y)^2 / 2\sigma_y^2)$ of each; $\ln\sigma$ is learned.

    x and y both go from 0 in the first column or row to 1 in the last, whatever the shape; a single one lies at .5.

    At first, nine narrow ones lie on a grid, three are wide in y and three in x, and one is wide in both.
    """

    def __init__(self) -> None:
        super().__init__()
        across, down = [(0.5, place) for place in PLACES], [(place, 0.5) for place in PLACES]
        means = [*product(PLACES, PLACES), *across, *down, (0.5, 0.5)]
        log_deviations = [(NARROW, NARROW)] * 9 + [(WIDE, NARROW)] * 3 + [(NARROW, WIDE)] * 3 + [(WIDE, WIDE)]
        self.means = nn.Parameter(torch.tensor(means))  # y, x
        self.log_deviations = nn.Parameter(torch.tensor(log_deviations))

    def forward(self, shape: tuple[int, int]) -> Float[Tensor, "gaussian row column"]:
        """On so many rows and columns."""
        of_y, of_x = (
            _exponents(
                torch.linspace(0, 1, length, device=self.means.device) if length > 1 else self.means.new_tensor([0.5]),
                self.means[:, n],
                self.log_deviations[:, n].exp(),
            )
            for n, length in enumerate(shape)
        )
        return PEAK * (of_y[:, :, None] + of_x[:, None, :]).exp()


def _exponents(
    axis: Float[Tensor, " place"], means: Float[Tensor, " gaussian"], deviations: Float[Tensor, " gaussian"]
) -> Float[Tensor, "gaussian place"]:
    return -(((axis - means[:, None]) / deviations[:, None]) ** 2) / 2
