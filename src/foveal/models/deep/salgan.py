"""SalGAN: VGG-16 and its mirror image make a map, which a second network is to take for one of people.

Pan, Canton Ferrer, McGuinness, O'Connor, Torres, Sayrol & Giro-i-Nieto, "SalGAN: Visual saliency prediction with
generative adversarial networks", arXiv:1701.01081 (2017).

Differs from the paper in: an image keeps its shape, with as many px as the paper's squashed ones; VGG-16 has
torchvision's weights and scale of colors, the paper's has Caffe's. The discriminator sees pixels, so that
`step = "adversarial"` needs `first_trained = "conv1_1"`; in the paper, the first three stages stay as they are.
"""

from dataclasses import dataclass
from functools import partial

from jaxtyping import Float
from torch import Tensor, nn

from foveal.models.catalogue import register_model
from foveal.models.config import ModelConfig, check_values
from foveal.models.deep.encoder import AreaNetwork
from foveal.models.deep.network import MapNetwork, Seen
from foveal.models.parts.first_numbers import begin_by
from foveal.models.parts.sizes import USUAL, Viewing

HIGHEST = "relu5_3"  # section 3.1: what follows in VGG-16 is left out
CONVOLUTIONS = (3, 3, 3, 2, 2)  # of the decoder, between two enlargements, as in VGG-16 from above


@dataclass(frozen=True)
class SalGANConfig(ModelConfig):
    """What the generator is made of (section 3.1).

    Attributes
    ----------
    backbone
        A network with the layers of VGG-16.
    first_trained
        The lowest layer of it that is trained.
    area
        Number of px at which an image is seen: 192 x 256 in the paper.
    decoder
        Channels of the decoder's five stages.
    """

    backbone: str = "vgg16"
    first_trained: str = "conv4_1"
    area: int = 192 * 256
    decoder: tuple[int, ...] = (512, 512, 256, 128, 64)

    def completed(self) -> "SalGANConfig":
        """Checked for a decoder of another length.

        Raises
        ------
        FovealError
            If it has not five stages, or a value is not right.
        """
        super().completed()
        check_values(self, {"decoder": (len(self.decoder) == len(CONVOLUTIONS), "a list of five whole numbers")})
        return self


@register_model(
    "salgan",
    family="deep",
    year=2017,
    paper="Pan et al., SalGAN: Visual saliency prediction with generative adversarial networks, arXiv:1701.01081",
    trainable=True,
    weights="recipe",
)
class SalGAN(AreaNetwork, MapNetwork):
    """The generator: an encoder, and a decoder that undoes its poolings."""

    Config = SalGANConfig
    losses = {"bce": 1.0}  # noqa: RUF012 (section 3.2)
    tiny = SalGANConfig(backbone="vgg16_tiny", area=48 * 64, decoder=(16, 16, 8, 8, 8))
    config: SalGANConfig
    STRIDE = 16  # px a value of the highest layer
    CELL = 1

    def __init__(self, config: SalGANConfig | None = None) -> None:
        super().__init__(config)
        self.area = self.config.area
        self.read_layers(self.config.backbone, (HIGHEST,), self.config.first_trained)
        layers: list[nn.Module] = []
        before = self.encoder.channels(self.read[0])
        for stage, (channels, convolutions) in enumerate(zip(self.config.decoder, CONVOLUTIONS, strict=True)):
            if stage:
                layers.append(nn.Upsample(scale_factor=2))
            for _ in range(convolutions):
                layers += [nn.Conv2d(before, channels, 3, padding=1), nn.ReLU()]
                before = channels
        self.decoder = nn.Sequential(*layers, nn.Conv2d(before, 1, 1), nn.Sigmoid())
        begin_by(partial(nn.init.kaiming_normal_, nonlinearity="relu"), self.decoder)

    def forward(self, seen: Seen, size: tuple[int, int], viewing: Viewing = USUAL) -> Float[Tensor, "image row column"]:
        """Section 3.1."""
        (features,) = self.features_read(seen)
        said: Tensor = self.decoder(features)[:, 0]
        return self.on_cells(said, size, viewing)


@dataclass(frozen=True)
class SalGANLiteConfig(SalGANConfig):
    """What the small form is made of: see `SalGANConfig`."""

    backbone: str = "efficientnet_lite0"
    first_trained: str = "block15"
    area: int = 336 * 448
    decoder: tuple[int, ...] = (64, 64, 32, 16, 8)


@register_model(
    "salgan-lite",
    family="deep",
    year=2017,
    paper="a small form of Pan et al., SalGAN: Visual saliency prediction with generative adversarial networks, 2017",
    trainable=True,
    weights="package",
)
class SalGANLite(SalGAN):
    """On EfficientNet-lite0 with a decoder of an eighth of the channels, of photographs three times as large."""

    Config = SalGANLiteConfig
    tiny = SalGANLiteConfig(
        backbone="efficientnet_lite_tiny", first_trained="block6", area=48 * 64, decoder=(16, 16, 8, 8, 8)
    )
    saved_in_16_bits = True
