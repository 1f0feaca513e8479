"""DeepFix: its widths, its parts in their order, and where its values lie."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from foveal.errors import FovealError
from foveal.models.backbones.backbone import Backbone
from foveal.models.deep.deepfix import DeepFix
from foveal.models.parts.geometry import Axis, Grid, resample
from foveal.models.parts.location_biased import location_maps
from foveal.models.parts.sizes import Viewing


def test_it_has_as_many_weights_as_its_layers_say():
    """VGG-16; two blocks of 512 features; two of 5 x 5 values of 512 features and 16 maps; one readout."""
    with torch.device("meta"):
        model = DeepFix()
    block = 2 * 513 * 128 + (128 * 9 + 1) * 256 + 513 * 32 + (32 * 9 + 1) * 64 + 513 * 64
    location_biased = ((512 + 16) * 25 + 1) * 512
    expected = 14_714_688 + 2 * block + 2 * location_biased + 513
    assert sum(weight.numel() for weight in model.parameters()) == expected == 29_221_505


def test_its_features_are_an_eighth_of_the_image_and_look_as_far_as_vgg_16s():
    model = DeepFix(DeepFix.tiny)
    features = model.encoder(torch.rand(1, 3, 48, 64), ["relu5_3", "pool5"])
    assert {maps.shape[2:] for maps in features.values()} == {(6, 8)}
    with_strides = Backbone("vgg16_tiny").receptive_field("relu5_3")
    assert model.encoder.receptive_field("relu5_3") == with_strides == 196


def test_its_parts_one_after_the_other():
    torch.manual_seed(0)
    model = DeepFix(DeepFix.tiny).eval()
    image = torch.rand(1, 3, 48, 64)  # as it is seen
    maps = model.inception(model.encoder(image, ["pool5"])["pool5"])
    for layer in model.location_biased:
        beside = torch.cat([maps, location_maps((6, 8))[None]], dim=1)
        convolution = layer.convolution
        maps = F.conv2d(beside, convolution.weight, convolution.bias, padding=12, dilation=6).relu()
    said = F.conv2d(maps, model.readout.weight, model.readout.bias)[:, 0]
    # pool4 and pool5 without strides look half a cell and a half further to the right and below.
    lie = Grid(Axis(6, 11.5, 8.0), Axis(8, 11.5, 8.0))
    torch.testing.assert_close(
        model.said(image), resample(said, lie, Grid.over((48, 64), (6, 8))), rtol=1e-5, atol=1e-6
    )
    assert said.std() > 0


def test_it_leaves_features_out_in_training_only():
    torch.manual_seed(0)
    model = DeepFix(DeepFix.tiny)
    image = torch.rand(1, 3, 48, 64)
    assert not torch.equal(model.train().said(image), model.said(image))
    assert torch.equal(model.eval().said(image), model.said(image))


def test_what_is_kept_of_an_image_says_the_same_as_the_image():
    torch.manual_seed(0)
    model = DeepFix(DeepFix.tiny).eval()
    image = torch.rand(2, 3, 60, 80)
    expected = model.said(image, Viewing(zoom=1.3))
    for first in ("conv1_1", "conv5_1", "pool5", ""):
        again = DeepFix(replace(DeepFix.tiny, first_trained=first)).eval()
        again.load_state_dict(model.state_dict())
        assert set(again.see(image)) == set(again.frozen_layers)
        torch.testing.assert_close(again.said(image, Viewing(zoom=1.3)), expected)


@pytest.mark.parametrize("size", [(7, 300), (300, 7), (1, 1), (80, 60)])
def test_images_of_any_shape(size):
    model = DeepFix(DeepFix.tiny).eval()
    grid, said = model.cells(size), model.said(torch.rand(1, 3, *size))
    assert said.shape[1:] == (grid.rows.length, grid.columns.length)
    assert said.isfinite().all()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"inception": (4, 4)}, "inception: .*six"),
        ({"dropout": 1.0}, "dropout: .*from 0 to less than 1"),
        ({"area": 0}, "area: 0"),
    ],
)
def test_configurations_that_cannot_be(config, message):
    with pytest.raises(FovealError, match=message):
        replace(DeepFix.tiny, **config).completed()


def test_a_layer_that_is_not_there():
    with pytest.raises(FovealError, match="no layer 'conv9'"):
        DeepFix(replace(DeepFix.tiny, first_trained="conv9"))
