"""Convolutions that know where they are: value by value."""

import math

import pytest
import torch
from torch.nn import functional as F

from foveal.models.parts.location_biased import LocationBiasedConv, location_maps


def gaussian(x: float, deviation: float) -> float:
    return math.exp(-(x**2) / (2 * deviation**2)) / math.sqrt(2 * math.pi * deviation**2)


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (7, 1)])
def test_maps_value_by_value(shape):
    rows, columns = shape
    expected = [
        [
            [
                gaussian((row + 0.5) * 14 / rows - 7, of_rows) * gaussian((column + 0.5) * 14 / columns - 7, of_columns)
                for column in range(columns)
            ]
            for row in range(rows)
        ]
        for of_rows in (1, 2, 3, 4)
        for of_columns in (1, 2, 3, 4)
    ]
    torch.testing.assert_close(location_maps(shape), torch.tensor(expected), rtol=1e-5, atol=1e-7)


def test_maps_of_fourteen_cells_sum_to_one_but_for_what_is_cut_off():
    sums = location_maps((14, 14)).sum(dim=(1, 2))
    assert sums[0] == pytest.approx(1, abs=1e-4)
    assert sums[-1] == pytest.approx(math.erf(7 / 4 / math.sqrt(2)) ** 2, abs=0.01)


def test_they_stretch_with_the_map():
    torch.testing.assert_close(location_maps((30, 42))[:, 1::3, 1::3], location_maps((10, 14)), rtol=1e-5, atol=1e-7)


def test_it_is_what_slow_sums_say():
    torch.manual_seed(0)
    part = LocationBiasedConv(3)
    features = torch.randn(2, 3, 13, 8)
    seen = F.pad(torch.cat([features, location_maps((13, 8))[None].expand(2, -1, -1, -1)], dim=1), (12,) * 4)
    weight, bias = part.convolution.weight, part.convolution.bias
    total = bias[None, :, None, None].expand(2, 3, 13, 8)
    for row in range(5):
        for column in range(5):
            moved = seen[:, :, 6 * row : 6 * row + 13, 6 * column : 6 * column + 8]
            total = total + torch.einsum("of,bfhw->bohw", weight[:, :, row, column], moved)
    torch.testing.assert_close(part(features), total.relu(), rtol=1e-5, atol=1e-5)


def test_what_the_maps_add_depends_on_the_place_alone():
    """A field for each feature, the same for every image: the paper's second sum."""
    torch.manual_seed(0)
    part = LocationBiasedConv(2)
    weight, bias = part.convolution.weight, part.convolution.bias
    field = F.conv2d(location_maps((6, 9))[None], weight[:, 2:], padding=12, dilation=6)
    for image in torch.randn(3, 1, 2, 6, 9):
        plain = F.conv2d(image, weight[:, :2], bias, padding=12, dilation=6)
        torch.testing.assert_close(part(image), (plain + field).relu(), rtol=1e-5, atol=1e-5)
    assert field.std(dim=(2, 3)).min() > 1e-3
