"""The gist of a scene, on gratings whose orientation, scale and place are known."""

import numpy as np
import pytest
import torch

from foveal.gaze.maps import gaussian_blur
from foveal.models.parts.frequencies import log_gabor_amplitudes
from foveal.models.parts.gist import N_NUMBERS, gist


def grating(period: float, degrees: float) -> torch.Tensor:
    y, x = np.mgrid[:128, :128]
    angle = np.radians(degrees)
    wave = 0.5 + 0.4 * np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / period)
    return torch.from_numpy(wave).float().expand(1, 3, -1, -1)


@pytest.mark.parametrize(("period", "scale"), [(4, 0), (8, 1), (16, 2)])
@pytest.mark.parametrize(("degrees", "orientation"), [(0, 0), (45, 2), (90, 4)])
def test_the_filter_of_a_grating_answers_most(period, scale, degrees, orientation):
    by_filter = gist(grating(period, degrees)).view(8, 4, 16).mean(dim=2)
    assert divmod(int(by_filter.argmax()), 4) == (orientation, scale)


def test_a_part_answers_to_what_is_in_it():
    images = torch.full((1, 3, 128, 128), 0.5)
    images[..., :64, 64:] = grating(8, 0)[..., :64, 64:]
    parts = gist(images).view(8, 4, 4, 4)[0, 1]
    assert parts[:2, 2:].min() > 2 * parts[2:].max()
    assert parts[:2, 2:].min() > 2 * parts[:2, 0].max()


def test_numbers_are_one_on_average_whatever_the_contrast():
    strong = grating(8, 30)
    weak = 0.5 + (strong - 0.5) / 2
    both = gist(torch.cat([strong, weak]))
    assert both.shape == (2, N_NUMBERS)
    torch.testing.assert_close(both.mean(dim=1), torch.ones(2))
    assert (both[0] - both[1]).abs().max() < 0.25 * both.max()
    torch.testing.assert_close(gist(weak)[0], both[1])


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (300, 7)])
def test_any_size(size):
    assert torch.isfinite(gist(torch.rand(1, 3, *size))).all()


def test_every_number_is_a_mean_over_a_part():
    """Of an image of the size at which it is seen: filter by filter and part by part, px by px."""
    image = torch.rand(1, 3, 128, 128, generator=torch.Generator().manual_seed(0))
    logarithm = torch.log1p(255 * image.mean(dim=1))
    contrast = logarithm - gaussian_blur(logarithm, 6.0)
    even = contrast / (0.2 + gaussian_blur(contrast**2, 6.0).sqrt())
    numbers = []
    for orientation in log_gabor_amplitudes(even, [4.0, 8.0, 16.0, 32.0], 0.55, 8, 15.0):
        for scale in orientation[0].double().numpy():
            for top in range(0, 128, 32):
                for left in range(0, 128, 32):
                    pixels = [scale[top + y, left + x] for y in range(32) for x in range(32)]
                    numbers.append(np.sqrt(sum(pixels) / 32**2))
    np.testing.assert_allclose(gist(image)[0], np.array(numbers) / np.mean(numbers), rtol=1e-4, atol=1e-5)
