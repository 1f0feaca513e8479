"""Local normalization, place by place."""

import numpy as np
import pytest
import torch

from foveal.models.parts.local_normalization import EPSILON, local_normalization


def slowly(maps, width, subtracts_mean, threshold, stretch):
    _, height, columns = maps.shape
    around = width // 2
    padded = np.pad(maps, ((0, 0), (around, around), (around, around)))
    found = np.empty_like(maps)
    for row in range(height):
        for column in range(columns):
            window = padded[:, row : row + width, column : column + width]
            value, norm = maps[:, row, column], 0.0
            if subtracts_mean:
                value = value - window.mean()
                norm = np.sqrt(((window - window.mean()) ** 2).sum()) + EPSILON
            else:
                norm = np.sqrt((window**2).sum()) + EPSILON
            value, norm = value * stretch, norm * stretch
            found[:, row, column] = value / (1 if norm < threshold + EPSILON else norm)
    return found


@pytest.mark.parametrize("width", [3, 7, 9])
@pytest.mark.parametrize("subtracts_mean", [False, True])
@pytest.mark.parametrize(("threshold", "stretch"), [(1.0, 1.0), (10.0, 0.1), (0.1, 1.0), (1.0, 10.0)])
def test_every_place_by_what_is_around_it(width, subtracts_mean, threshold, stretch):
    """With places of both kinds: at the left, the norm is far below the threshold."""
    maps = np.random.default_rng(0).normal(0.2, 1, (4, 12, 24)) * np.geomspace(1e-3, 1e3, 24)
    given = torch.from_numpy(maps).float()[None]
    found = local_normalization(given, width, subtracts_mean=subtracts_mean, threshold=threshold, stretch=stretch)[
        0
    ].numpy()
    expected = slowly(maps, width, subtracts_mean, threshold, stretch)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    below = np.abs(expected[:, :, 0] / maps[:, :, 0]).mean()
    assert subtracts_mean or below == pytest.approx(stretch)


def test_what_is_normalized_does_not_depend_on_the_contrast():
    maps = 100 * torch.rand(1, 3, 8, 8)
    torch.testing.assert_close(local_normalization(maps, 5), local_normalization(2 * maps, 5), rtol=1e-5, atol=1e-6)
