"""The networks that can be read out: how each is made, as named steps, and what it expects of an image."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import fx, nn

from foveal.errors import FovealError
from foveal.models.backbones.branches import traced
from foveal.models.backbones.catalogue import torchvision_networks
from foveal.models.backbones.efficientnet_lite import efficientnet_lite
from foveal.models.backbones.resnet import resnet50
from foveal.models.backbones.tiny import tiny_efficientnet_lite, tiny_mobilenet_v2, tiny_resnet50, tiny_vgg16

IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # mean and deviation of the training images, RGB
INCEPTION = (0.5,) * 3, (0.5,) * 3  # what its weights' `transform_input` makes of IMAGENET
TENSORFLOW = (127 / 255,) * 3, (128 / 255,) * 3
OF_INCEPTION = ("googlenet", "inception_v3")
CAFFE = (123.68 / 255, 116.779 / 255, 103.939 / 255), (1 / 255,) * 3


@dataclass(frozen=True)
class Architecture:
    """How a network is made: its convolutions as named steps, and what it expects of an image.

    Attributes
    ----------
    steps
        Makes it.
    mean, std
        Of the images that it was trained on, by channel.
    is_published
        Can its weights be installed? Those of a network that nobody trained are the ones that it is made with.
    """

    steps: Callable[[], nn.Sequential | fx.GraphModule]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    is_published: bool = True


def _plain(arch: str) -> Callable[[], nn.Sequential]:
    """AlexNet and VGG, as `_named` names their layers."""

    def steps() -> nn.Sequential:
        from torchvision import models

        return _named(models.get_model(arch).features, one_a_depth=arch == "alexnet")

    return steps


def _named(layers: nn.Sequential, *, one_a_depth: bool = False) -> nn.Sequential:
    """Convolutions, rectifiers and poolings by the names of the papers: conv1_1, relu1_1, pool1 …."""
    named: OrderedDict[str, nn.Module] = OrderedDict()
    depth, within = 1, 0
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            within += 1
            if one_a_depth and within > 1:
                depth, within = depth + 1, 1
        name = f"{depth}" if one_a_depth else f"{depth}_{within}"
        if isinstance(layer, nn.MaxPool2d):
            named[f"pool{depth}"] = layer
            depth, within = depth + 1, 0
        else:
            named[("conv" if isinstance(layer, nn.Conv2d) else "relu") + name] = layer
    return nn.Sequential(named)


def _features(arch: str) -> Callable[[], nn.Sequential]:
    """Networks whose `features` are a sequence already: block0, block1, …; DenseNet keeps its own names."""

    def steps() -> nn.Sequential:
        from torchvision import models

        children = models.get_model(arch).features.named_children()
        return nn.Sequential(
            OrderedDict((f"block{name}" if name.isdigit() else name, child) for name, child in children)
        )

    return steps


ARCHITECTURES = {
    "alexnet": Architecture(_plain("alexnet"), *IMAGENET),
    "vgg16": Architecture(_plain("vgg16"), *IMAGENET),
    "vgg19": Architecture(_plain("vgg19"), *IMAGENET),
    "resnet50": Architecture(resnet50, *IMAGENET),
    "resnet50_caffe": Architecture(lambda: resnet50(stride_first=True), *CAFFE),
    "densenet161": Architecture(_features("densenet161"), *IMAGENET),
    "mobilenet_v2": Architecture(_features("mobilenet_v2"), *IMAGENET),
    "efficientnet_b0": Architecture(_features("efficientnet_b0"), *IMAGENET),
    "efficientnet_lite0": Architecture(lambda: efficientnet_lite("lite0"), *TENSORFLOW),
    "efficientnet_lite1": Architecture(lambda: efficientnet_lite("lite1"), *TENSORFLOW),
    "efficientnet_lite2": Architecture(lambda: efficientnet_lite("lite2"), *TENSORFLOW),
    "vgg16_tiny": Architecture(lambda: _named(tiny_vgg16()), *IMAGENET, is_published=False),
    "resnet50_tiny": Architecture(tiny_resnet50, *IMAGENET, is_published=False),
    "mobilenet_v2_tiny": Architecture(tiny_mobilenet_v2, *IMAGENET, is_published=False),
    "efficientnet_lite_tiny": Architecture(tiny_efficientnet_lite, *TENSORFLOW, is_published=False),
}


def architecture_of(name: str) -> Architecture:
    """One of `ARCHITECTURES`, or of any other network of torchvision's for naming objects.

    Raises
    ------
    FovealError
        If there is no such network.
    """
    if name in ARCHITECTURES:
        return ARCHITECTURES[name]
    if name in torchvision_networks():
        return Architecture(_branches(name), *(INCEPTION if name in OF_INCEPTION else IMAGENET))
    known = [other for other, architecture in ARCHITECTURES.items() if architecture.is_published]
    raise FovealError(
        f"no backbone {name!r} (known: {', '.join(known)}; and torchvision's, such as resnet18 or mobilenet_v3_large)"
    )


def _branches(name: str) -> Callable[[], fx.GraphModule]:
    def steps() -> fx.GraphModule:
        from torchvision import models

        # Some draw their own plan in tensors, which must have numbers even where the weights need none.
        with torch.device("cpu"):
            network = models.get_model(name, **({"init_weights": False} if name in OF_INCEPTION else {}))
        return traced(network).to(torch.get_default_device())

    return steps
