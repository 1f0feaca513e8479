"""Adaptive whitening: gray images, and the odd one out."""

import pytest
import torch
from toy import odd_one_out

from foveal.models.classical.aws import NO_COLOUR, AdaptiveWhiteningSaliency
from foveal.models.parts.color import to_lab
from foveal.models.parts.whitening import whitened


def test_a_gray_image_has_one_component():
    gray = torch.rand(1, 1, 30, 40).expand(1, 3, -1, -1)
    components = whitened(to_lab(gray), NO_COLOUR)
    assert components[:, 0].std() == pytest.approx(1, abs=1e-2)
    assert components[:, 1:].abs().max() == 0


@pytest.mark.parametrize("differs_in", ["colour", "orientation"])
def test_the_odd_one_out(differs_in):
    image, places = odd_one_out(differs_in)
    saliency = AdaptiveWhiteningSaliency().saliency_map_of([image])[0]
    around = [float(saliency[y - 16 : y + 17, x - 16 : x + 17].mean()) for y, x in places]
    assert max(around) == around[4]
    assert around[4] > 1.2 * sorted(around)[-2]
