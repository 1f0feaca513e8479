"""EML-NET: any number of pretrained networks, of each of which five layers say one map, and a decoder of all maps.

Jia & Bruce, "EML-NET: An expandable multi-layer network for saliency prediction", *Image and Vision Computing* 95
(2020), arXiv:1805.01047.

The paper trains in two stages. In the first, each network is trained alone and whole, with a decoder of its own: here
an EML-NET of one backbone, with `first_trained` its lowest layer. In the second, these stay as they are, and a decoder
of all their maps is trained: here `EMLNet.of` such networks.

Differs from the paper in: the default networks are a ResNet-50 and an EfficientNet-Lite2, both of ImageNet; the paper's
are a NASNet of ImageNet, which is not among our backbones, and a DenseNet-161 of Places, which can be chosen with
weights of ImageNet. Images have the mean and the deviation that each network was pretrained with, in the published code
neither; they keep their shape, with as many px. The map lies on cells of two px, which the finest layer has as well.
The published code has convolutions over 3 x 3 values where the paper has 1 x 1 (`kernel = 3`). The decoder of one
network is as that of several; in the published code, it has no convolution of single maps.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from foveal.errors import FovealError
from foveal.models.backbones.backbone import Backbone, last_of_sizes
from foveal.models.catalogue import register_model
from foveal.models.config import ModelConfig, check_values
from foveal.models.deep.encoder import AreaEncoder, EncodersNetwork
from foveal.models.deep.network import READOUT, MapNetwork, Seen
from foveal.models.parts.batch_norm import BatchNorm
from foveal.models.parts.geometry import Grid, resample
from foveal.models.parts.sizes import USUAL, Viewing
from foveal.models.parts.working_size import scaled_size

SIZES = (2, 4, 8, 16, 32)  # px a value: of each size, the last layer of a network is read
CELL = 2  # px of the image as it is seen
SMALLEST_AREA = 64 * 64  # px, of which the coarsest layer has several values: a normalisation needs them
REDUCTIONS = "reductions"  # group of parameters: what makes one map of a layer


@dataclass(frozen=True)
class EMLNetConfig(ModelConfig):
    """What the network is made of.

    Attributes
    ----------
    backbones
        The networks that are read, any number of them; one can be there twice.
    first_trained
        The lowest layer of each of them that is trained; "" none.
    area
        Number of px at which an image is seen: 480 x 640 in the published code.
    kernel
        Side of all convolutions: 1 in the paper, 3 in the published code.
    """

    backbones: tuple[str, ...] = ("resnet50_caffe", "efficientnet_lite2")
    first_trained: str = ""
    area: int = 480 * 640
    kernel: int = 1

    def completed(self) -> "EMLNetConfig":
        """Checked.

        Raises
        ------
        FovealError
            If there is no backbone, or a value is not right.
        """
        super().completed()
        needed = {
            "backbones": (len(self.backbones) > 0, "a list of backbones"),
            "area": (self.area >= SMALLEST_AREA, f"a whole number from {SMALLEST_AREA} on"),
            "kernel": (self.kernel % 2 == 1, "an odd number"),
        }
        check_values(self, needed)
        return self


def single_map(channels: int, kernel: int) -> nn.Sequential:
    """What makes one map, never negative, of several: convolution, normalisation, rectifier."""
    return nn.Sequential(nn.Conv2d(channels, 1, kernel, padding=kernel // 2), BatchNorm(1), nn.ReLU())


class MultiLayerEncoder(AreaEncoder):
    """One of the networks: a map of each of its layers that are read."""

    STRIDE = 32  # px a value of the coarsest layer

    def __init__(self, backbone: str, config: EMLNetConfig) -> None:
        super().__init__()
        self.area = config.area
        layers = last_of_sizes(backbone, SIZES)
        encoder = Backbone(backbone, pretrained=False, until=layers[-1])
        self.read_from(encoder, layers, config.first_trained)
        self.reductions = nn.ModuleList(single_map(encoder.channels(layer), config.kernel) for layer in layers)

    def reduced(self, features: Sequence[Float[Tensor, "image _ _ _"]]) -> list[Float[Tensor, "image map _ _"]]:
        """A map of each layer."""
        return [reduction(maps) for reduction, maps in zip(self.reductions, features, strict=True)]


@register_model(
    "eml-net",
    family="deep",
    year=2020,
    paper="Jia & Bruce, EML-NET: An expandable multi-layer network for saliency prediction, Image and Vision Computing",
    trainable=True,
    weights="recipe",
)
class EMLNet(EncodersNetwork, MapNetwork):
    """Networks, a map of each layer, a decoder of the maps."""

    Config = EMLNetConfig
    losses = {"eml": 1.0}  # noqa: RUF012
    tiny = EMLNetConfig(("efficientnet_lite_tiny", "efficientnet_lite_tiny"), area=64 * 64)
    config: EMLNetConfig

    def __init__(self, config: EMLNetConfig | None = None) -> None:
        super().__init__(config)
        backbones, kernel = self.config.backbones, self.config.kernel
        self.encoders = nn.ModuleList(MultiLayerEncoder(backbone, self.config) for backbone in backbones)
        n_maps = len(backbones) * len(SIZES)
        self.maps = nn.ModuleList(single_map(1, kernel) for _ in range(n_maps))
        self.decoder = nn.Sequential(nn.Conv2d(n_maps, 1, kernel, padding=kernel // 2), BatchNorm(1), nn.Sigmoid())

    @classmethod
    def of(cls, networks: Sequence["EMLNet"]) -> "EMLNet":
        """The encoders of networks that are trained already, as they are, and a decoder that is not trained yet.

        Raises
        ------
        FovealError
            If there is none, or they differ in more than their backbones.
        """
        if not networks:
            raise FovealError("an EML-NET is made of one network at least")
        first = networks[0].config
        for network in networks:
            if replace(network.config, backbones=first.backbones, first_trained=first.first_trained) != first:
                raise FovealError("networks of one EML-NET have the same area and kernel")
        backbones = tuple(backbone for network in networks for backbone in network.config.backbones)
        joint = cls(replace(first, backbones=backbones, first_trained=""))
        trained = (encoder for network in networks for encoder in network.encoders)
        for encoder, earlier in zip(joint.encoders, trained, strict=True):
            encoder.load_state_dict(earlier.state_dict())
        return joint

    @property
    def multi_layer_encoders(self) -> list[MultiLayerEncoder]:
        """The encoders."""
        return cast(list[MultiLayerEncoder], list(self.encoders))

    def cells(self, size: tuple[int, int]) -> Grid:
        """Cells of two px."""
        return Grid.over(size, scaled_size(self.multi_layer_encoders[0].seen_size(size), 1 / CELL))

    def forward(self, seen: Seen, size: tuple[int, int], viewing: Viewing = USUAL) -> Float[Tensor, "image row column"]:
        """Maps of all layers, each smoothed, brought to the cells, and decoded together."""
        reduced: list[tuple[Grid, Tensor]] = []
        for encoder, features in zip(self.multi_layer_encoders, self.features_read(seen), strict=True):
            grids = encoder.grids(size, encoder.read, viewing)
            reduced += zip(grids.values(), encoder.reduced(features), strict=True)
        target = self.cells(size)
        on_cells = [
            resample(smooth(one_map), grid, target) for smooth, (grid, one_map) in zip(self.maps, reduced, strict=True)
        ]
        said: Tensor = self.decoder(torch.cat(on_cells, dim=1))[:, 0]
        return said

    def parameter_groups(self, *, batch_norms: bool = False) -> dict[str, list[nn.Parameter]]:
        """The decoder, what makes maps of layers, and what is trained of the backbones."""
        groups = super().parameter_groups(batch_norms=batch_norms)
        reductions = [weight for encoder in self.multi_layer_encoders for weight in encoder.reductions.parameters()]
        decoder = [*self.maps.parameters(), *self.decoder.parameters()]
        return groups | {READOUT: decoder, REDUCTIONS: reductions}


@dataclass(frozen=True)
class EMLNetLiteConfig(EMLNetConfig):
    """What the small form is made of: see `EMLNetConfig`."""

    backbones: tuple[str, ...] = ("efficientnet_lite0",)
    first_trained: str = "block15"
    area: int = 240 * 320


@register_model(
    "eml-net-lite",
    family="deep",
    year=2020,
    paper="a small form of Jia & Bruce, EML-NET: An expandable multi-layer network for saliency prediction, 2020",
    trainable=True,
    weights="package",
)
class EMLNetLite(EMLNet):
    """The decoder of one network, EfficientNet-lite0, of photographs a quarter as large."""

    Config = EMLNetLiteConfig
    tiny = EMLNetLiteConfig(("efficientnet_lite_tiny",), first_trained="block6", area=64 * 64)
    saved_in_16_bits = True
