"""Self-resemblance against its definition, place by place, and the published map."""

import numpy as np
import pytest
import torch

from foveal.images import read_image
from foveal.models.classical.ssr import DISK, SelfResemblance, SelfResemblanceConfig, scaled_channels
from foveal.models.parts.color import to_lab

SIDE, WINDOW = 14, 3
SMALL = SelfResemblanceConfig(working_side=SIDE, window=WINDOW)


def slow_covariance(gradients):
    """C of a pixel, from the singular value decomposition of the weighted gradients around it."""
    weights = np.array(DISK) / DISK[1][1]
    _, (first, second), directions = np.linalg.svd((gradients * weights[..., None]).reshape(-1, 2))
    elongation = (first + 1) / (second + 1)
    sharpness = ((first * second + 1e-7) / weights.sum()) ** 0.42
    along, across = directions
    return sharpness * (elongation * np.outer(along, along) + np.outer(across, across) / elongation)


def windows(maps, width):
    """Of each place, what is around it, mirrored at the border."""
    margin = width // 2
    padded = np.pad(maps, [(margin, margin)] * 2 + [(0, 0)] * (maps.ndim - 2), mode="reflect")
    return {(y, x): padded[y : y + width, x : x + width] for y in range(maps.shape[0]) for x in range(maps.shape[1])}


def slow_kernels(channel):
    """Of each pixel, nine values: how far each neighbour is by the covariance around it."""
    vertical, horizontal = np.gradient(channel)
    covariances = np.zeros((SIDE, SIDE, 2, 2))
    for place, gradients in windows(np.stack([horizontal, vertical], axis=-1), 3).items():
        covariances[place] = slow_covariance(gradients)
    kernels = np.zeros((SIDE, SIDE, 9))
    offsets = [np.array([x, y]) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    for place, around in windows(covariances, 3).items():
        pairs = zip(offsets, around.reshape(9, 2, 2), strict=True)
        kernels[place] = [np.exp(-(offset @ covariance @ offset) / (2 * 0.2**2)) for offset, covariance in pairs]
    return kernels


def slow_saliency(channels):
    kernels = np.stack([slow_kernels(channel) for channel in channels], axis=2)
    matrices = {place: around.ravel() for place, around in windows(kernels, WINDOW).items()}
    saliency = np.zeros((SIDE, SIDE))
    for place, one in matrices.items():
        similarities = [one @ other / np.linalg.norm(one) / np.linalg.norm(other) for other in matrices.values()]
        saliency[place] = 1 / np.exp((np.array(similarities) - 1) / 0.07**2).sum()
    return saliency


def test_it_is_what_its_definition_says():
    images = torch.rand(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    expected = slow_saliency(scaled_channels(to_lab(images))[0].double().numpy())
    found = SelfResemblance(SMALL).saliency_map(images)[0].numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_a_bar_among_bars_of_another_orientation_stands_out():
    image = np.full((128, 128), 0.4)
    places = [(y, x) for y in (24, 64, 104) for x in (24, 64, 104)]
    for y, x in places:
        height, width = (2, 8) if (y, x) == (64, 64) else (8, 2)
        image[y - height : y + height, x - width : x + width] = 0.8
    images = torch.from_numpy(image).float().expand(1, 3, -1, -1)
    saliency = SelfResemblance().saliency_map(images)[0]
    around = [float(saliency[y - 14 : y + 15, x - 14 : x + 15].max()) for y, x in places]
    assert max(around) == around[4]


def test_a_place_unlike_the_others_is_salient():
    image = torch.full((1, 3, 96, 128), 0.5)
    image[:, 0, 40:56, 60:76] = 0.9
    saliency = SelfResemblance().saliency_map(image)[0]
    assert saliency[36:60, 56:80].mean() > 5 * saliency[:20].mean()


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_where_all_is_alike_nothing_is_salient(value):
    saliency = SelfResemblance().saliency_map(torch.full((1, 3, 30, 50), value))
    torch.testing.assert_close(saliency, torch.full((1, 30, 50), 1 / 64**2), rtol=1e-3, atol=0)


@pytest.mark.shared
def test_correlates_with_the_published_map(shared):
    image = read_image(shared / "data/osie/data/stimuli/1001.jpg")
    published = np.load(shared / "reference/maps/1001.npz")["ssr"]
    saliency = SelfResemblance().saliency_map_of([image])[0]
    assert np.corrcoef(np.ravel(saliency), np.ravel(published))[0, 1] > 0.998
