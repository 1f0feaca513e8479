"""UNISAL's way with images: MobileNetV2, learned Gaussians, and a decoder that gets features of two lower depths again.

Droste, Jiao & Noble, "Unified image and video saliency modeling", ECCV 2020 (arXiv:2003.05477).

Differs from the paper in: images only, which pass its recurrent network by, so that it is left out. Normalisations,
Gaussians, the last weights and the smoothing are learned of all data sets together; a data set has instead what one
has of every network here that says logits: how sharp its densities are, and what a center bias counts, which the paper
does not add. Features are enlarged to where those of the lower depth lie, the published network's drift by half a
value; the map is enlarged to px by lines, not by the nearest value, and compared with people's on cells of four px.
Every new normalisation follows the batches by a tenth.
"""

import math
from collections import OrderedDict
from dataclasses import dataclass

import torch
from jaxtyping import Float
from scipy.fft import next_fast_len
from torch import Tensor, nn
from torch.nn import functional as F

from foveal.models.backbones.backbone import Backbone
from foveal.models.catalogue import register_model
from foveal.models.config import ModelConfig, check_values
from foveal.models.deep.encoder import AreaNetwork
from foveal.models.deep.network import DensityNetwork, Seen
from foveal.models.deep.stand_ins import STAND_INS, layers_of
from foveal.models.parts.batch_norm import BatchNorm
from foveal.models.parts.gaussian_priors import UnboundedGaussians
from foveal.models.parts.geometry import resample
from foveal.models.parts.sizes import USUAL, Viewing

LEVELS = ("block7", "block14", "block18")  # a value is 8, 16 and 32 px wide; the first two before their strides
OF_STAND_INS = ("relu4_3", "pool4", "relu5_3")  # of the same sizes: what a small network has in the place of these
FIRST_LOG_DEVIATION = -2.0  # of the smoothing, in sides of its square
SKIPPED = 2  # times the channels of a lower depth, between the two convolutions of its way to the decoder


@dataclass(frozen=True)
class UnisalConfig(ModelConfig):
    """What the network is made of.

    Attributes
    ----------
    backbone
        A network with the layers of MobileNetV2, or a small one that stands in for VGG-16.
    first_trained
        The lowest layer of it that is trained.
    area
        Number of px at which an image is seen: 288 x 384 of SALICON's.
    channels
        Features of the encoder's last layer, and after each of the two enlargements, as the decoder has them.
    dropout
        Share of the features of the lower depths that are left out in training.
    smoothing
        Side of the square of the smoothing, px of the image as it is seen; odd.
    """

    backbone: str = "mobilenet_v2"
    first_trained: str = "block0"
    area: int = 288 * 384
    channels: tuple[int, ...] = (256, 128, 64)
    dropout: float = 0.6
    smoothing: int = 41

    def completed(self) -> "UnisalConfig":
        """Checked for what cannot be.

        Raises
        ------
        FovealError
            If there are not three numbers of channels, the smoothing has no middle, or a value is not right.
        """
        super().completed()
        needed = {
            "channels": (len(self.channels) == 3, "a list of three whole numbers"),
            "dropout": (0 <= self.dropout < 1, "a number from 0 to less than 1"),
            "smoothing": (self.smoothing % 2 == 1, "an odd number"),
        }
        check_values(self, needed)
        return self


