"""The two operators that promote maps with few peaks, against loops over pixels and a plain convolution."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from foveal.models.parts.map_normalization import normalized_by_competition, normalized_by_peaks, scaled


def bumps(*places, height=1.0, size=(24, 40)):
    """One smooth bump of the full height, and others of `height`."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    found = np.zeros(size)
    for number, (y, x) in enumerate(places):
        found += (height if number else 1) * np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 8)
    return torch.from_numpy(found).float()


def test_peaks_are_those_of_a_loop():
    values = torch.rand(12, 17)
    unit = ((values - values.min()) / (values.max() - values.min())).numpy()
    peaks = [
        unit[y, x]
        for y in range(1, 11)
        for x in range(1, 16)
        if unit[y, x] >= max(0.1, unit[y - 1, x], unit[y + 1, x], unit[y, x - 1], unit[y, x + 1])
    ]
    assert len(peaks) > 1
    np.testing.assert_allclose(normalized_by_peaks(values), unit * (1 - np.mean(peaks)) ** 2, rtol=1e-4)


@pytest.mark.parametrize("normalized", [normalized_by_peaks, normalized_by_competition])
def test_one_peak_counts_for_more_than_several(normalized):
    one = bumps((12, 10))
    several = bumps((12, 10), (6, 22), (18, 34), (5, 35), (18, 20), height=0.9)
    maps = normalized(torch.stack([one, several, 7 * several]))
    assert maps[0].max() > 1.3 * maps[1].max()
    torch.testing.assert_close(maps[1], maps[2])  # whatever their units


def test_competition_is_a_difference_of_gaussians_ten_times_over():
    maps = bumps((30, 40), (30, 30), height=0.8, size=(60, 70))
    expected = maps.double().numpy()
    expected = (expected - expected.min()) / (expected.max() - expected.min())
    for _ in range(10):
        near = ndimage.gaussian_filter(expected, 0.02 * 70, mode="constant", truncate=8)
        far = ndimage.gaussian_filter(expected, 0.25 * 70, mode="constant", truncate=8)
        expected = np.maximum(0, expected + 0.25 * near - 2.25 * far - 0.02)
    found = normalized_by_competition(maps)
    assert np.corrcoef(found.numpy().ravel(), expected.ravel())[0, 1] > 0.995  # theirs ends at the border


@pytest.mark.parametrize("normalized", [scaled, normalized_by_peaks, normalized_by_competition])
def test_a_constant_map_has_nothing_salient(normalized):
    assert normalized(torch.full((2, 9, 9), 0.3) + 1e-7 * torch.rand(2, 9, 9)).abs().max() == 0
    assert normalized(torch.ones(1, 1)).abs().max() == 0
