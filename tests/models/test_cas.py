"""Context-aware saliency against its definition, patch by patch, and the odd one out."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F
from toy import odd_one_out

from foveal.models.classical.cas import ContextAwareConfig, ContextAwareSaliency
from foveal.models.parts.color import to_lab

HEIGHT, WIDTH = 18, 30
SMALL = ContextAwareConfig(
    working_side=WIDTH, scales=(1.0, 0.5), candidate_scales=(1.0, 0.5), least_scale=0.5, nearest=5
)


def resized(maps, size, mode):
    return F.interpolate(maps, size=size, mode=mode, antialias=mode == "bicubic", align_corners=False)


def slow_patches(images, scale):
    """Of each cell of three pixels: the seven around its middle, of white's lightness, and where the middle is."""
    height, width = round(HEIGHT * scale), round(WIDTH * scale)
    small = resized(images, (height, width), "bicubic").clamp(0, 1)
    lab = np.pad(to_lab(small)[0].double().numpy(), [(0, 0), (3, 3), (3, 3)], mode="edge")
    return [
        (lab[:, y : y + 7, x : x + 7] / 100, np.array([y + 0.5, x + 0.5]) / width)
        for y in range(1, height, 3)
        for x in range(1, width, 3)
    ]


def slow_unlikeness(patches, others):
    found = []
    for colors, place in patches:
        distances = [
            np.sqrt(((colors - other) ** 2).sum() / 49) / (1 + 3 * np.linalg.norm(place - other_place))
            for other, other_place in others
        ]
        found.append(1 - np.exp(-np.mean(sorted(distances)[:5])))
    found = np.array(found)
    return (found - found.min()) / (found.max() - found.min())


def test_it_is_what_its_definition_says():
    images = torch.rand(1, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(0))
    whole, half = slow_patches(images, 1.0), slow_patches(images, 0.5)
    fine = slow_unlikeness(whole, whole + half).reshape(6, 10)
    coarse = torch.from_numpy(slow_unlikeness(half, half).reshape(1, 1, 3, 5))
    mean = (fine + resized(coarse, (6, 10), "bilinear")[0, 0].numpy()) / 2
    places = np.stack(np.mgrid[:6, :10], axis=-1)
    foci = places[mean >= 0.8 * mean.max()]
    distance = np.linalg.norm(places[:, :, None] - foci, axis=-1).min(axis=-1)
    expected = mean * (1 - distance / distance.max())
    found = ContextAwareSaliency(SMALL).saliency_map(images)
    expected = resized(torch.from_numpy(expected)[None, None], (HEIGHT, WIDTH), "bilinear")[0]
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-3)


@pytest.mark.parametrize(("differs_in", "more"), [("color", 1.5), ("orientation", 1.05)])
def test_the_odd_one_out(differs_in, more):
    image, places = odd_one_out(differs_in)
    saliency = ContextAwareSaliency().saliency_map_of([image])[0]
    around = [float(saliency[y - 16 : y + 17, x - 16 : x + 17].mean()) for y, x in places]
    assert max(around) == around[4]
    assert around[4] > more * sorted(around)[-2]


def test_what_is_near_a_focus_is_its_context():
    """Of two equal, faint squares, the one beside a vivid one is more salient."""
    image = np.full((120, 200, 3), 110, np.uint8)
    image[50:70, 30:50] = (220, 40, 40)
    image[50:70, 70:90] = image[50:70, 150:170] = (110, 130, 110)
    saliency = ContextAwareSaliency().saliency_map_of([image])[0]
    assert saliency[46:74, 76:94].max() > 1.5 * saliency[46:74, 146:174].max()


@pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
def test_where_all_patches_are_alike_nothing_is_salient(value):
    assert ContextAwareSaliency().saliency_map(torch.full((1, 3, 40, 60), value)).abs().max() == 0
