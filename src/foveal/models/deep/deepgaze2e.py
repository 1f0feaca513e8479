"""DeepGaze IIE: a readout of each of several pretrained networks, and the mean of what they say.

Linardos, Kümmerer, Press & Bethge, "DeepGaze IIE: Calibrated prediction in and out-of-domain for state-of-the-art
saliency modeling", ICCV 2021 (arXiv:2105.12441).

Differs from the paper in: the default networks are four whose weights packages carry. Three of the paper's can be
chosen, with its layers: `["densenet201", "resnext50_32x4d", "efficientnet_b5"]`, with torchvision's weights; the
fourth, a ResNet-50 trained on stylized images, cannot. Of other networks, the last layers of values 16 and 32 px apart
are read. There is one readout a network; the published model has three of each of ten folds. An image is seen with
about as many px, whatever its shape. Features are brought to the readout, and maps to cells of eight px, where they
lie, not by the nearest value. What the center bias counts is one number, not one a network.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from foveal.gaze.maps import gaussian_blur
from foveal.models.backbones.backbone import Backbone, last_of_sizes
from foveal.models.catalogue import register_model
from foveal.models.config import ModelConfig, check_values
from foveal.models.deep.encoder import AreaEncoder, EncodersNetwork
from foveal.models.deep.network import DensityNetwork, Numbers, Seen
from foveal.models.parts.geometry import Grid, resample
from foveal.models.parts.pointwise_readout import PointwiseReadout
from foveal.models.parts.sizes import USUAL, Viewing
from foveal.models.parts.working_size import scaled_size

READ_AT = 16  # px of the image as it is seen, a value of the readout
CELL = 8  # px, a value of the density before it has the image's size
SIZES = (16, 32)  # px a value, of the layers that are read where the paper names none
LAYERS: Mapping[str, tuple[str, ...]] = {  # of the published model, from the image up
    "densenet201": tuple(
        f"features.denseblock4.{layer}" for layer in ("denselayer31.conv2", "denselayer32.norm1", "denselayer32.conv1")
    ),
    "resnext50_32x4d": ("layer3.4.conv2", "layer3.5.conv1", "layer3.5.conv2", "layer4.2.conv2"),
    "efficientnet_b5": ("features.5.4.block.1.0", "features.5.6.block.1.0", "features.6.8.block.3.0"),
}


@dataclass(frozen=True)
class DeepGazeIIEConfig(ModelConfig):
    """What the model is made of.

    Attributes
    ----------
    backbones
        The networks that are read.
    area
        Number of px at which an image is seen: half the side of the 768 x 1,024 px of most images in the paper.
    """

    backbones: tuple[str, ...] = ("resnet50_caffe", "efficientnet_lite2", "mobilenet_v2", "vgg16")
    area: int = 384 * 512

    def completed(self) -> "DeepGazeIIEConfig":
        """Checked.

        Raises
        ------
        FovealError
            If there is no backbone, or a value is not right.
        """
        super().completed()
        check_values(self, {"backbones": (len(self.backbones) > 0, "a list of backbones")})
        return self


class FrozenEncoder(AreaEncoder):
    """One of the networks, which stays as it is."""

    STRIDE = 32  # px a value of the coarsest layer

    def __init__(self, backbone: str, area: int) -> None:
        super().__init__()
        self.area = area
        layers = LAYERS.get(backbone) or last_of_sizes(backbone, SIZES)
        self.read_from(Backbone(backbone, pretrained=False, until=layers[-1]), layers, first_trained="")


@register_model(
    "deepgaze2e",
    family="deep",
    year=2021,
    paper="Linardos et al., DeepGaze IIE: Calibrated prediction in and out-of-domain, ICCV 2021",
    trainable=True,
    weights="recipe",
)
class DeepGazeIIE(EncodersNetwork, DensityNetwork):
    """Networks, a readout, a blur and a density of each, and the mean of the densities."""

    Config = DeepGazeIIEConfig
    tiny = DeepGazeIIEConfig(("efficientnet_lite_tiny", "vgg16_tiny"), area=64 * 96)
    config: DeepGazeIIEConfig
    log_sigmas: Float[Tensor, " component"]  # of each network's blur, in cells

    def __init__(self, config: DeepGazeIIEConfig | None = None) -> None:
        super().__init__()
        self.config = config or DeepGazeIIEConfig()
        self.encoders = nn.ModuleList(FrozenEncoder(backbone, self.config.area) for backbone in self.config.backbones)
        self.readouts = nn.ModuleList(
            PointwiseReadout(sum(map(encoder.encoder.channels, encoder.read))) for encoder in self.each_encoder
        )
        self.register_buffer("log_sigmas", torch.zeros(len(self.config.backbones)))  # 8 px, as in the published code

    @torch.no_grad()
    def absorb(self, sharpness: float | Float[Tensor, ""]) -> None:
        """Multiply the readouts' last layers."""
        for readout in self.readouts:
            *_, last = readout.parameters()
            last.mul_(sharpness)

    def numbers(self) -> Numbers:
        """With the blurs."""
        return super().numbers() | {"log_sigmas": self.log_sigmas}

    def cells(self, size: tuple[int, int]) -> Grid:
        """Cells of eight px."""
        return self._cells(size, CELL)

    def forward(
        self, seen: Seen, size: tuple[int, int], viewing: Viewing = USUAL
    ) -> Float[Tensor, "image component row column"]:
        """A map of each network, before its blur, which is a number of the data set."""
        read_at, target = self._cells(size, READ_AT, viewing), self.cells(size)
        maps = []
        for encoder, readout, features in zip(self.each_encoder, self.readouts, self.features_read(seen), strict=True):
            grids = encoder.grids(size, encoder.read, viewing).values()
            together = [resample(layer, grid, read_at) for layer, grid in zip(features, grids, strict=True)]
            maps.append(resample(readout(torch.cat(together, dim=1)), read_at, target))
        return torch.cat(maps, dim=1)

    def combined(
        self, maps: Float[Tensor, "image component row column"], numbers: Numbers
    ) -> Float[Tensor, "image component row column"]:
        """Each blurred, and all as sharp as a data set's numbers say."""
        return super().combined(gaussian_blur(maps, numbers["log_sigmas"].exp()), numbers)

    def _cells(self, size: tuple[int, int], side: int, viewing: Viewing = USUAL) -> Grid:
        """Cells of so many px of the image as it is seen."""
        return Grid.over(size, scaled_size(self.each_encoder[0].seen_size(size, viewing), 1 / side))
