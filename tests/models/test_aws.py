"""Adaptive whitening: its steps against slow ones, and the odd one out."""

import numpy as np
import pytest
import torch
from toy import odd_one_out

from foveal.models.classical.aws import (
    NO_COLOUR,
    AdaptiveWhiteningSaliency,
    log_gabor_amplitudes,
    whitened,
)
from foveal.models.parts.color import to_lab


def test_the_squared_length_is_the_mahalanobis_distance():
    maps = torch.rand(2, 4, 9, 11, generator=torch.Generator().manual_seed(0))
    maps[:, 1] += 2 * maps[:, 0]
    found = whitened(maps, 1e-9).square().sum(dim=1)
    for one, distances in zip(maps.double().numpy(), found, strict=True):
        values = one.reshape(4, -1)
        centered = values - values.mean(axis=1, keepdims=True)
        expected = (centered * (np.linalg.inv(np.cov(values, bias=True)) @ centered)).sum(axis=0)
        np.testing.assert_allclose(distances.flatten(), expected, rtol=1e-3)


def test_whitened_channels_come_by_their_variance():
    maps = torch.randn(1, 3, 40, 50) * torch.tensor([1.0, 5.0, 2.0])[:, None, None]
    for channel, of in zip(whitened(maps, 1e-9)[0], (1, 2, 0), strict=True):
        correlation = torch.corrcoef(torch.stack([channel.flatten(), maps[0, of].flatten()]))[0, 1]
        assert correlation.abs() > 0.95
        assert channel.std() == pytest.approx(1, abs=1e-2)


def test_a_gray_image_has_one_component():
    gray = torch.rand(1, 1, 30, 40).expand(1, 3, -1, -1)
    components = whitened(to_lab(gray), NO_COLOUR)
    assert components[:, 0].std() == pytest.approx(1, abs=1e-2)
    assert components[:, 1:].abs().max() == 0


@pytest.mark.parametrize("number", range(4))
def test_a_filter_answers_to_its_own_grating(number):
    """A complex filter's amplitude for a grating is half of what it passes of that frequency."""
    rows, columns = np.mgrid[:90, :100]
    angle, period = np.pi * number / 4, 8.0
    grating = np.cos(2 * np.pi / period * (columns * np.cos(angle) + rows * np.sin(angle)))
    periods = [6.0, 8.0, 12.0]
    amplitudes = list(log_gabor_amplitudes(torch.from_numpy(grating)[None].float(), periods, 0.75, 4, 37.5))
    for orientation, found in enumerate(amplitudes):
        turn = 45 * min((orientation - number) % 4, (number - orientation) % 4)
        # Across, a filter passes both halves of the grating's spectrum, which interfere: the mean of |cos|.
        angular = np.exp(-(turn**2) / (2 * 37.5**2)) * (4 / np.pi if turn == 90 else 1)
        for at_period, map_of in zip(periods, found[0], strict=True):
            radial = np.exp(-(np.log(at_period / period) ** 2) / (2 * np.log(0.75) ** 2))
            assert float(map_of[35:55, 40:60].mean()) == pytest.approx(radial * angular / 2, abs=0.01)


@pytest.mark.parametrize("differs_in", ["colour", "orientation"])
def test_the_odd_one_out(differs_in):
    image, places = odd_one_out(differs_in)
    saliency = AdaptiveWhiteningSaliency().saliency_map_of([image])[0]
    around = [float(saliency[y - 16 : y + 17, x - 16 : x + 17].mean()) for y, x in places]
    assert max(around) == around[4]
    assert around[4] > 1.2 * sorted(around)[-2]
