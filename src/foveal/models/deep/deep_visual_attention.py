"""Deep visual attention (DVA): maps of three depths, each learned by itself, and what they say together.

Wang & Shen, "Deep visual attention prediction", *IEEE Transactions on Image Processing* 27(5), 2018 (arXiv:1705.02544).
Not the dynamic visual attention of the same initials, which is a classical model.

Differs from the paper in: an image keeps its shape, with as many px as the paper's squashed 224 x 224; VGG-16 has
torchvision's weights and scale of colors, the paper's has Caffe's; new layers begin by He et al. (2015), the published
ones with a deviation of .01, of which little is left after five layers. The published network surrounds an image with
34 px of gray more than VGG-16 does; here the decoders see no more than VGG-16's features of the image.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn

from foveal.models.catalogue import register_model
from foveal.models.config import ModelConfig, check_values
from foveal.models.deep.encoder import AreaNetwork
from foveal.models.deep.network import MapNetwork, Seen
from foveal.models.parts.first_numbers import begin_by
from foveal.models.parts.sizes import USUAL, Viewing

LEVELS = ("relu3_3", "relu4_3", "relu5_3")  # section III: conv3_3, conv4_3 and conv5_3, rectified
DECONVOLUTIONS = (2, 3, 4)  # of the decoder of each: a value of its level is 4, 8 or 16 px wide


@dataclass(frozen=True)
class DeepVisualAttentionConfig(ModelConfig):
    """What the network is made of (section III).

    Attributes
    ----------
    backbone
        A network with the layers of VGG-16.
    first_trained
        The lowest layer of it that is trained.
    area
        Number of px at which an image is seen: 224 x 224 in the paper.
    decoder
        Channels of the four deconvolutions after the highest level; those of lower levels have the last three and two.
    """

    backbone: str = "vgg16"
    first_trained: str = "conv1_1"
    area: int = 224 * 224
    decoder: tuple[int, ...] = (512, 256, 128, 64)

    def completed(self) -> "DeepVisualAttentionConfig":
        """Checked for a decoder of another length.

        Raises
        ------
        FovealError
            If it has not four deconvolutions, or a value is not right.
        """
        super().completed()
        right = len(self.decoder) == max(DECONVOLUTIONS)
        check_values(self, {"decoder": (right, "a list of four whole numbers")})
        return self


class Decoder(nn.Module):
    """Deconvolutions that each make a map twice as large, a convolution to one channel, and a crop.

    Nothing is padded and nothing cut off on the way, so that the map reaches as far over the image on each side.
    """

    def __init__(self, channels: int, decoder: Sequence[int]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = channels
        for after in decoder:
            layers += [nn.ConvTranspose2d(before, after, 4, stride=2), nn.ReLU()]
            before = after
        self.layers = nn.Sequential(*layers, nn.Conv2d(before, 1, 3))
        self.times = 2 ** len(decoder)

    def forward(self, features: Float[Tensor, "image feature h w"]) -> Float[Tensor, "image 1 height width"]:
        """The middle of the map, which lies over the image."""
        said: Tensor = self.layers(features)
        height, width = self.times * features.shape[2], self.times * features.shape[3]
        top, left = (said.shape[2] - height) // 2, (said.shape[3] - width) // 2
        return said[:, :, top : top + height, left : left + width]


@register_model(
    "deep-visual-attention",
    family="deep",
    year=2018,
    paper="Wang & Shen, Deep visual attention prediction, IEEE TIP 27(5), 2018",
    trainable=True,
    weights="recipe",
)
class DeepVisualAttention(AreaNetwork, MapNetwork):
    """A decoder for each of three levels, and a convolution that makes one map of their three."""

    Config = DeepVisualAttentionConfig
    losses = {"cell-bce": 1.0}  # noqa: RUF012 (section III: of each of the four maps)
    tiny = DeepVisualAttentionConfig(backbone="vgg16_tiny", area=32 * 48, decoder=(16, 16, 8, 8))
    config: DeepVisualAttentionConfig
    STRIDE = 16  # px a value of the highest level
    CELL = 1

    def __init__(self, config: DeepVisualAttentionConfig | None = None) -> None:
        super().__init__(config)
        self.area = self.config.area
        self.read_layers(self.config.backbone, LEVELS, self.config.first_trained)
        self.decoders = nn.ModuleList(
            Decoder(self.encoder.channels(layer), self.config.decoder[-number:])
            for layer, number in zip(self.read, DECONVOLUTIONS, strict=True)
        )
        self.fuse = nn.Conv2d(len(LEVELS), 1, 3, padding=1)
        for new in (self.decoders, self.fuse):
            begin_by(partial(nn.init.kaiming_normal_, nonlinearity="relu"), new)

    def forward(
        self, seen: Seen, size: tuple[int, int], viewing: Viewing = USUAL
    ) -> Float[Tensor, "image 4 row column"]:
        """Section III: the maps of the three levels, from the lowest up, and what they say together."""
        levels = zip(self.decoders, self.features_read(seen), self.read, strict=True)
        sides = torch.cat(
            [self.on_cells(decoder(maps), size, viewing, layer) for decoder, maps, layer in levels], dim=1
        )
        return torch.cat([sides, self.fuse(sides)], dim=1).sigmoid()


@dataclass(frozen=True)
class DeepVisualAttentionLiteConfig(DeepVisualAttentionConfig):
    """What the small form is made of: see `DeepVisualAttentionConfig`."""

    backbone: str = "efficientnet_lite0"
    first_trained: str = "block15"
    area: int = 240 * 320
    decoder: tuple[int, ...] = (48, 24, 16, 8)


@register_model(
    "deep-visual-attention-lite",
    family="deep",
    year=2018,
    paper="a small form of Wang & Shen, Deep visual attention prediction, IEEE TIP 27(5), 2018",
    trainable=True,
    weights="package",
)
class DeepVisualAttentionLite(DeepVisualAttention):
    """On EfficientNet-lite0 with a twelfth of the channels, of photographs half as large again."""

    Config = DeepVisualAttentionLiteConfig
    tiny = DeepVisualAttentionLiteConfig(
        backbone="efficientnet_lite_tiny", first_trained="block6", area=32 * 48, decoder=(16, 16, 8, 8)
    )
    saved_in_16_bits = True
