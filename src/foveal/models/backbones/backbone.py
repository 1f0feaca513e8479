"""Pretrained networks behind one interface: named layers out, any image size in, positions known."""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Literal, cast

import torch
from jaxtyping import Float
from torch import Tensor, fx, nn

from foveal.errors import FovealError
from foveal.models.backbones.architectures import architecture_of
from foveal.models.backbones.branches import ANY_SIZE, Branches
from foveal.models.backbones.chain import Chain
from foveal.models.backbones.finer import delay_strides, dilate, remove_strides
from foveal.models.backbones.installation import damaged, read_weights
from foveal.models.parts.empty import without_numbers
from foveal.models.parts.geometry import Grid

Padding = Literal["same", "full"]
SIZES_KEPT = 1000  # of images, for which it is kept where features lie
MANY = 40  # layers, of which an error does not say all
Wiring = Chain | Branches  # how values go through a network


class Backbone(nn.Module):
    """The convolutions of a network trained on ImageNet.

    Parameters
    ----------
    name
        One of `ARCHITECTURES`, or a network for naming objects that torchvision has. Layers of the latter have the
        names that `torchvision.models.feature_extraction.create_feature_extractor` gives them. They end where branches
        meet that lie on different grids, or where positions cannot be followed.
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
    delayed_strides
        Layers of stride two whose stride comes after them, in a step of its own: `["block7"]` is finer, and what
        follows "block7_strided" is as it was.
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
        delayed_strides: Sequence[str] = (),
        dilations: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__()
        architecture = architecture_of(name)
        self.name = name
        self.made_finer_by = {
            "without_stride": sorted(without_stride),
            "delayed_strides": sorted(delayed_strides),
            "dilations": sorted((dilations or {}).items()),
        }
        with without_numbers() if pretrained else nullcontext():
            steps = architecture.steps()
        if isinstance(steps, nn.Sequential):
            remove_strides(name, steps, without_stride)
            steps = delay_strides(name, steps, delayed_strides)
            dilate(name, steps, dilations or {})
        elif padding == "full" or without_stride or delayed_strides or dilations:
            raise FovealError(f"{name}: a network with branches keeps its padding, strides and dilations")
        self._wiring: Wiring = _wiring_of(steps)
        if until is not None:
            self.check_layers([until])
            steps = self._wiring.steps_until(until)
            self._wiring = _wiring_of(steps)
        self.steps = steps
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
        self._trained_norms: list[nn.BatchNorm2d] = []
        self.has_pretrained_weights = pretrained
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
        architecture = architecture_of(self.name)
        weights = read_weights(self.name) if architecture.is_published else architecture.steps().state_dict()
        try:
            self.steps.load_state_dict({key: weights[key] for key in self.steps.state_dict()})
        except (KeyError, RuntimeError) as error:
            raise damaged(self.name, error) from error
        self.has_pretrained_weights = True

    def digest(self) -> str:
        """A short text that changes with the weights."""
        digest = hashlib.sha256()
        for name, tensor in self.steps.state_dict().items():
            digest.update(name.encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()[:12]

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of all layers, from the image up."""
        return self._wiring.layers

    def check_layers(self, layers: Sequence[str]) -> None:
        """Make sure that the network has these layers.

        Raises
        ------
        FovealError
            If it does not have one.
        """
        known = set(self.layers)
        unknown = [layer for layer in layers if layer not in known]
        if unknown or not layers:
            why = self._wiring.why_not(unknown[0] if unknown else "")
            raise FovealError(f"{self.name}: {why} (has {', '.join(_overview(self.layers))})")

    def train(self, mode: bool = True) -> "Backbone":
        """Stay as it is, but for normalisations that are trained.

        All others go by the images that the network was pretrained on.
        """
        super().train(False)
        for norm in self._trained_norms:
            norm.train(mode and norm.weight.requires_grad)
        return self

    def unfreeze(
        self, first: str, *, depthwise: bool = False, biases: bool = False, train_norms: bool = False
    ) -> list[nn.Parameter]:
        """Let the weights of a layer and of all above it be trained, and return them; of "", none.

        Parameters
        ----------
        first
            The lowest layer that is trained.
        depthwise
            Train convolutions that do not mix all channels as well; their gradients are slow on a CPU.
        biases
            Train the biases of what is trained as well.
        train_norms
            Train what batch normalisations multiply by and add. In training mode, they go by the batch, and follow it
            with their statistics; otherwise, both stay as they were pretrained.

        Raises
        ------
        FovealError
            If there is no such layer.
        """
        if not first:
            return []
        self.check_layers([first])
        trained: list[Tensor] = []
        for module in self._wiring.modules_from(first):
            if isinstance(module, nn.Linear) or (isinstance(module, nn.Conv2d) and (depthwise or module.groups == 1)):
                trained.append(module.weight)
                if biases and module.bias is not None:
                    trained.append(module.bias)
            elif train_norms and isinstance(module, nn.BatchNorm2d):
                trained += [module.weight, module.bias]
                self._trained_norms.append(module)
        for weight in trained:
            weight.requires_grad_(True)
        return cast(list[nn.Parameter], trained)

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
        maps = (images - self.mean) / self.std if after is None else images
        try:
            found = self._wiring.features(maps, layers, after)
        except FovealError as error:
            raise FovealError(f"{self.name}: {error}") from None
        return {layer: found[layer] for layer in layers}

    def grids(self, size: tuple[int, int], layers: Sequence[str]) -> dict[str, Grid]:
        """Where the features of an image of this (height, width) lie in it."""
        self.check_layers(layers)
        if size not in self._grids:  # a model asks for the same at every image of a size
            if len(self._grids) >= SIZES_KEPT:
                self._grids.clear()
            self._grids[size] = self._wiring.grids(size)
        return {layer: self._grids[size][layer] for layer in layers}

    def receptive_field(self, layer: str) -> int:
        """Side, in px, of the part of the image that one value of a layer can see."""
        self.check_layers([layer])
        return self._wiring.receptive_field(layer)

    def channels(self, layer: str) -> int:
        """How many features a layer has."""
        self.check_layers([layer])
        with torch.inference_mode():
            return int(self(torch.zeros(1, 3, 64, 64, device=self.mean.device), [layer])[layer].shape[1])


