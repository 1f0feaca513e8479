"""Foveal's own model: features of EfficientNet-lite2 at five depths and two scales, a small readout, a center bias.

In the line of DeepGaze II (Kümmerer, Wallis & Bethge 2017, a readout of 1x1 convolutions on pretrained features) and
EML-NET (Jia & Bruce 2020, taps at all depths, summed); the network's last stages are trained as well. What is blurred
lies on cells of 8 px of the image as the network sees it, which is brought to one area, whatever its size and shape.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from foveal.gaze.maps import gaussian_blur
from foveal.models.backbones.backbone import Backbone
from foveal.models.base import ModelConfig, SaliencyModel
from foveal.models.catalogue import register_model
from foveal.models.parts.finalizer import resize_log_density, resize_maps
from foveal.models.parts.geometry import Axis, Grid, resampled_sum
from foveal.models.parts.precision import fast_precision
from foveal.models.parts.prior import PRIOR_GRID
from foveal.models.parts.working_size import resized

CELL = 8  # px of the image as the network sees it
SMALLEST_SIDE = 64  # px of it
IMAGE = "image"  # what stands for the image itself among the layers


@dataclass(frozen=True)
class FovealConfig(ModelConfig):
    """What the model is made of.

    Attributes
    ----------
    backbone
        The network.
    taps
        Its layers that are read out, the highest last; it ends there.
    channels
        Number of features of each.
    first_trained
        This layer and all above it can be trained with the readout; "" none, the lowest layer all.
    width, hidden
        Channels of the readout.
    dropout
        Share of the channels that are left out in training.
    working_area
        Number of pixels that an image is brought to.
    scales
        By how much larger or smaller than this the network sees it, one after the other; its weights are the same.
    """

    backbone: str = "efficientnet_lite2"
    taps: tuple[str, ...] = ("block6", "block10", "block14", "block16", "block18")
    channels: tuple[int, ...] = (48, 88, 120, 208, 208)
    first_trained: str = "block15"
    width: int = 128
    hidden: int = 32
    dropout: float = 0.3
    working_area: int = 307_200
    scales: tuple[float, ...] = (1.0, 0.5)


def at_scale(layer: str, number: int) -> str:
    """What a layer's features at one of the scales are called: at the first like the layer."""
    return f"{layer}@{number}" if number else layer


class Tap(nn.Module):
    """A layer's features, each of mean zero and unit deviation over the training images, to the readout's channels."""

    mean: Float[Tensor, " feature"]
    std: Float[Tensor, " feature"]

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.linear = nn.Conv2d(channels, width, 1)
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("std", torch.ones(channels))

    def forward(self, maps: Float[Tensor, "image feature h w"]) -> Float[Tensor, "image width h w"]:
        """Standardised and combined, in one step."""
        weight = self.linear.weight / self.std[:, None, None]
        assert self.linear.bias is not None
        return F.conv2d(maps, weight, self.linear.bias - (weight[..., 0, 0] @ self.mean))


