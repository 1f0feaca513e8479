"""LDS: against its definition, place by place, and the published map; how its directions and weights are learned."""

import numpy as np
import pytest
import torch
from toy import disc_center, make_dataset, make_photograph

from foveal.images import read_image
from foveal.models import load_model
from foveal.models.classical.lds import LDS, LDSConfig, random_contrast
from foveal.models.parts.graph import nearness
from foveal.training.learning import learn
from foveal.training.learning.subspaces import pairwise_weights


def some(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def test_a_place_counts_its_lesser_difference_in_every_rectangle_that_it_lies_in(monkeypatch):
    shares = [(0.0, 0.1, 0.5, 0.9), (0.3, 0.0, 0.99, 0.4), (0.2, 0.2, 0.4, 0.45)]
    monkeypatch.setattr("foveal.models.classical.lds._rectangles", lambda number, least_area: shares)
    maps = some(2, 3, 9, 11)
    expected = np.zeros((2, 3, 9, 11))
    for image, feature in np.ndindex(2, 3):
        values = maps[image, feature].numpy().astype(np.float64)
        for top, left, bottom, right in shares:
            inside = np.zeros((9, 11), bool)
            inside[int(top * 9) : int(bottom * 9) + 1, int(left * 11) : int(right * 11) + 1] = True
            for row, column in zip(*np.nonzero(inside), strict=True):
                differences = [abs(values[row, column] - values[where].mean()) for where in (inside, ~inside)]
                expected[image, feature, row, column] += min(differences) / 3
    np.testing.assert_allclose(random_contrast(maps, 3, 0.01), expected, atol=1e-6)


def test_rectangles_are_large_enough_and_always_the_same():
    """What lies in no rectangle has no contrast: with many of them, only places at the border are so rare."""
    ramp = torch.arange(600.0).view(1, 1, 20, 30)
    contrast = random_contrast(ramp, 200, 0.01)
    assert (contrast[0, 0, 2:-2, 2:-2] > 0).all()
    assert torch.equal(contrast, random_contrast(ramp, 200, 0.01))
    large = random_contrast(ramp, 20, 0.5)
    assert (large[0, 0, 8:12, 12:18] > 0).all()  # the middle is in every rectangle of half the map


def test_mass_gathers_where_a_walker_is_most_often():
    """The walk's transition matrix, whose steps go to where mass is and to what is near, has this equilibrium."""
    mass = some(6, 8).flatten().double()
    steps = mass[:, None] * nearness((6, 8), 1.5, torch.device("cpu")).double()  # to each place, from each
    steps = steps / steps.sum(dim=0)
    expected = torch.ones(48, dtype=torch.float64) / 48
    for _ in range(2000):
        expected = steps @ expected
    found = mass * (mass @ nearness((6, 8), 1.5, torch.device("cpu")).double())
    np.testing.assert_allclose(found / found.sum(), expected, atol=1e-9)


def test_weights_are_at_the_minimum_and_not_negative():
    rng = np.random.default_rng(0)
    d = rng.normal((0.4, 0.1, -0.3, 0.0), 1, (300, 4))
    w = pairwise_weights(torch.from_numpy(d).float()).double().numpy()
    slope = w - 2 * np.maximum(0, 1 - d @ w) @ d
    assert (w >= 0).all()
    assert w[0] > 0
    assert w[2] == 0
    np.testing.assert_allclose(slope[w > 0], 0, atol=2e-2)
    assert (slope[w == 0] > 0).all()


def test_components_are_those_of_standardised_patches():
    patches = some(500, 192, seed=1) * torch.linspace(0.5, 2, 192) @ (some(192, 192, seed=2) - 0.5)
    model = LDS()
    model.learn(patches, 0)
    responses = (patches @ model.filters.T).double()
    covariance = torch.cov(responses.T)
    variances = covariance.diag()
    assert (variances.diff() < 0).all()
    np.testing.assert_allclose(covariance - torch.diag(variances), 0, atol=1e-4 * float(variances[0]))
    standardised = (patches / patches.std(dim=0)).double()
    largest = torch.linalg.eigvalsh(torch.cov(standardised.T)).flip(0)[:32]
    np.testing.assert_allclose(variances, largest, rtol=1e-4)


def test_one_that_has_not_learned_has_a_flat_map():
    assert not LDS().saliency_map_of([make_photograph(0)]).any()


@pytest.fixture(scope="module")
def learned():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("foveal.training.learning.filters.PATCHES", 2000)
        models = []
        for seed in (0, 0, 1):
            model = LDS(LDSConfig(working_side=160, rectangles=60))
            learn(model, make_dataset(6), seed, lambda *_: None)
            models.append(model)
    return models


def test_the_same_seed_learns_the_same(learned):
    assert torch.equal(learned[0].filters, learned[1].filters)
    assert torch.equal(learned[0].weights, learned[1].weights)
    assert not torch.equal(learned[0].filters, learned[2].filters)


def test_what_is_looked_at_is_learned(learned):
    for seed in (50, 51):
        saliency = learned[0].saliency_map_of([make_photograph(seed)])[0].numpy()
        cx, cy = disc_center(seed, (60, 80))
        row, column = divmod(int(saliency.argmax()), 80)
        assert np.hypot(row - cy, column - cx) < 12


@pytest.mark.shared
def test_correlates_with_the_published_map(shared):
    image = read_image(shared / "data/osie/data/stimuli/1001.jpg")
    published = np.load(shared / "reference/maps/1001.npz")["lds"]
    saliency = load_model("lds").saliency_map_of([image])[0].numpy()
    assert np.corrcoef(saliency.ravel(), published.ravel())[0, 1] > 0.9
