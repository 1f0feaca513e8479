"""ML-Net: features of three depths of VGG-16, a small readout, and a coarse map of where people look in general.

Cornia, Baraldi, Serra & Cucchiara, "A deep multi-level network for saliency prediction", ICPR 2016 (arXiv:1609.01064).

Differs from the paper in: VGG-16 has torchvision's weights and scale of colors, the paper's has Caffe's; the loss is
over the image without the black border that fills the frame; the last layer's first weights are positive. The published
code's "decay" of .0005 is of the learning rate; here as in the paper it is weight decay, but not of the prior. As in
the published network, pool4 keeps its size, so that it and the layers above say what lies half a cell further to the
right and below than pool3: the convolution over 3 x 3 values after them learns that.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from foveal.models.catalogue import register_model
from foveal.models.config import ModelConfig
from foveal.models.deep.encoder import FramedNetwork
from foveal.models.deep.network import MapNetwork, Seen
from foveal.models.parts.first_numbers import begin_by
from foveal.models.parts.frame import Frame
from foveal.models.parts.sizes import USUAL, Viewing

LEVELS = ("pool3", "pool4", "relu5_3")  # section III-A: their maps all have an eighth of the frame's size


@dataclass(frozen=True)
class MLNetConfig(ModelConfig):
    """What the network is made of (sections III and IV).

    Attributes
    ----------
    backbone
        A network with the layers of VGG-16.
    first_trained
        The lowest layer of it that is trained.
    height, width
        The frame into which images are fitted, px.
    hidden
        Channels of the readout.
    dropout
        Share of the features that are left out in training.
    prior_rows, prior_columns
        Size of the learned prior.
    """

    backbone: str = "vgg16"
    first_trained: str = "conv1_1"
    height: int = 480
    width: int = 640
    hidden: int = 64
    dropout: float = 0.5
    prior_rows: int = 6
    prior_columns: int = 8


@register_model(
    "mlnet",
    family="deep",
    year=2016,
    paper="Cornia, Baraldi, Serra & Cucchiara, A deep multi-level network for saliency prediction, ICPR 2016",
    trainable=True,
    weights="recipe",
)
class MLNet(FramedNetwork, MapNetwork):
    """Features of three depths, a readout, a learned prior that multiplies it."""

    Config = MLNetConfig
    losses = {"mlnet": 1.0}  # noqa: RUF012 (equation 1)
    tiny = MLNetConfig(backbone="vgg16_tiny", height=48, width=64, hidden=8)
    config: MLNetConfig
    STRIDE = 8  # px of the frame a value
    CELL = 8

    def __init__(self, config: MLNetConfig | None = None) -> None:
        super().__init__(config)
        self.usual_frame = Frame(self.config.height, self.config.width)
        self.read_layers(self.config.backbone, LEVELS, self.config.first_trained, without_stride=["pool4"])
        self.dropout = nn.Dropout(self.config.dropout)
        n_features = sum(self.encoder.channels(layer) for layer in self.read)
        self.combine = nn.Conv2d(n_features, self.config.hidden, 3, padding=1)
        self.readout = nn.Conv2d(self.config.hidden, 1, 1)
        self.prior = nn.Parameter(torch.zeros(self.config.prior_rows, self.config.prior_columns))
        for layer in (self.combine, self.readout):
            begin_by(nn.init.xavier_normal_, layer)
        self.readout.weight.data.abs_()  # by chance, the map could be zero everywhere, and nothing be learned

    def forward(self, seen: Seen, size: tuple[int, int], viewing: Viewing = USUAL) -> Float[Tensor, "image row column"]:
        """Section III: levels, readout, prior."""
        features = self.dropout(torch.cat(self.features_read(seen), dim=1))
        saliency = F.relu(self.readout(F.relu(self.combine(features))))
        rows, columns = saliency.shape[2:]
        prior = F.interpolate(self.prior[None, None], (rows, columns), mode="bilinear", align_corners=False)
        weighted = F.relu(saliency * (1 + prior))[:, 0]  # begins neutral
        return self.on_cells(weighted, size, viewing)

    def without_decay(self) -> list[nn.Parameter]:
        """The prior, which has a penalty of its own."""
        return [self.prior]

    def penalty(self) -> Float[Tensor, ""]:
        """Mean square of the prior (equation 2)."""
        return self.prior.square().mean()


@dataclass(frozen=True)
class MLNetLiteConfig(MLNetConfig):
    """What the small form is made of: see `MLNetConfig`."""

    backbone: str = "efficientnet_lite0"
    first_trained: str = "block15"
    height: int = 336
    width: int = 448


@register_model(
    "mlnet-lite",
    family="deep",
    year=2016,
    paper="a small form of Cornia et al., A deep multi-level network for saliency prediction, ICPR 2016",
    trainable=True,
    weights="package",
)
class MLNetLite(MLNet):
    """On EfficientNet-lite0, whose values lie 16 px apart."""

    Config = MLNetLiteConfig
    tiny = MLNetLiteConfig(backbone="efficientnet_lite_tiny", first_trained="block6", height=48, width=64, hidden=8)
    saved_in_16_bits = True
    STRIDE = 16
