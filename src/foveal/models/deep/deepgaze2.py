"""DeepGaze II: a small network of 1x1 convolutions reads VGG-19, which stays as it is.

Kümmerer, Wallis & Bethge, "DeepGaze II: Reading fixations from deep features trained on object recognition",
arXiv:1610.01563 (2016).

Differs from the paper in: each feature is divided by its deviation over some of the training images, not by that over
ImageNet; the first convolution comes before features are brought to the grid of the map, which says the same and is
faster; what the center bias counts is learned; the last layer's first weights are positive.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from foveal.gaze.maps import gaussian_blur
from foveal.models.backbones.backbone import Backbone
from foveal.models.catalogue import register_model
from foveal.models.config import ModelConfig, check_values
from foveal.models.deep.encoder import EncoderNetwork
from foveal.models.deep.network import DensityNetwork, Numbers, Seen
from foveal.models.parts.first_numbers import begin_by
from foveal.models.parts.geometry import Grid, resample
from foveal.models.parts.moments import moments
from foveal.models.parts.sizes import USUAL, Viewing
from foveal.models.parts.working_size import scaled_size

CELL = 2  # px of the image as it is seen: the maps have the size of conv2_1
SMALLEST_SIDE = 32  # px, of which VGG leaves two values
SMALLEST_DEVIATION = 1e-4  # of a feature, which is divided by it


@dataclass(frozen=True)
class DeepGazeIIConfig(ModelConfig):
    """What the model is made of (section 2).

    Attributes
    ----------
    backbone
        The network that is read.
    layers
        Its layers that are read, found by a random search; `completed` orders them, the highest last.
    side
        Px of the longer side at which the network sees an image: half of the 1,024 px to which images are brought.
    readout
        Channels of the readout's convolutions before the last, which has one.
    """

    backbone: str = "vgg19"
    layers: tuple[str, ...] = ("conv5_1", "relu5_1", "relu5_2", "conv5_3", "relu5_4")
    side: int = 512
    readout: tuple[int, ...] = (16, 32, 2)

    def completed(self) -> "DeepGazeIIConfig":
        """With the layers from the image up.

        Raises
        ------
        FovealError
            If the network does not have one, or a value is not right.
        """
        super().completed()
        once = len(self.layers) == len(set(self.layers)) > 0
        needed = {
            "layers": (once, "a list of layers, each once"),
            "readout": (len(self.readout) > 0, "a list of whole numbers from 1 on"),
        }
        check_values(self, needed)
        backbone = Backbone(self.backbone, pretrained=False)
        backbone.check_layers(self.layers)
        return replace(self, layers=tuple(sorted(self.layers, key=backbone.layers.index)))


class Scale(nn.Module):
    """Features of unit deviation."""

    std: Float[Tensor, " feature"]

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("std", torch.ones(channels))

    def forward(self, maps: Float[Tensor, "image feature h w"]) -> Float[Tensor, "image feature h w"]:
        """Divided by their deviation."""
        return maps / self.std[:, None, None]


@register_model(
    "deepgaze2",
    family="deep",
    year=2016,
    paper="Kümmerer, Wallis & Bethge, DeepGaze II: Reading fixations from deep features, arXiv:1610.01563",
    trainable=True,
    weights="recipe",
)
class DeepGazeII(EncoderNetwork, DensityNetwork):
    """Features, readout, blur, center bias, softmax."""

    Config = DeepGazeIIConfig
    tiny = DeepGazeIIConfig(backbone="vgg16_tiny", layers=("conv5_1", "relu5_3"), side=64, readout=(8, 8, 2))
    config: DeepGazeIIConfig
    log_sigma: Float[Tensor, ""]  # of the blur, in cells

    def __init__(self, config: DeepGazeIIConfig | None = None) -> None:
        super().__init__()
        self.config = config or type(self).Config()
        encoder = Backbone(self.config.backbone, pretrained=False, until=self.config.layers[-1])
        self.read_from(encoder, self.config.layers, first_trained="")
        self.taps = nn.ModuleDict({layer: Scale(encoder.channels(layer)) for layer in self.read})
        n_features, (first, *others) = sum(map(encoder.channels, self.read)), (*self.config.readout, 1)
        self.combine = nn.Conv2d(n_features, first, 1)
        layers: list[nn.Module] = [nn.ReLU()]
        before = first
        for channels in others:
            layers += [nn.Conv2d(before, channels, 1), nn.ReLU()]
            before = channels
        self.readout = nn.Sequential(*layers)
        begin_by(nn.init.xavier_normal_, self.readout)
        *_, last, _ = layers
        assert isinstance(last, nn.Conv2d)
        last.weight.data.abs_()  # by chance, the map could be zero everywhere, and nothing be learned
        self.register_buffer("log_sigma", torch.tensor(1.0))

    @torch.no_grad()
    def begin_from(self, seen: Iterable[Seen]) -> None:
        """Take the features' deviations over some of the fitted images."""
        for layer, (_, deviation) in moments({name: each[name] for name in self.read} for each in seen).items():
            self.taps[layer].std = deviation.clamp(min=SMALLEST_DEVIATION).float()

    @torch.no_grad()
    def absorb(self, sharpness: float | Float[Tensor, ""]) -> None:
        """Multiply the readout's last layer, whose rectifier keeps the factor."""
        for parameter in self.readout[-2].parameters():
            parameter.mul_(sharpness)

    def numbers(self) -> Numbers:
        """With the blur."""
        return super().numbers() | {"log_sigma": self.log_sigma}

    def seen_size(self, size: tuple[int, int], viewing: Viewing = USUAL) -> tuple[int, int]:
        """With a longer side of so many px; of an extremely long image, the shorter side is stretched."""
        height, width = scaled_size(size, self.config.side * viewing.zoom / max(size))
        return max(SMALLEST_SIDE, height), max(SMALLEST_SIDE, width)

    def cells(self, size: tuple[int, int]) -> Grid:
        """Cells of two px."""
        return Grid.over(size, scaled_size(self.seen_size(size), 1 / CELL))

    def forward(self, seen: Seen, size: tuple[int, int], viewing: Viewing = USUAL) -> Float[Tensor, "image row column"]:
        """Section 2, up to the blur, which is a number of the data set."""
        scaled = [tap(maps) for tap, maps in zip(self.taps.values(), self.features_read(seen), strict=True)]
        grids = self.grids(size, self.read, viewing)
        by_layer = self.combine.weight.split([maps.shape[1] for maps in scaled], dim=1)
        assert self.combine.bias is not None
        target, total = self.cells(size), self.combine.bias[None, :, None, None]
        for layer, maps, weight in zip(self.read, scaled, by_layer, strict=True):
            total = total + resample(nn.functional.conv2d(maps, weight), grids[layer], target)
        said: Tensor = self.readout(total)
        return said[:, 0]

    def combined(self, maps: Float[Tensor, "image row column"], numbers: Numbers) -> Float[Tensor, "image row column"]:
        """Blurred, and as sharp as a data set's numbers say."""
        return super().combined(gaussian_blur(maps, numbers["log_sigma"].exp()), numbers)


@dataclass(frozen=True)
class DeepGazeIILiteConfig(DeepGazeIIConfig):
    """What the small form is made of: see `DeepGazeIIConfig`."""

    backbone: str = "efficientnet_lite0"
    layers: tuple[str, ...] = ("block7", "block10", "block14", "block15")
    side: int = 448


@register_model(
    "deepgaze2-lite",
    family="deep",
    year=2016,
    paper="a small form of Kümmerer, Wallis & Bethge, DeepGaze II: Reading fixations from deep features, 2016",
    trainable=True,
    weights="package",
)
class DeepGazeIILite(DeepGazeII):
    """On four depths of EfficientNet-lite0."""

    Config = DeepGazeIILiteConfig
    tiny = DeepGazeIILiteConfig(
        backbone="efficientnet_lite_tiny", layers=("block3", "block6"), side=64, readout=(8, 8, 2)
    )
    saved_in_16_bits = True
