"""Networks whose named layers can be looked into: pretrained ones, and those that models are built on."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol, cast, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from foveal.benchmarking.run import fingerprint
from foveal.errors import FovealError
from foveal.models import SaliencyModel, list_models, load_model
from foveal.models.backbones.backbone import Backbone
from foveal.models.deep.deepgaze1 import DeepGaze1, config_for
from foveal.models.deep.encoder import Encoder, EncodersNetwork, numbered
from foveal.models.deep.foveal_l import FovealL
from foveal.models.deep.foveal_s import FovealS
from foveal.models.parts.geometry import Grid
from foveal.models.parts.working_size import resized

Maps = dict[str, Float[Tensor, "image feature _ _"]]
Size = tuple[int, int]  # height and width, px


@runtime_checkable
class View(Protocol):
    """One pretrained network, and how it is shown photographs."""

    @property
    def backbone(self) -> Backbone:
        """The network."""

    def seen_size(self, size: Size) -> Size:
        """Height and width at which it sees photographs of this (height, width)."""

    def maps(self, images: Float[Tensor, "image 3 height width"], layers: Sequence[str]) -> Maps:
        """Activation maps of some layers; images are RGB in [0, 1]."""

    def grids(self, size: Size, layers: Sequence[str]) -> dict[str, Grid]:
        """Where they lie in photographs of this (height, width)."""


@dataclass(frozen=True)
class OfBackbone:
    """A network that sees every photograph at one size, whatever its shape."""

    backbone: Backbone
    size: Size

    def seen_size(self, size: Size) -> Size:
        """Always the same."""
        return self.size

    def maps(self, images: Float[Tensor, "image 3 height width"], layers: Sequence[str]) -> Maps:
        """Of the squashed photographs."""
        return self.backbone(resized(images, self.size, "bilinear"), layers)

    def grids(self, size: Size, layers: Sequence[str]) -> dict[str, Grid]:
        """Stretched to the photographs again."""
        rows, columns = size[0] / self.size[0], size[1] / self.size[1]
        return {layer: grid.scaled(rows, columns) for layer, grid in self.backbone.grids(self.size, layers).items()}


@dataclass(frozen=True)
class OfEncoder:
    """The encoder of a network, which sees photographs as the network shows them to it."""

    encoder: Encoder

    @property
    def backbone(self) -> Backbone:
        """What it was made of, as it is trained now."""
        return self.encoder.encoder

    def seen_size(self, size: Size) -> Size:
        """As the network has it."""
        return self.encoder.seen_size(size)

    def maps(self, images: Float[Tensor, "image 3 height width"], layers: Sequence[str]) -> Maps:
        """Of the photographs as the network sees them."""
        return self.backbone(self.encoder.fitted(images), layers)

    def grids(self, size: Size, layers: Sequence[str]) -> dict[str, Grid]:
        """Through the network's own view."""
        return self.encoder.grids(size, layers)


@dataclass(frozen=True)
class OfFovealS:
    """The network of `foveal-s`, at the usual size."""

    model: FovealS

    @property
    def backbone(self) -> Backbone:
        """What it was made of, as it is trained now."""
        return self.model.backbone

    def seen_size(self, size: Size) -> Size:
        """The model's working size."""
        return self.model.working_size(size)

    def maps(self, images: Float[Tensor, "image 3 height width"], layers: Sequence[str]) -> Maps:
        """Of the photographs at the working size."""
        return self.backbone(resized(images, self.seen_size((images.shape[2], images.shape[3])), "bilinear"), layers)

    def grids(self, size: Size, layers: Sequence[str]) -> dict[str, Grid]:
        """Through the model's own view."""
        return self.model.grids(size, layers, self.seen_size(size))


@dataclass(frozen=True)
class OfDeepGaze1:
    """The network that DeepGaze I reads."""

    model: DeepGaze1

    @property
    def backbone(self) -> Backbone:
        """The network, which the model never changes."""
        return self.model.backbone

    def seen_size(self, size: Size) -> Size:
        """Photographs are shrunk by a factor."""
        height, width = (max(1, round(side / self.model.config.downsampling)) for side in size)
        return height, width

    def maps(self, images: Float[Tensor, "image 3 height width"], layers: Sequence[str]) -> Maps:
        """Of the shrunk photographs."""
        return _reading(self.model, tuple(layers)).features(images)

    def grids(self, size: Size, layers: Sequence[str]) -> dict[str, Grid]:
        """Through the model's own view."""
        return _reading(self.model, tuple(layers)).grids(size)


