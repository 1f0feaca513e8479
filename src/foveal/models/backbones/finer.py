"""Networks whose upper features stay finer: layers lose their stride, and the convolutions after them are dilated.

DeepLab's way (Chen et al. 2018, *IEEE TPAMI* 40(4)): without the stride, a layer says more values; dilated, the
convolutions after it see as much of the image as before. The weights stay as they are.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from foveal.errors import FovealError
from foveal.models.backbones.efficientnet_lite import SamePadding
from foveal.models.parts.geometry import Axis


class PoolingThatKeepsSize(nn.MaxPool2d):
    """A maximum around each value; of an even number of values, one more after it than before it."""

    def __init__(self, kernel: int) -> None:
        super().__init__(kernel, stride=1)
        self.before, self.after = (kernel - 1) // 2, kernel // 2

    def axis(self, axis: Axis) -> Axis:
        """Positions of the outputs, from those of the inputs."""
        return axis.convolved(self.before + self.after + 1, 1, self.before, self.after)

    def padded(self, maps: Tensor) -> Tensor:
        """Maps with their border values once more beyond the border, which changes no maximum."""
        return F.pad(maps, (self.before, self.after) * 2, mode="replicate")

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (torch's word)
        """Pad, then take the maxima."""
        return super().forward(self.padded(input))


def remove_strides(network: str, steps: nn.Sequential, layers: Sequence[str]) -> None:
    """Let every pooling and convolution of some layers or stages of a network take steps of one value.

    Raises
    ------
    FovealError
        If the network has no such layer, or its stride cannot be taken away.
    """
    for layer in layers:
        strided = 0
        for name in _named(network, steps, layer):
            step = steps.get_submodule(name)
            if isinstance(step, nn.MaxPool2d) and step.padding == 0:
                assert isinstance(step.kernel_size, int)
                setattr(steps, name, PoolingThatKeepsSize(step.kernel_size))
                strided += 1
                continue
            for module in step.modules():
                if not isinstance(module, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d) or module.stride in (1, (1, 1)):
                    continue
                if isinstance(module, nn.AvgPool2d):
                    raise FovealError(f"{network}: {name} cannot do without its stride")
                module.stride = (1, 1)
                strided += 1
        if not strided:
            raise FovealError(f"{network}: {layer} has no stride")


def delay_strides(network: str, steps: nn.Sequential, layers: Sequence[str]) -> nn.Sequential:
    """A network of which some layers say all values between theirs, and a new step after each takes every second.

    The step of "block7" is "block7_strided". It has no weights, and all above it see what they saw before, if a layer
    looks at neighbors no more after its stride.

    Raises
    ------
    FovealError
        As of `remove_strides`; or if it is a stage, or a layer that is padded by the size of what it sees, and so by
        its stride.
    """
    for layer in layers:
        is_one = _named(network, steps, layer) == [layer]
        if not is_one or any(isinstance(module, SamePadding) for module in steps.get_submodule(layer).modules()):
            raise FovealError(f"{network}: the stride of {layer} cannot come after it")
    remove_strides(network, steps, layers)
    delayed: OrderedDict[str, nn.Module] = OrderedDict()
    for name, step in steps.named_children():
        delayed[name] = step
        if name in layers:
            delayed[f"{name}_strided"] = nn.MaxPool2d(1, stride=2)
    return nn.Sequential(delayed)


def dilate(network: str, steps: nn.Sequential, dilations: Mapping[str, int]) -> None:
    """Put so many steps between the values that the convolutions of some layers or stages look at.

    A later entry goes over an earlier one: `{"layer4": 4, "layer4_0": 2}`.

    Raises
    ------
    FovealError
        If the network has no such layer, it has no convolution, or its convolutions cannot be dilated.
    """
    for layer, dilation in dilations.items():
        convolutions = [
            module
            for name in _named(network, steps, layer)
            for module in steps.get_submodule(name).modules()
            if isinstance(module, nn.Conv2d) and max(module.kernel_size) > 1
        ]
        if not convolutions:
            raise FovealError(f"{network}: {layer} cannot be dilated")
        for module in convolutions:
            assert isinstance(module.padding, tuple)
            module.padding = tuple(
                padding // before * dilation for padding, before in zip(module.padding, module.dilation, strict=True)
            )
            module.dilation = (dilation, dilation)


def _named(network: str, steps: nn.Sequential, wanted: str) -> list[str]:
    """The layer of this name, or the layers of this stage: conv5_1, conv5_2 and conv5_3 of "conv5"."""
    layers = [name for name, _ in steps.named_children()]
    named = [name for name in layers if name == wanted or name.startswith(f"{wanted}_")]
    if not named:
        raise FovealError(f"{network}: no layer {wanted!r} (has {', '.join(layers)})")
    return named
