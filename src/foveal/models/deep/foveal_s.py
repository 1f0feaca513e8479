"""Foveal's own model: features of EfficientNet-lite2 at five depths and two scales, a small readout, a center bias.

In the line of DeepGaze II (Kümmerer, Wallis & Bethge 2017, a readout of 1x1 convolutions on pretrained features) and
EML-NET (Jia & Bruce 2020, taps at all depths, summed); the network's last stages are trained as well. What is blurred
lies on cells of 8 px of the image as the network sees it, which is brought to one area, whatever its size and shape.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from foveal.errors import FovealError
from foveal.gaze.maps import gaussian_blur
from foveal.models.backbones.backbone import Backbone
from foveal.models.catalogue import register_model
from foveal.models.config import ModelConfig, check_values, is_number, is_whole
from foveal.models.deep.network import BACKBONE, IMAGE, READOUT, DensityNetwork, Seen
from foveal.models.feature_source import FeatureSource
from foveal.models.parts.geometry import Axis, Grid, resampled_sum
from foveal.models.parts.moments import moments
from foveal.models.parts.precision import fast_precision
from foveal.models.parts.working_size import resized, scaled_size

CELL = 8  # px of the image as the network sees it
SMALLEST_SIDE = 64  # px of it
SMALLEST_DEVIATION = 1e-4  # of a feature, which is divided by it


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

    def completed(self) -> "FovealConfig":
        """With the numbers of channels that the taps have.

        Raises
        ------
        FovealError
            If there is no such layer or backbone, or a value is not right.
        """
        count, smallest = "a whole number from 1 on", SMALLEST_SIDE**2
        right_scales = isinstance(self.scales, tuple) and all(is_number(s) and s > 0 for s in self.scales)
        needed = {
            "width": (is_whole(self.width, 1), count),
            "hidden": (is_whole(self.hidden, 1), count),
            "working_area": (is_whole(self.working_area, smallest), f"a whole number from {smallest} on"),
            "dropout": (is_number(self.dropout, 0.0) and self.dropout < 1, "a number from 0 to less than 1"),
            "scales": (right_scales and len(self.scales) > 0, "a list of numbers above 0"),
            "taps": (isinstance(self.taps, tuple) and len(self.taps) > 0, "a list of layers"),
        }
        check_values(self, needed)
        backbone = Backbone(self.backbone, pretrained=False, until=self.taps[-1])
        backbone.check_layers([*self.taps, self.first_trained or self.taps[-1]])
        channels = tuple(backbone.channels(tap) for tap in self.taps)
        if self.channels not in (type(self).channels, channels):
            raise FovealError(f"channels: {list(self.channels)} (the taps have {list(channels)})")
        return replace(self, channels=channels)


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


@dataclass(frozen=True)
class Zoomed:
    """The network that sees images by so much larger, as a source of features."""

    network: "FovealS"
    zoom: float

    @property
    def device(self) -> torch.device:
        """Where the network computes."""
        return self.network.device

    @property
    def features_depend_on(self) -> dict[str, Any]:
        """What is chosen about the features."""
        chosen = self.network.features_depend_on
        return chosen if self.zoom == 1 else {**chosen, "zoom": self.zoom}

    def features(self, images: Float[Tensor, "image 3 height width"]) -> dict[str, Float[Tensor, "image _ _ _"]]:
        """Features of the network."""
        return self.network.features(images, self.zoom)

    def grids(self, size: tuple[int, int]) -> dict[str, Grid]:
        """Where they lie in images of this (height, width)."""
        return self.network.grids(size, self.network.kept_layers, self.zoom)


@register_model(
    "foveal-s",
    family="deep",
    year=2026,
    paper="Foveal's own",
    trainable=True,
    weights="package",
)
class FovealS(DensityNetwork):
    """Pretrained features of all depths, the last of them fine-tuned; a readout; a blur; an explicit center bias."""

    Config = FovealConfig
    saved_in_16_bits = True
    config: FovealConfig
    tiny = FovealConfig(
        backbone="efficientnet_lite_tiny",
        taps=("block2", "block4", "block5"),
        channels=(8, 16, 16),
        first_trained="block5",
        width=8,
        hidden=4,
        working_area=6_000,
    )

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

    def parameter_groups(self, *, batch_norms: bool = False) -> dict[str, list[nn.Parameter]]:
        """The readout, and what is trained of the backbone."""
        backbone = {id(weight) for weight in self.backbone.parameters()}
        readout = [weight for weight in self.parameters() if id(weight) not in backbone]
        return {READOUT: readout, BACKBONE: self.backbone.unfreeze(self.config.first_trained, train_norms=batch_norms)}

    def load_pretrained(self) -> None:
        """Take the backbone's weights."""
        self.backbone.load_pretrained()

    @torch.no_grad()
    def begin_from(self, seen: Iterable[Seen]) -> None:
        """Make the taps' features of mean zero and unit deviation over some of the fitted images."""
        of_taps = ({tap: maps for tap, maps in features.items() if tap in self.taps} for features in seen)
        for name, (mean, deviation) in moments(of_taps).items():
            self.taps[name].mean = mean.float()
            self.taps[name].std = deviation.clamp(min=SMALLEST_DEVIATION).float()

    @torch.no_grad()
    def absorb(self, sharpness: float | Float[Tensor, ""]) -> None:
        """Multiply the readout's last layer."""
        for parameter in self.readout[-1].parameters():
            parameter.mul_(sharpness)

    def sources(self, zoom: float) -> list[tuple[FeatureSource, Callable[[str], str]]]:
        """The network at each of its scales."""
        return [
            (Zoomed(self, zoom * scale), partial(at_scale, number=number))
            for number, scale in enumerate(self.config.scales)
        ]

    @property
    def features_depend_on(self) -> dict[str, Any]:
        """What is chosen about the frozen features at one scale."""
        chosen = {"backbone": self.config.backbone, "working_area": self.config.working_area}
        # A network that was trained before has other features than the installed one of the same name.
        return chosen if self.backbone.has_pretrained_weights else {**chosen, "weights": self.backbone.digest()}

    def working_size(self, size: tuple[int, int], zoom: float = 1.0) -> tuple[int, int]:
        """Height and width at which the network sees an image of this (height, width)."""
        scale = zoom * (self.config.working_area / (size[0] * size[1])) ** 0.5
        return max(SMALLEST_SIDE, round(size[0] * scale)), max(SMALLEST_SIDE, round(size[1] * scale))

    def cells(self, size: tuple[int, int]) -> Grid:
        """The cells on which the density of an image of this (height, width) is computed."""
        return Grid.over(size, scaled_size(self.working_size(size), 1 / CELL))

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

    def see(self, images: Float[Tensor, "image 3 height width"], zoom: float = 1.0) -> Seen:
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
        target = self.cells(size)
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

    def forward(self, seen: Seen, size: tuple[int, int], zoom: float = 1.0) -> Float[Tensor, "image row column"]:
        """Saliency over the cells of images of this (height, width), from their features at a zoom.

        Features of taps that are missing are computed.
        """
        total = self.on_cells(self.all_features(seen), self.taps, size, zoom)
        saliency = self.readout(self.dropout(F.gelu(total)))[:, 0]
        return gaussian_blur(saliency, self.log_sigma.exp())

    def saliency(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image row column"]:
        """Over the cells: see `forward`."""
        with fast_precision(images):
            features = self.see(images)
        return self(
            {layer: maps.to(images.dtype) for layer, maps in features.items()}, (images.shape[2], images.shape[3])
        )
