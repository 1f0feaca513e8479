"""ML-Net: features of three depths of VGG-16, a small readout, and a coarse map of where people look in general.

Cornia, Baraldi, Serra & Cucchiara, "A deep multi-level network for saliency prediction", ICPR 2016 (arXiv:1609.01064).

Differs from the paper in: VGG-16 has torchvision's weights and scale of colors, the paper's has Caffe's; the loss is
over the image without the black border that fills the frame; the last layer's first weights are positive. The published
code's "decay" of .0005 is of the learning rate; here as in the paper it is weight decay, but not of the prior. As in
the published network, pool4 keeps its size, so that it and the layers above say what lies half a cell further to the
right and below than pool3: the convolution over 3 x 3 values after them learns that.
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from foveal.errors import FovealError
from foveal.models.backbones.backbone import Backbone
from foveal.models.catalogue import register_model
from foveal.models.config import ModelConfig
from foveal.models.deep.network import BACKBONE, IMAGE, READOUT, MapNetwork, Seen
from foveal.models.parts.first_numbers import begin_by
from foveal.models.parts.frame import Frame
from foveal.models.parts.geometry import Grid, resample
from foveal.models.parts.sizes import USUAL, Viewing
from foveal.models.parts.working_size import scaled_size

LEVELS = ("pool3", "pool4", "relu5_3")  # section III-A: their maps all have an eighth of the frame's size
CELL = 8  # px of the frame


@dataclass(frozen=True)
class MLNetConfig(ModelConfig):
    """What the network is made of (sections III and IV).

    Attributes
    ----------
    backbone
        A network with the layers of VGG-16.
    channels
        Number of features of each of the three levels.
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
    channels: tuple[int, ...] = (256, 512, 512)
    height: int = 480
    width: int = 640
    hidden: int = 64
    dropout: float = 0.5
    prior_rows: int = 6
    prior_columns: int = 8

    def completed(self) -> "MLNetConfig":
        """With the numbers of features that the levels have."""
        super().completed()
        backbone = Backbone(self.backbone, pretrained=False)
        channels = tuple(backbone.channels(level) for level in LEVELS)
        if self.channels not in (type(self).channels, channels):
            raise FovealError(f"channels: {list(self.channels)} (the levels have {list(channels)})")
        return replace(self, channels=channels)


@register_model(
    "mlnet",
    family="deep",
    year=2016,
    paper="Cornia, Baraldi, Serra & Cucchiara, A deep multi-level network for saliency prediction, ICPR 2016",
    trainable=True,
    weights="recipe",
)
class MLNet(MapNetwork):
    """Features of three depths, a readout, a learned prior that multiplies it."""

    Config = MLNetConfig
    losses = {"mlnet": 1.0}  # noqa: RUF012 (equation 1)
    tiny = MLNetConfig(backbone="vgg16_tiny", channels=(16, 32, 32), height=48, width=64, hidden=8)
    config: MLNetConfig

    def __init__(self, config: MLNetConfig | None = None) -> None:
        super().__init__(config)
        self.backbone = Backbone(self.config.backbone, pretrained=False, until=LEVELS[-1], without_stride=["pool4"])
        self.dropout = nn.Dropout(self.config.dropout)
        self.combine = nn.Conv2d(sum(self.config.channels), self.config.hidden, 3, padding=1)
        self.readout = nn.Conv2d(self.config.hidden, 1, 1)
        self.prior = nn.Parameter(torch.zeros(self.config.prior_rows, self.config.prior_columns))
        for layer in (self.combine, self.readout):
            begin_by(nn.init.xavier_normal_, layer)
        self.readout.weight.data.abs_()  # by chance, the map could be zero everywhere, and nothing be learned

    def see(self, images: Float[Tensor, "image 3 height width"], viewing: Viewing = USUAL) -> Seen:
        """The images in the middle of the frame."""
        return {IMAGE: self._frame(viewing.zoom).put(images)}

    def cells(self, size: tuple[int, int]) -> Grid:
        """One of the network's values a cell."""
        return Grid.over(size, scaled_size(self._frame().fitted(size), 1 / CELL))

    def forward(self, seen: Seen, size: tuple[int, int], viewing: Viewing = USUAL) -> Float[Tensor, "image row column"]:
        """Section III: levels, readout, prior."""
        levels = self.backbone(seen[IMAGE], LEVELS)
        features = self.dropout(torch.cat([levels[level] for level in LEVELS], dim=1))
        saliency = F.relu(self.readout(F.relu(self.combine(features))))
        rows, columns = saliency.shape[2:]
        prior = F.interpolate(self.prior[None, None], (rows, columns), mode="bilinear", align_corners=False)
        weighted = F.relu(saliency * (1 + prior))[:, 0]  # begins neutral
        return resample(weighted, self._frame(viewing.zoom).grid(size, (rows, columns)), self.cells(size))

    def without_decay(self) -> list[nn.Parameter]:
        """The prior, which has a penalty of its own."""
        return [self.prior]

    def penalty(self) -> Float[Tensor, ""]:
        """Mean square of the prior (equation 2)."""
        return self.prior.square().mean()

    def parameter_groups(self, *, batch_norms: bool = False) -> dict[str, list[nn.Parameter]]:
        """All of VGG-16 is trained, and all that is new."""
        new = [self.prior, *self.combine.parameters(), *self.readout.parameters()]
        return {READOUT: new, BACKBONE: list(self.backbone.parameters())}

    def load_pretrained(self) -> None:
        """Take VGG-16's weights."""
        self.backbone.load_pretrained()

    def _frame(self, zoom: float = 1.0) -> Frame:
        return Frame(self.config.height, self.config.width).zoomed(zoom, CELL)
