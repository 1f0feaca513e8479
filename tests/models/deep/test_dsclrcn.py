"""DSCLRCN: its weights, its parts in their order, the scene, and what is kept of an image."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from foveal.errors import FovealError
from foveal.models.deep.dsclrcn import DSCLRCN, DSCLRCNConfig
from foveal.models.deep.network import BACKBONE, IMAGE, READOUT
from foveal.models.parts.geometry import Axis, Grid, resample
from foveal.models.parts.sizes import Viewing
from foveal.models.parts.working_size import resized


@pytest.fixture
def model():
    torch.manual_seed(0)
    return DSCLRCN(DSCLRCN.tiny).eval()


def test_it_has_as_many_weights_as_its_layers_say():
    """About 30.3 million convolutions and matrices with Caffe's AlexNet, where some layers see half of the features."""
    with torch.device("meta"):
        groups = DSCLRCN().parameter_groups()
    rows, columns = 4 * 128 * (512 + 128 + 128 + 1), 4 * 128 * (256 + 128 + 128 + 1)
    convolutions = 1025 * 512 + 2049 * 512 + 1025 * 512 + 257
    of_new = convolutions + (256 * 6 * 6 + 1) * 128 + rows + 3 * columns + 4  # four lengths
    assert sum(weight.numel() for weight in groups[READOUT]) == of_new == 4_460_421
    of_encoder = sum(weight.numel() for weight in groups[BACKBONE])
    assert of_encoder == 23_454_912  # ResNet-50 without normalisations and classifier
    grouped = 34_944 + 307_456 + 885_120 + 663_936 + 442_624  # AlexNet of Caffe
    assert (of_new + of_encoder + grouped) / 1e6 == pytest.approx(30.3, abs=0.06)


def test_its_parts_one_after_the_other(model):
    image = torch.rand(2, 3, 32, 48)  # as it is seen
    lengths = []
    for maps, (layer, norm) in zip(model.encoder(image, ["layer3_5", "layer4_2"]).values(), model.levels, strict=True):
        reduced = F.conv2d(maps, layer.weight, layer.bias)
        lengths.append(norm.scale * reduced / reduced.square().sum(dim=(1, 2, 3), keepdim=True).sqrt())
    assert lengths[0].shape == (2, 8, 4, 6)
    layer, norm = model.local
    local = F.conv2d(torch.cat(lengths, dim=1), layer.weight, layer.bias)
    local = norm.scale * local / local.square().sum(dim=(1, 2, 3), keepdim=True).sqrt()
    square = resized(image, (32, 32), "bilinear")
    scene = F.linear(model.scene_network(square, ["pool5"])["pool5"].flatten(1), *model.scene[1].parameters())
    scene = 9 * scene / scene.square().sum(dim=1, keepdim=True).sqrt()
    first, second = model.lstms
    said = F.conv2d(second(first(local, scene), scene), *model.readout.parameters()).sigmoid()[:, 0]
    lie = Grid(Axis(4, 0.0, 8.0), Axis(6, 0.0, 8.0))  # as ResNet's convolutions of step two have it
    expected = resample(said, lie, Grid.over((32, 48), (8, 12)))
    torch.testing.assert_close(model.said(image), expected, rtol=1e-4, atol=1e-5)


def test_the_scene_is_the_whole_image_and_changes_the_map(model):
    image = torch.rand(1, 3, 32, 48)
    seen = model.see(image)
    assert seen["scene"].shape == (1, 3, 32, 32)
    other = model({IMAGE: seen[IMAGE], "scene": seen["scene"].flip(1)}, (32, 48))
    assert (model.said(image) - other).abs().max() > 1e-4


def test_the_network_of_the_scene_stays_as_it_is(model):
    model.train()
    groups = model.parameter_groups()
    of_scene = {id(weight) for weight in model.scene_network.parameters()}
    assert len(of_scene) == 26
    assert not any(id(weight) in of_scene for weights in groups.values() for weight in weights)
    model.said(torch.rand(1, 3, 32, 48)).sum().backward()
    assert not any(weight.grad is not None for weight in model.scene_network.parameters())
    assert all(weight.grad is not None for weight in groups[READOUT])


def test_the_network_of_the_scene_can_be_another_one():
    config = replace(DSCLRCN.tiny, context_backbone="alexnet", context_side=64)
    assert DSCLRCN(config).scene[1].in_features == 256
    with pytest.raises(FovealError, match="no backbone 'places'"):
        DSCLRCN(replace(DSCLRCN.tiny, context_backbone="places"))


def test_the_papers_is_shown_as_many_px_as_alexnets():
    assert DSCLRCN(replace(DSCLRCN.tiny, context_backbone="alexnet", context_side=227)).scene[1].in_features == 9216
    assert DSCLRCNConfig().context_side == 227


@pytest.mark.parametrize("first", ["stem", "layer3_5", "layer4_0", "layer4_2", ""])
def test_what_is_kept_of_an_image_says_the_same_as_the_image(model, first):
    image = torch.rand(2, 3, 60, 80)
    expected = model.said(image, Viewing(zoom=1.3))
    again = DSCLRCN(replace(DSCLRCN.tiny, first_trained=first)).eval()
    again.load_state_dict(model.state_dict())
    assert again.keeps_features == (first != "stem")
    seen = again.see(image)
    assert set(seen) == set(again.frozen_layers)
    grids = again.grids((60, 80), again.frozen_layers)
    assert {layer: maps.shape[2:] for layer, maps in seen.items()} == {
        layer: (grid.rows.length, grid.columns.length) for layer, grid in grids.items()
    }
    torch.testing.assert_close(again.said(image, Viewing(zoom=1.3)), expected)


def test_what_is_kept_depends_on_how_the_scene_is_shown():
    viewings = {(60, 80): Viewing()}
    kept = [
        repr(DSCLRCN(replace(DSCLRCN.tiny, first_trained="", **other)).sources(viewings)[0][0].features_depend_on)
        for other in ({}, {"context_side": 64}, {"hidden": 8})
    ]
    assert kept[0] != kept[1]
    assert kept[0] == kept[2]


@pytest.mark.parametrize("size", [(7, 300), (300, 7), (1, 1), (80, 60)])
def test_images_of_any_shape(model, size):
    grid, said = model.cells(size), model.said(torch.rand(1, 3, *size))
    assert said.shape[1:] == (grid.rows.length, grid.columns.length)
    assert said.isfinite().all()
    assert (said.min() > 0, said.max() < 1) == (True, True)


def test_a_layer_that_is_not_there():
    with pytest.raises(FovealError, match="no layer 'layer9'"):
        DSCLRCN(replace(DSCLRCN.tiny, first_trained="layer9"))
