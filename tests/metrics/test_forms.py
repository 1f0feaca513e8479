"""Each metric's best map: what it is said to be, and better than its rivals."""

import numpy as np
import pytest
import torch
from scipy.stats import rankdata

from foveal.gaze import fixation_map
from foveal.gaze.fixations import Fixations
from foveal.gaze.maps import gaussian_blur
from foveal.metrics import (
    FixationBatch,
    auc,
    auc_borji,
    correlation,
    kullback_leibler,
    shuffled_auc_mit,
    similarity,
)
from foveal.metrics.forms import blurred, over_center_bias, similarity_map
from foveal.metrics.maps import pixel_ranks

SIZE = (60, 80)
SIGMA = 4.0


def some_log_density(seed, blur=6.0):
    noise = torch.randn(1, *SIZE, generator=torch.Generator().manual_seed(seed))
    smooth = gaussian_blur(noise, blur)
    return (3 * smooth / smooth.std()).flatten(1).log_softmax(dim=1).reshape(1, *SIZE)


def drawn_empirical_maps(log_density, n_fixations, n_maps):
    """The slow, obvious way: fixations drawn from the density, a Gaussian on each."""
    rng = np.random.default_rng(5)
    density = log_density[0].exp().double().numpy().ravel()
    maps = []
    for _ in range(n_maps):
        y, x = np.unravel_index(rng.choice(density.size, n_fixations, p=density / density.sum()), SIZE)
        maps.append(fixation_map(Fixations.of(np.zeros(n_fixations, int), x, y), SIZE, sigma=SIGMA))
    return torch.from_numpy(np.stack(maps))


def expected(metric, saliency, empirical):
    return metric(saliency.expand_as(empirical), empirical).mean().item()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n_fixations", [1, 10, 100])
def test_the_similarity_map_has_the_highest_expected_similarity(seed, n_fixations):
    log_density = some_log_density(seed)
    empirical = drawn_empirical_maps(log_density, n_fixations, 200)
    best = similarity_map(log_density, SIGMA, n_fixations)
    assert best.sum().item() == pytest.approx(1, abs=1e-5)
    assert (best >= 0).all()
    value = expected(similarity, best, empirical)
    for rival in (blurred(log_density, SIGMA), log_density.exp(), log_density.exp().sqrt()):
        assert value >= expected(similarity, rival, empirical)


def test_no_small_change_of_the_similarity_map_is_better():
    """Slow, obvious: gradient ascent from the map finds next to nothing more."""
    log_density = some_log_density(1)
    empirical = drawn_empirical_maps(log_density, 20, 300)
    empirical = empirical / empirical.sum(dim=(1, 2), keepdim=True)
    start = similarity_map(log_density, SIGMA, 20)
    logits = (start + 1e-9).log().requires_grad_()
    optimizer = torch.optim.Adam([logits], lr=0.02)
    for _ in range(150):
        loss = -torch.minimum(logits.flatten().softmax(0).reshape(1, *SIZE), empirical).sum() / len(empirical)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert -loss.item() < expected(similarity, start, empirical) + 0.01


def test_the_blurred_density_has_the_best_expected_correlation_and_divergence():
    log_density = some_log_density(2, blur=2.0)
    empirical = drawn_empirical_maps(log_density, 30, 100)
    best = blurred(log_density, SIGMA)
    for rival in (log_density.exp(), blurred(log_density, 3 * SIGMA), log_density.exp().sqrt()):
        assert expected(correlation, best, empirical) > expected(correlation, rival, empirical)
        assert expected(kullback_leibler, best, empirical) < expected(kullback_leibler, rival, empirical)


def test_ranks_serve_the_auc_on_a_grid():
    """Where a density is skewed, the grid of thresholds sees nothing of it; of its ranks, all but all."""
    log_density = 3 * some_log_density(3)
    fixations = FixationBatch.of([(int(i % 80), int(i // 80)) for i in log_density.flatten().topk(1200).indices[300:]])
    exact = auc(log_density, fixations).item()
    assert auc_borji(log_density, fixations, equalize=True).item() == pytest.approx(exact, abs=0.05)
    assert auc_borji(log_density.exp(), fixations).item() < exact - 0.1


def test_ranks_are_counted_as_by_hand():
    """The slow, obvious way: a whole map of ranks, equal values on the lowest; of pixels that no pieces are even of."""
    maps = torch.cat([some_log_density(seed) for seed in (6, 7)]).round(decimals=1)[:, :-1, :-1]
    ranks = torch.stack([torch.from_numpy(rankdata(one, "min").reshape(one.shape)) for one in maps.numpy()]).float()
    fixations = FixationBatch.at([(np.arange(9), np.arange(9)), (np.arange(9) % 5, np.arange(9) % 5 + 5)])
    others = FixationBatch.at([(np.arange(40), np.arange(40)), (np.arange(40) % 30 + 30, np.arange(40) % 30)])
    torch.testing.assert_close(auc_borji(maps, fixations, equalize=True), auc_borji(ranks, fixations))
    given = auc_borji(maps, fixations, equalize=True, pixels=pixel_ranks(maps))
    torch.testing.assert_close(given, auc_borji(ranks, fixations))
    by_ranks = shuffled_auc_mit(ranks, fixations, others)
    torch.testing.assert_close(shuffled_auc_mit(maps, fixations, others, equalize=True), by_ranks)
    assert not torch.allclose(shuffled_auc_mit(maps, fixations, others), by_ranks)


def test_a_center_bias_divided_by_itself_is_even():
    log_density = some_log_density(4)
    assert (over_center_bias(log_density, log_density) == 0).all()
