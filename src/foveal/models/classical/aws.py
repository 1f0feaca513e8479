"""Adaptive whitening saliency (Garcia-Diaz et al., Image and Vision Computing 30, 2012).

Salient is what is far from the image's own statistics: the responses to it, whitened, are a vector whose squared length
is the distance from their mean (Hotelling's T squared). Colors are whitened first, over all pixels. To each of the
three components log-Gabor filters answer; of each orientation, the amplitudes at all scales are whitened again.

The final blur is the published program's default, 2.1 % of the longer side; its code is closed. All else is chosen
here: half the resolution of an 800 px photograph, four orientations, seven scales for the first component and five for
the others, from a period of 6 px in steps of 1.34, and the widths of the filters. It was chosen by the scores on 50
photographs of OSIE (1001 to 1700 in steps of 14).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from foveal.gaze.maps import gaussian_blur
from foveal.models.base import SaliencyMapModel
from foveal.models.catalogue import register_model
from foveal.models.config import ModelConfig
from foveal.models.parts.color import to_lab
from foveal.models.parts.finalizer import resize_maps
from foveal.models.parts.frequencies import log_gabor_amplitudes
from foveal.models.parts.whitening import whitened
from foveal.models.parts.working_size import shrunk

NO_COLOUR = 1e-4  # a variance of L*a*b* that is rounding: a gray image has one component
NO_RESPONSE = 1e-9  # likewise, of the amplitudes of whitened colors


@dataclass(frozen=True)
class AdaptiveWhiteningConfig(ModelConfig):
    """What the responses are, and the blur of their distances."""

    working_side: int = 400  # px, the longer side
    scales: tuple[int, ...] = (7, 5, 5)  # of each component of the colors, that of the largest variance first
    shortest_period: float = 6.0  # px
    period_step: float = 1.34  # from one scale to the next
    radial_width: float = 0.75  # of the log-Gabor filters, σ over the frequency; about one octave
    orientations: int = 4
    angular_width: float = 37.5  # degrees
    blur: float = 0.021  # of the longer side


@register_model(
    "aws",
    family="classical",
    year=2012,
    paper="Garcia-Diaz et al., Saliency from hierarchical adaptation through decorrelation, IVC 30(1), 2012",
    trainable=True,
    weights="package",
)
class AdaptiveWhiteningSaliency(SaliencyMapModel):
    """Distance of whitened responses from their mean."""

    Config = AdaptiveWhiteningConfig
    config: AdaptiveWhiteningConfig

    def saliency_map(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image height width"]:
        """Sum over the components of the colors and the orientations, blurred."""
        config = self.config
        colors = whitened(to_lab(shrunk(images, config.working_side)), NO_COLOUR)
        total = torch.zeros_like(colors[:, 0])
        for component, scales in zip(colors.unbind(dim=1), config.scales, strict=True):
            periods = [config.shortest_period * config.period_step**scale for scale in range(scales)]
            for amplitudes in log_gabor_amplitudes(
                component, periods, config.radial_width, config.orientations, config.angular_width
            ):
                total += whitened(amplitudes, NO_RESPONSE).square().sum(dim=1)
        blurred = gaussian_blur(total, config.blur * config.working_side)
        return resize_maps(blurred, (images.shape[2], images.shape[3]))
