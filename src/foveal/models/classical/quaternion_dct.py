"""Quaternion DCT signature (Schauerte & Stiefelhagen 2012).

"Quaternion-based spectral saliency detection for eye fixation prediction", ECCV.

The image signature of all color channels at once: a pixel's colors are the imaginary parts of a quaternion, and what
is kept of each coefficient of the cosine transform is the quaternion's direction, not each channel's sign. (The axis of
the transform, a unit quaternion that multiplies from the left, turns all coefficients alike and back again, and so has
no effect on the squared reconstruction.) 64 px and a blur of 2.5 px as in the authors' experiments; the paper compares
many color spaces, and intensity with two opponent colors comes nearest to the authors' published map of OSIE 1001.

Differs from the authors' code in: the longer side has 64 px, theirs the width; the blur loses nothing at the border,
theirs has black around the image and ends after 4 px, which comes less near to their map (.952 instead of .963).
"""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from foveal.gaze.maps import gaussian_blur
from foveal.models.base import SaliencyMapModel
from foveal.models.catalogue import register_model
from foveal.models.config import ModelConfig
from foveal.models.parts.color import to_opponent
from foveal.models.parts.cosine_transform import dct
from foveal.models.parts.finalizer import resize_maps
from foveal.models.parts.working_size import shrunk

NO_DIRECTION = 1e-5  # the norm of a coefficient that is rounding


@dataclass(frozen=True)
class QuaternionDCTConfig(ModelConfig):
    """The authors' parameters."""

    working_side: int = 64  # px, the longer side
    blur_sigma: float = 2.5  # px of it


@register_model(
    "quaternion-dct",
    family="classical",
    year=2012,
    paper="Schauerte & Stiefelhagen, Quaternion-based spectral saliency detection for eye fixation prediction, "
    "ECCV 2012",
    trainable=True,
    weights="package",
)
class QuaternionDCT(SaliencyMapModel):
    """The direction of each quaternion coefficient, given back to the image plane."""

    Config = QuaternionDCTConfig
    config: QuaternionDCTConfig

    def saliency_map(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image height width"]:
        """Squared norm of the reconstruction, blurred."""
        spectrum = dct(to_opponent(shrunk(images, self.config.working_side)))
        norm = spectrum.norm(dim=1, keepdim=True)
        direction = spectrum / norm.clamp(min=NO_DIRECTION) * (norm > NO_DIRECTION)
        foreground = dct(direction, inverse=True).square().sum(dim=1)
        blurred = gaussian_blur(foreground, self.config.blur_sigma)
        return resize_maps(blurred, (images.shape[2], images.shape[3]))
