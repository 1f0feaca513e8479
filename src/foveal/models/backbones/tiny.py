"""Networks for tests: wired as large ones and with the names of their layers, but with few channels and no training.

Their numbers are random and always the same, so that the name of such a network tells its features, as a large one's
name and its file of weights do.
"""

from collections import OrderedDict

import torch
from torch import nn

from foveal.models.backbones.efficientnet_lite import Stage, inverted_bottlenecks
from foveal.models.backbones.resnet import BLOCKS, named_blocks

SHRINKING = 16  # of the large network's channels
SEED = 0
TINY_STAGES = (  # strides and kernels of EfficientNet-Lite, one block a stage
    Stage(1, 3, 1, 1, 8),
    Stage(1, 3, 2, 2, 8),
    Stage(1, 5, 2, 2, 8),
    Stage(1, 3, 2, 2, 16),
    Stage(1, 5, 1, 2, 16),
    Stage(1, 5, 2, 2, 16),
    Stage(1, 3, 1, 2, 24),
)


def tiny_vgg16() -> nn.Sequential:
    """VGG-16 with a sixteenth of the channels: its convolutions, rectifiers and poolings one after the other."""
    from torchvision.models import vgg

    return _started(vgg.make_layers([kind if kind == "M" else kind // SHRINKING for kind in vgg.cfgs["D"]]))


def tiny_resnet50() -> nn.Sequential:
    """ResNet-50 with a sixteenth of the channels: stem, pool, layer1_0, layer1_1, …."""
    from torchvision.models.resnet import Bottleneck

    inner = 64 // SHRINKING
    channels = inner
    stem = nn.Sequential(nn.Conv2d(3, channels, 7, 2, 3, bias=False), nn.BatchNorm2d(channels), nn.ReLU())
    stages = []
    for number, n_blocks in enumerate(BLOCKS):
        blocks = []
        for position in range(n_blocks):
            stride = 2 if number > 0 and position == 0 else 1
            wide = Bottleneck.expansion * inner
            around = nn.Sequential(nn.Conv2d(channels, wide, 1, stride, bias=False), nn.BatchNorm2d(wide))
            block = Bottleneck(channels, inner, stride, around if position == 0 else None)
            nn.init.constant_(block.bn3.weight, 0.5)  # else the sums would grow from block to block
            blocks.append(block)
            channels = wide
        stages.append(blocks)
        inner *= 2
    return _started(named_blocks(stem, nn.MaxPool2d(3, 2, 1), stages))


def tiny_efficientnet_lite() -> nn.Sequential:
    """EfficientNet-Lite with seven narrow blocks: stem, then block0, block1, …."""
    return _started(inverted_bottlenecks(TINY_STAGES, stem_channels=8))


def tiny_mobilenet_v2() -> nn.Sequential:
    """MobileNetV2 with an eighth of the channels: block0, block1, …."""
    from torchvision.models import MobileNetV2
    from torchvision.ops import Conv2dNormActivation

    *blocks, _ = MobileNetV2(width_mult=1 / 8, round_nearest=4).features
    blocks.append(Conv2dNormActivation(blocks[-1].out_channels, 80, 1, activation_layer=nn.ReLU6))
    return _started(nn.Sequential(OrderedDict((f"block{number}", block) for number, block in enumerate(blocks))))


def _started(steps: nn.Sequential) -> nn.Sequential:
    """A network with numbers that keep the size of its values from layer to layer, the same at every call."""
    generator = torch.Generator().manual_seed(SEED)
    for module in steps.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return steps
