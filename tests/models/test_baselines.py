"""Baselines judge no fixation by a density that it had part in."""

import dataclasses

import numpy as np
import pytest
import torch
from toy import make_dataset

from foveal.errors import FovealError
from foveal.gaze import Dataset, Fixations, fixation_map
from foveal.models.baselines import CenterBias, CrossValidatedGoldStandard, GoldStandard


@pytest.fixture(scope="module")
def gold(dataset) -> CrossValidatedGoldStandard:
    return GoldStandard.cross_validated(dataset)


def rendered_log_likelihoods(baseline, image: int) -> np.ndarray:
    """Log density of each fixation of an image, read off the rendered maps, in the data set's order."""
    maps, parts = baseline.log_densities(image)
    values = {}
    for log_density, part in zip(maps.numpy(), parts, strict=True):
        at = log_density[part.pixel_y, part.pixel_x]
        values |= dict(zip(zip(part.subject, part.order, strict=True), at, strict=True))
    fixations = baseline.dataset.fixations.for_image(image)
    return np.array([values[key] for key in zip(fixations.subject, fixations.order, strict=True)])


@pytest.mark.parametrize("kind", [CenterBias, GoldStandard])
def test_likelihoods_equal_those_of_rendered_maps(dataset, kind):
    baseline = kind.cross_validated(dataset)
    for image in (0, 5):
        rows = dataset.fixations.rows_of(image)
        expected = rendered_log_likelihoods(baseline, image)
        np.testing.assert_allclose(baseline.log_likelihoods[rows], expected, atol=1e-4)


@pytest.mark.parametrize("kind", [CenterBias, GoldStandard])
def test_held_out_densities_sum_to_one(dataset, kind):
    maps, parts = kind.cross_validated(dataset).log_densities(2)
    torch.testing.assert_close(maps.flatten(1).logsumexp(1), torch.zeros(len(parts)), atol=1e-4, rtol=0)
    assert sum(len(part) for part in parts) == len(dataset.fixations.for_image(2))


def test_gold_is_the_others_map_mixed_with_the_center_bias(dataset, gold):
    image, subject = 4, 2
    maps, parts = gold.log_densities(image)
    assert parts[subject].subject.tolist() == [subject] * len(parts[subject])
    others = dataset.fixations.for_image(image).without_subject(subject)
    sigma = gold.bandwidth * dataset.stimuli[image].pixels_per_degree
    kde = fixation_map(others, (60, 80), sigma=sigma) / len(others)
    prior = np.exp(gold.center_bias.log_densities(image)[0][0].numpy())
    expected = gold.weights @ np.stack([kde.ravel(), prior.ravel(), np.full(prior.size, 1 / prior.size)])
    np.testing.assert_allclose(np.exp(maps[subject].numpy().ravel()), expected, rtol=1e-4)


def test_ones_own_fixations_do_not_help(dataset):
    """A subject moves all fixations elsewhere: the density that judges this subject stays what it was."""
    gold = GoldStandard.cross_validated(dataset)
    before = gold.log_densities(1)[0]
    fixations = dataset.fixations
    moved = (fixations.image == 1) & (fixations.subject == 3)
    x = np.where(moved, 2.0, fixations.x)
    changed = Fixations.of(fixations.image, x, fixations.y, subject=fixations.subject, order=fixations.order)
    after = dataclasses.replace(gold, dataset=dataclasses.replace(dataset, fixations=changed))
    # The center bias leaves out the image, so it has not changed either.
    torch.testing.assert_close(after.log_densities(1)[0][3], before[3])
    assert (after.log_densities(1)[0][2] - before[2]).abs().max() > 0.1


def test_bandwidth_and_weights_are_the_likeliest(gold):
    best = gold.log_likelihoods.mean()
    for factor in (0.6, 1.6):
        assert dataclasses.replace(gold, bandwidth=gold.bandwidth * factor).log_likelihoods.mean() < best
    for weights in ([0.5, 0.4, 0.1], [0.98, 0.01, 0.01]):
        assert dataclasses.replace(gold, weights=np.array(weights)).log_likelihoods.mean() <= best + 1e-6


def test_where_one_was_alone_the_center_bias_speaks(dataset):
    fixations = dataset.fixations.where((dataset.fixations.image != 0) | (dataset.fixations.subject == 1))
    gold = GoldStandard.cross_validated(dataclasses.replace(dataset, fixations=fixations))
    maps, parts = gold.log_densities(0)
    assert len(parts) == 1
    assert float(maps[0].logsumexp((0, 1))) == pytest.approx(0, abs=1e-4)
    expected = rendered_log_likelihoods(gold, 0)
    np.testing.assert_allclose(gold.log_likelihoods[fixations.rows_of(0)], expected, atol=1e-4)


def test_in_cells_gold_stays_what_it_is(dataset, gold, monkeypatch):
    monkeypatch.setattr("foveal.gaze.kde.MOST_PAIRWISE", 0)
    cells = GoldStandard.cross_validated(dataset, gold.center_bias)
    assert cells.bandwidth == pytest.approx(gold.bandwidth, rel=5e-3)
    np.testing.assert_allclose(cells.weights, gold.weights, atol=2e-3)
    np.testing.assert_allclose(cells.log_likelihoods, gold.log_likelihoods, atol=5e-3)
    rows = dataset.fixations.rows_of(3)
    np.testing.assert_allclose(cells.log_likelihoods[rows], rendered_log_likelihoods(cells, 3), atol=1e-4)
    torch.testing.assert_close(cells.log_densities(3)[0].logsumexp((1, 2)), torch.zeros(5), atol=1e-4, rtol=0)


def test_what_gold_needs_is_said(dataset):
    unknown = Fixations.of(dataset.fixations.image, dataset.fixations.x, dataset.fixations.y)
    with pytest.raises(FovealError, match="which subject"):
        GoldStandard.cross_validated(dataclasses.replace(dataset, fixations=unknown))
    one = dataclasses.replace(dataset, fixations=dataset.fixations.for_subject(0))
    with pytest.raises(FovealError, match="two subjects"):
        GoldStandard.cross_validated(one)
    stimuli = make_dataset().stimuli
    stimuli.pixels_per_degree = None
    with pytest.raises(FovealError, match="pixels_per_degree"):
        GoldStandard.cross_validated(Dataset("n", stimuli, dataset.fixations))
