"""AIM, SUN and DVA: against their definitions, pixel by pixel, and the published maps; how filters are learned."""

import numpy as np
import pytest
import torch
from scipy.stats import gennorm

from foveal.gaze import Dataset, Fixations, Stimuli
from foveal.images import read_image
from foveal.models import load_model
from foveal.models.classical.aim import AIM, self_information
from foveal.models.classical.dva import DVA, DVAConfig, energy_shares
from foveal.models.classical.sun import SUN, fit_generalized_gaussians
from foveal.training.fits.learning.filters import learn_filters


def patches_of(image, side):
    """All patches of an image (3, height, width), row after row, each flat."""
    return np.array(
        [
            image[:, top : top + side, left : left + side].ravel()
            for top in range(image.shape[1] - side + 1)
            for left in range(image.shape[2] - side + 1)
        ]
    )


def some(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def test_self_information_is_minus_the_log_of_how_often_a_response_occurs():
    responses = some(3, 9, 11).square() * 2 - 1
    values = responses.numpy().astype(np.float64)
    bins = np.round((values - values.min()) / (values.max() - values.min()) * 7)
    expected = np.zeros((9, 11))
    for feature in bins:
        for row, column in np.ndindex(9, 11):
            expected[row, column] -= np.log(np.mean(feature == feature[row, column]) + 1e-6)
    np.testing.assert_allclose(self_information(responses, 8), expected, rtol=1e-4)


def test_aim_blurs_with_nothing_outside_and_frames_with_zeros():
    model = AIM()
    model.filters = some(25, 3 * 21**2) - 0.5
    image = some(1, 3, 40, 50, seed=1)
    responses = model.responses(image)
    expected = (patches_of(image[0].numpy(), 21) @ model.filters.numpy().T).T.reshape(25, 20, 30)
    np.testing.assert_allclose(responses[0], expected, atol=1e-4)
    information = self_information(responses[0, :, ::2, ::2], 256).numpy()

    def gaussian(n_places):
        """Shares of what is seen from every other place, most of which is outside."""
        places = 2 * np.arange(-50, 100)
        weights = np.exp(-((2 * np.arange(n_places)[:, None] - places) ** 2) / (2 * 8.0**2))
        return (weights / weights.sum(axis=1, keepdims=True))[:, 50 : 50 + n_places]

    blurred = gaussian(10) @ information @ gaussian(15).T
    found = model.saliency_map(image)[0].numpy()
    np.testing.assert_allclose(found[10:30:2, 10:40:2], blurred - blurred.min(), atol=2e-3 * np.ptp(blurred))
    np.testing.assert_allclose(found[11:28:2, 10], (found[10:27:2, 10] + found[12:29:2, 10]) / 2, rtol=1e-4)
    assert not found[:10].any()
    assert not found[:, -10:].any()


def test_sun_sums_what_generalised_gaussians_say():
    model = SUN()
    model.filters = some(150, 363) - 0.5
    model.shape, model.scale = some(150, seed=2) + 0.3, some(150, seed=3) + 0.5
    image = some(1, 3, 14, 17, seed=4)
    values = image[0].numpy().astype(np.float64)
    responses = patches_of((values - values.mean()) / values.std(), 11) @ model.filters.numpy().T
    expected = (np.abs(responses / model.scale.numpy()) ** model.shape.numpy()).sum(axis=1)
    found = model.saliency_map(image)[0].numpy()
    np.testing.assert_allclose(found[5:-5, 5:-5].ravel(), expected, rtol=1e-4)
    assert found.sum() == pytest.approx(expected.sum(), rel=1e-4)  # nothing at the border


@pytest.mark.parametrize("theta", [0.5, 1.0, 2.0])
def test_shape_and_scale_of_a_generalised_gaussian_are_found(theta):
    samples = gennorm.rvs(theta, scale=0.3, size=(50_000, 1), random_state=0)
    shape, scale = fit_generalized_gaussians(torch.from_numpy(samples))
    assert shape.item() == pytest.approx(theta, rel=0.03)
    assert scale.item() == pytest.approx(0.3, rel=0.06)


def test_incremental_coding_length_is_how_the_entropy_rises():
    """The definition, by finite differences: entropy after a little more of one feature, all shares scaled down."""
    activity = some(1, 6).square()
    shares = (activity / activity.sum()).double().numpy()[0]

    def entropy(p):
        return -(p * np.log2(p)).sum()

    more = 1e-6
    rise = np.array([(entropy((shares + more * one) / (1 + more)) - entropy(shares)) / more for one in np.eye(6)])
    expected = rise.clip(min=0)
    np.testing.assert_allclose(energy_shares(activity)[0], expected / expected.sum(), atol=0.05)
    assert not energy_shares(torch.zeros(1, 6)).any()


def test_what_a_feature_is_given_is_equation_5():
    p = np.array([0.5, 0.25, 0.125, 0.125, 0.0])
    entropy = 1.75
    gain = [max(0.0, -entropy - q - np.log2(q) - q * np.log2(q)) if q else 0.0 for q in p]
    found = energy_shares(torch.tensor(p, dtype=torch.float32)[None])[0]
    np.testing.assert_allclose(found, np.array(gain) / sum(gain), rtol=1e-5)


def test_dva_gives_every_pixel_the_energy_of_its_patches():
    model = DVA(DVAConfig(pixels=16 * 20))
    model.filters = some(192, 192) - 0.5
    image = some(1, 3, 16, 20, seed=5)
    activity = np.abs(patches_of(image[0].numpy(), 8) @ model.filters.numpy().T)
    energy = activity @ energy_shares(torch.from_numpy(activity.sum(axis=0))[None])[0].numpy()
    spread = np.zeros((16, 20))
    for value, (top, left) in zip(energy, np.ndindex(9, 13), strict=True):
        spread[top : top + 8, left : left + 8] += value
    np.testing.assert_allclose(model.saliency_map(image)[0], spread**2, rtol=1e-3)


@pytest.mark.parametrize("name", ["aim", "dva"])
def test_the_odd_one_out_wins(name):
    image = np.full((240, 320, 3), 128, np.uint8)
    for top in range(30, 240, 45):
        for left in range(30, 320, 50):
            image[top : top + 10, left : left + 30] = (60, 160, 60)
    image[120:130, 130:160] = 128
    image[110:140, 140:150] = (60, 160, 60)
    saliency = load_model(name).saliency_map_of([image])[0]
    row, column = divmod(int(saliency.argmax()), 320)
    assert abs(row - 125) <= 15
    assert abs(column - 145) <= 15


@pytest.mark.parametrize("name", ["aim", "sun", "dva"])
def test_a_constant_image_has_a_flat_map(name):
    saliency = load_model(name).saliency_map_of([np.full((64, 80, 3), 77, np.uint8)])[0, 20:-20, 20:-20]
    assert saliency.max() - saliency.min() < 1e-3


def test_filters_are_learned_from_photographs_and_a_seed(monkeypatch):
    monkeypatch.setattr("foveal.training.fits.learning.filters.PATCHES", 600)
    monkeypatch.setattr("foveal.models.parts.ica.STEPS", 2)
    generator = np.random.default_rng(0)
    photographs = [generator.integers(0, 256, (90, 120, 3)).astype(np.uint8) for _ in range(3)]
    dataset = Dataset("noise", Stimuli(photographs), Fixations.of(image=[], x=[], y=[]))
    learned = []
    for seed in (0, 0, 1):
        model = DVA(DVAConfig(pixels=20 * 30))
        learn_filters(model, dataset, seed, lambda what, done, of: None)
        learned.append(model.filters)
    assert torch.equal(learned[0], learned[1])
    assert not torch.equal(learned[0], learned[2])
    assert learned[0].abs().sum() > 0


@pytest.mark.shared
@pytest.mark.parametrize(("name", "at_least"), [("aim", 0.99), ("sun", 0.9), ("dva", 0.96)])
def test_correlates_with_the_published_map(shared, name, at_least):
    image = read_image(shared / "data/osie/data/stimuli/1001.jpg")
    published = np.load(shared / "reference/maps/1001.npz")[name]
    saliency = load_model(name).saliency_map_of([image])[0].numpy()
    assert np.corrcoef(saliency.ravel(), published.ravel())[0, 1] > at_least
