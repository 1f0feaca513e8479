"""Image signature (Hou, Harel & Koch, "Image signature: highlighting sparse salient regions", PAMI 34, 2012).

The signs of an image's discrete cosine transform hold where a sparse foreground lies on a background that is sparse in
frequencies: what they alone give back, squared, is large there (equations 3 and 10 of the paper). Channel by channel of
L*a*b*, at 64 px, blurred, averaged. The published code settles the size (64 px across), the colors and the blur (.045
of the width, as if nothing was outside, cut off at twice that); here the longer side has 64 px, so that a portrait is
seen as large as a landscape.
"""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from foveal.models.base import SaliencyMapModel
from foveal.models.catalogue import register_model
from foveal.models.config import ModelConfig
from foveal.models.parts.blur import blurred_in_black
from foveal.models.parts.color import to_lab
from foveal.models.parts.cosine_transform import dct
from foveal.models.parts.finalizer import resize_maps
from foveal.models.parts.working_size import shrunk

NO_SIGN = 1e-2  # a coefficient below, in units of the channels, is rounding: a gray image has no colors


@dataclass(frozen=True)
class ImageSignatureConfig(ModelConfig):
    """The parameters of the published code."""

    working_side: int = 64  # px, the longer side
    blur_sigma: float = 0.045  # of the longer side


@register_model(
    "image-signature",
    family="classical",
    year=2012,
    paper="Hou, Harel & Koch, Image signature: highlighting sparse salient regions, PAMI 34(1), 2012",
    trainable=True,
    weights="package",
)
class ImageSignature(SaliencyMapModel):
    """The signature of each color channel, given back to the image plane."""

    Config = ImageSignatureConfig
    config: ImageSignatureConfig

    def saliency_map(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image height width"]:
        """Mean of the channels' squared reconstructions, blurred."""
        lab = to_lab(shrunk(images, self.config.working_side))
        spectrum = dct(lab)
        signature = spectrum.sign() * (spectrum.abs() > NO_SIGN)
        foreground = dct(signature, inverse=True).square().mean(dim=1)
        sigma = self.config.blur_sigma * self.config.working_side
        blurred = blurred_in_black(foreground, sigma, round(4 * sigma))
        return resize_maps(blurred, (images.shape[2], images.shape[3]))
