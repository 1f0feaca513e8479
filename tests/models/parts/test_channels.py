"""Feature channels: what each answers to, and to nothing else."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from foveal.models.parts import channels
from foveal.models.parts.working_size import resized


def test_halving_is_a_low_pass_filter_and_every_other_pixel():
    maps = torch.rand(1, 2, 10, 13)
    padded = np.pad(maps[0, 1].numpy(), ((2, 3), (2, 3)), mode="edge")
    kernel = np.outer(channels.LOWPASS, channels.LOWPASS)
    expected = [[(padded[y : y + 6, x : x + 6] * kernel).sum() for x in range(0, 12, 2)] for y in range(0, 10, 2)]
    np.testing.assert_allclose(channels.halved(maps)[0, 1], expected, rtol=1e-5)


def test_a_pyramid_ends_at_one_pixel():
    assert [level.shape[2:] for level in channels.pyramid(torch.rand(1, 1, 5, 3), 4)] == [
        (5, 3),
        (2, 1),
        (1, 1),
        (1, 1),
        (1, 1),
    ]


@pytest.mark.parametrize("angle", channels.ANGLES)
def test_an_orientation_answers_to_gratings_across_it(angle):
    rows, columns = torch.meshgrid(torch.arange(60.0), torch.arange(60.0), indexing="ij")
    radians = np.radians(angle)
    grating = torch.cos(2 * np.pi / channels.PERIOD * (rows * np.cos(radians) + columns * np.sin(radians)))
    responses = channels.orientations(grating[None, None])[0, :, 20:40, 20:40].mean(dim=(1, 2))
    assert responses.argmax() == channels.ANGLES.index(angle)
    assert responses.max() > 3 * responses.sort().values[-2]
    assert channels.orientations(torch.full((1, 1, 60, 60), 0.7)).abs().max() < 1e-4


def test_filters_are_elongated_along_their_orientation():
    even = channels._gabor_filters()[0, 0].double().numpy()  # stripes along the columns
    energy = even**2 / (even**2).sum()
    offset = np.arange(-channels.REACH, channels.REACH + 1)
    across, along = ((energy.sum(axis=axis) * offset**2).sum() ** 0.5 for axis in (1, 0))
    # The square of a Gaussian is narrower than it by the root of 2.
    assert along == pytest.approx(channels.SPREAD_ALONG / 2**0.5, rel=0.05)
    assert across == pytest.approx(channels.SPREAD_ACROSS / 2**0.5, rel=0.05)


def test_attenuation_rises_from_the_border():
    weights = channels.attenuated(torch.ones(9, 40), 3)
    np.testing.assert_allclose(weights[4, :5], [0.25, 0.5, 0.75, 1, 1])
    np.testing.assert_allclose(weights[:4, -2], [0.125, 0.25, 0.375, 0.5])
    assert channels.attenuated(torch.ones(1, 1), 3).item() == 1


def test_gray_has_only_luminance():
    gray = torch.rand(1, 1, 6, 8).expand(1, 3, -1, -1)
    luminance, *chromatic = channels.opponent_cones(gray)[0]
    torch.testing.assert_close(luminance, gray[0, 0] ** channels.MONITOR_GAMMA)
    assert torch.stack(chromatic).abs().max() < 1e-6
    assert channels.opponent_hues(gray, channels.intensity(gray)).abs().max() == 0


def test_opposite_hues_lie_on_opposite_sides():
    red, green, blue, yellow = (
        channels.opponent_cones(torch.tensor(color).reshape(1, 3, 1, 1))[0, :, 0, 0]
        for color in ([0.8, 0.2, 0.2], [0.2, 0.8, 0.2], [0.2, 0.2, 0.8], [0.8, 0.8, 0.2])
    )
    assert red[1] > 0 > green[1]
    assert blue[2] > 0 > yellow[2]


def test_hues_are_shares_of_the_intensity():
    image = torch.tensor([0.8, 0.6, 0.1]).reshape(1, 3, 1, 1)
    hues = channels.opponent_hues(image, channels.intensity(image))
    torch.testing.assert_close(hues[0, :, 0, 0], torch.tensor([0.5, 0.2]) / 0.8)
    black = torch.zeros(1, 3, 1, 1)
    assert channels.opponent_hues(black, channels.intensity(black)).abs().max() == 0


def test_what_is_made_smaller_is_not_aliased():
    stripes = (torch.arange(64) % 2).float().expand(1, 1, 64, 64)
    small = resized(stripes, (7, 7))[0, 0]
    assert (small - 0.5).abs().max() < 0.1
    assert ndimage.zoom(stripes[0, 0].numpy(), 7 / 64, order=3).std() > 0.1
