"""LDS: against its definition, place by place, and the published map; how its directions and weights are learned."""

import numpy as np
import pytest
import torch
from toy import disc_center, make_dataset, make_photograph

from foveal.gaze.maps import gaussian_blur
from foveal.images import read_image
from foveal.models import load_model
from foveal.models.classical.lds import LDS, LDSConfig, _rectangles, random_contrast
from foveal.models.parts.working_size import resized
from foveal.training.fits.learning import learn
from foveal.training.fits.learning.subspaces import pairwise_weights


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


@pytest.mark.parametrize("least_area", [0.01, 0.5])
def test_rectangles_are_large_enough_and_always_the_same(least_area):
    found = _rectangles(50, least_area)
    top, left, bottom, right = np.array(found).T
    assert len(found) == 50
    assert ((bottom - top) * (right - left) >= least_area).all()
    assert min(top.min(), left.min()) >= 0
    assert max(bottom.max(), right.max()) < 1
    _rectangles.cache_clear()
    assert _rectangles(50, least_area) == found


def test_the_whole_map_has_nothing_outside(monkeypatch):
    monkeypatch.setattr("foveal.models.classical.lds._rectangles", lambda number, least_area: [(0.0, 0.0, 0.9, 0.9)])
    maps = torch.tensor([[[[1.0, 3.0]]]])
    assert random_contrast(maps, 1, 0.01).flatten().tolist() == [1.0, 1.0]


def walked(mass, sigma):
    """Where a walker is most often whose steps go to where mass is and to what is near: by walking."""
    places = np.array(list(np.ndindex(mass.shape)))
    near = np.exp(-((places[:, None] - places) ** 2).sum(axis=2) / (2 * sigma**2))
    steps = mass.ravel()[:, None] * near  # to each place, from each
    steps /= steps.sum(axis=0)
    shares = np.full(mass.size, 1 / mass.size)
    for _ in range(2000):
        shares = steps @ shares
    return shares.reshape(mass.shape)


def test_the_map_is_the_weighted_sum_after_two_walks():
    """On as many patches as the graph has places, of an image of their size: nothing is resampled but at the end."""
    model = LDS(LDSConfig(working_side=64, graph_side=8))
    model.filters, model.weights = some(32, 192) - 0.5, some(3, 32, seed=1) * (some(3, 32, seed=2) > 0.8)
    image = some(1, 3, 48, 64, seed=3)
    chosen = model.weights > 0
    contrasts = model.contrasts(image, chosen)[0].double().numpy()
    mass = np.tensordot(model.weights[chosen].double().numpy(), contrasts, 1)
    for _ in range(2):
        mass = walked(mass, 0.06 * 7)
        mass = (mass - mass.min()) / np.ptp(mass)
    blurred = gaussian_blur(torch.from_numpy(mass).float(), 1.33)
    expected = resized(blurred[None, None], (48, 64))[0, 0]
    np.testing.assert_allclose(model.saliency_map(image)[0], expected, atol=1e-4)


def test_scales_lie_on_each_other():
    """A square is found where it is, at every scale, though 600 px are no whole patches of 16 and 32: there are 19."""
    model = LDS()
    model.filters = torch.ones(32, 192)  # the mean lightness and colors
    image = torch.full((1, 3, 600, 800), 0.5)
    image[:, :, round(600 * 17 / 19) : round(600 * 18 / 19), 640:672] = 1.0
    for number in range(3):
        chosen = torch.zeros(3, 32, dtype=torch.bool)
        chosen[number, 0] = True
        contrast = model.contrasts(image, chosen)[0, 0]
        weights = contrast * (contrast > 0.5)
        row, column = (
            float((weights.sum(dim=1 - dim) * (torch.arange(length) + 0.5)).sum() / weights.sum() / length)
            for dim, length in enumerate(weights.shape)
        )
        assert row == pytest.approx(17.5 / 19, abs=0.008)
        assert column == pytest.approx(20.5 / 25, abs=0.008)


def test_weights_are_at_the_minimum_and_not_negative():
    rng = np.random.default_rng(0)
    d = rng.normal((0.4, 0.1, -0.3, 0.0), 1, (300, 4))
    w = pairwise_weights(torch.from_numpy(d).float()).double().numpy()
    slope = w - 2 * np.maximum(0, 1 - d @ w) @ d
    assert (w >= 0).all()
    assert w[0] > 0
    assert w[2] == 0
    np.testing.assert_allclose(slope[w > 0], 0, atol=1e-3)
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
        patch.setattr("foveal.training.fits.learning.filters.PATCHES", 2000)
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
