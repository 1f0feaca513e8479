"""SALICON: as many weights as published, what each stream sees, and how the two come together."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from foveal.errors import FovealError
from foveal.models.deep.network import IMAGE
from foveal.models.deep.salicon import SALICON
from foveal.models.parts.sizes import Viewing


def made(**changes):
    """A tiny network whose streams have different weights, and whose readout has larger ones than at its beginning."""
    torch.manual_seed(0)
    model = SALICON(replace(SALICON.tiny, **changes)).eval()
    nn.init.normal_(model.readout.weight, std=0.1)
    for stream in model.each_encoder:
        for weight in stream.encoder.parameters():
            weight.data.mul_(1 + 0.1 * torch.randn(()))
    return model


@pytest.fixture(scope="module")
def published():
    """The network as the paper has it, without the numbers, which take time."""
    with torch.device("meta"):
        return SALICON()


def test_it_has_as_many_weights_as_published(published):
    """Two times the convolutions of VGG-16, and one weight a feature: 29.4 M."""
    assert sum(weight.numel() for weight in published.parameters()) == 2 * 14_714_688 + 1_025


def test_it_sees_what_the_paper_shows_it(published):
    fine, coarse = published.each_encoder
    assert (fine.seen_size((600, 800)), coarse.seen_size((600, 800))) == ((600, 800), (300, 400))
    cells = published.cells((600, 800))
    assert (cells.rows.length, cells.columns.length) == (37, 50)


@pytest.mark.parametrize("size", [(480, 640), (640, 480), (100, 900), (1, 2000), (1, 1)])
def test_the_fine_image_is_twice_as_large_as_the_coarse_one(published, size):
    fine, coarse = (stream.seen_size(size) for stream in published.each_encoder)
    assert fine == (2 * coarse[0], 2 * coarse[1])
    if max(size) < 10 * min(size):
        assert fine[0] * fine[1] == pytest.approx(600 * 800, rel=0.05)
        assert fine[0] / fine[1] == pytest.approx(size[0] / size[1], rel=0.05)


def test_the_coarse_features_are_enlarged_and_read_with_the_fine_ones():
    """As torch resizes maps that cover the same image."""
    model = made(area=64 * 96)
    image = torch.rand(2, 3, 64, 96)
    small = F.interpolate(image, scale_factor=0.5, mode="bilinear", antialias=True)
    fine, coarse = (
        stream.encoder(pixels, ["relu5_3"])["relu5_3"]
        for stream, pixels in zip(model.each_encoder, (image, small), strict=True)
    )
    enlarged = F.interpolate(coarse, size=fine.shape[2:], mode="bilinear", align_corners=False)
    expected = F.conv2d(torch.cat([fine, enlarged], dim=1), model.readout.weight, model.readout.bias)[:, 0]
    said = model.said(image)
    assert said.shape == (2, 4, 6)
    density = expected.flatten(1).softmax(dim=1)
    found = said.flatten(1) / said.sum(dim=(1, 2))[:, None]
    torch.testing.assert_close(found, density, rtol=1e-4, atol=1e-6)


def test_each_stream_has_weights_of_its_own():
    model = made()
    image = torch.rand(1, 3, 64, 96)
    before = model.said(image)
    for number in (0, 1):
        other = made()
        nn.init.zeros_(other.each_encoder[number].encoder.steps[0].weight)
        assert not torch.allclose(other.said(image), before)
    ids = [id(weight) for stream in model.each_encoder for weight in stream.encoder.parameters()]
    assert len(set(ids)) == 2 * 26
    tensors = model.state_dict().values()
    assert len({tensor.data_ptr() for tensor in tensors}) == len(tensors)  # a file of weights shares none


@pytest.mark.parametrize("first", ["conv1_1", "conv3_2", "relu5_3", ""])
def test_what_is_kept_of_an_image_says_the_same_as_the_image(first):
    image, viewing = torch.rand(2, 3, 60, 80), Viewing(zoom=1.3)
    expected = made().said(image, viewing)
    model = made(first_trained=first)
    seen = model.see(image)
    assert set(seen) == set(model.frozen_layers)
    assert len(seen) == 2
    assert (f"{IMAGE}@0" in seen) == (first == "conv1_1") != model.keeps_features
    torch.testing.assert_close(model.said(image, viewing), expected)


def test_what_is_kept_of_the_streams_is_not_mixed_up():
    size = (60, 80)
    model = made(first_trained="conv5_1")
    kept = {name("pool4"): source.features_depend_on for source, name in model.sources({size: Viewing()})}
    assert list(kept) == ["pool4@0", "pool4@1"]
    assert kept["pool4@0"] != kept["pool4@1"]
    image = torch.rand(1, 3, *size)
    for source, name in model.sources({size: Viewing()}):
        assert torch.equal(source.features(image)["pool4"], model.see(image)[name("pool4")])
        grid = source.grids(size)["pool4"]
        assert tuple(source.features(image)["pool4"].shape[2:]) == (grid.rows.length, grid.columns.length)


def test_both_streams_are_trained():
    groups = made(first_trained="conv5_1").parameter_groups()
    assert sum(weight.numel() for weight in groups["readout"]) == 2 * 32 + 1
    assert len(groups["backbone"]) == 2 * 3 * 2  # three convolutions each, with biases
    assert "backbone" not in made(first_trained="").parameter_groups()


@pytest.mark.parametrize("size", [(7, 300), (300, 7), (1, 1), (80, 60)])
def test_images_of_any_shape(size):
    model = made()
    grid, said = model.cells(size), model.said(torch.rand(1, 3, *size))
    assert said.shape[1:] == (grid.rows.length, grid.columns.length)
    assert said.isfinite().all()
    assert said.max() == 1


def test_a_layer_that_is_not_there():
    with pytest.raises(FovealError, match="no layer 'conv9'"):
        made(first_trained="conv9")
