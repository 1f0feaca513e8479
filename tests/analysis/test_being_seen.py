"""The probability of being seen: what simulated observers obey is found again."""

import numpy as np
import pandas as pd

from foveal.analysis.being_seen import SeenModel, being_seen, counted, fit_being_seen, independent


def simulated(hazards, n_regions=400, n_observers=30, precision=None):
    """Observers who look at regions for the first time as the hazards say."""
    rng = np.random.default_rng(0)
    share, area = rng.uniform(0.02, 0.5, n_regions), rng.uniform(0.01, 0.3, n_regions)
    model = SeenModel(np.array(hazards), np.ones(len(hazards)))
    rows = []
    for region in range(n_regions):
        by = np.array([model.probability(share[[region]], area[[region]], n + 1)[0] for n in range(10)])
        for _ in range(n_observers):
            first = int(np.searchsorted(by, rng.random())) + 1
            rows.append((region, share[region], area[region], 10, first if first <= 10 else 0, 1.0))
    return pd.DataFrame(rows, columns=["region", "share", "area", "n", "first", "weight"])


def test_the_hazards_of_simulated_observers_are_found():
    hazards = [[-0.5, 1.2, -0.3]] * 5 + [[-1.0, 0.8, 0.1]] * 5
    found = fit_being_seen(simulated(hazards))
    share, area = np.array([0.05, 0.1, 0.3]), np.array([0.02, 0.2, 0.1])
    for n in (1, 5, 10):
        expected = SeenModel(np.array(hazards), np.ones(10)).probability(share, area, n)
        np.testing.assert_allclose(found.probability(share, area, n), expected, atol=0.03)
    assert (found.precision > 50).all()  # nothing but the binomial differs


def test_independent_fixations_obey_the_formula():
    """Hazards with the logit of the share itself are independent fixations."""
    share, area = np.array([0.01, 0.2, 0.9]), np.array([0.1, 0.1, 0.5])
    model = SeenModel(np.array([[0.0, 1.0, 0.0]] * 10), np.ones(10))
    for n in (1, 3, 15):
        np.testing.assert_allclose(model.probability(share, area, n), independent(share, n))


def test_observers_with_fewer_fixations_are_left_out_of_a_count():
    rows = [
        ("a", 0.1, 0.1, 3, 2, 1.0),
        ("a", 0.1, 0.1, 3, 0, 1.0),
        ("a", 0.1, 0.1, 5, 4, 1.0),
        ("a", 0.1, 0.1, 1, 1, 1.0),
    ]
    table = pd.DataFrame(rows, columns=["region", "share", "area", "n", "first", "weight"])
    assert counted(table, 3).loc["a", ["observers", "seen"]].tolist() == [3, 1]
    assert counted(table, 5).loc["a", ["observers", "seen"]].tolist() == [1, 1]


def test_what_is_shipped_rises_with_share_and_fixations():
    shares = np.array([0.0, 1e-9, 1e-3, 0.03, 0.5, 0.99, 1.0])
    found = being_seen(shares, np.full(len(shares), 0.05), range(1, 14))
    table = np.array([[one.probability for one in of_region.values()] for of_region in found])
    assert (np.diff(table, axis=0) >= 0).all()
    assert (np.diff(table, axis=1) >= 0).all()
    assert all(0 <= one.low <= one.probability <= one.high <= 1 for of_region in found for one in of_region.values())


def test_who_has_seen_a_part_has_seen_the_whole():
    shares, areas = np.array([0.35, 0.3, 0.3]), np.array([0.5, 0.002, 0.002])
    apart = being_seen(shares, areas, [1])
    assert apart[1][1].probability > apart[0][1].probability  # a small thing is seen by more people than its share says
    whole, part, other = being_seen(shares, areas, [1], [np.array([1]), np.array([], int), np.array([], int)])
    assert whole[1] == part[1] == other[1] == apart[1][1]
