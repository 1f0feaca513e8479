"""Where the values of a convolution or pooling lie, from where those lie that it looks at."""

from dataclasses import replace

from torch import nn

from foveal.models.backbones.efficientnet_lite import SamePadding
from foveal.models.backbones.finer import PoolingThatKeepsSize
from foveal.models.parts.geometry import Axis, Grid

MOVING = SamePadding | nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d  # modules whose values lie elsewhere than what they see


def grid_after(module: MOVING, grid: Grid) -> Grid:
    """Positions after one of the modules that change them."""
    return Grid(_after(module, grid.rows, 0), _after(module, grid.columns, 1))


def _after(module: MOVING, axis: Axis, side: int) -> Axis:
    if isinstance(module, SamePadding):
        return module.axis(axis, side)
    if isinstance(module, PoolingThatKeepsSize):
        return module.axis(axis)
    stride, padding, reach = pair(module.stride)[side], pair(module.padding)[side], reach_of(module, side)
    moved = axis.convolved(reach + 1, stride, padding)
    if not isinstance(module, nn.Conv2d) and module.ceil_mode:  # one more, if it begins before the padding at the end
        over = axis.length + 2 * padding - reach - 1 - (moved.length - 1) * stride
        if over > 0 and moved.length * stride < axis.length + padding:
            return replace(moved, length=moved.length + 1)
    return moved


def reach_of(module: MOVING, side: int) -> int:
    """How many values lie between the first and the last that a module looks at, the last among them."""
    dilation = 1 if isinstance(module, nn.AvgPool2d) else pair(module.dilation)[side]
    return dilation * (pair(module.kernel_size)[side] - 1)


def pair(value: object) -> tuple[int, int]:
    """What torch keeps as one number, or as one for rows and one for columns."""
    return value if isinstance(value, tuple) else (value, value)
