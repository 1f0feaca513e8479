"""Kernel density estimates whose leave-one-out likelihoods are pairwise sums, never rendered maps."""

import numpy as np
from jaxtyping import Float, Int

EM_STEPS = 1000  # at most; enough for weights to settle wherever they matter to the likelihood
EM_TOLERANCE = 1e-8  # nats per fixation and step: below that, EM stops
LEAST_WEIGHT = 1e-6  # no component is ever ruled out: one fixation that only it explains would cost infinitely much


def pairwise_kernels(
    centers: Float[np.ndarray, " source"], pixels: Int[np.ndarray, " target"], length: int, sigma: float
) -> Float[np.ndarray, "source target"]:
    """What a one-dimensional Gaussian on each center gives to each target pixel, of a line of `length` pixels.

    The same numbers as in the rows of `gaze.maps.gaussian_rows`, at the target pixels only.
    """
    exponents = -0.5 * ((np.arange(length) - centers[:, None]) / sigma) ** 2
    # Relative to the nearest pixel's: of a Gaussian far narrower than a pixel, all others would be lost.
    highest = exponents.max(axis=1, keepdims=True)
    mass = np.exp(exponents - highest).sum(axis=1, keepdims=True)
    return np.exp(-0.5 * ((pixels - centers[:, None]) / sigma) ** 2 - highest) / mass


def leave_one_subject_out_densities(
    x: Float[np.ndarray, " fixation"],
    y: Float[np.ndarray, " fixation"],
    subject: Int[np.ndarray, " fixation"],
    size: tuple[int, int],
    sigma: float,
) -> Float[np.ndarray, " fixation"]:
    """At each fixation of one image, the density of a Gaussian KDE of all other subjects' fixations.

    Parameters
    ----------
    x, y, subject
        Fixations of one image, inside it.
    size
        Height and width of the image in px.
    sigma
        Bandwidth in px.

    Returns
    -------
    Probability of the pixel that each fixation falls on; NaN where nobody else looked at the image.
    """
    height, width = size
    kernels = pairwise_kernels(x, np.floor(x + 0.5).astype(np.int64), width, sigma)
    kernels *= pairwise_kernels(y, np.floor(y + 0.5).astype(np.int64), height, sigma)
    others = subject[:, None] != subject[None, :]
    count = others.sum(axis=0)
    return np.where(count > 0, (kernels * others).sum(axis=0) / np.maximum(count, 1), np.nan)


def fit_mixture_weights(densities: Float[np.ndarray, "component fixation"]) -> Float[np.ndarray, " component"]:
    """Weights of a mixture of fixed densities that maximise the likelihood (EM; the problem is convex).

    >>> fit_mixture_weights(np.array([[2.0, 2.0], [1.0, 1.0]])).round(3)
    array([1., 0.])
    """
    weights = np.full(len(densities), 1 / len(densities))
    before = -np.inf
    for _ in range(EM_STEPS):
        joint = weights[:, None] * densities
        mixed = joint.sum(axis=0)
        likelihood = np.log(mixed).mean()
        if likelihood - before < EM_TOLERANCE:
            break
        before = likelihood
        weights = (joint / mixed).mean(axis=1)
    weights = np.maximum(weights, LEAST_WEIGHT)
    return weights / weights.sum()
