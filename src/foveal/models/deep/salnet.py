"""SalNet: a deep and a shallow network that learn a map of saliency as a regression.

Pan, Sayrol, Giró-i-Nieto, McGuinness & O'Connor, "Shallow and deep convolutional networks for saliency prediction",
CVPR 2016. The deep network has nine convolutions and one that enlarges; the shallow one, which the group also calls
JuntingNet, three convolutions and two layers of all to all.

Differs from the paper in: the deep network's layers begin by chance (He et al. 2015), the first three not with VGG-M's
weights, which cannot be had; its map is compared with people's on cells of four px, not px by px; its colors are RGB.
"""

from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from foveal.models.catalogue import register_model
from foveal.models.config import ModelConfig
from foveal.models.deep.network import IMAGE, MapNetwork, Seen
from foveal.models.parts.first_numbers import begin_by
from foveal.models.parts.geometry import Axis, Grid, resample
from foveal.models.parts.sizes import USUAL, Viewing
from foveal.models.parts.working_size import resized

CELL = 4  # px of the image as the deep network sees it
COLORS = (118 / 255, 110 / 255, 100 / 255), 127.5 / 255  # mean of RGB, and what the rest is divided by
MEAN_MAP, HALF = 31 / 255, 2.0  # people's maps are shown to the deep network as (map - mean) * 2


@dataclass(frozen=True)
class SalNetConfig(ModelConfig):
    """What the deep network is made of.

    Attributes
    ----------
    side
        Px of the longer side at which it sees an image.
    channels
        Numbers of features of its first eight convolutions.
    """

    side: int = 320
    channels: tuple[int, ...] = (96, 256, 512, 512, 512, 256, 128, 32)


