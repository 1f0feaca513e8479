"""SALICON: two networks look at an image, one at half the size of the other, and one convolution reads both.

Huang, Shen, Boix & Zhao, "SALICON: Reducing the semantic gap in saliency prediction by adapting deep neural networks",
ICCV 2015. The authors' code is not public.

Differs from the paper in: an image keeps its shape, with as many px as the paper's of 600 x 800; VGG-16 has
torchvision's weights and scale of colors, the paper's has Caffe's. Two things are not known of the paper: how a map
becomes a density for its loss, here by the softmax; and how the convolution begins, here with small numbers by chance.
In both public re-implementations (OpenSALICON, SALICONtf) it begins with zeros, which say the same of all images.
"""

from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn

from foveal.models.catalogue import register_model
from foveal.models.config import ModelConfig
from foveal.models.deep.encoder import Encoder, EncodersNetwork
from foveal.models.deep.network import MapNetwork, Seen
from foveal.models.parts.first_numbers import begin_by
from foveal.models.parts.geometry import Grid, resample
from foveal.models.parts.sizes import USUAL, Viewing
from foveal.models.parts.working_size import size_of_area

HIGHEST = "relu5_3"  # the last convolution of VGG-16, without the pooling after it
CELL = 16  # px of the fine image a value of it
FINE, COARSE = 2, 1  # sizes of what the streams see
MULTIPLE = 4  # px of a side of the coarse image: with it, those of 300 x 400 px stay as they are
SMALLEST_SIDE = 16  # px of the coarse image, of which VGG leaves one value


@dataclass(frozen=True)
class SALICONConfig(ModelConfig):
    """What the network is made of.

    Attributes
    ----------
    backbone
        A network with the layers of VGG-16.
    first_trained
        The lowest layer that is trained in each of the two streams.
    area
        Number of px at which the fine stream sees an image: 600 x 800 in the paper. The coarse one sees a quarter.
    """

    backbone: str = "vgg16"
    first_trained: str = "conv1_1"
    area: int = 600 * 800


class Stream(Encoder):
    """One of the two networks.

    Parameters
    ----------
    config
        Of the whole.
    size
        `FINE` or `COARSE`.
    """

    def __init__(self, config: SALICONConfig, size: int) -> None:
        super().__init__()
        self.coarse_area, self.size = config.area / FINE**2, size
        self.read_layers(config.backbone, (HIGHEST,), config.first_trained)

    def seen_size(self, size: tuple[int, int], viewing: Viewing = USUAL) -> tuple[int, int]:
        """Height and width of the coarse image, or twice those."""
        height, width = size_of_area(size, round(self.coarse_area * viewing.zoom**2), MULTIPLE)
        return self.size * max(SMALLEST_SIDE, height), self.size * max(SMALLEST_SIDE, width)


@register_model(
    "salicon",
    family="deep",
    year=2015,
    paper="Huang et al., SALICON: Reducing the semantic gap by adapting deep neural networks, ICCV 2015",
    trainable=True,
    weights="recipe",
)
class SALICON(EncodersNetwork, MapNetwork):
    """Two streams, of which the coarse one's features are enlarged; a convolution of both."""

    Config = SALICONConfig
    losses = {"kl": 1.0}  # noqa: RUF012 (the best of the four in the paper)
    tiny = SALICONConfig(backbone="vgg16_tiny", area=48 * 64)
    config: SALICONConfig

    def __init__(self, config: SALICONConfig | None = None) -> None:
        super().__init__(config)
        self.encoders = nn.ModuleList([Stream(self.config, FINE), Stream(self.config, COARSE)])
        n_features = sum(stream.encoder.channels(stream.read[0]) for stream in self.each_encoder)
        self.readout = nn.Conv2d(n_features, 1, 1)
        begin_by(partial(nn.init.normal_, std=0.01), self.readout)

    def cells(self, size: tuple[int, int]) -> Grid:
        """As many as the fine stream has values."""
        fine, _ = self.each_encoder
        height, width = fine.seen_size(size)
        return Grid.over(size, (height // CELL, width // CELL))

    def forward(self, seen: Seen, size: tuple[int, int], viewing: Viewing = USUAL) -> Float[Tensor, "image row column"]:
        """Both streams on the fine one's grid, and the convolution; the highest value of each map is one."""
        (fine,), (coarse,) = self.features_read(seen)
        on_fine, on_coarse = (stream.grids(size, stream.read, viewing)[stream.read[0]] for stream in self.each_encoder)
        both = torch.cat([fine, resample(coarse, on_coarse, on_fine)], dim=1)
        logits = resample(self.readout(both)[:, 0], on_fine, self.cells(size))
        return (logits - logits.amax(dim=(1, 2), keepdim=True)).exp()


@dataclass(frozen=True)
class SALICONLiteConfig(SALICONConfig):
    """What the small form is made of: see `SALICONConfig`."""

    backbone: str = "efficientnet_lite0"
    first_trained: str = "block15"
    area: int = 336 * 448


@register_model(
    "salicon-lite",
    family="deep",
    year=2015,
    paper="a small form of Huang et al., SALICON: Reducing the semantic gap by adapting neural networks, 2015",
    trainable=True,
    weights="package",
)
class SALICONLite(SALICON):
    """On EfficientNet-lite0, twice, of photographs a third as large."""

    Config = SALICONLiteConfig
    tiny = SALICONLiteConfig(backbone="efficientnet_lite_tiny", first_trained="block6", area=48 * 64)
    saved_in_16_bits = True
