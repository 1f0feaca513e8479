"""Mr-CNN: as many weights as its layers have, and a grid of patches, each as if it was the only one."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from foveal.errors import FovealError
from foveal.models.deep.mrcnn import MrCNN, MrCNNConfig
from foveal.models.parts.working_size import resized
from foveal.training.recipe import read_recipe
from foveal.training.runs.prepare import network_of

TINY = MrCNN.tiny


def test_it_has_as_many_weights_as_published():
    """Three streams, each of three convolutions and a layer from 288 x 3 x 3 to 512; from 1,536 to 512 to 1."""
    convolutions = (7 * 7 * 3 + 1) * 96 + (9 * 96 + 1) * 160 + (9 * 160 + 1) * 288
    stream = convolutions + (9 * 288 + 1) * 512
    expected = 3 * stream + (3 * 512 + 1) * 512 + 513
    assert expected == 6_473_153  # "6.47 M"
    with torch.device("meta"):
        assert sum(weight.numel() for weight in MrCNN().parameters()) == expected


def test_its_recipe_trains_a_smaller_one():
    model = network_of(read_recipe("mr-cnn"))
    assert sum(weight.numel() for weight in model.parameters()) < 6_473_153 / 10
    assert read_recipe("mr-cnn").losses == {"patches": 1.0}


@pytest.mark.parametrize("config", [TINY, replace(TINY, sides=(40, 25, 15), patch=42, grid=10)])
def test_a_place_is_what_is_said_of_the_patches_around_it(config):
    """Cut out one by one, with the nearest color beyond the border, at all places of the grid."""
    torch.manual_seed(0)
    n = config.grid
    model = MrCNN(config).eval()
    for weight in model.parameters():  # biases are not 0, and differences are large
        weight.data = torch.randn_like(weight) * (2 / weight[0].numel()) ** 0.5
    image = resized(torch.rand(1, 3, 6, 8), (60, 80))
    found = model.said(image)[0]
    seen = [F.interpolate(image, (side, side), mode="bilinear", antialias=True)[0] for side in config.sides]
    for row in range(n):
        for column in range(n):
            said = []
            for stream, pixels in zip(model.streams, seen, strict=True):
                side = pixels.shape[1]
                first = [int((number + 0.5) * side / n) - config.patch // 2 for number in (row, column)]
                y, x = (np.arange(start, start + config.patch).clip(0, side - 1) for start in first)
                values = 2 * pixels[None][:, :, y][:, :, :, x] - 1
                for convolution in stream.convolutions:
                    values = F.max_pool2d(F.relu(F.conv2d(values, convolution[0].weight, convolution[0].bias)), 2)
                said.append(F.relu(stream.hidden(values.flatten())))
            expected = torch.sigmoid(model.readout(F.relu(model.joint(torch.cat(said)))))[0]
            torch.testing.assert_close(found[row, column], expected, rtol=1e-4, atol=1e-5)
    assert found.std() > 0.01


def test_a_stream_sees_more_of_the_image_where_the_image_is_smaller():
    """What a change of one px of the image changes: few places of the first stream, most of the last."""
    torch.manual_seed(0)
    model = MrCNN(MrCNNConfig(sides=(160, 40), patch=26, channels=(4, 4, 4), hidden=4, grid=20)).eval()
    image = torch.rand(1, 3, 160, 160)
    other = image.clone()
    other[..., 80:84, 80:84] = 0
    changed = []
    for number, stream in enumerate(model.streams):
        before, after = (stream(model.see(images)[str(number)], 20) for images in (image, other))
        changed.append(int((before != after).any(dim=3).sum()))
    assert 0 < changed[0] <= 6**2  # patches of 26 px at steps of 8
    assert changed[1] > 8**2  # of 26 at steps of 2


@pytest.mark.parametrize("size", [(7, 300), (300, 7), (1, 1), (80, 60)])
def test_images_of_any_shape(size):
    model = MrCNN(TINY).eval()
    grid, said = model.cells(size), model.said(torch.rand(1, 3, *size))
    assert said.shape[1:] == (grid.rows.length, grid.columns.length) == (8, 8)
    assert said.isfinite().all()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"patch": 40}, "patch: 40 .*26, 34, 42"),
        ({"patch": 18}, "patch: 18 "),
        ({"sides": ()}, "sides: .*at least one"),
        ({"channels": (4, 4)}, "channels: .*three"),
        ({"dropout": 1.0}, "dropout: "),
    ],
)
def test_configurations_that_cannot_be(config, message):
    with pytest.raises(FovealError, match=message):
        replace(TINY, **config).completed()
