"""EfficientNet-Lite: EfficientNets without squeeze-and-excitation and with ReLU6, which are fast on any processor.

Tan & Le 2019 ("EfficientNet", ICML); Google's EfficientNet-Lite (2020, Apache-2.0), whose weights fit these modules. As
in TensorFlow, a convolution of stride 2 is padded as its input's size needs it, and its first pixel with it: the
positions of features depend on the size of the image (`SamePadding.axis`).
"""

import math
from collections import OrderedDict
from collections.abc import Sequence
from itertools import zip_longest
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from foveal.models.parts.geometry import Axis
from foveal.models.parts.precision import computes_in_bfloat16


class Stage(NamedTuple):
    """Blocks of one resolution: how many, kernel, stride of the first, expansion, channels."""

    repeats: int
    kernel: int
    stride: int
    expansion: int
    channels: int


# Table 1 of the paper.
STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)
STEM_CHANNELS = 32  # not scaled in the lite networks, and neither are the repeats of the first and the last stage
SCALES = {"lite0": (1.0, 1.0), "lite1": (1.0, 1.1), "lite2": (1.1, 1.2)}  # width, depth
EPSILON = 1e-3  # of the normalisation, as in TensorFlow

Pair = tuple[int, ...]  # of rows and columns


class SamePadding(nn.Conv2d):
    """A convolution padded as TensorFlow's "same" does: one output for each stride begun."""

    def padding_of(self, length: int, side: int) -> tuple[int, int]:
        """Pixels before and after, for an input of this length along side 0 (rows) or 1 (columns)."""
        stride = self.stride[side]
        total = max((math.ceil(length / stride) - 1) * stride + self._extent(side) - length, 0)
        return total // 2, total - total // 2

    def _extent(self, side: int) -> int:
        """How many values the kernel spans."""
        return self.dilation[side] * (self.kernel_size[side] - 1) + 1

    def axis(self, axis: Axis, side: int) -> Axis:
        """Positions of the outputs, from those of the inputs."""
        return axis.convolved(self._extent(side), self.stride[side], *self.padding_of(axis.length, side))

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (torch's word)
        """Pad, then convolve."""
        maps, padding = self.padded(input)
        return F.conv2d(maps, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def padded(self, maps: Tensor) -> tuple[Tensor, tuple[int, int]]:
        """Maps, and what a convolution still has to pad them by: all, where both ends of a side need the same."""
        (top, bottom), (left, right) = self.padding_of(maps.shape[2], 0), self.padding_of(maps.shape[3], 1)
        if (top, left) == (bottom, right):
            return maps, (top, left)
        return F.pad(maps, (left, right, top, bottom)), (0, 0)


class Folded(nn.Sequential):
    """Convolutions, normalisations and ReLU6.

    A normalisation by fixed statistics is multiplied into the weights of the convolution before it, which are few, not
    into its output.
    """

    def forward(self, maps: Tensor) -> Tensor:
        """One after the other."""
        for module, following, third in zip_longest(self, [*self][1:], [*self][2:]):
            if isinstance(module, nn.Conv2d):
                padding = (0, 0)
                if isinstance(module, SamePadding):
                    maps, padding = module.padded(maps)
                is_clipped = isinstance(third, nn.ReLU6)
                if following.training:  # it goes by the batch, of which it has to see the values
                    maps = _convolved(module, maps, module.weight, None, padding, False)
                    maps = following(maps)
                    maps = F.relu6(maps) if is_clipped else maps
                else:
                    weight, bias = _folded(module, following)
                    maps = _convolved(module, maps, weight, bias, padding, is_clipped)
        return maps


def _convolved(
    module: nn.Conv2d, maps: Tensor, weight: Tensor, bias: Tensor | None, padding: Pair, is_clipped: bool
) -> Tensor:
    """A module's convolution with other weights, and ReLU6 if wanted.

    On a CPU both are one pass over the memory, as `torch.compile` has it.
    """
    stride, dilation, groups = module.stride, module.dilation, module.groups
    if _can_fuse(maps, weight):
        if torch.is_autocast_enabled("cpu"):  # which does not know the operation that follows
            maps, weight = maps.bfloat16(), weight.bfloat16()
            bias = None if bias is None else bias.bfloat16()
        clipping: tuple[str, list[float]] = ("hardtanh", [0.0, 6.0]) if is_clipped else ("none", [])
        fused: Tensor = torch.ops.mkldnn._convolution_pointwise(
            maps, weight, bias, padding, stride, dilation, groups, *clipping, ""
        )
        return fused
    if _has_slow_gradient(maps, stride, groups):
        with torch.autocast("cpu", enabled=False):
            maps = F.conv2d(maps.to(weight.dtype), weight, bias, stride, padding, dilation, groups)
    else:
        maps = F.conv2d(maps, weight, bias, stride, padding, dilation, groups)
    return F.relu6(maps, inplace=True) if is_clipped else maps


def _can_fuse(maps: Tensor, weight: Tensor) -> bool:
    """Is there the operation that torch's own compiler puts in (it has no gradient and does not take every dtype)?"""
    if torch.compiler.is_compiling() or torch.is_grad_enabled() or maps.device.type != "cpu":
        return False
    if torch.is_autocast_enabled("cpu"):
        known = torch.get_autocast_dtype("cpu") == torch.bfloat16 and computes_in_bfloat16()
        known = known and maps.dtype in (torch.float32, torch.bfloat16)
    else:
        known = maps.dtype == weight.dtype == torch.float32
    return known and torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_convolution_pointwise")


def _has_slow_gradient(maps: Tensor, stride: Pair, groups: int) -> bool:
    """Would autocast have a gradient computed that a CPU is slow at: channel by channel, with a stride, in 16 bits?"""
    is_rounded = maps.device.type == "cpu" and torch.is_autocast_enabled("cpu") and torch.is_grad_enabled()
    return is_rounded and groups > 1 and max(stride) > 1


def _folded(convolution: nn.Conv2d, norm: nn.Module) -> tuple[Tensor, Tensor]:
    """Weight and bias of a convolution and the normalisation after it as one."""
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_var is not None
    assert norm.running_mean is not None
    scale = norm.weight * (norm.running_var + norm.eps).rsqrt()
    return convolution.weight * scale[:, None, None, None], norm.bias - norm.running_mean * scale


class Block(nn.Module):
    """Inverted bottleneck: expand, convolve channel by channel, project, add."""

    def __init__(self, channels_in: int, channels: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = channels_in * expansion
        layers: list[nn.Module] = []
        if expansion > 1:
            layers += [nn.Conv2d(channels_in, inner, 1, bias=False), nn.BatchNorm2d(inner, eps=EPSILON), nn.ReLU6()]
        layers += [
            SamePadding(inner, inner, kernel, stride, groups=inner, bias=False),
            nn.BatchNorm2d(inner, eps=EPSILON),
        ]
        layers += [nn.ReLU6(), nn.Conv2d(inner, channels, 1, bias=False), nn.BatchNorm2d(channels, eps=EPSILON)]
        self.layers = Folded(*layers)
        self.is_residual = stride == 1 and channels_in == channels

    def forward(self, maps: Tensor) -> Tensor:
        """The block's output."""
        return maps + self.layers(maps) if self.is_residual else self.layers(maps)


def efficientnet_lite(name: str) -> nn.Sequential:
    """The convolutions of "lite0", "lite1" or "lite2", one named module a block: stem, then block0, block1, …."""
    width, depth = SCALES[name]
    scaled = []
    for number, stage in enumerate(STAGES):
        fixed = number in (0, len(STAGES) - 1)
        repeats = stage.repeats if fixed else math.ceil(stage.repeats * depth)
        scaled.append(stage._replace(repeats=repeats, channels=_round_channels(stage.channels * width)))
    return inverted_bottlenecks(scaled, STEM_CHANNELS)


def inverted_bottlenecks(stages: Sequence[Stage], stem_channels: int) -> nn.Sequential:
    """A first convolution of stride 2 and the blocks of these stages: stem, block0, block1, …."""
    stem = Folded(
        SamePadding(3, stem_channels, 3, 2, bias=False), nn.BatchNorm2d(stem_channels, eps=EPSILON), nn.ReLU6()
    )
    modules: OrderedDict[str, nn.Module] = OrderedDict(stem=stem)
    channels_in = stem_channels
    for stage in stages:
        for repeat in range(stage.repeats):
            stride = stage.stride if repeat == 0 else 1
            block = Block(channels_in, stage.channels, stage.kernel, stride, stage.expansion)
            modules[f"block{len(modules) - 1}"] = block
            channels_in = stage.channels
    return nn.Sequential(modules)


def _round_channels(channels: float) -> int:
    """To a multiple of eight, and by not more than a tenth down."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


def renamed(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Google's weights as the package `efficientnet-lite-pytorch` names them, under the names of these modules."""
    convolutions = {"_expand_conv": 0, "_depthwise_conv": 3, "_project_conv": 6}
    norms = {"_bn0": 1, "_bn1": 4, "_bn2": 7}
    result = {}
    for key, tensor in state.items():
        parts = key.split(".")
        if parts[0] == "_conv_stem":
            result["stem.0.weight"] = tensor
        elif parts[0] == "_bn0":
            result[f"stem.1.{parts[1]}"] = tensor
        elif parts[0] == "_blocks":
            # The first block has no expansion, and so begins at its depthwise convolution.
            shift = 3 if f"_blocks.{parts[1]}._expand_conv.weight" not in state else 0
            place = {**convolutions, **norms}[parts[2]] - shift
            result[f"block{parts[1]}.layers.{place}.{parts[3]}"] = tensor
    return result