class Smoothing(nn.Module):
    """A learned square of weights, at first a Gaussian, by which px are averaged; the border goes on beyond itself."""

    def __init__(self, side: int) -> None:
        super().__init__()
        places = torch.linspace(-0.5, 0.5, side)
        weights = torch.softmax(-(places**2) / (2 * math.exp(FIRST_LOG_DEVIATION) ** 2), dim=0)
        self.weight = nn.Parameter(torch.outer(weights, weights)[None, None])

    def forward(self, maps: Float[Tensor, "image height width"]) -> Float[Tensor, "image height width"]:
        """Smoothed, by Fourier transforms, which 41 x 41 weights make forty times as fast as a convolution here."""
        side = self.weight.shape[-1]
        padded = F.pad(maps[:, None].float(), [side // 2] * 4, mode="replicate")[:, 0]
        height, width = padded.shape[1:]
        size = next_fast_len(height, real=True), next_fast_len(width, real=True)
        product = torch.fft.rfft2(padded, size) * torch.fft.rfft2(self.weight[0].float(), size).conj()
        return torch.fft.irfft2(product, size)[:, : height - side + 1, : width - side + 1]


@register_model(
    "unisal",
    family="deep",
    year=2020,
    paper="Droste, Jiao & Noble, Unified image and video saliency modeling, ECCV 2020",
    trainable=True,
    weights="recipe",
)
class Unisal(AreaNetwork, DensityNetwork):
    """Encoder, Gaussians, decoder, smoothing."""

    Config = UnisalConfig
    losses = {"kl": 1.0, "nss": 0.1, "cc": 0.1}  # noqa: RUF012
    tiny = UnisalConfig("mobilenet_v2_tiny", "block14", area=64 * 96, channels=(16, 12, 8), smoothing=9)
    config: UnisalConfig
    STRIDE = 32  # px a value of the highest layer
    CELL = 4

    def __init__(self, config: UnisalConfig | None = None) -> None:
        super().__init__()
        from torchvision.models.mobilenetv2 import InvertedResidual

        self.config = config or type(self).Config()
        self.area = self.config.area
        backbone = self.config.backbone
        levels = layers_of(backbone, OF_STAND_INS) if backbone in STAND_INS else LEVELS
        delayed = () if backbone in STAND_INS else levels[:2]
        encoder = Backbone(backbone, pretrained=False, until=levels[-1], delayed_strides=delayed)
        self.read_from(encoder, levels, self.config.first_trained)
        of_fine, of_middle, of_coarse = map(encoder.channels, levels)
        coarse, middle, fine = self.config.channels
        self.gaussians = UnboundedGaussians()
        self.combine = InvertedResidual(of_coarse + len(self.gaussians.means), coarse, 1, 1, BatchNorm)
        self.skip_middle = _skip(of_middle, middle, self.config.dropout)
        self.join_middle = InvertedResidual(coarse + middle, middle, 1, 2, BatchNorm)
        self.skip_fine = _skip(of_fine, fine, self.config.dropout)
        self.join_fine = InvertedResidual(middle + fine, fine, 1, 2, BatchNorm)
        self.readout = nn.Conv2d(fine, 1, 1)
        self.smoothing = Smoothing(self.config.smoothing)

    @torch.no_grad()
    def absorb(self, sharpness: float | Float[Tensor, ""]) -> None:
        """Multiply the readout, after which nothing bends."""
        for parameter in self.readout.parameters():
            parameter.mul_(sharpness)

    def forward(self, seen: Seen, size: tuple[int, int], viewing: Viewing = USUAL) -> Float[Tensor, "image row column"]:
        """Section 3: what lies beside what of the three depths is looked at together, from the highest down."""
        fine, middle, coarse = self.features_read(seen)
        of_fine, of_middle, of_coarse = self.grids(size, self.read, viewing).values()
        priors = self.gaussians((coarse.shape[2], coarse.shape[3])).expand(len(coarse), -1, -1, -1)
        features = self.combine(torch.cat([coarse, priors.to(coarse)], dim=1))
        enlarged = resample(features, of_coarse, of_middle)
        features = self.join_middle(torch.cat([enlarged, self.skip_middle(middle)], dim=1))
        enlarged = resample(features, of_middle, of_fine)
        said = self.readout(self.join_fine(torch.cat([enlarged, self.skip_fine(fine)], dim=1)))[:, 0]
        pixels = self.pixels(size, viewing)
        return resample(self.smoothing(resample(said, of_fine, pixels)), pixels, self.cells(size))

    def without_decay(self) -> list[nn.Parameter]:
        """The Gaussians."""
        return list(self.gaussians.parameters())


@dataclass(frozen=True)
class UnisalLiteConfig(UnisalConfig):
    """What the small form is made of: see `UnisalConfig`."""

    backbone: str = "efficientnet_lite0"
    first_trained: str = "block15"
    area: int = 336 * 448
    channels: tuple[int, ...] = (128, 64, 32)


@register_model(
    "unisal-lite",
    family="deep",
    year=2020,
    paper="a small form of Droste, Jiao & Noble, Unified image and video saliency modeling, ECCV 2020",
    trainable=True,
    weights="package",
)
class UnisalLite(Unisal):
    """On EfficientNet-lite0 with half of the channels."""

    Config = UnisalLiteConfig
    tiny = UnisalLiteConfig(
        backbone="efficientnet_lite_tiny", first_trained="block6", area=64 * 96, channels=(16, 12, 8), smoothing=9
    )
    saved_in_16_bits = True


def _skip(channels: int, narrow: int, dropout: float) -> nn.Sequential:
    """The way of a lower depth's features to the decoder: made more, some left out, made few."""
    wide = SKIPPED * channels
    return nn.Sequential(
        OrderedDict(
            widen=nn.Sequential(nn.Conv2d(channels, wide, 1, bias=False), BatchNorm(wide), nn.ReLU6()),
            dropout=nn.Dropout2d(dropout),
            narrow=nn.Sequential(nn.Conv2d(wide, narrow, 1), BatchNorm(narrow)),
        )
    )
