"""Earth mover's distance: how far, and how much, a prediction must be moved to become the empirical map."""

import math
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float
from scipy.spatial.distance import cdist
from torch import Tensor

from foveal.errors import FovealError
from foveal.metrics.maps import mass
from foveal.metrics.registry import register_metric

DOWNSIZE = 32  # px per cell of the grid on which the distance is computed
MOST_CELLS = 64  # along a side; the solver's memory and time grow with the square of the number of cells


@register_metric(
    "EMD",
    uses="blurred",
    takes_any_map=True,
    higher_is_better=False,
    unit="32 px",
    meaning="Least work that moves the map into the map of people's fixations.",
)
def earth_movers_distance(
    saliency: Float[Tensor, "image height width"], empirical_map: Float[Tensor, "image height width"]
) -> Float[Tensor, " image"]:
    r"""Least work to move the prediction into the empirical map, in units of 32 px (MIT, EMD.m).

    $\min_f \sum_{ij} f_{ij} d_{ij}$ with Euclidean distances between cells of 32 px and $f$ the flow from one map to
    the other, exactly, by POT's network simplex. Both maps are shrunk by 32 (bicubic, antialiased: the empirical map by
    exactly 32, the prediction to the size that results) and divided by their sums; neither is scaled from 0 to 1. A map
    with negative values is first raised so that its lowest is 0. The published code rounds masses and distances to a
    millionth, which changes the result by up to 2e-4. Maps of the benchmark's later versions are histogram-matched
    first; these are not. Images of more than 2048 px have larger cells, the unit stays. Computed on the CPU, one image
    after the other.

    Raises
    ------
    FovealError
        If a map holds NaN or infinite values, or the solver does not finish.

    >>> first, second = torch.zeros(2, 1, 64, 160)
    >>> first[0, :, :32], second[0, :, 96:128] = 1, 1
    >>> 2.9 < earth_movers_distance(first[None, 0], second[None, 0]) < 3.1
    tensor([True])
    """
    (predicted, _), (observed, _) = mass(saliency, "EMD"), mass(empirical_map, "EMD")
    height, width = saliency.shape[1:]
    downsize = max(DOWNSIZE, max(height, width) / MOST_CELLS)
    rows, columns = math.ceil(height / downsize), math.ceil(width / downsize)
    first = _shrunk(predicted, (rows, columns), (rows / height, columns / width))
    second = _shrunk(observed, (rows, columns), (1 / downsize, 1 / downsize))
    work = [_work(p, q) * downsize / DOWNSIZE for p, q in zip(first, second, strict=True)]
    return torch.tensor(work, dtype=saliency.dtype, device=saliency.device)


def _work(first: Float[np.ndarray, "row column"], second: Float[np.ndarray, "row column"]) -> float:
    """Least work between two maps of sum one; what both have in common stays where it is."""
    import ot  # takes a second, and only this metric needs it

    surplus = first - second
    source, sink = np.argwhere(surplus > 0), np.argwhere(surplus < 0)
    moved = surplus[surplus > 0].sum()
    if moved < 1e-12:
        return 0.0
    # Overshoots of the bicubic kernel make a few cells negative; the difference of the maps absorbs them.
    shares = surplus[surplus > 0] / moved, surplus[surplus < 0] / surplus[surplus < 0].sum()
    work, log = ot.emd2(*shares, cdist(source, sink), numItermax=10**7, log=True)
    if log["warning"] is not None:
        raise FovealError(f"EMD: the solver gave up ({log['warning']})")
    return float(moved * work)


def _shrunk(
    maps: Float[Tensor, "image height width"], size: tuple[int, int], scales: tuple[float, float]
) -> Float[np.ndarray, "image row column"]:
    """Maps on the grid, each divided by its sum."""
    height, width = maps.shape[1:]
    down, across = _bicubic(height, size[0], scales[0]), _bicubic(width, size[1], scales[1])
    small = down @ maps.detach().cpu().double().numpy() @ across.T
    return small / small.sum(axis=(1, 2), keepdims=True)


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
