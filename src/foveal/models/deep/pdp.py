"""PDP: VGG-16 and three convolutions make a map, whose softmax is to be that of people's map.

Jetley, Murray & Vig, "End-to-end saliency mapping via probability distribution prediction", CVPR 2016
(arXiv:1804.01793).

Differs from the paper in: the kernels of the new convolutions, whose size is not published, are 3 x 3, as VGG-16's are;
that they have 32, 8 and 1 features is not certain; an image keeps its shape, with as many px as one of SALICON; VGG-16
has torchvision's weights and scale of colors, the paper's has Caffe's; the last layer's first weights are positive.
People's map is blurred on the cells. At the end, the map is calibrated to fixations, because its softmax is as flat as
that of people's map is.
"""

from dataclasses import dataclass
from functools import partial

from jaxtyping import Float
from torch import Tensor, nn

from foveal.models.catalogue import register_model
from foveal.models.config import ModelConfig
from foveal.models.deep.encoder import AreaNetwork
from foveal.models.deep.network import MapNetwork, Seen
from foveal.models.parts.first_numbers import begin_by
from foveal.models.parts.sizes import USUAL, Viewing

HIGHEST = "relu5_3"  # the 13 convolutions of VGG-16, without what follows


@dataclass(frozen=True)
class PDPConfig(ModelConfig):
    """What the network is made of.

    Attributes
    ----------
    backbone
        A network with the layers of VGG-16.
    first_trained
        The lowest layer of it that is trained; in the paper, the first four convolutions stay as they are.
    area
        Number of px at which an image is seen: 480 x 640 of SALICON.
    channels
        Of the new convolutions before the last, which has one.
    """

    backbone: str = "vgg16"
    first_trained: str = "conv3_1"
    area: int = 480 * 640
    channels: tuple[int, ...] = (32, 8)


@register_model(
    "pdp",
    family="deep",
    year=2016,
    paper="Jetley, Murray & Vig, End-to-end saliency mapping via probability distribution prediction, CVPR 2016",
    trainable=True,
    weights="recipe",
)
class PDP(AreaNetwork, MapNetwork):
    """Sixteen convolutions, each rectified."""

    Config = PDPConfig
    losses = {"pdp-bhattacharyya": 1.0}  # noqa: RUF012 (the best of the paper's)
    tiny = PDPConfig(backbone="vgg16_tiny", area=48 * 64, channels=(8, 4))
    config: PDPConfig
    STRIDE = 16  # px a value of the highest layer
    CELL = 16

    def __init__(self, config: PDPConfig | None = None) -> None:
        super().__init__(config)
        self.area = self.config.area
        self.read_layers(self.config.backbone, (HIGHEST,), self.config.first_trained)
        before, layers = self.encoder.channels(self.read[0]), []
        for channels in (*self.config.channels, 1):
            readout = nn.Conv2d(before, channels, 3, padding=1)
            layers += [readout, nn.ReLU()]
            before = channels
        self.convolutions = nn.Sequential(*layers)
        begin_by(partial(nn.init.normal_, std=0.01), self.convolutions)
        readout.weight.data.abs_()  # by chance, the map could be zero everywhere, and nothing be learned

    def forward(self, seen: Seen, size: tuple[int, int], viewing: Viewing = USUAL) -> Float[Tensor, "image row column"]:
        """Layer by layer; the softmax of the map is the losses'."""
        (features,) = self.features_read(seen)
        said: Tensor = self.convolutions(features)[:, 0]
        return self.on_cells(said, size, viewing)


@dataclass(frozen=True)
class PDPLiteConfig(PDPConfig):
    """What the small form is made of: see `PDPConfig`."""

    backbone: str = "efficientnet_lite0"
    first_trained: str = "block15"
    area: int = 336 * 448


@register_model(
    "pdp-lite",
    family="deep",
    year=2016,
    paper="a small form of Jetley et al., End-to-end saliency mapping via probability distribution prediction, 2016",
    trainable=True,
    weights="package",
)
class PDPLite(PDP):
    """On EfficientNet-lite0."""

    Config = PDPLiteConfig
    tiny = PDPLiteConfig(backbone="efficientnet_lite_tiny", first_trained="block6", area=48 * 64, channels=(8, 4))
    saved_in_16_bits = True
