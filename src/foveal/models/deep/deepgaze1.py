"""DeepGaze I: fixations from the features of a network that was trained to recognise objects.

Kümmerer, Theis & Bethge, "Deep Gaze I: Boosting saliency prediction with feature maps trained on ImageNet", ICLR
workshop 2015 (arXiv:1411.1045).

Differs from the paper in: AlexNet is torchvision's ("One weird trick", 64-192-384-256-256 filters, no response
normalisation), the paper's is Caffe's; what is blurred lies on a grid of 8 px of the image, whatever the layers;
features are given unit deviation on their own grid. Any backbone and any of its layers can take AlexNet's place.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from foveal.models.backbones.backbone import Backbone, Padding
from foveal.models.catalogue import register_model
from foveal.models.config import ModelConfig
from foveal.models.parts.empty import without_numbers
from foveal.models.parts.finalizer import resize_log_density
from foveal.models.parts.geometry import Grid
from foveal.models.parts.prior import WithPrior
from foveal.models.parts.readout import LinearReadout
from foveal.models.parts.unsaved_backbone import WithUnsavedBackbone
from foveal.models.parts.working_size import resized

CELL = 8  # px of the image: side of the cells on which the density is computed; conv1's step
SMALLEST_INPUT = 64  # px: what is left of a smaller image after all poolings would be nothing


@dataclass(frozen=True)
class DeepGaze1Config(ModelConfig):
    """What is read out, and how the image is shown to the network (section 1.1)."""

    backbone: str = "alexnet"
    layers: tuple[str, ...] = ("conv5",)
    channels: tuple[int, ...] = (256,)
    padding: Padding = "full"
    downsampling: int = 2


@register_model(
    "deepgaze1",
    family="deep",
    year=2015,
    paper="Kümmerer, Theis & Bethge, Deep Gaze I, ICLR workshop 2015 (arXiv:1411.1045)",
    trainable=True,
    weights="package + alexnet",
)
class DeepGaze1(WithPrior, WithUnsavedBackbone):
    """A linear readout of pretrained features, blurred, with a center bias."""

    Config = DeepGaze1Config
    config: DeepGaze1Config

    def __init__(self, config: DeepGaze1Config | None = None) -> None:
        super().__init__()
        self.config = config or DeepGaze1Config()
        self.readout = LinearReadout(dict(zip(self.config.layers, self.config.channels, strict=True)))

    def read_backbone(self) -> Backbone:
        """The network of the configuration."""
        return Backbone(self.config.backbone, padding=self.config.padding)

    @property
    def features_depend_on(self) -> dict[str, Any]:
        """What is chosen about the features, but for the layers."""
        return {key: value for key, value in asdict(self.config).items() if key not in ("layers", "channels")}

    def features(self, images: Float[Tensor, "image 3 height width"]) -> dict[str, Float[Tensor, "image _ _ _"]]:
        """Responses of the layers to the shrunk images."""
        size = self._shrunk((images.shape[2], images.shape[3]))
        small = resized(images, size, "bilinear")
        missing = [max(0, SMALLEST_INPUT - side) for side in size]
        return self.backbone(F.pad(small, (0, missing[1], 0, missing[0]), mode="replicate"), self.config.layers)

    def grids(self, size: tuple[int, int]) -> dict[str, Grid]:
        """Where the responses lie in images of this (height, width)."""
        height, width = self._shrunk(size)
        rows, columns = size[0] / height, size[1] / width
        seen = max(height, SMALLEST_INPUT), max(width, SMALLEST_INPUT)
        return {
            layer: grid.scaled(rows, columns) for layer, grid in self.backbone.grids(seen, self.config.layers).items()
        }

    def feature_weights(self) -> dict[str, Float[Tensor, " feature"]]:
        """The readout's weights, layer by layer."""
        return self._by_layer(self.readout.weight.detach())

    def feature_deviations(self) -> dict[str, Float[Tensor, " feature"]]:
        """By which the readout divides the responses, layer by layer."""
        return self._by_layer(self.readout.std)

    def _by_layer(self, values: Float[Tensor, " feature"]) -> dict[str, Float[Tensor, " _"]]:
        channels = self.readout.channels
        return dict(zip(channels, values.split(list(channels.values())), strict=True))

    def field_of_view(self, layer: str, size: tuple[int, int]) -> int:
        """Side, in px of the image, of what one response of a layer can see."""
        return self.backbone.receptive_field(layer) * self.config.downsampling

    def _shrunk(self, size: tuple[int, int]) -> tuple[int, int]:
        height, width = (max(1, round(side / self.config.downsampling)) for side in size)
        return height, width

    def log_density(
        self, images: Float[Tensor, "image 3 height width"], pixels_per_degree: float | None = None
    ) -> Float[Tensor, "image height width"]:
        """Responses, weighted, blurred, with the center bias, through the softmax."""
        height, width = images.shape[2:]
        target = density_grid((height, width))
        features, grids = self.features(images), self.grids((height, width))
        log_prior = self.prior_on((target.rows.length, target.columns.length))
        return resize_log_density(self.readout(features, grids, target, log_prior), (height, width))


def density_grid(size: tuple[int, int], cell: int = CELL) -> Grid:
    """The cells on which the density of an image of this (height, width) is computed."""
    return Grid.of_cells(size, cell)


def config_for(backbone: str, layers: Sequence[str], padding: Padding = "full") -> DeepGaze1Config:
    """A configuration that reads out these layers of a backbone.

    Raises
    ------
    FovealError
        If there is no such backbone or layer.
    """
    with without_numbers():
        network = Backbone(backbone, padding=padding, pretrained=False)
    return DeepGaze1Config(backbone, tuple(layers), tuple(network.channels(layer) for layer in layers), padding)
