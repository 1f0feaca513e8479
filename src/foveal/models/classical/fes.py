r"""Fast and efficient saliency (Rezazadegan Tavakoli, Rahtu & Heikkilä, SCIA 2011).

Is a pixel's color more likely if it belongs to what is around it, or if it does not? The density of the surround is a
kernel density of few samples on a circle; that of the center has one sample, the pixel itself. By Bayes' rule, with
both equally likely before, the probability that the pixel stands out is
$1 / (1 + \frac{\sigma_1}{\sigma_0 n} \sum_i e^{-|F(x) - F(x_i)|^2 / 2\sigma_0^2})$. Blurred, raised to a power,
averaged over radii; all parameters are the published code's.

Differs in: a photograph keeps its aspect ratio; the blur is a mean of what is in the image, the authors' has black
around it, which the power makes a margin of nothing; and the prior for where salient pixels are, which the authors
learned from fixations, is left out of the map. The calibration has a center bias in place of both.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from foveal.models.base import SaliencyMapModel
from foveal.models.catalogue import register_model
from foveal.models.config import ModelConfig
from foveal.models.parts.blur import local_mean
from foveal.models.parts.color import to_lab
from foveal.models.parts.finalizer import resize_maps
from foveal.models.parts.working_size import shrunk


@dataclass(frozen=True)
class FastEfficientConfig(ModelConfig):
    """The parameters of the published code."""

    working_side: int = 171  # px, the longer side
    radii: tuple[int, ...] = (13, 25, 38)  # px
    samples: int = 8  # a circle
    surround_sigma: float = 10.0  # σ0, units of L*a*b*
    center_sigma: float = 1.0  # σ1
    blur_sigma: float = 5.2  # px
    power: float = 30.0  # α


@register_model(
    "fes",
    family="classical",
    year=2011,
    paper="Rezazadegan Tavakoli et al., Fast and efficient saliency detection using sparse sampling and KDE, SCIA 2011",
    trainable=True,
    weights="package",
)
class FastEfficientSaliency(SaliencyMapModel):
    """How improbable a pixel's color is on circles around it."""

    Config = FastEfficientConfig
    config: FastEfficientConfig

    def saliency_map(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image height width"]:
        """Mean over the radii of the blurred probabilities that a pixel stands out, to the power α."""
        config = self.config
        colors = to_lab(shrunk(images, config.working_side))
        total = torch.zeros_like(colors[:, 0])
        for radius in config.radii:
            surround = surround_density(colors, radius, config.samples, config.surround_sigma)
            stands_out = 1 / (1 + config.center_sigma / config.surround_sigma * surround)
            total += local_mean(stands_out, config.blur_sigma) ** config.power
        mean = total / len(config.radii)
        return resize_maps(mean, (images.shape[2], images.shape[3]))


def surround_density(
    colors: Float[Tensor, "image 3 h w"], radius: int, samples: int, sigma: float
) -> Float[Tensor, "image h w"]:
    """Mean kernel between each pixel and samples on a circle around it; beyond the border, the nearest pixel."""
    height, width = colors.shape[2:]
    rows, columns = (torch.arange(length, device=colors.device) for length in (height, width))
    total = torch.zeros_like(colors[:, 0])
    for sample in range(samples):
        angle = 2 * math.pi * sample / samples
        y = (rows + round(radius * math.sin(angle))).clamp(0, height - 1)
        x = (columns + round(radius * math.cos(angle))).clamp(0, width - 1)
        squared = (colors - colors[:, :, y[:, None], x]).square().sum(dim=1)
        total += torch.exp(-squared / (2 * sigma**2))
    return total / samples