@register_model(
    "foveal-s",
    family="deep",
    year=2026,
    paper="Foveal's own",
    trainable=True,
    weights="package",
)
class FovealS(SaliencyModel):
    """Pretrained features of all depths, the last of them fine-tuned; a readout; a blur; an explicit center bias."""

    Config = FovealConfig
    saved_in_16_bits = True
    config: FovealConfig
    log_prior: Float[Tensor, "row column"]
    temperature: Float[Tensor, ""]  # above 1 the model is less sure of itself than in training
    prior_weight: Float[Tensor, ""]

    def __init__(self, config: FovealConfig | None = None) -> None:
        super().__init__()
        self.config = config or FovealConfig()
        self.backbone = Backbone(self.config.backbone, pretrained=False, until=self.config.taps[-1])
        self.taps = nn.ModuleDict(
            {
                at_scale(name, number): Tap(channels, self.config.width)
                for number in range(len(self.config.scales))
                for name, channels in zip(self.config.taps, self.config.channels, strict=True)
            }
        )
        self.dropout = nn.Dropout2d(self.config.dropout)
        self.readout = nn.Sequential(
            nn.Conv2d(self.config.width, self.config.hidden, 1),
            nn.GELU(),
            nn.Conv2d(self.config.hidden, 1, 1, bias=False),
        )
        self.log_sigma = nn.Parameter(torch.tensor(0.4))  # of the blur, in cells
        self.register_buffer("temperature", torch.tensor(1.0))
        self.register_buffer("prior_weight", torch.tensor(1.0))
        self.register_buffer("log_prior", torch.zeros(PRIOR_GRID, PRIOR_GRID))

    @property
    def networks(self) -> "list[FovealS]":
        """Itself: the only one, other than of a mixture."""
        return [self]

    @property
    def last_frozen(self) -> str:
        """The layer from which on the network can be trained; IMAGE if it is trained whole."""
        layers = (IMAGE, *self.backbone.layers)
        return layers[layers.index(self.config.first_trained) - 1] if self.config.first_trained else layers[-1]

    @property
    def frozen_layers(self) -> tuple[str, ...]:
        """Features that are needed and never change: of taps that are not trained, and of the last frozen layer."""
        layers = (IMAGE, *self.backbone.layers)
        below = layers[: layers.index(self.last_frozen)]
        kept = (*(tap for tap in self.config.taps if tap in below), self.last_frozen)
        return tuple(at_scale(layer, number) for number in range(len(self.config.scales)) for layer in kept)

    @property
    def kept_layers(self) -> tuple[str, ...]:
        """The taps and the last frozen layer, from the image up."""
        return tuple(name for name in (IMAGE, *self.backbone.layers) if name in (*self.config.taps, self.last_frozen))

    @property
    def features_depend_on(self) -> dict[str, Any]:
        """What is chosen about the frozen features at one scale."""
        return {"backbone": self.config.backbone, "working_area": self.config.working_area}

    def working_size(self, size: tuple[int, int], zoom: float = 1.0) -> tuple[int, int]:
        """Height and width at which the network sees an image of this (height, width)."""
        scale = zoom * (self.config.working_area / (size[0] * size[1])) ** 0.5
        return max(SMALLEST_SIDE, round(size[0] * scale)), max(SMALLEST_SIDE, round(size[1] * scale))

    def density_grid(self, size: tuple[int, int]) -> Grid:
        """The cells on which the density of an image of this (height, width) is computed."""
        height, width = self.working_size(size)
        return Grid.over(size, (max(1, round(height / CELL)), max(1, round(width / CELL))))

    def features(
        self, images: Float[Tensor, "image 3 height width"], zoom: float = 1.0
    ) -> dict[str, Float[Tensor, "image _ _ _"]]:
        """Features of the `kept_layers` at one scale.

        With another `zoom` than 1, the network sees the images by so much larger.
        """
        small = resized(images, self.working_size((images.shape[2], images.shape[3]), zoom), "bilinear")
        small = small.contiguous(memory_format=torch.channels_last)  # two to three times faster on a CPU
        layers = [layer for layer in self.kept_layers if layer != IMAGE]
        return ({IMAGE: small} if self.last_frozen == IMAGE else {}) | self.backbone(small, layers)

    def grids(self, size: tuple[int, int], layers: Sequence[str], zoom: float = 1.0) -> dict[str, Grid]:
        """Where the features of some layers lie in an image of this (height, width)."""
        height, width = self.working_size(size, zoom)
        rows, columns = size[0] / height, size[1] / width
        seen = {IMAGE: Grid(Axis(height), Axis(width))}
        if of_network := [layer for layer in layers if layer != IMAGE]:
            seen |= self.backbone.grids((height, width), of_network)
        return {layer: seen[layer].scaled(rows, columns) for layer in layers}

    def at_scales(
        self, images: Float[Tensor, "image 3 height width"], zoom: float = 1.0
    ) -> dict[str, Float[Tensor, "image _ _ _"]]:
        """`features` at all of the model's scales, called as `at_scale` says."""
        return {
            at_scale(layer, number): maps
            for number, scale in enumerate(self.config.scales)
            for layer, maps in self.features(images, zoom * scale).items()
        }

    def all_features(
        self, features: dict[str, Float[Tensor, "image _ _ _"]]
    ) -> dict[str, Float[Tensor, "image _ _ _"]]:
        """Those given, and those of the taps that are missing, computed from the last frozen layer's."""
        found = dict(features)
        after = None if self.last_frozen == IMAGE else self.last_frozen
        for number in range(len(self.config.scales)):
            missing = [tap for tap in self.config.taps if at_scale(tap, number) not in features]
            if missing:
                computed = self.backbone(features[at_scale(self.last_frozen, number)], missing, after=after)
                found |= {at_scale(tap, number): maps for tap, maps in computed.items()}
        return found

    def on_cells(
        self,
        features: dict[str, Float[Tensor, "image _ _ _"]],
        taps: nn.ModuleDict,
        size: tuple[int, int],
        zoom: float = 1.0,
    ) -> Float[Tensor, "image width row column"]:
        """The sum of what some taps make of the features, on the cells of images of this (height, width)."""
        by_grid: dict[Grid, list[str]] = {}
        for number, scale in enumerate(self.config.scales):
            for name, grid in self.grids(size, self.config.taps, zoom * scale).items():
                by_grid.setdefault(grid, []).append(at_scale(name, number))
        target = self.density_grid(size)
        width = next(taps.parameters()).shape[0]  # of a tap's weights: the features that it makes
        terms: list[Tensor] = []
        combined: dict[Grid, Tensor] = {}
        for grid, keys in by_grid.items():
            # A tap is affine, and a value on a cell is a weighted mean of values: either may come first, and the one
            # that leaves fewer features to the other does.
            if sum(features[key].shape[1] for key in keys) < width:
                terms += [taps[key](resampled_sum({grid: features[key]}, target)) for key in keys]
            else:
                combined[grid] = reduce(torch.add, (taps[key](features[key]) for key in keys))
        if combined:
            terms.append(resampled_sum(combined, target))
        return reduce(torch.add, terms)

    def forward(
        self, features: dict[str, Float[Tensor, "image _ _ _"]], size: tuple[int, int], zoom: float = 1.0
    ) -> Float[Tensor, "image row column"]:
        """Saliency over the cells of images of this (height, width), from what `at_scales` says of them at a `zoom`.

        Added to the logarithm of a center bias it is, up to a constant, a log density. Features of taps that are
        missing are computed.
        """
        total = self.on_cells(self.all_features(features), self.taps, size, zoom)
        saliency = self.readout(self.dropout(F.gelu(total)))[:, 0]
        return gaussian_blur(saliency, self.log_sigma.exp())

    def saliency(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image row column"]:
        """Over the cells: see `forward`."""
        with fast_precision(images):
            features = self.at_scales(images)
        return self(
            {layer: maps.to(images.dtype) for layer, maps in features.items()}, (images.shape[2], images.shape[3])
        )

    def log_density(
        self, images: Float[Tensor, "image 3 height width"], pixels_per_degree: float | None = None
    ) -> Float[Tensor, "image height width"]:
        """With the center bias of the training data."""
        size = images.shape[2], images.shape[3]
        saliency = self.saliency(images) / self.temperature
        log_prior = self.prior_weight * resize_maps(self.log_prior[None], (saliency.shape[1], saliency.shape[2]))
        return resize_log_density(saliency + log_prior, size)
