"""EML-NET: the layers it reads, as many weights as published, its two stages, and how maps come together."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from foveal.errors import FovealError
from foveal.models import load_model, save_model
from foveal.models.backbones.backbone import Backbone, last_of_sizes
from foveal.models.deep.emlnet import SIZES, EMLNet, EMLNetConfig
from foveal.models.deep.network import IMAGE
from foveal.models.parts.geometry import Grid, resample
from foveal.models.parts.sizes import Viewing

ONE = EMLNetConfig(("resnet50_tiny",), first_trained="stem", area=64 * 96)


def made(config=EMLNet.tiny):
    """A network whose normalisations have followed some images."""
    torch.manual_seed(0)
    model = EMLNet(config).train()
    with torch.no_grad():
        for _ in range(10):
            model.said(torch.rand(2, 3, 64, 96))
    return model.eval()


@pytest.mark.parametrize(
    ("backbone", "layers"),
    [
        ("resnet50", ("stem", "layer1_2", "layer2_3", "layer3_5", "layer4_2")),  # those of the published code
        ("densenet161", ("relu0", "denseblock1", "denseblock2", "denseblock3", "norm5")),
        ("efficientnet_lite0", ("block0", "block2", "block4", "block10", "block15")),
        ("resnet18", ("relu", "layer1", "layer2", "layer3", "layer4")),  # whole blocks, not what is in them
    ],
)
def test_it_reads_the_last_layer_of_each_size(backbone, layers):
    assert last_of_sizes(backbone, SIZES) == layers


def test_a_network_that_has_not_all_sizes():
    with pytest.raises(FovealError, match="alexnet: no layer with values 2 px apart"):
        EMLNet(replace(EMLNet.tiny, backbones=("alexnet",)))


@pytest.mark.parametrize(("kernel", "of_maps", "of_decoder"), [(3, 12, 10 * 9 + 1 + 2), (1, 4, 10 + 1 + 2)])
def test_the_decoder_of_two_networks_has_as_many_weights_as_published(kernel, of_maps, of_decoder):
    """With 3 x 3 values 213: ten convolutions of one map, with normalisation, and one of ten maps."""
    with torch.device("meta"):
        model = EMLNet(EMLNetConfig(("resnet50", "resnet50"), kernel=kernel))
    groups = model.parameter_groups()
    count = sum(weight.numel() for weight in groups["readout"])
    assert count == 10 * of_maps + of_decoder
    assert (count == 213) == (kernel == 3)
    reduced = 64 + 256 + 512 + 1024 + 2048  # features of the five layers
    assert sum(weight.numel() for weight in groups["reductions"]) == 2 * (kernel**2 * reduced + 5 * 3)
    assert set(groups) == {"readout", "reductions"}  # the networks stay as they are


def test_the_first_stage_trains_all_of_one_network():
    with torch.device("meta"):
        model = EMLNet(EMLNetConfig(("resnet50",), first_trained="stem"))
    groups = model.parameter_groups(batch_norms=True)
    assert sum(weight.numel() for weight in groups["backbone"]) == 23_508_032  # of ResNet-50 without its classifier
    assert not model.keeps_features
    assert made().keeps_features


@pytest.mark.parametrize("kernel", [1, 3])
def test_maps_of_all_layers_are_brought_to_the_cells_and_decoded(kernel):
    """The layers of the published figure, one after the other; values lie where the networks say."""
    config = replace(EMLNet.tiny, backbones=("efficientnet_lite_tiny", "resnet50_tiny"), area=64 * 96, kernel=kernel)
    model, image = made(config), torch.rand(2, 3, 64, 96)

    def single(layers, maps):
        convolution, norm, _ = layers
        maps = F.conv2d(maps, convolution.weight, convolution.bias, padding=kernel // 2)
        scale = norm.weight / (norm.running_var + norm.eps).sqrt()
        return ((maps - norm.running_mean) * scale + norm.bias).clamp(min=0)

    maps, target = [], Grid.over((64, 96), (32, 48))
    for name, encoder in zip(config.backbones, model.encoders, strict=True):
        network = Backbone(name, pretrained=False)
        features, grids = network(image, encoder.read), network.grids((64, 96), encoder.read)
        for layer, reduction in zip(encoder.read, encoder.reductions, strict=True):
            one = single(model.maps[len(maps)], single(reduction, features[layer]))
            maps.append(resample(one, grids[layer], target))
    convolution, norm, _ = model.decoder
    total = F.conv2d(torch.cat(maps, dim=1), convolution.weight, convolution.bias, padding=kernel // 2)
    expected = norm(total).sigmoid()[:, 0]
    assert expected.std() > 1e-3
    torch.testing.assert_close(model.said(image), expected, rtol=1e-4, atol=1e-5)


def test_networks_that_are_trained_alone_become_one(tmp_path):
    """Their encoders stay as they are; the decoder is new. It is written and read like any other."""
    first, second = made(ONE), made(replace(ONE, backbones=("efficientnet_lite_tiny",), first_trained="block0"))
    for weight in first.parameters():
        weight.data.mul_(1.1)
    joint = EMLNet.of([first, second]).eval()
    assert joint.config == replace(ONE, backbones=("resnet50_tiny", "efficientnet_lite_tiny"), first_trained="")
    image = torch.rand(1, 3, 64, 96)
    for number, alone in enumerate((first, second)):
        (of_alone,), of_joint = alone.features_read(alone.see(image)), joint.features_read(joint.see(image))[number]
        for one, other in zip(
            alone.encoders[0].reduced(of_alone), joint.encoders[number].reduced(of_joint), strict=True
        ):
            torch.testing.assert_close(one, other, rtol=0, atol=0)
    save_model(joint, tmp_path / "joint.safetensors")
    torch.testing.assert_close(load_model(tmp_path / "joint.safetensors").said(image), joint.said(image))


def test_networks_that_do_not_fit_together():
    with pytest.raises(FovealError, match="the same area and kernel"):
        EMLNet.of([EMLNet(ONE), EMLNet(replace(ONE, kernel=3))])
    with pytest.raises(FovealError, match="one network at least"):
        EMLNet.of([])


def test_what_a_trained_network_says_is_not_kept_for_the_installed_one():
    size, usual = (64, 96), {(64, 96): Viewing()}
    joint = EMLNet.of([EMLNet(ONE), EMLNet(ONE)])
    joint.encoders[1].encoder.steps[0][0].weight.data.mul_(1.1)
    depend_on = [source.features_depend_on for source, _ in joint.sources(usual)]
    assert depend_on[0] != depend_on[1]
    installed = EMLNet(joint.config)
    installed.load_pretrained()
    assert all("weights" not in source.features_depend_on for source, _ in installed.sources({size: Viewing()}))


def test_reductions_that_stay_as_they_are_say_what_they_will_say_in_the_end():
    """Their normalisations do not go by the batch."""
    model = made().train()
    groups = model.parameter_groups()
    for weight in groups["reductions"]:
        weight.requires_grad_(False)
    model.train()
    (of_first, _), image = model.features_read(model.see(torch.rand(3, 3, 64, 64))), model.encoders[0]
    in_training = image.reduced(of_first)
    model.eval()
    for one, other in zip(in_training, image.reduced(of_first), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("first", ["stem", "layer3_0", ""])
def test_what_is_kept_of_an_image_says_the_same_as_the_image(first):
    config = replace(EMLNet.tiny, backbones=("resnet50_tiny", "resnet50_tiny"))
    image, viewing = torch.rand(2, 3, 60, 80), Viewing(zoom=1.3)
    expected = made(config).said(image, viewing)
    model = made(replace(config, first_trained=first))
    seen = model.see(image)
    assert set(seen) == set(model.frozen_layers)
    assert (f"{IMAGE}@1" in seen) == (first == "stem")
    torch.testing.assert_close(model.said(image, viewing), expected)


def test_a_network_with_branches():
    """Traced by torchvision's names; its lower layers are kept like those of others."""
    config = replace(EMLNet.tiny, backbones=("resnet18",), first_trained="layer4")
    model = made(config)
    seen = model.see(torch.rand(1, 3, 64, 64))
    assert list(seen) == [f"{layer}@0" for layer in ("relu", "layer1", "layer2", "layer3")]
    assert model(seen, (64, 64)).shape == (1, 32, 32)
    assert model.parameter_groups()["backbone"]


@pytest.mark.parametrize("size", [(7, 300), (300, 7), (1, 1), (80, 60)])
def test_images_of_any_shape(size):
    model = EMLNet(EMLNet.tiny).train()  # by the batch, which needs several values
    grid, said = model.cells(size), model.said(torch.rand(1, 3, *size))
    assert said.shape[1:] == (grid.rows.length, grid.columns.length)
    assert said.isfinite().all()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"backbones": ()}, "backbones: .. .needs a list of backbones"),
        ({"area": 4_095}, "area: 4095 .needs a whole number from 4096 on"),
        ({"kernel": 2}, "kernel: 2 .needs an odd number"),
    ],
)
def test_configurations_that_cannot_be(config, message):
    with pytest.raises(FovealError, match=message):
        replace(EMLNet.tiny, **config).completed()
