"""Where people look in general, as Gaussians that are learned with the network.

Cornia, Baraldi, Serra & Cucchiara 2018, "Predicting human eye fixations via an LSTM-based saliency attentive model",
*IEEE TIP* 27(10), section III-B; the bounds are those of the published code.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

MEANS = (0.25, 0.75), (0.35, 0.65)  # bounds of x and of y, in shares of the width
DEVIATIONS = (0.1, 0.9), (0.2, 0.8)
FIRST_MEANS, FIRST_DEVIATIONS = (0.3, 0.7), (0.05, 0.3)


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
            (((axis - self.means[:, [n]].clamp(*MEANS[n])) / self.deviations[:, [n]].clamp(*DEVIATIONS[n])) ** 2) / 2
            for n, axis in enumerate((x, y))
        )
        exponent = -(of_y[:, :, None] + of_x[:, None, :])
        return (exponent - exponent.amax(dim=(1, 2), keepdim=True)).exp()
