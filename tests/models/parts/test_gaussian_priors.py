"""Learned Gaussians: value by value, where the paper's axes and the code's bounds say."""

import math

import pytest
import torch

from foveal.models.parts.gaussian_priors import GaussianPriors, UnboundedGaussians


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


def test_unbounded_gaussians_value_by_value():
    """On 3 rows and 5 columns; those that are wide along one axis tell which deviation is whose."""
    part = UnboundedGaussians()
    grid = [(y, x, -1.5, -1.5) for y in (0.25, 0.5, 0.75) for x in (0.25, 0.5, 0.75)]
    wide_in_y = [(0.5, x, 0.0, -1.5) for x in (0.25, 0.5, 0.75)]
    wide_in_x = [(y, 0.5, -1.5, 0.0) for y in (0.25, 0.5, 0.75)]
    expected = [
        [
            [
                6
                * math.exp(-((row / 2 - y) ** 2) / (2 * math.exp(log_y) ** 2))
                * math.exp(-((column / 4 - x) ** 2) / (2 * math.exp(log_x) ** 2))
                for column in range(5)
            ]
            for row in range(3)
        ]
        for y, x, log_y, log_x in [*grid, *wide_in_y, *wide_in_x, (0.5, 0.5, 0.0, 0.0)]
    ]
    torch.testing.assert_close(part((3, 5)), torch.tensor(expected), rtol=1e-5, atol=1e-6)


def test_an_only_row_is_in_the_middle():
    part = UnboundedGaussians()
    torch.testing.assert_close(part((1, 7)), part((3, 7))[:, [1]])
    torch.testing.assert_close(part((7, 1)), part((7, 3))[..., [1]])


def test_all_numbers_of_unbounded_gaussians_can_be_learned():
    part = UnboundedGaussians()
    part((6, 8)).square()[:, 1:].sum().backward()  # not symmetric, or means in the middle would stay there
    assert part.log_deviations.grad.abs().min() > 0
    assert part.means.grad[:, 0].abs().min() > 0
