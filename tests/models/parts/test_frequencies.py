"""Log-Gabor filters against what they are to pass of a grating."""

import numpy as np
import pytest
import torch

from foveal.models.parts.frequencies import log_gabor_amplitudes


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
