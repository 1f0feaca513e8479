"""What is said of patches of an image, against patches that are cut out first."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from foveal.models.parts.patch_scanning import patch_values


def stages():
    torch.manual_seed(0)
    layers = (nn.Conv2d(3, 4, 7), nn.Conv2d(4, 5, 3), nn.Conv2d(5, 6, 3))
    return [nn.Sequential(layer, nn.ReLU()) for layer in layers]


@pytest.mark.parametrize("starts", [[0, 8, 16, 24], [0, 5, 10, 15, 20, 25], [3, 6, 9, 12, 15, 18, 21, 24], [13]])
@pytest.mark.parametrize(("patch", "side"), [(26, 1), (42, 3)])
def test_every_patch_has_the_values_that_it_has_alone(starts, patch, side):
    """At steps of 8 px all are pooled alike; at 5 and 3 px in all pairings that there are."""
    network, image = stages(), torch.rand(2, 3, 70, 75)
    columns = [start + 6 for start in starts[1:]] + [2]
    found = patch_values(image, network, starts, columns, side)
    assert found.shape == (2, 6, len(starts), len(columns), side, side)
    for number, row in enumerate(starts):
        for other, column in enumerate(columns):
            values = image[:, :, row : row + patch, column : column + patch]
            for stage in network:
                values = F.max_pool2d(stage(values), 2)
            torch.testing.assert_close(found[:, :, number, other], values, rtol=1e-5, atol=1e-5)


def test_gradients_are_those_of_the_patches():
    network, image = stages(), torch.rand(1, 3, 40, 40)
    starts = [0, 3, 7]
    patch_values(image, network, starts, starts, 1).square().sum().backward()
    found = [layer[0].weight.grad.clone() for layer in network]
    for layer in network:
        layer.zero_grad()
    for row in starts:
        for column in starts:
            values = image[:, :, row : row + 26, column : column + 26]
            for stage in network:
                values = F.max_pool2d(stage(values), 2)
            values.square().sum().backward()
    for layer, gradient in zip(network, found, strict=True):
        torch.testing.assert_close(layer[0].weight.grad, gradient, rtol=1e-4, atol=1e-4)
