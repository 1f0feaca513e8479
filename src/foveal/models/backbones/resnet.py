"""ResNet-50 (He et al. 2016) as torchvision has it, or as its authors published it.

The authors' differs from torchvision's in: the first convolution of a stage, not the second, has the stride.
"""

from collections import OrderedDict
from collections.abc import Iterable

from torch import nn

BLOCKS = (3, 4, 6, 3)  # of the four stages, table 1 of the paper
EPSILON = 1e-3  # of the authors' normalisation, as model.json in the package of their weights says


def resnet50(*, stride_first: bool = False) -> nn.Sequential:
    """The convolutions of torchvision's network by names, or of the authors': stem, pool, layer1_0, layer1_1, …."""
    from torchvision import models

    network = models.resnet50()
    stem = nn.Sequential(network.conv1, network.bn1, network.relu)
    stages = [getattr(network, f"layer{number}") for number in range(1, 5)]
    steps = named_blocks(stem, network.maxpool, stages)
    if stride_first:
        for block in (block for stage in stages for block in stage):
            block.conv1.stride, block.conv2.stride = block.conv2.stride, (1, 1)
        for module in steps.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eps = EPSILON
    return steps


def named_blocks(stem: nn.Module, pool: nn.Module, stages: Iterable[Iterable[nn.Module]]) -> nn.Sequential:
    """What comes before the stages and each of their blocks, one after the other by names."""
    named = OrderedDict(stem=stem, pool=pool)
    for number, blocks in enumerate(stages, 1):
        for position, block in enumerate(blocks):
            named[f"layer{number}_{position}"] = block
    return nn.Sequential(named)
