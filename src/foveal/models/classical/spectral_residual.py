"""Spectral residual (Hou & Zhang, "Saliency detection: a spectral residual approach", CVPR 2007).

Natural images have much the same amplitude spectrum; what an image's own log spectrum has beyond its local mean is new,
and with the phase it says where. At 64 px in gray, as the paper; the published code settles the blur (2.5 px, as if
nothing was outside, cut off to 10 x 10) and the mean over 3 x 3 frequencies, whose neighbours beyond the border are the
nearest. There the width is 64 px; here it is the longer side.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from foveal.models.base import SaliencyMapModel
from foveal.models.catalogue import register_model
from foveal.models.config import ModelConfig
from foveal.models.parts.blur import blurred_in_black
from foveal.models.parts.finalizer import resize_maps
from foveal.models.parts.working_size import shrunk

LUMA = (0.2989, 0.5870, 0.1140)  # as MATLAB's rgb2gray
NOTHING = 1e-4  # an amplitude that is rounding; its logarithm is taken to be that of this


@dataclass(frozen=True)
class SpectralResidualConfig(ModelConfig):
    """The parameters of the published code."""

    working_side: int = 64  # px, the longer side
    mean_width: int = 3  # frequencies
    blur_sigma: float = 2.5  # px
    blur_width: int = 10  # px


@register_model(
    "spectral-residual",
    family="classical",
    year=2007,
    paper="Hou & Zhang, Saliency detection: a spectral residual approach, CVPR 2007",
    trainable=True,
    weights="package",
)
class SpectralResidual(SaliencyMapModel):
    """What an image's log amplitude spectrum has beyond its local mean, with the image's phase."""

    Config = SpectralResidualConfig
    config: SpectralResidualConfig

    def saliency_map(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image height width"]:
        """Squared reconstruction of the residual, blurred."""
        gray = torch.einsum("c,nchw->nhw", images.new_tensor(LUMA), shrunk(images, self.config.working_side))
        spectrum = torch.fft.fft2(gray)
        amplitude = spectrum.abs().clamp(min=NOTHING)
        log_amplitude = amplitude.log()
        margin = self.config.mean_width // 2
        padded = F.pad(log_amplitude[:, None], (margin, margin, margin, margin), mode="replicate")
        residual = log_amplitude - F.avg_pool2d(padded, self.config.mean_width, stride=1)[:, 0]
        foreground = torch.fft.ifft2(residual.exp() * spectrum / amplitude).abs().square()
        blurred = blurred_in_black(foreground, self.config.blur_sigma, self.config.blur_width)
        return resize_maps(blurred, (images.shape[2], images.shape[3]))
