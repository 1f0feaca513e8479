"""CovSal: its steps against slow ones, region by region, and the odd one out."""

import numpy as np
import torch

from foveal.models.classical.covsal import PLACE, REGULARISATION, CovSal, dissimilarity, region_features, sigma_points

SIDE, REGION = 32, 8


def slow_vector(features):
    """The mean of a region's features, and all of its sigma points relative to it."""
    covariance = np.cov(features.reshape(len(features), -1)) + REGULARISATION * np.eye(len(features))
    factor = np.linalg.cholesky(covariance)
    points = [sign * np.sqrt(2.0 * len(features)) * column for sign in (1, -1) for column in factor.T]
    return np.concatenate([features[:PLACE].mean(axis=(1, 2)), *points])


def slow_dissimilarity(vectors, nearest):
    size = len(vectors)
    centers = (np.arange(size) + 0.5) / size
    saliency = np.zeros((size, size))
    for y in range(size):
        for x in range(size):
            distances = [
                np.linalg.norm(vectors[y][x] - vectors[j][i])
                / (1 + np.hypot(centers[y] - centers[j], centers[x] - centers[i]))
                for j in range(size)
                for i in range(size)
            ]
            saliency[y, x] = np.mean(sorted(distances)[: round(nearest * size**2)])
    return saliency


def test_a_region_is_as_unlike_the_others_as_its_sigma_points():
    images = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    features = region_features(images)
    for one, points in zip(features.double().numpy(), sigma_points(features, REGION, 2.0), strict=True):
        regions = range(0, SIDE, REGION)
        vectors = [[slow_vector(one[:, y : y + REGION, x : x + REGION]) for x in regions] for y in regions]
        np.testing.assert_allclose(dissimilarity(points, 0.25), slow_dissimilarity(vectors, 0.25), rtol=1e-3)


def test_features_are_colours_derivatives_and_place():
    ramp = torch.linspace(0.2, 0.8, SIDE).expand(1, 3, SIDE, SIDE)  # lighter to the right
    lightness, a, b, horizontal, vertical, x, y = region_features(ramp)[0]
    assert (lightness.diff(dim=1) > 0).all()
    assert max(a.std(), b.std()) < 0.1
    assert horizontal.min() > 0
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
    assert around[4] > 1.2 * sorted(around)[-2]


def test_where_all_regions_are_alike_nothing_is_salient():
    assert CovSal().saliency_map(torch.full((1, 3, 40, 60), 0.4)).abs().max() == 0
