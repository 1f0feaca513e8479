"""Adaptive whitening: against its definition in NumPy, gray images, and the odd one out."""

import numpy as np
import pytest
import torch
from scipy.fft import next_fast_len
from skimage.color import rgb2lab
from toy import odd_one_out

from foveal.models.classical.aws import NO_COLOUR, AdaptiveWhiteningConfig, AdaptiveWhiteningSaliency
from foveal.models.parts.color import to_lab
from foveal.models.parts.whitening import whitened


def squared_distances(responses):
    """Hotelling's T squared of every place, by the inverse of the covariance; responses are (response, place)."""
    centerd = responses - responses.mean(axis=1, keepdims=True)
    return (centerd * np.linalg.solve(np.cov(responses, bias=True), centerd)).sum(axis=0)


def slow_amplitude(component, period, radial_width, angle, angular_width):
    """Of one complex log-Gabor filter, frequency by frequency."""
    height, width = component.shape
    rows, columns = next_fast_len(height + 40), next_fast_len(width + 40)
    padded = np.pad(component, ((20, rows - height - 20), (20, columns - width - 20)), mode="edge")
    passed = np.zeros((rows, columns))
    for i, v in enumerate(np.fft.fftfreq(rows)):
        for j, u in enumerate(np.fft.fftfreq(columns)):
            if (i, j) != (0, 0):
                turn = (np.arctan2(v, u) - angle + np.pi) % (2 * np.pi) - np.pi
                octaves = np.log(np.hypot(u, v) * period) / np.log(radial_width)
                passed[i, j] = np.exp(-(octaves**2) / 2 - (turn / angular_width) ** 2 / 2)
    response = np.fft.ifft2(np.fft.fft2(padded) * passed)
    return np.abs(response)[20 : 20 + height, 20 : 20 + width]


def test_the_map_is_the_sum_of_the_distances_of_each_component_and_orientation():
    config = AdaptiveWhiteningConfig(working_side=30, scales=(3, 2, 2), orientations=3, blur=1e-4)
    pixels = np.random.default_rng(0).random((24, 30, 3)).astype(np.float32)
    colors = rgb2lab(pixels).reshape(-1, 3).T
    centerd = colors - colors.mean(axis=1, keepdims=True)
    variances, axes = np.linalg.eigh(np.cov(colors, bias=True))
    components = ((axes.T @ centerd) / np.sqrt(variances)[:, None])[::-1]  # the largest variance first
    expected = np.zeros(24 * 30)
    for component, n_scales in zip(components, (3, 2, 2), strict=True):
        for angle in np.pi / 3 * np.arange(3):
            amplitudes = [
                slow_amplitude(component.reshape(24, 30), 6 * 1.34**scale, 0.75, angle, np.radians(37.5)).ravel()
                for scale in range(n_scales)
            ]
            expected += squared_distances(np.stack(amplitudes))
    found = AdaptiveWhiteningSaliency(config).saliency_map(torch.from_numpy(pixels).permute(2, 0, 1)[None])
    np.testing.assert_allclose(found[0].flatten(), expected, rtol=1e-2)


def test_a_gray_image_has_one_component():
    gray = torch.rand(1, 1, 30, 40).expand(1, 3, -1, -1)
    components = whitened(to_lab(gray), NO_COLOUR)
    assert components[:, 0].std() == pytest.approx(1, abs=1e-2)
    assert components[:, 1:].abs().max() == 0


@pytest.mark.parametrize("differs_in", ["color", "orientation"])
def test_the_odd_one_out(differs_in):
    image, places = odd_one_out(differs_in)
    saliency = AdaptiveWhiteningSaliency().saliency_map_of([image])[0]
    around = [float(saliency[y - 16 : y + 17, x - 16 : x + 17].mean()) for y, x in places]
    assert max(around) == around[4]
    assert around[4] > 1.2 * sorted(around)[-2]
