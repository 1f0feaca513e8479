"""Intensity contrast features: how far one comes without any object.

Kümmerer, Wallis, Gatys & Bethge, "Understanding low- and high-level contributions to fixation prediction", ICCV 2017.
In three decorrelated colors and at five scales, the local mean and the local contrast are all that the model knows of
a place. A readout network of 1x1 convolutions (16, 32, 2 and 1 channels), as DeepGaze II has, makes saliency of them,
and is fitted by maximum likelihood.

Differs from the paper in: the axes of color are those that decorrelate natural images in general (gray; blue against
yellow; green against red and blue), not computed from MIT1003; images are seen at 400 px, with windows of 2.5 to 40 px;
the readout is fitted to what `foveal train icf` is given, not to SALICON first; blur and center bias are those of the
calibration.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from foveal.models.catalogue import register_model
from foveal.models.config import ModelConfig
from foveal.models.parts.blur import local_mean
from foveal.models.parts.pixel_readout import PixelReadoutModel
from foveal.models.parts.working_size import shrunk

# Karhunen-Loève axes of the colors of natural images, as Ohta, Kanade & Sakai (1980) rounded them.
DECORRELATED = ((1 / 3, 1 / 3, 1 / 3), (0.5, 0.0, -0.5), (-0.25, 0.5, -0.25))
HIDDEN = (16, 32, 2)  # channels of the readout before its last


@dataclass(frozen=True)
class ICFConfig(ModelConfig):
    """Sizes in px of the image as the model sees it."""

    working_side: int = 400  # the longer side
    sigmas: tuple[float, ...] = (2.5, 5.0, 10.0, 20.0, 40.0)
    cell: int = 4  # features are known once in so many px, in both directions


@register_model(
    "icf",
    family="classical",
    year=2017,
    paper="Kümmerer, Wallis, Gatys & Bethge, Understanding low- and high-level contributions to fixation prediction, "
    "ICCV 2017",
    trainable=True,
    weights="package",
)
class ICF(PixelReadoutModel):
    """A readout of local means and variances."""

    Config = ICFConfig
    config: ICFConfig

    def __init__(self, config: ICFConfig | None = None) -> None:
        config = config or ICFConfig()
        n_features = 2 * len(config.sigmas) * len(DECORRELATED)
        layers: list[nn.Module] = []
        for before, after in zip((n_features, *HIDDEN[:-1]), HIDDEN, strict=True):
            layers += [nn.Conv2d(before, after, 1), nn.Softplus()]
        super().__init__(config, n_features, nn.Sequential(*layers, nn.Conv2d(HIDDEN[-1], 1, 1)))

    def features(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image feature h w"]:
        """Of each color and scale, the local mean and the local deviation."""
        seen = shrunk(images, self.config.working_side)
        colors = torch.einsum("ij,njhw->nihw", images.new_tensor(DECORRELATED), seen)
        found = []
        for sigma in self.config.sigmas:
            mean, square = local_mean(torch.stack([colors, colors.square()]), sigma)
            found += [mean, (square - mean.square()).clamp(min=0).sqrt()]
        cells = [max(1, round(side / self.config.cell)) for side in seen.shape[2:]]
        return F.interpolate(torch.cat(found, dim=1), size=cells, mode="area")
