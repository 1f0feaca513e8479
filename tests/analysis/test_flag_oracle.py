"""What an oracle of flags would bring: against a search, and where there is nothing to win."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from foveal.analysis.flag_oracle import oracle

share = st.floats(0.01, 0.45)


@given(st.lists(st.tuples(share, share, share, share), min_size=2, max_size=6))
def test_the_factors_are_the_best_of_a_grid(rows):
    mass, fixations = np.array(rows)[:, :2], np.array(rows)[:, 2:]
    found = np.log(oracle(mass, fixations, np.arange(len(mass)) % 2).factors)

    def mean_gain(first, second):
        total = sum(
            s[0] * first + s[1] * second - np.log(1 - m.sum() + m[0] * np.exp(first) + m[1] * np.exp(second))
            for m, s in zip(mass, fixations, strict=True)
        )
        return total / len(mass)

    tried = [mean_gain(a, b) for a in np.linspace(-4, 4, 17) for b in np.linspace(-4, 4, 17)]
    assert mean_gain(*found) >= max(tried) - 1e-6


def test_who_gets_the_share_right_wins_nothing():
    mass = np.random.default_rng(0).uniform(0.1, 0.5, (20, 1))
    found = oracle(mass, mass, np.arange(20) % 10)
    assert np.allclose(found.gain, 0, atol=1e-6)
    assert np.allclose(found.factors, 1, atol=1e-3)


def test_an_image_is_judged_by_factors_fitted_to_others():
    mass = np.full((4, 1), 0.25)
    fixations = np.array([[0.5], [0.5], [0.25], [0.25]])
    gain = oracle(mass, fixations, np.array([0, 0, 1, 1])).gain
    # Fitted to where nothing is to win, the first two win nothing; fitted to the first two, the others lose.
    assert np.allclose(gain[:2], 0, atol=1e-6)
    assert np.allclose(gain[2:], 0.25 * np.log2(3) - np.log2(1.5), atol=1e-4)


def test_images_without_parts_neither_win_nor_lose():
    mass, fixations = np.array([[0.2], [0.2], [0.0]]), np.array([[0.6], [0.6], [0.0]])
    assert oracle(mass, fixations, np.arange(3)).gain[2] == 0
