"""Foveal's own model: features of EfficientNet-lite2 at five depths, of a picture seen at several sizes.

In the line of DeepGaze II (Kümmerer, Wallis & Bethge 2017, a readout of 1x1 convolutions on pretrained features) and
EML-NET (Jia & Bruce 2020, taps at all depths, summed); the network's last stages are trained as well. One readout makes
a map of saliency at each of several sizes of the picture, some of them shares of it and some in degrees of visual
angle. Their weighted mean, blurred, is the saliency. The weights and the blur are numbers that a data set may have of
its own, as in DeepGaze MSDB (Kümmerer, Khanuja & Bethge 2025, "Modeling saliency dataset bias", arXiv:2505.10169).
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial, reduce
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
from foveal.models.deep.by_time import published
from foveal.models.deep.network import BACKBONE, IMAGE, READOUT, DensityNetwork, Numbers, Seen, than
from foveal.models.feature_source import FeatureSource
from foveal.models.parts.geometry import Axis, Grid, resample, resampled_sum
from foveal.models.parts.moments import moments
from foveal.models.parts.precision import fast_precision
from foveal.models.parts.sizes import SMALLEST_SIDE, USUAL, WHOLE, Size, Viewing
from foveal.models.parts.working_size import resized, scaled_size

CELL = 8  # px of the image as the network sees it
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
        Number of pixels that an image is usually brought to.
    relative, absolute
        Sizes at which the network makes a map of an image, as shares of the usual side: those that every image is
        brought to, and those that are kept in degrees of visual angle (see `parts.sizes`).
    scales
        At each of these sizes, by how much larger or smaller the readout sees the image as well.
    """

    backbone: str = "efficientnet_lite2"
    taps: tuple[str, ...] = ("block6", "block10", "block14", "block16", "block18")
    channels: tuple[int, ...] = (48, 88, 120, 208, 208)
    first_trained: str = "block15"
    width: int = 128
    hidden: int = 32
    dropout: float = 0.3
    working_area: int = 307_200
    relative: tuple[float, ...] = (1.0,)
    absolute: tuple[float, ...] = ()
    scales: tuple[float, ...] = (1.0, 0.5)

    @property
    def map_sizes(self) -> tuple[Size, ...]:
        """The sizes of which the network makes a map each."""
        return (*map(Size, self.relative), *(Size(share, in_degrees=True) for share in self.absolute))

    @property
    def seen_sizes(self) -> tuple[Size, ...]:
        """All sizes at which the network sees an image, for all of its maps."""
        return tuple(dict.fromkeys(mapped.times(scale) for mapped in self.map_sizes for scale in self.scales))

    def completed(self) -> "FovealConfig":
        """With the numbers of channels that the taps have.

        Raises
        ------
        FovealError
            If there is no such layer or backbone, or a value is not right.
        """
        count, smallest = "a whole number from 1 on", SMALLEST_SIDE**2
        needed = {
            "width": (is_whole(self.width, 1), count),
            "hidden": (is_whole(self.hidden, 1), count),
            "working_area": (is_whole(self.working_area, smallest), f"a whole number from {smallest} on"),
            "dropout": (is_number(self.dropout, 0.0) and self.dropout < 1, "a number from 0 to less than 1"),
            "scales": (_are_shares(self.scales) and len(self.scales) > 0, "a list of numbers above 0"),
            "relative": (_are_shares(self.relative), "a list of numbers above 0"),
            "absolute": (_are_shares(self.absolute), "a list of numbers above 0"),
            "taps": (isinstance(self.taps, tuple) and len(self.taps) > 0, "a list of layers"),
        }
        check_values(self, needed)
        if not self.map_sizes:
            raise FovealError("relative, absolute: one size at least is needed")
        backbone = Backbone(self.backbone, pretrained=False, until=self.taps[-1])
        backbone.check_layers([*self.taps, self.first_trained or self.taps[-1]])
        channels = tuple(backbone.channels(tap) for tap in self.taps)
        if self.channels not in (type(self).channels, channels):
            raise FovealError(f"channels: {list(self.channels)} (the taps have {list(channels)})")
        return replace(self, channels=channels)


def _are_shares(values: Any) -> bool:
    return isinstance(values, tuple) and all(is_number(value) and value > 0 for value in values)