@register_model(
    "salnet",
    family="deep",
    year=2016,
    paper="Pan et al., Shallow and deep convolutional networks for saliency prediction, CVPR 2016",
    trainable=True,
    weights="recipe",
)
class SalNet(MapNetwork):
    """The deep network (section 3.2, Fig. 3)."""

    Config = SalNetConfig
    losses = {"euclidean": 32.0}  # noqa: RUF012 (half the squares of maps times 2, a cell counts as its 16 px)
    tiny = SalNetConfig(side=48, channels=(4, 4, 8, 8, 8, 4, 4, 4))
    config: SalNetConfig

    def __init__(self, config: SalNetConfig | None = None) -> None:
        super().__init__(config)
        kernels = (7, 5, 3, 5, 5, 7, 11, 11)
        before, layers = 3, []
        for number, (kernel, channels) in enumerate(zip(kernels, self.config.channels, strict=True), start=1):
            layers += [nn.Conv2d(before, channels, kernel, padding=kernel // 2), nn.ReLU()]
            layers += [nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75)] * (number == 1)
            layers += [nn.MaxPool2d(3, stride=2, ceil_mode=True)] * (number <= 2)
            before = channels
        self.convolutions = nn.Sequential(*layers)
        self.readout = nn.Conv2d(before, 1, 13, padding=6)
        self.enlarge = nn.ConvTranspose2d(1, 1, 8, stride=4, padding=2, bias=False)
        begin_by(partial(nn.init.kaiming_normal_, nonlinearity="relu"), self.convolutions)
        begin_by(partial(nn.init.normal_, std=0.01), self.readout)
        _begin_bilinear(self.enlarge)

    def see(self, images: Float[Tensor, "image 3 height width"], viewing: Viewing = USUAL) -> Seen:
        """The images with a longer side of so many px."""
        return {IMAGE: resized(images, self._size((images.shape[2], images.shape[3]), viewing.zoom), "bilinear")}

    def cells(self, size: tuple[int, int]) -> Grid:
        """Cells of a few px."""
        height, width = self._size(size)
        return Grid.over(size, (max(1, height // CELL), max(1, width // CELL)))

    def forward(self, seen: Seen, size: tuple[int, int], viewing: Viewing = USUAL) -> Float[Tensor, "image row column"]:
        """Section 3.2; the map is brought from the scale of learning back to 0 to 1."""
        mean, span = torch.tensor(COLORS[0]).to(seen[IMAGE])[:, None, None], COLORS[1]
        said = self.enlarge(self.readout(self.convolutions((seen[IMAGE] - mean) / span)))[:, 0]
        seen_size = seen[IMAGE].shape[2], seen[IMAGE].shape[3]
        return resample(said / HALF + MEAN_MAP, self._positions(seen_size, size), self.cells(size))

    def _size(self, size: tuple[int, int], zoom: float = 1.0) -> tuple[int, int]:
        scale = self.config.side * zoom / max(size)
        return max(CELL, round(size[0] * scale)), max(CELL, round(size[1] * scale))

    def _positions(self, seen: tuple[int, int], size: tuple[int, int]) -> Grid:
        """Where the network's values lie in an image of this (height, width)."""
        axes = []
        for length, side in zip(seen, size, strict=True):
            axis = Axis(length)
            for _ in range(2):  # poolings whose last window may reach over the border
                axis = axis.convolved(3, 2, 0, after=(axis.length - 3) % 2)
            enlarged = Axis(4 * axis.length, axis.first - 1.5 * axis.step / 4, axis.step / 4)
            axes.append(enlarged.scaled(side / length))
        return Grid(*axes)


@dataclass(frozen=True)
class ShallowSalNetConfig(ModelConfig):
    """What the shallow network is made of.

    Attributes
    ----------
    side
        Px of both sides at which it sees an image.
    channels
        Numbers of features of its three convolutions.
    map_side
        Rows and columns of its map.
    """

    side: int = 96
    channels: tuple[int, ...] = (32, 64, 64)
    map_side: int = 48


@register_model(
    "salnet-shallow",
    family="deep",
    year=2016,
    paper="Pan et al., Shallow and deep convolutional networks for saliency prediction, CVPR 2016",
    trainable=True,
    weights="recipe",
)
class ShallowSalNet(MapNetwork):
    """The shallow network (section 3.1, Fig. 2)."""

    Config = ShallowSalNetConfig
    losses = {"mse": 4.0}  # noqa: RUF012 (of maps from -1 to 1)
    tiny = ShallowSalNetConfig(side=48, channels=(4, 4, 4), map_side=8)
    config: ShallowSalNetConfig

    def __init__(self, config: ShallowSalNetConfig | None = None) -> None:
        super().__init__(config)
        before, left, layers = 3, self.config.side, []
        for kernel, channels in zip((5, 3, 3), self.config.channels, strict=True):
            layers += [nn.Conv2d(before, channels, kernel), nn.ReLU(), nn.MaxPool2d(2)]
            before, left = channels, (left - kernel + 1) // 2
        self.convolutions = nn.Sequential(*layers)
        n_values = self.config.map_side**2
        self.first = nn.Linear(before * left**2, 2 * n_values)
        self.second = nn.Linear(n_values, n_values)

    def see(self, images: Float[Tensor, "image 3 height width"], viewing: Viewing = USUAL) -> Seen:
        """The images as squares, whatever their shape; it knows but one size, so that a zoom changes nothing."""
        return {IMAGE: resized(images, (self.config.side, self.config.side), "bilinear")}

    def cells(self, size: tuple[int, int]) -> Grid:
        """One of the network's values a cell."""
        return Grid.over(size, (self.config.map_side, self.config.map_side))

    def forward(self, seen: Seen, size: tuple[int, int], viewing: Viewing = USUAL) -> Float[Tensor, "image row column"]:
        """Section 3.1: convolutions, all to all, the larger of two (maxout), all to all."""
        features = self.convolutions(seen[IMAGE]).flatten(1)
        larger = F.max_pool1d(self.first(features)[:, None], 2)[:, 0]
        said = self.second(larger).unflatten(1, (self.config.map_side, self.config.map_side))
        return (said + 1) / 2  # people's maps are shown to it from -1 to 1


@torch.no_grad()
def _begin_bilinear(layer: nn.ConvTranspose2d) -> None:
    """Let a layer that enlarges begin as a bilinear interpolation."""
    size, stride = layer.kernel_size[0], layer.stride[0]
    distance = (torch.arange(size) - (size - 1) / 2).abs() / stride
    triangle = (1 - distance).clamp(min=0)
    layer.weight.copy_(torch.outer(triangle, triangle).expand_as(layer.weight))
