"""What a model could win at most if it knew which parts of a photograph are special: an oracle with one factor.

A density p becomes f p inside these parts and p elsewhere, and is normalized again. The factor f is fitted to the
fixations on other photographs.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import minimize

HIGHEST_LOG_FACTOR = 10.0  # of either sign; a flag on parts where nobody ever looked would have none


@dataclass(frozen=True)
class Oracle:
    """What came of it.

    Attributes
    ----------
    gain
        Bit per fixation that each photograph wins, with factors that were fitted without its fold.
    factors
        Fitted to all photographs, one for each kind of part.
    """

    gain: Float[np.ndarray, " image"]
    factors: Float[np.ndarray, " kind"]


def oracle(
    mass: Float[np.ndarray, "image kind"],
    fixations: Float[np.ndarray, "image kind"],
    fold: Int[np.ndarray, " image"],
) -> Oracle:
    r"""Fit a factor for each kind of part, cross-validated over folds of photographs.

    With the shares $m_k$ of the density and $s_k$ of the fixations in the parts of kind k, a photograph wins
    $\sum_k s_k \ln f_k - \ln(1 + \sum_k m_k (f_k - 1))$ a fixation. The mean of that over photographs is concave in
    $\ln f$.

    Parameters
    ----------
    mass, fixations
        Shares of each photograph's density and fixations in the parts of each kind, which do not overlap.
    fold
        Of each photograph; those of one fold are left out together.

    >>> half = np.full((4, 1), 0.5)
    >>> found = oracle(half / 2, half, np.arange(4) % 2)  # what holds half of the fixations has a quarter of the mass
    >>> found.factors.round(3), found.gain.round(3)
    (array([3.]), array([0.208, 0.208, 0.208, 0.208]))
    """
    gain = np.zeros(len(mass))
    for held_out in np.unique(fold):
        inside = fold == held_out
        log_factors = _fitted(mass[~inside], fixations[~inside])
        gain[inside] = _gains(log_factors, mass[inside], fixations[inside]) / np.log(2)
    return Oracle(gain, np.exp(_fitted(mass, fixations)))


def _fitted(
    mass: Float[np.ndarray, "image kind"], fixations: Float[np.ndarray, "image kind"]
) -> Float[np.ndarray, " kind"]:
    """The logarithms of the best factors; 0 where there is nothing to fit to."""
    n_kinds = mass.shape[1]
    if not len(mass):
        return np.zeros(n_kinds)

    def loss(log_factors: Float[np.ndarray, " kind"]) -> tuple[float, Float[np.ndarray, " kind"]]:
        factors = np.exp(log_factors)
        total = 1 + mass @ (factors - 1)
        slope = fixations - mass * factors / total[:, None]
        return -float(_gains(log_factors, mass, fixations).mean()), -slope.mean(axis=0)

    bounds = [(-HIGHEST_LOG_FACTOR, HIGHEST_LOG_FACTOR)] * n_kinds
    return minimize(loss, np.zeros(n_kinds), jac=True, bounds=bounds, method="L-BFGS-B").x


def _gains(
    log_factors: Float[np.ndarray, " kind"],
    mass: Float[np.ndarray, "image kind"],
    fixations: Float[np.ndarray, "image kind"],
) -> Float[np.ndarray, " image"]:
    """Nats per fixation."""
    return fixations @ log_factors - np.log1p(mass @ np.expm1(log_factors))
