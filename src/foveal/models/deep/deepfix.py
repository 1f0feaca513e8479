"""DeepFix: dilated features, inception blocks, and convolutions that know where in the image they are.

Kruthiventi, Ayush & Babu, "DeepFix: A fully convolutional neural network for predicting human eye fixations", *IEEE
Transactions on Image Processing* 26(9), 2017 (arXiv:1510.02927).

There is no published code. Numbers of features and the dilations of what follows VGG-16 are those of another paper's
copy of it, whose widths are a sixteenth. That copy measures the deviations of the Gaussians in fourteenths of the
image, as we do; the paper's own are not known.

Differs from the paper in: an image keeps its shape, with as many px as one of SALICON; VGG-16 has torchvision's weights
and scale of colors, the paper's has Caffe's; the Gaussians are computed on the grid of the features, not resized to it.
pool4 and pool5 look at 2 x 2 values, as where VGG-16 was trained, and keep the size of the maps; where their values
lie is known.
"""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from foveal.models.catalogue import register_model
from foveal.models.config import ModelConfig, check_values
from foveal.models.deep.encoder import AreaNetwork
from foveal.models.deep.network import MapNetwork, Seen
from foveal.models.parts.first_numbers import begin_by
from foveal.models.parts.inception import DilatedInception
from foveal.models.parts.location_biased import LocationBiasedConv
from foveal.models.parts.sizes import USUAL, Viewing

HIGHEST = "pool5"  # all of VGG-16's convolutions
N_WIDTHS = 6  # of an inception block
N_BLOCKS = 2  # of each kind


@dataclass(frozen=True)
class DeepFixConfig(ModelConfig):
    """What the network is made of.

    Attributes
    ----------
    backbone
        A network with the layers of VGG-16.
    first_trained
        The lowest layer of it that is trained.
    area
        Number of px at which an image is seen: 480 x 640 of SALICON.
    inception
        Numbers of features in each of the two inception blocks, as `DilatedInception` takes them.
    dropout
        Share of the last features that are left out in training.
    """

    backbone: str = "vgg16"
    first_trained: str = "conv1_1"
    area: int = 480 * 640
    inception: tuple[int, ...] = (128, 128, 256, 32, 64, 64)
    dropout: float = 0.5

    def completed(self) -> "DeepFixConfig":
        """Checked for inception blocks of another kind.

        Raises
        ------
        FovealError
            If they have not six numbers of features, dropout is no share, or a value is not right.
        """
        super().completed()
        checks = {
            "inception": (len(self.inception) == N_WIDTHS, "a list of six whole numbers"),
            "dropout": (0 <= self.dropout < 1, "a number from 0 to less than 1"),
        }
        check_values(self, checks)
        return self


@register_model(
    "deepfix",
    family="deep",
    year=2017,
    paper="Kruthiventi, Ayush & Babu, DeepFix: A fully convolutional neural network, IEEE TIP 26(9), 2017",
    trainable=True,
    weights="recipe",
)
class DeepFix(AreaNetwork, MapNetwork):
    """Dilated VGG-16, inception blocks, location-biased convolutions, readout."""

    Config = DeepFixConfig
    losses = {"euclidean": 1.0}  # noqa: RUF012
    tiny = DeepFixConfig(backbone="vgg16_tiny", area=48 * 64, inception=(4, 4, 4, 2, 2, 2))
    config: DeepFixConfig
    STRIDE = 8  # px a value of the highest layer
    CELL = 8

    def __init__(self, config: DeepFixConfig | None = None) -> None:
        super().__init__(config)
        self.area = self.config.area
        self.read_layers(
            self.config.backbone,
            (HIGHEST,),
            self.config.first_trained,
            without_stride=["pool4", "pool5"],
            dilations={"conv5": 2},
        )
        channels = self.encoder.channels(self.read[0])
        blocks = []
        for _ in range(N_BLOCKS):
            blocks.append(DilatedInception(channels, self.config.inception))
            channels = blocks[-1].channels
        self.inception = nn.Sequential(*blocks)
        self.location_biased = nn.Sequential(*(LocationBiasedConv(channels) for _ in range(N_BLOCKS)))
        self.dropout = nn.Dropout(self.config.dropout)
        self.readout = nn.Conv2d(channels, 1, 1)
        for new in (self.inception, self.location_biased, self.readout):
            begin_by(nn.init.xavier_uniform_, new)

    def forward(self, seen: Seen, size: tuple[int, int], viewing: Viewing = USUAL) -> Float[Tensor, "image row column"]:
        """One part after the other."""
        (features,) = self.features_read(seen)
        said = self.readout(self.dropout(self.location_biased(self.inception(features))))[:, 0]
        return self.on_cells(said, size, viewing)


@dataclass(frozen=True)
class DeepFixLiteConfig(DeepFixConfig):
    """What the small form is made of: see `DeepFixConfig`."""

    backbone: str = "efficientnet_lite0"
    first_trained: str = "block15"
    area: int = 336 * 448
    inception: tuple[int, ...] = (24, 24, 48, 8, 12, 12)


@register_model(
    "deepfix-lite",
    family="deep",
    year=2017,
    paper="a small form of Kruthiventi, Ayush & Babu, DeepFix: A fully convolutional neural network, 2017",
    trainable=True,
    weights="package",
)
class DeepFixLite(DeepFix):
    """On EfficientNet-lite0 with a fifth of the channels; its values lie 16 px apart."""

    Config = DeepFixLiteConfig
    tiny = DeepFixLiteConfig(
        backbone="efficientnet_lite_tiny", first_trained="block6", area=48 * 64, inception=(4, 4, 4, 2, 2, 2)
    )
    saved_in_16_bits = True
    STRIDE = 16
    CELL = 16
