"""Pooling by a norm, window by window."""

import numpy as np
import pytest
import torch

from foveal.models.parts.norm_pooling import norm_pooling


@pytest.mark.parametrize("size", [(12, 15), (7, 8), (1, 3)])
@pytest.mark.parametrize("width", [3, 5, 9])
@pytest.mark.parametrize("order", [1, 2, 10])
def test_every_window(size, width, order):
    maps = np.random.default_rng(0).normal(0, 1, (2, *size))
    around = width // 2
    padded = np.pad(maps, ((0, 0), (around, around), (around, around)))
    expected = np.array(
        [
            [
                [
                    np.sum(one[row : row + width, column : column + width] ** order) ** (1 / order if order > 1 else 1)
                    for column in range(0, size[1], 2)
                ]
                for row in range(0, size[0], 2)
            ]
            for one in padded
        ]
    )
    found = norm_pooling(torch.from_numpy(maps).float()[None], width, order)[0]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_a_high_order_is_near_the_highest_value():
    maps = torch.rand(1, 1, 9, 9)
    highest = torch.nn.functional.max_pool2d(maps, 3, stride=2, padding=1)
    assert (norm_pooling(maps, 3, 10) / highest).log().abs().max() < np.log(9) / 10 + 1e-6
