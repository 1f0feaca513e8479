"""DSCLRCN: features of a dilated ResNet-50, read along rows and columns by LSTMs that know the scene.

Liu & Han, "A deep spatial contextual long-term recurrent convolutional network for saliency detection", *IEEE
Transactions on Image Processing* 27(7), 2018 (arXiv:1610.01708).

Differs from the paper in: the network of the scene was trained on ImageNet; the paper's is an AlexNet that was trained
on Places, whose weights cannot be had here. It stays as it is, and is shown the whole image as a square, where the
paper's is shown the middle of a slightly larger one; the square is kept, not its features, which are quick. An image
keeps its shape, with as many px as the paper's squashed ones; its map is compared with people's on cells of four px of
the image as it is seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from foveal.models.backbones.backbone import Backbone
from foveal.models.catalogue import register_model
from foveal.models.config import ModelConfig
from foveal.models.deep.encoder import AreaNetwork
from foveal.models.deep.network import READOUT, MapNetwork, Seen
from foveal.models.deep.stand_ins import layers_of
from foveal.models.parts.context_lstm import ContextLSTM
from foveal.models.parts.first_numbers import begin_by
from foveal.models.parts.geometry import Grid
from foveal.models.parts.sizes import USUAL, Viewing
from foveal.models.parts.whole_norm import WholeNorm
from foveal.models.parts.working_size import resized

LEVELS = ("layer3_5", "layer4_2")  # both an eighth of the image's size
SCENE = "scene"  # what the image is called that the network of the scene sees
SCENE_LEVEL = "pool5"
SCENE_SCALE = 9.0  # first length of the vector of the scene
N_MODULES = 2  # of rows and columns


@dataclass(frozen=True)
class DSCLRCNConfig(ModelConfig):
    """What the network is made of.

    Attributes
    ----------
    backbone
        A network with the layers of ResNet-50.
    first_trained
        The lowest layer of it that is trained.
    area
        Number of px at which an image is seen: 480 x 640 in the paper.
    channels
        Number of local features.
    scale
        First length of all local features of an image together. At a quarter of the px, half of it makes features of
        the same size.
    context_backbone
        The network of the scene: AlexNet, or one with the layers of VGG-16.
    context_side
        Px of both sides of the image that it is shown.
    context
        Length of the vector of the scene.
    hidden
        Number of features of the LSTMs in each direction.
    """

    backbone: str = "resnet50_caffe"
    first_trained: str = "stem"
    area: int = 480 * 640
    channels: int = 512
    scale: float = 400.0
    context_backbone: str = "alexnet"
    context_side: int = 227
    context: int = 128
    hidden: int = 128


@register_model(
    "dsclrcn",
    family="deep",
    year=2018,
    paper="Liu & Han, A deep spatial contextual long-term recurrent convolutional network, IEEE TIP 27(7), 2018",
    trainable=True,
    weights="recipe",
)
class DSCLRCN(AreaNetwork, MapNetwork):
    """Local features, the scene, two modules of LSTMs, a readout."""

    Config = DSCLRCNConfig
    losses = {"nss": 1.0}  # noqa: RUF012
    tiny = DSCLRCNConfig(
        backbone="resnet50_tiny",
        area=32 * 48,
        channels=8,
        scale=10.0,
        context_backbone="vgg16_tiny",
        context_side=32,
        context=4,
        hidden=4,
    )
    config: DSCLRCNConfig
    STRIDE = 8  # px a value of both levels
    CELL = 4

    def __init__(self, config: DSCLRCNConfig | None = None) -> None:
        super().__init__(config)
        self.area = self.config.area
        self.read_layers(
            self.config.backbone,
            LEVELS,
            self.config.first_trained,
            without_stride=["layer3", "layer4"],
            dilations={"layer3": 2, "layer4": 4},
        )
        channels, scale = self.config.channels, self.config.scale
        self.levels = nn.ModuleList(
            nn.Sequential(_point(self.encoder.channels(level), channels), WholeNorm(scale)) for level in self.read
        )
        self.local = nn.Sequential(_point(len(self.read) * channels, channels), WholeNorm(scale))

        context, side = self.config.context_backbone, self.config.context_side
        (self.scene_level,) = layers_of(context, [SCENE_LEVEL])
        self.scene_network = Backbone(context, pretrained=False, until=self.scene_level)
        grid = self.scene_network.grids((side, side), [self.scene_level])[self.scene_level]
        n_values = self.scene_network.channels(self.scene_level) * grid.rows.length * grid.columns.length
        full = nn.Linear(n_values, self.config.context)
        begin_by(partial(nn.init.kaiming_normal_, nonlinearity="relu"), full)
        self.scene = nn.Sequential(nn.Flatten(), full, WholeNorm(SCENE_SCALE))

        hidden = self.config.hidden
        self.lstms = nn.ModuleList(
            ContextLSTM(before, hidden, self.config.context) for before in (channels, *[2 * hidden] * (N_MODULES - 1))
        )
        self.readout = _point(2 * hidden, 1)

    def see(self, images: Float[Tensor, "image 3 height width"], viewing: Viewing = USUAL) -> Seen:
        """What the encoder sees, and the whole images as squares."""
        side = self.config.context_side
        return super().see(images, viewing) | {SCENE: resized(images, (side, side), "bilinear")}

    def forward(self, seen: Seen, size: tuple[int, int], viewing: Viewing = USUAL) -> Float[Tensor, "image row column"]:
        """Local features, then twice rows and columns in the light of the scene."""
        found = zip(self.levels, self.features_read(seen), strict=True)
        features = self.local(torch.cat([reduce(maps) for reduce, maps in found], dim=1))
        scene = self.scene(self.scene_network(seen[SCENE], [self.scene_level])[self.scene_level])
        for lstm in self.lstms:
            features = lstm(features, scene)
        said = self.readout(features).sigmoid()[:, 0]
        return self.on_cells(said, size, viewing)

    @cached_property
    def frozen_layers(self) -> tuple[str, ...]:
        """Those of the encoder, and what the network of the scene sees."""
        return (*super().frozen_layers, SCENE)

    @property
    def features_depend_on(self) -> dict[str, Any]:
        """The size of what the network of the scene sees as well."""
        return super().features_depend_on | {"context_side": self.config.context_side}

    def grids(self, size: tuple[int, int], layers: Sequence[str], viewing: Viewing = USUAL) -> dict[str, Grid]:
        """Where some layers of the encoder, IMAGE or SCENE lie in images of this (height, width)."""
        side = self.config.context_side
        found = super().grids(size, [layer for layer in layers if layer != SCENE], viewing)
        found[SCENE] = Grid.over(size, (side, side))
        return {layer: found[layer] for layer in layers}

    def parameter_groups(self, *, batch_norms: bool = False) -> dict[str, list[nn.Parameter]]:
        """All that is new, and what is trained of the encoder; nothing of the network of the scene."""
        groups = super().parameter_groups(batch_norms=batch_norms)
        of_scene = {id(weight) for weight in self.scene_network.parameters()}
        return groups | {READOUT: [weight for weight in groups[READOUT] if id(weight) not in of_scene]}

    def load_pretrained(self) -> None:
        """Take the weights of the encoder and of the network of the scene."""
        super().load_pretrained()
        self.scene_network.load_pretrained()


@dataclass(frozen=True)
class DSCLRCNLiteConfig(DSCLRCNConfig):
    """What the small form is made of: see `DSCLRCNConfig`."""

    backbone: str = "efficientnet_lite0"
    first_trained: str = "block15"
    area: int = 336 * 448
    channels: int = 96
    scale: float = 60.0
    context_backbone: str = "efficientnet_lite0"
    context_side: int = 128
    context: int = 64
    hidden: int = 64


@register_model(
    "dsclrcn-lite",
    family="deep",
    year=2018,
    paper="a small form of Liu & Han, A deep spatial contextual long-term recurrent convolutional network, 2018",
    trainable=True,
    weights="package",
)
class DSCLRCNLite(DSCLRCN):
    """EfficientNet-lite0 says both what is where and, of a small square, what the scene is; values lie 16 px apart."""

    Config = DSCLRCNLiteConfig
    tiny = DSCLRCNLiteConfig(
        backbone="efficientnet_lite_tiny",
        first_trained="block6",
        area=32 * 48,
        channels=8,
        scale=10.0,
        context_backbone="efficientnet_lite_tiny",
        context_side=32,
        context=4,
        hidden=4,
    )
    saved_in_16_bits = True
    STRIDE = 16


def _point(before: int, channels: int) -> nn.Conv2d:
    """A convolution of single values, with Xavier's first weights."""
    convolution = nn.Conv2d(before, channels, 1)
    begin_by(nn.init.xavier_uniform_, convolution)
    return convolution
