"""Probability-mass levels: the smallest regions that hold a given share of the fixations."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from foveal.errors import FovealError

MASS_LEVELS = (0.25, 0.5, 0.75)
HOTSPOTS = 0.5  # share of the fixations in all hotspots together
SMALLEST_HOTSPOT = 0.01  # share of the fixations in one that is worth a label, or to be counted
STEPS = 4096  # of the square root of the density; densities that differ by less are one level


def density_at_mass(density: Float[np.ndarray, "height width"], shares: Sequence[float] = MASS_LEVELS) -> list[float]:
    """For each share of the mass, the density that the pixels of the smallest region holding it do not fall below.

    >>> density_at_mass(np.array([[0.5, 0.3, 0.2]]), [0.5, 0.8])
    [0.5, 0.3]
    """
    falling = np.sort(density, axis=None)[::-1]
    mass = falling.cumsum(dtype=np.float64)
    reached = np.searchsorted(mass, np.asarray(shares) * mass[-1] * (1 - 1e-9))
    return [float(value) for value in falling[np.minimum(reached, len(falling) - 1)]]


def in_hotspots(density: Float[np.ndarray, "height width"]) -> Bool[np.ndarray, "height width"]:
    """Which pixels lie in a hotspot, one of the places that together hold half of the fixations?"""
    return density >= density_at_mass(density, [HOTSPOTS])[0]


def enclosed_mass(density: Float[np.ndarray, "height width"]) -> Float[np.ndarray, "height width"]:
    """For each pixel, the share of the mass in the smallest region that reaches it.

    It is near 0 at the peak and 1 at the lowest pixel. The density is divided into 4096 levels. A density without
    structure has one level, so the result is 1 everywhere.

    >>> enclosed_mass(np.array([[0.5, 0.3, 0.2]], dtype=np.float32)).round(3)
    array([[0.5, 0.8, 1. ]], dtype=float32)
    """
    step = np.rint(np.sqrt(density / density.max()) * (STEPS - 1)).astype(np.int32)
    by_step = np.bincount(step.ravel(), weights=density.ravel(), minlength=STEPS)
    reached = by_step[::-1].cumsum()[::-1]
    return (reached / reached[0]).astype(np.float32)[step]


def check_levels(levels: Any) -> tuple[float, ...]:
    """Shares of the mass, ascending, each once.

    Raises
    ------
    FovealError
        If one does not lie between 0 and 1.
    """
    try:
        shares = tuple(sorted({float(level) for level in np.atleast_1d(levels)}))
    except (TypeError, ValueError):
        shares = ()
    if not shares or not all(0 < share < 1 for share in shares):
        raise FovealError(f"levels: shares of the fixations between 0 and 1, such as {MASS_LEVELS}, not {levels!r}")
    return shares
