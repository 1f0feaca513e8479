"""MSI-Net: features of three depths, looked at over several distances, and a decoder that enlarges them.

Kroner, Senden, Driessens & Goebel, "Contextual encoder-decoder network for visual saliency prediction", *Neural
Networks* 129 (2020), arXiv:1902.06634.

Differs from the paper in: VGG-16 was trained on ImageNet, the paper's on ImageNet and Places together; colors are
scaled as torchvision's VGG-16 wants them. The map goes from 0 to 1 over the image without the gray border,
and is compared with people's there. As in the published code, pool4 and pool5 keep the size of the maps, so that they
say what lies half a cell and a whole one further to the right and below than pool3: the convolutions learn that.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from foveal.models.catalogue import register_model
from foveal.models.config import ModelConfig
from foveal.models.deep.encoder import FramedNetwork
from foveal.models.deep.network import MapNetwork, Seen
from foveal.models.parts.first_numbers import begin_by
from foveal.models.parts.frame import Frame
from foveal.models.parts.pyramid import DilatedPyramid
from foveal.models.parts.sizes import USUAL, Viewing

LEVELS = ("pool3", "pool4", "pool5")  # section 2.1: their maps all have an eighth of the frame's size
GRAY = 126 / 255  # of the published code's frame
SMALLEST_SPAN = 1e-7  # between the lowest and the highest value of a map


@dataclass(frozen=True)
class MSINetConfig(ModelConfig):
    """What the network is made of (section 2.1).

    Attributes
    ----------
    backbone
        A network with the layers of VGG-16.
    first_trained
        The lowest layer of it that is trained.
    height, width
        The frame into which images are fitted, px.
    pyramid
        Channels of each branch of the pyramid.
    dilations
        Of its convolutions.
    decoder
        Channels of the decoder after each enlargement.
    """

    backbone: str = "vgg16"
    first_trained: str = "conv1_1"
    height: int = 240
    width: int = 320
    pyramid: int = 256
    dilations: tuple[int, ...] = (4, 8, 12)
    decoder: tuple[int, ...] = (128, 64, 32)


@register_model(
    "msi-net",
    family="deep",
    year=2020,
    paper="Kroner et al., Contextual encoder-decoder network for visual saliency prediction, Neural Networks 129, 2020",
    trainable=True,
    weights="recipe",
)
class MSINet(FramedNetwork, MapNetwork):
    """Encoder, pyramid, decoder."""

    Config = MSINetConfig
    losses = {"kl": 1.0}  # noqa: RUF012 (section 2.2)
    tiny = MSINetConfig(backbone="vgg16_tiny", height=48, width=64, pyramid=8, dilations=(2, 3), decoder=(8, 8, 8))
    config: MSINetConfig
    STRIDE = 8  # px of the frame a value
    CELL = 1

    def __init__(self, config: MSINetConfig | None = None) -> None:
        super().__init__(config)
        self.usual_frame = Frame(self.config.height, self.config.width, GRAY)
        self.read_layers(
            self.config.backbone,
            LEVELS,
            self.config.first_trained,
            without_stride=["pool4", "pool5"],
            dilations={"conv5": 2},
        )
        n_features = sum(self.encoder.channels(layer) for layer in self.read)
        self.pyramid = DilatedPyramid(n_features, self.config.pyramid, self.config.dilations)
        layers: list[nn.Module] = []
        before = self.config.pyramid
        for channels in self.config.decoder:
            enlarged = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
            layers += [enlarged, nn.Conv2d(before, channels, 3, padding=1), nn.ReLU()]
            before = channels
        self.decoder = nn.Sequential(*layers, nn.Conv2d(before, 1, 3, padding=1))
        for new in (self.pyramid, self.decoder):
            begin_by(nn.init.xavier_uniform_, new)

    def forward(self, seen: Seen, size: tuple[int, int], viewing: Viewing = USUAL) -> Float[Tensor, "image row column"]:
        """Section 2.1; the map goes from 0 to 1."""
        features = torch.cat(self.features_read(seen), dim=1)
        said = self.decoder(self.pyramid(features))[:, 0]
        on_image = self.on_cells(said, size, viewing)
        lowest, highest = on_image.amin(dim=(1, 2), keepdim=True), on_image.amax(dim=(1, 2), keepdim=True)
        return (on_image - lowest) / (highest - lowest).clamp(min=SMALLEST_SPAN)


@dataclass(frozen=True)
class MSINetLiteConfig(MSINetConfig):
    """What the small form is made of: see `MSINetConfig`."""

    backbone: str = "efficientnet_lite0"
    first_trained: str = "block15"
    height: int = 336
    width: int = 448
    pyramid: int = 32
    decoder: tuple[int, ...] = (32, 16, 8)


@register_model(
    "msi-net-lite",
    family="deep",
    year=2020,
    paper="a small form of Kroner et al., Contextual encoder-decoder network for visual saliency prediction, 2020",
    trainable=True,
    weights="package",
)
class MSINetLite(MSINet):
    """On EfficientNet-lite0 with an eighth of the channels, in a larger frame with values twice as far apart."""

    Config = MSINetLiteConfig
    tiny = MSINetLiteConfig(
        backbone="efficientnet_lite_tiny",
        first_trained="block6",
        height=48,
        width=64,
        pyramid=8,
        dilations=(2, 3),
        decoder=(8, 8, 8),
    )
    saved_in_16_bits = True
    STRIDE = 16