def _wiring_of(steps: nn.Sequential | fx.GraphModule) -> Wiring:
    return Branches(steps) if isinstance(steps, fx.GraphModule) else Chain(steps)


def _overview(layers: Sequence[str]) -> Sequence[str]:
    """The layers, or, if there are many, those that are not parts of others, or of one other only."""
    if len(layers) <= MANY:
        return layers
    outer = [layer for layer in layers if "." not in layer]
    return outer if len(outer) > 2 else [layer for layer in layers if layer.count(".") < 2]


def last_of_sizes(network: str, sizes: Sequence[int]) -> tuple[str, ...]:
    """The last layer of each of some sizes of a network's maps, which are said by px of the image a value.

    Where layers are parts of others, the last of those that are parts of the fewest.

    Raises
    ------
    FovealError
        If there is none of a size, or no such network.

    >>> last_of_sizes("resnet50_tiny", [2, 4, 32])
    ('stem', 'layer1_2', 'layer4_2')
    """
    with without_numbers():
        backbone = Backbone(network, pretrained=False)
    last: dict[int, str] = {}
    for layer, grid in backbone.grids(ANY_SIZE, backbone.layers).items():
        step = round(grid.rows.step)
        if step not in last or layer.count(".") <= last[step].count("."):
            last[step] = layer
    for size in sizes:
        if size not in last:
            raise FovealError(f"{network}: no layer with values {size} px apart")
    return tuple(last[size] for size in sizes)
