"""The network of the dissection paper: VGG-16, a 1x1 convolution, and the NSS of people's fixations.

He, Tavakoli, Borji, Mi & Pugeault, "Understanding and visualizing deep visual saliency models", CVPR 2019, section 3.

Differs from the paper in: an image keeps its shape, with as many px as the paper's squashed ones; its map is compared
with people's on cells of four px of the image as it is seen.
"""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from foveal.models.catalogue import register_model
from foveal.models.config import ModelConfig
from foveal.models.deep.encoder import AreaNetwork
from foveal.models.deep.network import MapNetwork, Seen
from foveal.models.parts.sizes import USUAL, Viewing

HIGHEST = "relu5_3"


@dataclass(frozen=True)
class DissectionConfig(ModelConfig):
    """What the network is made of.

    Attributes
    ----------
    backbone
        A network with the layers of VGG-16.
    first_trained
        The lowest layer of it that is trained; "" none.
    area
        Number of px at which an image is seen: 224 x 224 in the paper.
    """

    backbone: str = "vgg16"
    first_trained: str = "conv1_1"
    area: int = 224 * 224


@register_model(
    "dissection",
    family="deep",
    year=2019,
    paper="He et al., Understanding and visualizing deep visual saliency models, CVPR 2019",
    trainable=True,
    weights="recipe",
)
class Dissection(AreaNetwork, MapNetwork):
    """The sum of the highest features, each with a weight: what the paper looks into."""

    Config = DissectionConfig
    losses = {"nss": 1.0}  # noqa: RUF012
    tiny = DissectionConfig(backbone="vgg16_tiny", area=64 * 64)
    config: DissectionConfig
    STRIDE = 16  # px a value of the highest layer
    CELL = 4

    def __init__(self, config: DissectionConfig | None = None) -> None:
        super().__init__(config)
        self.area = self.config.area
        self.read_layers(self.config.backbone, (HIGHEST,), self.config.first_trained)
        self.readout = nn.Conv2d(self.encoder.channels(self.read[0]), 1, 1, bias=False)

    def forward(self, seen: Seen, size: tuple[int, int], viewing: Viewing = USUAL) -> Float[Tensor, "image row column"]:
        """Section 3: one weight a feature."""
        (features,) = self.features_read(seen)
        said: Tensor = self.readout(features)[:, 0]
        return self.on_cells(said, size, viewing)


@dataclass(frozen=True)
class DissectionLiteConfig(DissectionConfig):
    """What the small form is made of: see `DissectionConfig`."""

    backbone: str = "efficientnet_lite0"
    first_trained: str = "block15"
    area: int = 336 * 448


@register_model(
    "dissection-lite",
    family="deep",
    year=2019,
    paper="a small form of He et al., Understanding and visualizing deep visual saliency models, CVPR 2019",
    trainable=True,
    weights="package",
)
class DissectionLite(Dissection):
    """On EfficientNet-lite0, which has 320 features, of photographs three times as large."""

    Config = DissectionLiteConfig
    tiny = DissectionLiteConfig(backbone="efficientnet_lite_tiny", first_trained="block6", area=64 * 64)
    saved_in_16_bits = True
