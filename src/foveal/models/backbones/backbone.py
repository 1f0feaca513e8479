"""Pretrained networks behind one interface: named layers out, any image size in, positions known."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Literal, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from foveal.errors import FovealError
from foveal.models.backbones.architectures import ARCHITECTURES
from foveal.models.backbones.efficientnet_lite import SamePadding
from foveal.models.backbones.finer import PoolingThatKeepsSize, dilate, remove_strides
from foveal.models.backbones.pretrained import damaged, read_weights
from foveal.models.parts.empty import without_numbers
from foveal.models.parts.geometry import Axis, Grid

Padding = Literal["same", "full"]
SIZES_KEPT = 1000  # of images, for which it is kept where features lie
MOVING = SamePadding | nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d  # modules whose values lie elsewhere than what they see


class Backbone(nn.Module):
    """The convolutions of a network trained on ImageNet.

    Parameters
    ----------
    name
        One of `ARCHITECTURES`.
    padding
        "same" pads as the network was trained; "full" pads every convolution by its whole kernel but one pixel, as
        DeepGaze I does, so that features exist wherever a kernel touches the image.
    pretrained
        Load the weights that `foveal weights install` put in their place; else they are random.
    until
        The highest layer that is needed: the network ends there.
    without_stride
        Layers, or stages of several layers, that take steps of one value, so that their features and those above are
        finer: `["pool4", "pool5"]`, `["layer3", "layer4"]`. A pooling keeps the size of the maps.
    dilations
        By how much the convolutions of layers or stages are dilated: `{"conv5": 2}`, `{"layer3": 2, "layer4": 4}`. A
        later entry goes over an earlier one. They keep the size of the maps as before.

    Raises
    ------
    FovealError
        If there is no such network or layer, a layer has no stride or convolution to change, or the weights are not
        installed.
    """

    def __init__(
        self,
        name: str,
        *,
        padding: Padding = "same",
        pretrained: bool = True,
        until: str | None = None,
        without_stride: Sequence[str] = (),
        dilations: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__()
        if name not in ARCHITECTURES:
            known = [other for other, architecture in ARCHITECTURES.items() if architecture.is_published]
            raise FovealError(f"no backbone {name!r} (known: {', '.join(known)})")
        architecture = ARCHITECTURES[name]
        self.name = name
        with without_numbers() if pretrained else nullcontext():
            self.steps = architecture.steps()
        if until is not None:
            self.check_layers([until])
            self.steps = self.steps[: self.layers.index(until) + 1]
        remove_strides(name, self.steps, without_stride)
        dilate(name, self.steps, dilations or {})
        if pretrained:
            self.steps.to_empty(device="cpu")
            self.load_pretrained()
        for module in self.steps.modules():
            if isinstance(module, nn.ReLU | nn.ReLU6 | nn.SiLU):
                module.inplace = False  # the layer before may be wanted, too
            if isinstance(module, nn.Conv2d) and padding == "full":
                module.padding = tuple(d * (k - 1) for d, k in zip(module.dilation, module.kernel_size, strict=True))
        self.register_buffer("mean", torch.tensor(architecture.mean)[:, None, None])
        self.register_buffer("std", torch.tensor(architecture.std)[:, None, None])
        self._grids: dict[tuple[int, int], dict[str, Grid]] = {}  # of all layers, by size of the image
        self.eval().requires_grad_(False)

    mean: Tensor
    std: Tensor

    def load_pretrained(self) -> None:
        """Take the weights that `foveal weights install` put in their place.

        A network that nobody trained takes those that it is made with.

        Raises
        ------
        FovealError
            If they are not installed, or damaged.
        """
        architecture = ARCHITECTURES[self.name]
        weights = read_weights(self.name) if architecture.is_published else architecture.steps().state_dict()
        try:
            self.steps.load_state_dict({key: weights[key] for key in self.steps.state_dict()})
        except (KeyError, RuntimeError) as error:
            raise damaged(self.name, error) from error

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of all layers, from the image up."""
        return tuple(name for name, _ in self.steps.named_children())

    def check_layers(self, layers: Sequence[str]) -> None:
        """Make sure that the network has these layers.

        Raises
        ------
        FovealError
            If it does not have one.
        """
        unknown = [layer for layer in layers if layer not in self.layers]
        if unknown or not layers:
            raise FovealError(f"{self.name}: no layer {unknown[0] if unknown else ''!r} (has {', '.join(self.layers)})")

    def train(self, mode: bool = True) -> "Backbone":
        """Stay as it is: normalisation goes by the images that the network was pretrained on."""
        return super().train(False)

    def unfreeze(self, first: str) -> list[nn.Parameter]:
        """Let the weights of a layer and of all above it be trained, and return them; of "", none.

        Of these, the weights of convolutions that mix channels; gradients of depthwise ones are slow on a CPU.

        Raises
        ------
        FovealError
            If there is no such layer.
        """
        if not first:
            return []
        self.check_layers([first])
        trained = [
            cast(nn.Parameter, module.weight)
            for step in self.steps[self.layers.index(first) :]
            for module in step.modules()
            if isinstance(module, nn.Conv2d) and module.groups == 1
        ]
        for weight in trained:
            weight.requires_grad_(True)
        return trained

    def forward(
        self, images: Float[Tensor, "image _ height width"], layers: Sequence[str], *, after: str | None = None
    ) -> dict[str, Float[Tensor, "image _ _ _"]]:
        """Features of RGB images in [0, 1] at the named layers; what lies above them is not computed.

        With `after`, it is features of that layer that are given, and the network goes on from there.

        Raises
        ------
        FovealError
            If there is no such layer, or a wanted one is not above `after`.
        """
        self.check_layers(layers)
        if after is not None:
            self.check_layers([after])
            if min(self.layers.index(layer) for layer in layers) <= self.layers.index(after):
                raise FovealError(f"{self.name}: {', '.join(layers)}: not all above {after}")
        maps, skipped = images, after is not None
        if after is None:
            maps = (images - self.mean) / self.std
        found = {}
        for name, step in self.steps.named_children():
            if skipped:
                skipped = name != after
                continue
            maps = step(maps)
            if name in layers:
                found[name] = maps
            if len(found) == len(set(layers)):
                break
        return {layer: found[layer] for layer in layers}

    def grids(self, size: tuple[int, int], layers: Sequence[str]) -> dict[str, Grid]:
        """Where the features of an image of this (height, width) lie in it."""
        self.check_layers(layers)
        if size not in self._grids:  # a model asks for the same at every image of a size
            if len(self._grids) >= SIZES_KEPT:
                self._grids.clear()
            axes = [Axis(size[0]), Axis(size[1])]
            found = {}
            for name, step in self.steps.named_children():
                for module in _moving(step):
                    axes = [_after(module, axis, side) for side, axis in enumerate(axes)]
                found[name] = Grid(*axes)
            self._grids[size] = found
        return {layer: self._grids[size][layer] for layer in layers}

    def receptive_field(self, layer: str) -> int:
        """Side, in px, of the part of the image that one value of a layer can see."""
        self.check_layers([layer])
        field, step_px = 1, 1
        for name, step in self.steps.named_children():
            for module in _moving(step):
                if not isinstance(module, SamePadding):
                    field += _reach(module, 0) * step_px
                    step_px *= _pair(module.stride)[0]
            if name == layer:
                break
        return field

    def channels(self, layer: str) -> int:
        """How many features a layer has."""
        self.check_layers([layer])
        with torch.inference_mode():
            return int(self(torch.zeros(1, 3, 64, 64, device=self.mean.device), [layer])[layer].shape[1])


def _moving(step: nn.Module) -> list[MOVING]:
    """Modules that change positions, without the way around a ResNet's block, which lands where the block does."""
    return [module for path, module in step.named_modules() if isinstance(module, MOVING) and "downsample" not in path]


def _after(module: MOVING, axis: Axis, side: int) -> Axis:
    """Positions after one of the modules that change them."""
    if isinstance(module, SamePadding):
        return module.axis(axis, side)
    if isinstance(module, PoolingThatKeepsSize):
        return module.axis(axis)
    stride, padding = _pair(module.stride)[side], _pair(module.padding)[side]
    return axis.convolved(_reach(module, side) + 1, stride, padding)


def _reach(module: MOVING, side: int) -> int:
    """How many values lie between the first and the last that a module looks at, the last among them."""
    dilation = 1 if isinstance(module, nn.AvgPool2d) else _pair(module.dilation)[side]
    return dilation * (_pair(module.kernel_size)[side] - 1)


def _pair(value: object) -> tuple[int, int]:
    return value if isinstance(value, tuple) else (value, value)
