"""Learned Gaussians: value by value, where the paper's axes and the code's bounds say."""

import math

import pytest
import torch

from foveal.models.parts.gaussian_priors import GaussianPriors


def test_value_by_value():
    part = GaussianPriors(2)
    part.means.data = torch.tensor([[0.4, 0.6], [0.9, 0.5]])  # the second x is beyond its bound
    part.deviations.data = torch.tensor([[0.2, 0.3], [0.5, 0.1]])  # the second y deviation is below its bound
    found = part((3, 5))
    bounded = [((0.4, 0.6), (0.2, 0.3)), ((0.75, 0.5), (0.5, 0.2))]
    for gaussian, ((mean_x, mean_y), (deviation_x, deviation_y)) in zip(found, bounded, strict=True):
        values = [
            [
                math.exp(
                    -((column / 4 - mean_x) ** 2) / (2 * deviation_x**2)
                    - (0.2 + 0.3 * row - mean_y) ** 2 / (2 * deviation_y**2)  # y from (1 - 3/5)/2 to (1 + 3/5)/2
                )
                for column in range(5)
            ]
            for row in range(3)
        ]
        torch.testing.assert_close(gaussian, torch.tensor(values) / max(map(max, values)), rtol=1e-4, atol=1e-6)


def test_all_of_their_numbers_can_be_learned():
    part = GaussianPriors(4)
    part.means.data.fill_(0.5)
    part.deviations.data.fill_(0.3)  # within the bounds, beyond which nothing is learned
    part((6, 8)).square().sum().backward()
    assert (part.means.grad.shape, part.deviations.grad.abs().min() > 0) == ((4, 2), True)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (30, 40)])
def test_their_highest_value_is_one(shape):
    torch.manual_seed(0)
    torch.testing.assert_close(GaussianPriors(3)(shape).amax(dim=(1, 2)), torch.ones(3))
