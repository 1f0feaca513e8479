"""Kernel density estimates whose leave-one-out likelihoods are pairwise sums, never rendered maps."""

import numpy as np
from jaxtyping import Float, Int

EM_STEPS = 60  # mixture weights of two or three components have long converged by then
LEAST_WEIGHT = 1e-6  # no component is ever ruled out: one fixation that only it explains would cost infinitely much


def pairwise_kernels(
    centers: Float[np.ndarray, " source"], pixels: Int[np.ndarray, " target"], length: int, sigma: float
) -> Float[np.ndarray, "source target"]:
    """What a one-dimensional Gaussian on each center gives to each target pixel, of a line of `length` pixels.

    The same numbers as in the rows of `gaze.maps.gaussian_rows`, at the target pixels only.
    """
    line = np.arange(length)
    mass = np.exp(-0.5 * ((line - centers[:, None]) / sigma) ** 2).sum(axis=1)
    return np.exp(-0.5 * ((pixels - centers[:, None]) / sigma) ** 2) / mass[:, None]


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
    for _ in range(EM_STEPS):
        joint = weights[:, None] * densities
        weights = (joint / joint.sum(axis=0)).mean(axis=1)
    weights = np.maximum(weights, LEAST_WEIGHT)
    return weights / weights.sum()
