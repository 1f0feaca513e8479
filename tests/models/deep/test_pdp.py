"""PDP: its layers, its target, and images of any shape."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from foveal.errors import FovealError
from foveal.models.deep.network import BACKBONE, READOUT
from foveal.models.deep.pdp import PDP, PDPConfig
from foveal.models.parts.sizes import Viewing
from foveal.training.recipe import read_recipe


def test_it_has_sixteen_convolutions_with_ever_fewer_channels_in_the_new_ones():
    with torch.device("meta"):
        model = PDP()
    convolutions = [part for part in model.modules() if isinstance(part, nn.Conv2d)]
    assert [part.out_channels for part in convolutions[-4:]] == [512, 32, 8, 1]
    assert len(convolutions) == 16
    weights = sum(weight.numel() for weight in model.parameters())
    assert weights == 14_714_688 + (512 * 9 + 1) * 32 + (32 * 9 + 1) * 8 + 8 * 9 + 1


def test_the_first_four_convolutions_stay_as_they_are():
    model = PDP(PDPConfig(backbone="vgg16_tiny"))
    groups = model.parameter_groups()
    trained = {id(weight) for group in (READOUT, BACKBONE) for weight in groups[group]}
    frozen = [name for name, weight in model.named_parameters() if id(weight) not in trained]
    layers = ["conv1_1", "conv1_2", "conv2_1", "conv2_2"]
    assert frozen == [f"encoder.steps.{layer}.{kind}" for layer in layers for kind in ("weight", "bias")]


def test_it_says_what_its_layers_say_one_after_the_other():
    torch.manual_seed(0)
    model = PDP(PDP.tiny).eval()
    image = torch.rand(2, 3, 48, 64)  # as it is seen
    maps = model.encoder(image, ["relu5_3"])["relu5_3"]
    for layer in model.convolutions[::2]:
        maps = F.relu(F.conv2d(maps, layer.weight, layer.bias, padding=1))
    torch.testing.assert_close(model.said(image), maps[:, 0])
    assert maps.shape == (2, 1, 3, 4)
    assert maps.amax() > 0


def test_an_image_keeps_its_shape():
    model = PDP()
    assert model.seen_size((480, 640)) == (480, 640)
    assert model.seen_size((640, 480)) == (640, 480)


def test_what_is_kept_of_an_image_says_the_same_as_the_image():
    torch.manual_seed(0)
    model = PDP(PDP.tiny).eval()
    image = torch.rand(2, 3, 60, 80)
    expected = model.said(image, Viewing(zoom=1.3))
    for first in ("conv1_1", "conv4_2", "relu5_3", ""):
        again = PDP(PDPConfig("vgg16_tiny", first, PDP.tiny.area, PDP.tiny.channels)).eval()
        again.load_state_dict(model.state_dict())
        assert again.keeps_features == (first != "conv1_1")
        assert set(again.see(image)) == set(again.frozen_layers)
        torch.testing.assert_close(again.said(image, Viewing(zoom=1.3)), expected)


@pytest.mark.parametrize("size", [(7, 300), (300, 7), (1, 1), (80, 60)])
def test_images_of_any_shape(size):
    model = PDP(PDP.tiny).eval()
    grid, said = model.cells(size), model.said(torch.rand(1, 3, *size))
    assert said.shape[1:] == (grid.rows.length, grid.columns.length)
    assert said.isfinite().all()


def test_a_layer_that_is_not_there():
    with pytest.raises(FovealError, match="no layer 'conv9'"):
        PDP(PDPConfig("vgg16_tiny", "conv9"))


def test_its_recipe_learns_by_its_own_loss():
    assert read_recipe("pdp").losses == {"pdp-bhattacharyya": 1.0}