@lru_cache(maxsize=2)  # it reads its network from disk
def _reading(model: DeepGaze1, layers: tuple[str, ...]) -> DeepGaze1:
    """The same model, with other layers to read out."""
    config = config_for(model.config.backbone, layers, model.config.padding)
    return DeepGaze1(replace(config, downsampling=model.config.downsampling)).to(model.device)


@dataclass(frozen=True)
class NamedLayers:
    """A network, or several, whose layers have names.

    Attributes
    ----------
    name
        What it was asked for by.
    views
        Its networks. Of the second on, the names of the layers end in @1, @2 …
    model
        What says a map of photographs; None of a network that was only pretrained.
    """

    name: str
    views: tuple[View, ...]
    model: SaliencyModel | None = None

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of all layers, network by network, from the image up."""
        return tuple(_named(layer, number) for number, view in enumerate(self.views) for layer in view.backbone.layers)

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.views[0].backbone.mean.device

    @property
    def digest(self) -> str:
        """A short text that changes with the weights, and with strides that were taken out."""
        networks = [(view.backbone.digest(), view.backbone.made_finer_by) for view in self.views]
        return hashlib.sha256(repr(networks).encode()).hexdigest()[:12]

    @property
    def whole_digest(self) -> str:
        """A short text that changes with anything that the model's answer depends on."""
        return self.digest + (fingerprint(self.model.name, self.model) if self.model else "")

    def seen_sizes(self, size: Size) -> list[Size]:
        """Height and width at which each network sees photographs of this (height, width)."""
        return [view.seen_size(size) for view in self.views]

    def maps(self, images: Float[Tensor, "image 3 height width"], layers: Sequence[str]) -> Maps:
        """Activation maps of some layers; images are RGB in [0, 1].

        Raises
        ------
        FovealError
            If there is no such layer.
        """
        found: Maps = {}
        for number, (view, names) in enumerate(self._by_view(layers)):
            found |= {_named(layer, number): maps for layer, maps in view.maps(images, names).items()} if names else {}
        return found

    def grids(self, size: Size, layers: Sequence[str]) -> dict[str, Grid]:
        """Where they lie in photographs of this (height, width)."""
        found: dict[str, Grid] = {}
        for number, (view, names) in enumerate(self._by_view(layers)):
            found |= {_named(layer, number): grid for layer, grid in view.grids(size, names).items()} if names else {}
        return found

    def _by_view(self, layers: Sequence[str]) -> list[tuple[View, list[str]]]:
        """Each network with the layers that are its own, as it calls them."""
        own = [
            {_named(layer, number): layer for layer in view.backbone.layers} for number, view in enumerate(self.views)
        ]
        known = {name for names in own for name in names}
        if unknown := [layer for layer in layers if layer not in known]:
            raise FovealError(f"{self.name}: no layer {unknown[0]!r} (has {', '.join(self.layers)})")
        return [
            (view, [names[layer] for layer in layers if layer in names])
            for view, names in zip(self.views, own, strict=True)
        ]


def named_layers(
    network: str | os.PathLike[str] | SaliencyModel | Backbone, *, size: Size = (224, 224), device: str = "cpu"
) -> NamedLayers:
    """A network by its name, ready to be looked into.

    Parameters
    ----------
    network
        A pretrained network (`foveal weights list`), a model that is built on one, or a file of such a model's weights.
    size
        Height and width at which a network that was only pretrained sees photographs. A model sees them its own way.
    device
        Where it computes.

    Raises
    ------
    FovealError
        If there is no such network, its weights are not here, or it is a model without named layers.
    """
    if isinstance(network, Backbone):
        return NamedLayers(network.name, (OfBackbone(network, size),))
    if isinstance(network, SaliencyModel):
        return NamedLayers(network.name, _views_of(network), network)
    name = os.fspath(network)
    if not name.endswith(".safetensors") and name not in list_models():
        return NamedLayers(name, (OfBackbone(Backbone(name).to(device), size),))
    model = load_model(name, device)
    model.make_ready()
    return NamedLayers(name, _views_of(model), model)


def _views_of(model: SaliencyModel) -> tuple[View, ...]:
    if isinstance(model, FovealL):
        return tuple(view for member in model.members for view in _views_of(cast(SaliencyModel, member)))
    if isinstance(model, EncodersNetwork):
        return tuple(OfEncoder(encoder) for encoder in model.each_encoder)
    if isinstance(model, Encoder):
        return (OfEncoder(model),)
    if isinstance(model, FovealS):
        return (OfFovealS(model),)
    if isinstance(model, DeepGaze1):
        return (OfDeepGaze1(model),)
    raise FovealError(f"{model.name}: a model without named layers; give a network that is built on a pretrained one")


def _named(layer: str, number: int) -> str:
    """As its network calls it; of the second network on, with the number of the network."""
    return numbered(layer, number) if number else layer
