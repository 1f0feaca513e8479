"""RARE2012: its steps against slow ones, and the odd one out."""

import numpy as np
import pytest
import torch
from scipy import signal
from toy import odd_one_out

from foveal.models.classical.rare2012 import RARE2012, fused, gabor_amplitudes, principal_colors, rarity


def halved(values):
    """Along the first axis: a triangle over four pixels, its share outside left out."""
    length = len(values)
    distance = np.abs(np.arange(0.5, length, 2)[:, None] - np.arange(length))
    weights = np.clip(1 - distance / 2, 0, None)
    return weights / weights.sum(axis=1, keepdims=True) @ values


def doubled(values):
    return np.stack([np.interp(np.arange(len(v) * 2) / 2 - 0.25, np.arange(len(v)), v) for v in values.T], axis=1)


def slow_probability(values, bins):
    edges = np.linspace(values.min(), values.max(), bins + 1)
    counts, _ = np.histogram(values, edges)
    return (counts / values.size)[np.clip(np.digitize(values, edges) - 1, 0, bins - 1)]


def test_rarity_is_the_self_information_of_the_values():
    values = np.random.default_rng(0).normal(size=(12, 20))
    half = halved(halved(values).T).T
    coarse = doubled(doubled(slow_probability(half, 5)).T).T
    expected = -np.log((slow_probability(values, 5) + coarse) / 2)
    found = rarity(torch.from_numpy(values)[None, None].float(), 5, 2)[0, 0]
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5)


def test_the_filters_are_gabor_filters():
    values = np.random.default_rng(0).normal(size=(40, 44))
    rows, columns = np.mgrid[-20:21, -20:21]
    expected = np.zeros((4, *values.shape))
    for number in range(4):
        angle = np.pi * number / 4
        along = columns * np.cos(angle) + rows * np.sin(angle)
        for period in (4.0, 6.0):
            sigma = 0.56 * period
            envelope = np.exp(-(rows**2 + columns**2) / (2 * sigma**2)) / (2 * np.pi * sigma**2)
            wave = np.exp(2j * np.pi * along / period)
            expected[number] += np.abs(signal.convolve(values, envelope * wave, mode="same"))
    found = gabor_amplitudes(torch.from_numpy(values)[None].float(), (4.0, 6.0), 0.56, 4)[0].numpy()
    np.testing.assert_allclose(found[:, 14:-14, 14:-14], expected[:, 14:-14, 14:-14], atol=2e-3)


def test_the_principal_colours_are_uncorrelated():
    images = torch.rand(2, 3, 20, 30) * torch.tensor([1.0, 0.5, 0.2])[:, None, None]
    images[:, 1] += images[:, 0]
    for colors in principal_colors(images):
        covariance = torch.cov(colors.flatten(1))
        torch.testing.assert_close(covariance, covariance.diag().diag(), atol=1e-5, rtol=0)
    lengths = (images - images.mean(dim=(2, 3), keepdim=True)).norm(dim=1)
    torch.testing.assert_close(principal_colors(images).norm(dim=1), lengths)


def test_a_map_with_one_peak_counts_more_than_one_with_many():
    one, many, flat = torch.zeros(3, 8, 8)
    one[2, 3] = 5.0
    many[::2, ::2] = 1.0
    total = fused(torch.stack([many, flat, one])[None], 0.3)[0, 0]
    torch.testing.assert_close(total, one / 5 + 2 / 3 * many)
    without = fused(torch.stack([many, flat, one])[None], 0.9)[0, 0]
    torch.testing.assert_close(without, one / 5)


@pytest.mark.parametrize("differs_in", ["color", "orientation"])
def test_the_odd_one_out(differs_in):
    image, places = odd_one_out(differs_in)
    saliency = RARE2012().saliency_map_of([image])[0]
    around = [float(saliency[y - 16 : y + 17, x - 16 : x + 17].mean()) for y, x in places]
    assert max(around) == around[4]
    assert around[4] > 1.2 * sorted(around)[-2]


def test_gray_has_no_rare_colours():
    """The colors of a gray image are rounding, and add nothing."""
    gray = torch.rand(1, 1, 30, 40, generator=torch.Generator().manual_seed(0)).expand(1, 3, -1, -1)
    colors = principal_colors(gray)
    maps = rarity(colors, 11, 1)
    assert maps[0, :2].abs().max() == 0
    assert maps[0, 2].max() > 1
