"""CovSal: its steps against slow ones, region by region, and the odd one out."""

import numpy as np
import pytest
import torch

from foveal.models.classical.covsal import REGULARISATION, CovSal, dissimilarity, region_features, sigma_points

SIDE, REGION = 32, 8


def slow_vector(features):
    """The mean of a region's features, and all of its sigma points."""
    values = features.reshape(len(features), -1)
    mean = values.mean(axis=1)
    factor = np.linalg.cholesky(2 * (len(features) + 0.1) * (np.cov(values) + REGULARISATION * np.eye(len(features))))
    return np.concatenate([mean, *(mean + column for column in factor.T), *(mean - column for column in factor.T)])


def slow_dissimilarity(vectors, reach, nearest):
    size = len(vectors)
    saliency = np.zeros((size, size))
    for y in range(size):
        for x in range(size):
            distances = [
                np.linalg.norm(vectors[y][x] - vectors[j][i]) / (1 + REGION * np.hypot(y - j, x - i))
                for j in range(max(0, y - reach), min(size, y + reach + 1))
                for i in range(max(0, x - reach), min(size, x + reach + 1))
                if (j, i) != (y, x)
            ]
            saliency[y, x] = np.mean(sorted(distances)[: int(nearest * len(distances))])
    return saliency


def test_a_region_is_as_unlike_those_around_it_as_its_sigma_points():
    images = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    features = region_features(images)
    found = dissimilarity(sigma_points(features, REGION, 2.0), REGION, 2, 0.35)
    for one, saliency in zip(features.double().numpy(), found, strict=True):
        regions = range(0, SIDE, REGION)
        vectors = [[slow_vector(one[:, y : y + REGION, x : x + REGION]) for x in regions] for y in regions]
        np.testing.assert_allclose(saliency, slow_dissimilarity(vectors, 2, 0.35), rtol=1e-3)


def test_features_are_colours_derivatives_and_place():
    ramp = torch.linspace(0.2, 0.8, SIDE).expand(1, 3, SIDE, SIDE)  # lighter to the right
    lightness, a, b, horizontal, vertical, x, y = region_features(ramp)[0]
    assert (lightness.diff(dim=1) > 0).all()
    assert max(a.std(), b.std()) < 0.1
    assert horizontal[:, 1:-1].numpy() == pytest.approx(2 * 255 * 0.6 / (SIDE - 1), rel=1e-3)
    assert vertical.abs().max() == 0
    torch.testing.assert_close(x, y.T)
    assert (x.diff(dim=1) > 0).all()


def test_the_odd_one_out():
    image = np.full((150, 200, 3), 110, np.uint8)
    places = [(y, x) for y in (40, 110) for x in (40, 100, 160)]
    for number, (y, x) in enumerate(places):
        image[y - 12 : y + 12, x - 6 : x + 6] = (200, 70, 70) if number == 4 else (70, 140, 70)
    saliency = CovSal().saliency_map_of([image])[0]
    around = [float(saliency[y - 16 : y + 17, x - 16 : x + 17].mean()) for y, x in places]
    assert max(around) == around[4]


def test_where_all_regions_are_alike_none_is_salient():
    saliency = CovSal().saliency_map(torch.full((1, 3, 80, 120), 0.4))[0, 8:-8, 12:-12]  # the blur ends at the border
    torch.testing.assert_close(saliency / saliency.mean(), torch.ones_like(saliency), atol=1e-3, rtol=0)