def at_scale(layer: str, number: int) -> str:
    """What a layer's features are called at one of several scales or sizes: at the first like the layer."""
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
class SeenAt:
    """The network at one of its sizes, as a source of features.

    Attributes
    ----------
    network
        The network.
    working_sizes
        Height and width at which it sees images of a (height, width).
    """

    network: "FovealS"
    working_sizes: Mapping[tuple[int, int], tuple[int, int]]

    @property
    def device(self) -> torch.device:
        """Where the network computes."""
        return self.network.device

    @property
    def features_depend_on(self) -> dict[str, Any]:
        """What is chosen about the features."""
        return self.network.features_depend_on | {"working_sizes": sorted(self.working_sizes.items())}

    def features(self, images: Float[Tensor, "image 3 height width"]) -> dict[str, Float[Tensor, "image _ _ _"]]:
        """Features of the network."""
        return self.network.features(images, self.working_sizes[images.shape[2], images.shape[3]])

    def grids(self, size: tuple[int, int]) -> dict[str, Grid]:
        """Where they lie in images of this (height, width)."""
        return self.network.grids(size, self.network.kept_layers, self.working_sizes[size])


@register_model(
    "foveal-s",
    family="deep",
    year=2026,
    paper="Foveal's own",
    trainable=True,
    weights="package",
)
class FovealS(DensityNetwork):
    """Pretrained features of all depths, the last of them fine-tuned; a readout at several sizes; a center bias."""

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
        relative=(1.0,),
        absolute=(1.5,),
    )
    size_weights: Float[Tensor, " map"]  # their softmax is each map's share
    log_sigma: Float[Tensor, ""]  # of the blur, in cells

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
        if len(self.config.map_sizes) > 1:
            self.register_buffer("size_weights", torch.zeros(len(self.config.map_sizes)))
        self.register_buffer("log_sigma", torch.tensor(0.4))

    @property
    def depends_on_scale(self) -> bool:
        """Are there sizes in degrees?"""
        return len(self.config.absolute) > 0

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
        return tuple(at_scale(layer, number) for number in range(len(self.config.seen_sizes)) for layer in kept)

    @cached_property
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
        of_taps = (of_tap for features in seen for of_tap in self._of_taps(features))
        for name, (mean, deviation) in moments(of_taps).items():
            self.taps[name].mean = mean.float()
            self.taps[name].std = deviation.clamp(min=SMALLEST_DEVIATION).float()

    def at_sizes(self, relative: Sequence[float] = (), absolute: Sequence[float] = ()) -> "FovealS":
        """The same network that sees pictures at other sizes than it was trained at, all of the same weight.

        Raises
        ------
        FovealError
            If there is no size.
        """
        config = replace(self.config, relative=tuple(relative), absolute=tuple(absolute)).completed()
        other = type(self)(config)
        weights = {name: tensor for name, tensor in self.state_dict().items() if name != "size_weights"}
        other.load_state_dict(other.state_dict() | weights)
        return other.train(self.training)

    @torch.no_grad()
    def also_at(self, relative: Sequence[float]) -> "FovealS":
        """The same network that sees pictures at more sizes, which together count as much as those that it has."""
        shares = dict(zip(self.config.map_sizes, self._shares(self.numbers()).tolist(), strict=True))
        more = [share for share in dict.fromkeys(relative) if Size(share) not in shares]
        if not more:
            return self
        other = self.at_sizes((*self.config.relative, *more), self.config.absolute)
        weights = [shares[size] / 2 if size in shares else 1 / 2 / len(more) for size in other.config.map_sizes]
        other.size_weights.copy_(torch.tensor(weights).log())
        return other

    def at(self, time: float | int) -> "FovealS":
        """The same network for fixations that begin about `time` ms after the picture came on (`models.deep.by_time`).

        Raises
        ------
        FovealError
            If the time is no number from 0 on.
        """
        return published(self.name).moved(self, time)

    def _of_taps(self, features: Seen) -> Iterator[Seen]:
        """The features that each tap reads, size by size."""
        for map_size in self.config.map_sizes:
            for scale_number, scale in enumerate(self.config.scales):
                number = self.config.seen_sizes.index(map_size.times(scale))
                of_size = {at_scale(tap, number): at_scale(tap, scale_number) for tap in self.config.taps}
                yield {key: features[name] for name, key in of_size.items() if name in features}

    @torch.no_grad()
    def absorb(self, sharpness: float | Float[Tensor, ""]) -> None:
        """Multiply the readout's last layer."""
        for parameter in self.readout[-1].parameters():
            parameter.mul_(sharpness)

    def numbers(self) -> Numbers:
        """With the weights of the sizes and the blur."""
        of_sizes = {"size_weights": self.size_weights} if len(self.config.map_sizes) > 1 else {}
        return super().numbers() | {"log_sigma": self.log_sigma} | of_sizes

    def _shares(self, numbers: Numbers) -> Float[Tensor, " map"]:
        """What each of the maps counts."""
        return numbers["size_weights"].softmax(dim=0) if "size_weights" in numbers else torch.ones(1)

    def in_words(self, numbers: Numbers, *, scale_is_known: bool) -> list[str]:
        """With the blur and the sizes."""
        blur, side, degrees = self._described(numbers)
        usual_blur, usual_side, usual_degrees = self._described(self.numbers())
        lines = super().in_words(numbers, scale_is_known=scale_is_known)
        lines.append(
            f"Fixations spread {than(blur, usual_blur)} usual: the blur is {blur:.1%} of the picture's side, usually "
            f"{usual_blur:.1%}."
        )
        if len({map_size.share for map_size in self.config.map_sizes}) > 1:
            larger = than(usual_side, side)
            lines.append(
                f"Large things count {larger} usual: on average, the picture is seen at {side:.2f} of its usual side, "
                f"usually at {usual_side:.2f}."
            )
        if scale_is_known and 0 < usual_degrees < 1:
            lines.append(
                f"Degrees count {than(degrees, usual_degrees)} usual: sizes in degrees of visual angle have "
                f"{degrees:.0%} of the weight, usually {usual_degrees:.0%}."
            )
        return lines

    def _described(self, numbers: Numbers) -> tuple[float, float, float]:
        """Blur and mean size of the maps, as shares of the picture's side, and the weight of sizes in degrees."""
        shares = list(zip(self._shares(numbers).tolist(), self.config.map_sizes, strict=True))
        side = math.exp(sum(share * math.log(map_size.share) for share, map_size in shares))
        degrees = sum((share for share, map_size in shares if map_size.in_degrees), start=0.0)
        return float(numbers["log_sigma"].exp()) * CELL / self.config.working_area**0.5, side, degrees

    def sources(self, viewings: Mapping[tuple[int, int], Viewing]) -> list[tuple[FeatureSource, Callable[[str], str]]]:
        """The network at each of its sizes, those that are the same of all images once."""
        found: dict[tuple[tuple[int, int], ...], tuple[FeatureSource, Callable[[str], str]]] = {}
        for number, one in enumerate(self.config.seen_sizes):
            at = {size: self.working_size(size, viewing, one) for size, viewing in viewings.items()}
            found.setdefault(tuple(at.values()), (SeenAt(self, at), partial(at_scale, number=number)))
        return list(found.values())

    @property
    def features_depend_on(self) -> dict[str, Any]:
        """What is chosen about the frozen features at one size."""
        chosen = {"backbone": self.config.backbone}
        # A network that was trained before has other features than the installed one of the same name.
        return chosen if self.backbone.has_pretrained_weights else {**chosen, "weights": self.backbone.digest()}

    def working_size(self, size: tuple[int, int], viewing: Viewing = USUAL, seen: Size = WHOLE) -> tuple[int, int]:
        """Height and width at which the network sees an image of this (height, width), at one of its sizes."""
        return seen.working_size(size, viewing, self.config.working_area)

    def cells(self, size: tuple[int, int]) -> Grid:
        """The cells on which the density of an image of this (height, width) is computed."""
        return self._cells_at(size, self.working_size(size))

    def _cells_at(self, size: tuple[int, int], working_size: tuple[int, int]) -> Grid:
        return Grid.over(size, scaled_size(working_size, 1 / CELL))

    def features(
        self, images: Float[Tensor, "image 3 height width"], working_size: tuple[int, int]
    ) -> dict[str, Float[Tensor, "image _ _ _"]]:
        """Features of the `kept_layers`, of images that are brought to this (height, width)."""
        small = resized(images, working_size, "bilinear")
        small = small.contiguous(memory_format=torch.channels_last)  # two to three times faster on a CPU
        layers = [layer for layer in self.kept_layers if layer != IMAGE]
        return ({IMAGE: small} if self.last_frozen == IMAGE else {}) | self.backbone(small, layers)

    def grids(self, size: tuple[int, int], layers: Sequence[str], working_size: tuple[int, int]) -> dict[str, Grid]:
        """Where the features of some layers lie in an image of a (height, width) that is seen at another."""
        rows, columns = size[0] / working_size[0], size[1] / working_size[1]
        seen = {IMAGE: Grid(Axis(working_size[0]), Axis(working_size[1]))}
        if of_network := [layer for layer in layers if layer != IMAGE]:
            seen |= self.backbone.grids(working_size, of_network)
        return {layer: seen[layer].scaled(rows, columns) for layer in layers}

    def _different_sizes(self, size: tuple[int, int], viewing: Viewing) -> dict[tuple[int, int], int]:
        """The numbers of the sizes that differ from all before them, by what they are of such an image."""
        found: dict[tuple[int, int], int] = {}
        for number, one in enumerate(self.config.seen_sizes):
            found.setdefault(self.working_size(size, viewing, one), number)
        return found

    def see(self, images: Float[Tensor, "image 3 height width"], viewing: Viewing = USUAL) -> Seen:
        """`features` at all of the model's sizes, called as `at_scale` says by the number of the size."""
        size = images.shape[2], images.shape[3]
        return {
            at_scale(layer, number): maps
            for working_size, number in self._different_sizes(size, viewing).items()
            for layer, maps in self.features(images, working_size).items()
        }

    def all_features(self, features: Seen) -> Seen:
        """Those given, and those of the taps that are missing, computed from the last frozen layer's."""
        found = dict(features)
        after = None if self.last_frozen == IMAGE else self.last_frozen
        for number in range(len(self.config.seen_sizes)):
            missing = [tap for tap in self.config.taps if at_scale(tap, number) not in features]
            if missing and (last := at_scale(self.last_frozen, number)) in features:
                computed = self.backbone(features[last], missing, after=after)
                found |= {at_scale(tap, number): maps for tap, maps in computed.items()}
        return found

    def on_cells(
        self,
        features: Seen,
        taps: nn.ModuleDict,
        size: tuple[int, int],
        viewing: Viewing = USUAL,
        map_size: Size = WHOLE,
    ) -> Float[Tensor, "image width row column"]:
        """The sum of what some taps make of the features, at one of the sizes of which there is a map, on its cells."""
        number_of = self._different_sizes(size, viewing)
        by_grid: dict[Grid, dict[str, Tensor]] = {}
        for scale_number, scale in enumerate(self.config.scales):
            working_size = self.working_size(size, viewing, map_size.times(scale))
            for name, grid in self.grids(size, self.config.taps, working_size).items():
                maps = features[at_scale(name, number_of[working_size])]
                by_grid.setdefault(grid, {})[at_scale(name, scale_number)] = maps
        target = self._cells_at(size, self.working_size(size, viewing, map_size))
        width = next(taps.parameters()).shape[0]  # of a tap's weights: the features that it makes
        terms: list[Tensor] = []
        combined: dict[Grid, Tensor] = {}
        for grid, of_taps in by_grid.items():
            # A tap is affine, and a value on a cell is a weighted mean of values: either may come first, and the one
            # that leaves fewer features to the other does.
            if sum(maps.shape[1] for maps in of_taps.values()) < width:
                terms += [taps[key](resampled_sum({grid: maps}, target)) for key, maps in of_taps.items()]
            else:
                combined[grid] = reduce(torch.add, (taps[key](maps) for key, maps in of_taps.items()))
        if combined:
            terms.append(resampled_sum(combined, target))
        return reduce(torch.add, terms)

    def forward(
        self, seen: Seen, size: tuple[int, int], viewing: Viewing = USUAL
    ) -> Float[Tensor, "image map row column"]:
        """A map at each of the sizes, over the cells of images of this (height, width), from their features.

        Features of taps that are missing are computed.
        """
        features, target = self.all_features(seen), self.cells(size)
        maps: dict[tuple[int, int], Tensor] = {}  # what is seen as before is not computed again
        map_sizes = [(mapped, self.working_size(size, viewing, mapped)) for mapped in self.config.map_sizes]
        for mapped, working_size in map_sizes:
            if working_size not in maps:
                total = self.on_cells(features, self.taps, size, viewing, mapped)
                saliency = self.readout(self.dropout(F.gelu(total)))[:, 0]
                maps[working_size] = resample(saliency, self._cells_at(size, working_size), target)
        return torch.stack([maps[working_size] for _, working_size in map_sizes], dim=1)

    def combined(
        self, maps: Float[Tensor, "image map row column"], numbers: Numbers
    ) -> Float[Tensor, "image row column"]:
        """The mean of the maps by the weights of their sizes, blurred and as sharp as a data set's numbers say."""
        mean = (self._shares(numbers).to(maps)[:, None, None] * maps).sum(dim=1)
        return super().combined(gaussian_blur(mean, numbers["log_sigma"].exp()), numbers)

    def said(
        self, images: Float[Tensor, "image 3 height width"], viewing: Viewing = USUAL
    ) -> Float[Tensor, "image map row column"]:
        """The maps: see `forward`."""
        with fast_precision(images):
            features = self.see(images, viewing)
        return self(
            {layer: maps.to(images.dtype) for layer, maps in features.items()},
            (images.shape[2], images.shape[3]),
            viewing,
        )
