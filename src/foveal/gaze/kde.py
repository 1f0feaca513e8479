"""Kernel density estimates whose leave-one-out likelihoods are pairwise sums, never rendered maps."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.optimize import minimize_scalar

from foveal.gaze.maps import gaussian_rows

EM_STEPS = 1000  # at most; enough for weights to settle wherever they matter to the likelihood
EM_TOLERANCE = 1e-8  # nats per fixation and step: below that, EM stops
LEAST_WEIGHT = 1e-6  # no component is ever ruled out: one fixation that only it explains would cost infinitely much


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
    # Row i, column j: what the Gaussian on fixation i gives to the pixel of fixation j.
    columns = gaussian_rows(torch.from_numpy(x), width, sigma)[:, np.floor(x + 0.5).astype(np.int64)]
    rows = gaussian_rows(torch.from_numpy(y), height, sigma)[:, np.floor(y + 0.5).astype(np.int64)]
    kernels = (columns * rows).numpy()
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


def fit_bandwidth(
    densities: Callable[[float], Float[np.ndarray, "component fixation"]], bounds: tuple[float, float]
) -> tuple[float, Float[np.ndarray, " component"]]:
    """The bandwidth within bounds, and the mixture weights, that maximise the mean log-likelihood.

    Parameters
    ----------
    densities
        At a bandwidth, the held-out density of every fixation under each component of the mixture.
    bounds
        Lowest and highest bandwidth, in any unit; the search is over its logarithm.
    """

    def loss(log_bandwidth: float) -> float:
        components = densities(float(np.exp(log_bandwidth)))
        return -float(np.log(fit_mixture_weights(components) @ components).mean())

    search = minimize_scalar(loss, bounds=tuple(np.log(bounds)), method="bounded", options={"xatol": 0.02})
    bandwidth = float(np.exp(search.x))
    return bandwidth, fit_mixture_weights(densities(bandwidth))
