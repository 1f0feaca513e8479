"""Earth mover's distance: how far, and how much, a prediction must be moved to become the empirical map."""

import math
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from foveal.metrics.maps import check_finite
from foveal.metrics.registry import register_metric

DOWNSIZE = 32  # px per cell of the grid on which the distance is computed


@register_metric("EMD", uses="blurred", takes_any_map=True, higher_is_better=False)
def earth_movers_distance(
    saliency: Float[Tensor, "image height width"], empirical_map: Float[Tensor, "image height width"]
) -> Float[Tensor, " image"]:
    r"""Least work to move the prediction into the empirical map, in cells of 32 px (MIT, EMD.m).

    $\min_f \sum_{ij} f_{ij} d_{ij}$ with Euclidean distances between cells and $f$ the flow from one map to the other,
    exactly, by POT's network simplex. Both maps are shrunk by 32 (bicubic, antialiased: the empirical map by exactly
    32, the prediction to the size that results) and divided by their sums; neither is scaled from 0 to 1. The published
    code rounds masses and distances to a millionth, which changes the result by up to 2e-4. Maps of the benchmark's
    later versions are histogram-matched first; these are not. Computed on the CPU, one image after the other.

    Raises
    ------
    FovealError
        If a map holds NaN or infinite values.

    >>> first, second = torch.zeros(2, 1, 64, 160)
    >>> first[0, :, :32], second[0, :, 96:128] = 1, 1
    >>> 2.9 < earth_movers_distance(first[None, 0], second[None, 0]) < 3.1
    tensor([True])
    """
    check_finite(saliency, "EMD")
    check_finite(empirical_map, "EMD")
    height, width = saliency.shape[1:]
    rows, columns = math.ceil(height / DOWNSIZE), math.ceil(width / DOWNSIZE)
    predicted = _shrunk(saliency, (rows, columns), (rows / height, columns / width))
    observed = _shrunk(empirical_map, (rows, columns), (1 / DOWNSIZE, 1 / DOWNSIZE))
    distances = _distances(rows, columns)
    work = [_work(p.ravel(), q.ravel(), distances) for p, q in zip(predicted, observed, strict=True)]
    return torch.tensor(work, dtype=saliency.dtype, device=saliency.device)


def _work(
    first: Float[np.ndarray, " cell"], second: Float[np.ndarray, " cell"], distances: Float[np.ndarray, "cell cell"]
) -> float:
    """Least work between two maps of sum one; what both have in common stays where it is."""
    import ot  # takes a second, and only this metric needs it

    surplus = first - second
    source, sink = np.flatnonzero(surplus > 0), np.flatnonzero(surplus < 0)
    mass = surplus[source].sum()
    if mass < 1e-12:
        return 0.0
    # Overshoots of the bicubic kernel make a few cells negative; the difference of the maps absorbs them.
    shares = surplus[source] / mass, surplus[sink] / surplus[sink].sum()
    return float(mass * ot.emd2(*shares, np.ascontiguousarray(distances[np.ix_(source, sink)]), numItermax=10**7))


def _shrunk(
    maps: Float[Tensor, "image height width"], size: tuple[int, int], scales: tuple[float, float]
) -> Float[np.ndarray, "image row column"]:
    """Maps on the grid, each divided by its sum; a map that is 0 everywhere is uniform."""
    height, width = maps.shape[1:]
    down, across = _bicubic(height, size[0], scales[0]), _bicubic(width, size[1], scales[1])
    small = down @ maps.detach().cpu().double().numpy() @ across.T
    total = small.sum(axis=(1, 2), keepdims=True)
    return np.where(total > 0, small / np.where(total > 0, total, 1), 1 / math.prod(size))


@lru_cache(maxsize=64)
def _bicubic(n_in: int, n_out: int, scale: float) -> Float[np.ndarray, "out in"]:
    """Weights of MATLAB's `imresize` along one side: Keys's cubic kernel (a = −½), widened where it shrinks."""
    scale_of_kernel = min(scale, 1.0)
    centers = (np.arange(n_out) + 0.5) / scale - 0.5
    reach = math.ceil(2 / scale_of_kernel) + 1
    places = np.floor(centers)[:, None].astype(np.int64) + np.arange(-reach, reach + 1)
    x = np.abs((places - centers[:, None]) * scale_of_kernel)
    near, far = 1.5 * x**3 - 2.5 * x**2 + 1, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    kernel = np.where(x <= 1, near, np.where(x <= 2, far, 0))
    # Beyond a border, the image is mirrored.
    mirrored = places % (2 * n_in)
    mirrored = np.where(mirrored < n_in, mirrored, 2 * n_in - 1 - mirrored)
    weights = np.zeros((n_out, n_in))
    np.add.at(weights, (np.arange(n_out)[:, None], mirrored), kernel)
    return weights / weights.sum(axis=1, keepdims=True)


@lru_cache(maxsize=8)
def _distances(rows: int, columns: int) -> Float[np.ndarray, "cell cell"]:
    y, x = (places.ravel() for places in np.mgrid[:rows, :columns])
    return np.hypot(y[:, None] - y, x[:, None] - x)
