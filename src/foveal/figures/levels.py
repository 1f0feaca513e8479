"""Probability-mass levels: the smallest regions that hold a given share of the fixations."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

MASS_LEVELS = (0.25, 0.5, 0.75)


def density_at_mass(density: Float[np.ndarray, "height width"], shares: Sequence[float] = MASS_LEVELS) -> list[float]:
    """For each share of the mass, the density that the pixels of the smallest region holding it do not fall below.

    >>> density_at_mass(np.array([[0.5, 0.3, 0.2]]), [0.5, 0.8])
    [0.5, 0.3]
    """
    falling = np.sort(density.ravel().astype(np.float64))[::-1]
    mass = falling.cumsum()
    reached = np.searchsorted(mass, np.asarray(shares) * mass[-1] * (1 - 1e-9))
    return [float(value) for value in falling[np.minimum(reached, len(falling) - 1)]]
