"""Itti, Koch & Niebur: one channel by hand, pop-out, and the published maps of Harel's package."""

import numpy as np
import pytest
import torch

from foveal.images import read_image
from foveal.models.classical.itti import Itti, Itti1998, IttiConfig
from foveal.models.parts import channels
from foveal.models.parts.map_normalization import normalized_by_peaks
from foveal.models.parts.working_size import resized

RED, GREEN = (0.8, 0.2, 0.2), (0.2, 0.7, 0.2)


def bars(odd_color=RED, odd_is_tall=True):
    """Rows of tall red bars, one of them odd, on gray; and where that one is."""
    image = torch.full((1, 3, 300, 400), 0.5)
    for row in range(50, 300, 50):
        for column in range(50, 400, 50):
            is_odd = (row, column) == (150, 250)
            tall, wide = (16, 4) if odd_is_tall or not is_odd else (4, 16)
            color = torch.tensor(odd_color if is_odd else RED)[:, None, None]
            image[0, :, row - tall : row + tall, column - wide : column + wide] = color
    return image, (150, 250)


@pytest.mark.parametrize("model", [Itti, Itti1998])
@pytest.mark.parametrize("odd", [{"odd_color": GREEN}, {"odd_is_tall": False}])
def test_the_odd_one_out_is_most_salient(model, odd):
    image, (row, column) = bars(**odd)
    y, x = divmod(int(model().saliency_map(image)[0].argmax()), 400)
    assert (y - row) ** 2 + (x - column) ** 2 < 25**2


def test_a_gray_image_has_its_intensity_and_orientations_alone():
    """The whole of it by hand, in the order of the paper, level by level."""
    gray = torch.rand(1, 1, 96, 128)
    gray = resized(channels.halved(channels.halved(gray)), (96, 128)).clamp(0, 1)
    levels = channels.pyramid(gray, 5)
    expected = torch.zeros(1, 1, 12, 16)
    for features in (levels, [channels.orientations(level) for level in levels]):
        conspicuity = torch.zeros(1, 1, 12, 16)
        for center, surround in ((2, 4), (3, 5)):
            size = features[center].shape[2:]
            difference = (features[center] - resized(features[surround], tuple(size))) ** 2
            for one in resized(difference, (12, 16))[0]:
                conspicuity += normalized_by_peaks(one)
        expected += normalized_by_peaks(conspicuity)
    expected = resized(channels.attenuated(expected, 4), (96, 128))[:, 0]
    torch.testing.assert_close(Itti().saliency_map(gray.expand(1, 3, -1, -1)), expected, rtol=1e-3, atol=1e-4)


def test_of_the_paper_each_orientation_is_normalised_before_they_are_added():
    """Equation 7, by hand."""
    gray = torch.rand(1, 1, 256, 320, generator=torch.Generator().manual_seed(2))
    gray = resized(channels.halved(channels.halved(gray)), (256, 320)).clamp(0, 1)
    features = [channels.orientations(level) for level in channels.pyramid(gray, 8)]
    conspicuity = torch.zeros(16, 20)
    for orientation in range(4):
        total = torch.zeros(16, 20)
        for center in (2, 3, 4):
            for surround in (center + 3, center + 4):
                fine = features[center][:, [orientation]]
                coarse = resized(features[surround][:, [orientation]], (fine.shape[2], fine.shape[3]))
                total += normalized_by_peaks(resized((fine - coarse).abs(), (16, 20))[0, 0])
        conspicuity += normalized_by_peaks(total)
    found = Itti1998().conspicuity_maps(gray.expand(1, 3, -1, -1))[0, 2]
    torch.testing.assert_close(found, normalized_by_peaks(conspicuity), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("model", [Itti, Itti1998])
def test_the_faintest_disc_is_seen(model):
    """One gray level of 255 above the ground, and no less than of thirty."""
    rows, columns = torch.meshgrid(torch.arange(300), torch.arange(400), indexing="ij")
    disc = (rows - 140) ** 2 + (columns - 220) ** 2 < 20**2
    for levels in (1, 30):
        image = ((128 + levels * disc) / 255).expand(1, 3, -1, -1)
        saliency = model().saliency_map(image)[0]
        y, x = divmod(int(saliency.argmax()), 400)
        assert saliency.max() > 0.05
        assert (y - 140) ** 2 + (x - 220) ** 2 < 40**2


def test_a_uniform_colour_is_not_salient():
    image = torch.full((1, 3, 96, 128), 0.2)
    image[:, 0] = 0.9
    for model in (Itti(), Itti1998()):
        assert model.saliency_map(image).abs().max() == 0


def test_competition_leaves_fewer_places():
    image, (row, column) = bars(odd_color=GREEN)
    by_competition = Itti(IttiConfig(normalization="competition")).saliency_map(image)[0]
    y, x = divmod(int(by_competition.argmax()), 400)
    assert (y - row) ** 2 + (x - column) ** 2 < 25**2
    by_peaks = Itti().saliency_map(image)[0]
    assert (by_competition > by_competition.max() / 10).sum() < (by_peaks > by_peaks.max() / 10).sum()


@pytest.mark.shared
@pytest.mark.parametrize("number", [1001, 1002, 1003])
def test_correlates_with_the_published_maps(shared, number):
    image = read_image(shared / f"data/osie/data/stimuli/{number}.jpg")
    published = np.load(shared / f"reference/maps/{number}.npz")["itti_simpsal"]
    saliency = Itti().saliency_map_of([image])[0].numpy()
    assert np.corrcoef(saliency.ravel(), published.ravel())[0, 1] > 0.998
