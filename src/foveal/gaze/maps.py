"""Fixations to maps: a Gaussian on every fixation, separable, without a border that swallows mass."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Shaped
from torch import Tensor
from torch.nn import functional as F

from foveal.errors import FovealError
from foveal.gaze.fixations import Fixations
from foveal.gaze.given import (
    NUMBERS_OR_TRUTH,
    described,
    floats,
    listed,
    positive_number,
    real_numbers,
    whole_number,
)

FIXATIONS_AT_ONCE = 4096  # bounds the memory of fixation_map: two float32 rows a fixation
BLOCK = 128  # px: rows and columns of a large map that are blurred together


def gaussian_rows(
    centers: Float[Tensor, " n"], length: int, sigma: float | Float[Tensor, "*width"]
) -> Float[Tensor, "*width n length"]:
    r"""One-dimensional Gaussians on `length` pixel centers, one row a center, each summing to one inside the image.

    $g_i(p) = e^{-(p-c_i)^2/2\sigma^2} / \sum_{q} e^{-(q-c_i)^2/2\sigma^2}$; written as a softmax, it stays defined for
    a σ far below one pixel and for centers far outside.

    Tails are zero from 7.6 σ on in float32 and from 22 σ on in float64, where they are 2e-13 and 3e-103 of the highest
    value. So the product of a row, a map and a column is no denormal number, which many processors are slow with.

    >>> gaussian_rows(torch.tensor([1.0]), 3, 1.0).round(decimals=4)
    tensor([[0.2741, 0.4519, 0.2741]])
    """
    pixels = torch.arange(length, device=centers.device, dtype=centers.dtype)
    width = torch.as_tensor(sigma, device=centers.device, dtype=centers.dtype)[..., None, None]
    exponents = -0.5 * ((pixels - centers[:, None]) / width).square()
    below_highest = exponents - exponents.detach().amax(dim=-1, keepdim=True)
    # Before the softmax, which would have to compute denormals otherwise.
    return torch.softmax(F.threshold(below_highest, _lowest_exponent(centers.dtype), -torch.inf), dim=-1)


def _lowest_exponent(dtype: torch.dtype) -> float:
    """Logarithm of what counts as zero beside one: a third of the exponents each for rows, maps and columns."""
    return math.log(torch.finfo(dtype).tiny) / 3


def gaussian_blur(
    maps: Shaped[Tensor | np.ndarray, "..."], sigma: float | Float[Tensor, "*#batch"]
) -> Float[Tensor, "*batch height width"]:
    """Gaussian blur that conserves mass: each pixel's Gaussian is normalized inside the image.

    Differentiable in the maps and in `sigma`. Two matrix products, which at the sizes of saliency maps are faster than
    a convolution. Of a large map, block after block is computed from what is near it.

    Parameters
    ----------
    maps
        Real numbers, (…, height, width). Integers, booleans and half precision are blurred in float32.
    sigma
        Width in px, positive: a number for all maps, or a tensor, which may have a width for each of them.

    Raises
    ------
    FovealError
        If the maps are no such array, or the width is a number that is not positive and finite.

    >>> gaussian_blur(torch.eye(3), 1.0).sum().round(decimals=4)
    tensor(3.)
    """
    maps = _real_maps(maps)
    height, width = maps.shape[-2:]
    reach = max(height, width)
    if not isinstance(sigma, Tensor):
        sigma = positive_number(sigma, "gaussian_blur: sigma")
        reach = math.ceil(min(reach, sigma * math.sqrt(-2 * _lowest_exponent(maps.dtype))))
    positions = torch.arange(max(height, width), device=maps.device, dtype=maps.dtype)
    rows = gaussian_rows(positions[:height], height, sigma)
    columns = gaussian_rows(positions[:width], width, sigma)
    down = [rows[..., near, block].mT @ maps[..., near, :] for near, block in _blocks(height, reach)]
    blurred_down = torch.cat(down, dim=-2) if len(down) > 1 else down[0]
    across = [blurred_down[..., near] @ columns[..., near, block] for near, block in _blocks(width, reach)]
    return torch.cat(across, dim=-1) if len(across) > 1 else across[0]


def _blocks(length: int, reach: int) -> Iterator[tuple[slice, slice]]:
    """Pieces of a side, each after the part of the side that is within reach of it; one where that is all of it."""
    if BLOCK + 2 * reach >= length:
        yield slice(0, length), slice(0, length)
        return
    for start in range(0, length, BLOCK):
        yield slice(max(0, start - reach), start + BLOCK + reach), slice(start, start + BLOCK)


def _real_maps(maps: Any) -> Float[Tensor, "*batch height width"]:
    """Maps of at least single precision, from tensors and NumPy arrays of any real numbers."""
    if not isinstance(maps, Tensor | np.ndarray) or maps.ndim < 2:
        raise FovealError(
            f"gaussian_blur: maps: a tensor or an array (…, height, width) is needed, not {described(maps)}"
        )
    if isinstance(maps, np.ndarray):
        array = real_numbers(maps, "gaussian_blur: maps", NUMBERS_OR_TRUTH)
        double = array.dtype.kind == "f" and array.dtype.itemsize >= 8
        maps = torch.from_numpy(array.astype(np.float64 if double else np.float32))
    if maps.is_complex():
        raise FovealError(f"gaussian_blur: maps: real numbers are needed, not {described(maps)}")
    return maps if maps.dtype in (torch.float32, torch.float64) else maps.float()


def fixation_map(
    fixations: Fixations,
    size: tuple[int, int],
    *,
    sigma: float | None = None,
    sigma_degrees: float | None = None,
    pixels_per_degree: float | None = None,
    weights: Any = None,
) -> Float[np.ndarray, "height width"]:
    """The empirical map of one photograph: a Gaussian on every fixation, float32, summing to the number of fixations.

    Each Gaussian is evaluated at the pixel centers from the fixation's exact position and normalised inside the image,
    so a fixation at the border counts as much as any other.

    Parameters
    ----------
    fixations
        Those of one photograph.
    size
        Height and width of the map in px.
    sigma
        Width of the Gaussian in px; or give
    sigma_degrees, pixels_per_degree
        its width in degrees of visual angle and the scale of the photograph.
    weights
        What each fixation counts, not negative; one by default. `fixations.duration` counts how long people looked. The
        map sums to the sum of the weights.

    Raises
    ------
    FovealError
        If not exactly one of the two widths is given, or it is not positive and finite, the size is none, the
        fixations are no `Fixations`, or a weight is not known or negative.

    >>> fixations = Fixations.of([0, 0], [2, 5], [1, 1], duration=[300, 100])
    >>> by_time = fixation_map(fixations, (3, 8), sigma=1.0, weights=fixations.duration)
    >>> float(by_time.sum().round())
    400.0
    """
    if (sigma is None) == (sigma_degrees is None):
        raise FovealError("fixation_map: give sigma (px) or sigma_degrees, one of the two")
    if sigma is None:
        if pixels_per_degree is None:
            raise FovealError("fixation_map: sigma_degrees needs pixels_per_degree")
        degrees = positive_number(sigma_degrees, "fixation_map: sigma_degrees")
        sigma = degrees * positive_number(pixels_per_degree, "fixation_map: pixels_per_degree")
    sigma = positive_number(sigma, "fixation_map: sigma")
    if len(sides := listed(size, "fixation_map: size")) != 2:
        raise FovealError(f"fixation_map: size: a height and a width are needed, not {described(size)}")
    height, width = (whole_number(side, "fixation_map: size", 1) for side in sides)
    if not isinstance(fixations, Fixations):
        raise FovealError(f"fixation_map: Fixations (Fixations.of(image, x, y)) are needed, not {described(fixations)}")
    x, y = (torch.from_numpy(column).float() for column in (fixations.x, fixations.y))
    weight = torch.ones_like(x) if weights is None else torch.from_numpy(_weights(weights, len(fixations))).float()
    total = torch.zeros(height, width)
    for some_x, some_y, some in zip(*(each.split(FIXATIONS_AT_ONCE) for each in (x, y, weight)), strict=True):
        total += gaussian_rows(some_y, height, sigma).T @ (some[:, None] * gaussian_rows(some_x, width, sigma))
    return total.numpy()


def _weights(given: Any, n_fixations: int) -> Float[np.ndarray, " fixation"]:
    weights = floats(given, "fixation_map: weights")
    if weights.shape != (n_fixations,):
        raise FovealError(f"fixation_map: weights: one of each of {n_fixations} fixations, not {described(weights)}")
    if not (np.isfinite(weights) & (weights >= 0)).all():
        raise FovealError("fixation_map: weights: one is not known, or negative; leave its fixation out")
    return weights


def gaze_map(
    gaze: Shaped[np.ndarray, "sample 2"],
    size: tuple[int, int],
    *,
    sigma: float | None = None,
    sigma_degrees: float | None = None,
    pixels_per_degree: float | None = None,
) -> Float[np.ndarray, "height width"]:
    """The map of raw gaze on one photograph: a Gaussian on every sample, as iSUN's maps are made (Xu et al. 2015).

    No fixations need to be found for it. With samples at a steady rate, a place counts as long as gaze was there,
    saccades included. Samples that are lost (NaN) or outside of the photograph are left out.

    Parameters
    ----------
    gaze
        x and y of each sample, in px of the photograph.
    size, sigma, sigma_degrees, pixels_per_degree
        As `fixation_map` takes them.

    Raises
    ------
    FovealError
        As of `fixation_map`, or if the gaze is no array of such rows.

    >>> gaze = np.array([[2.0, 1.0], [2.1, 1.0], [np.nan, np.nan], [90.0, 1.0]])
    >>> float(gaze_map(gaze, (3, 8), sigma=1.0).sum().round())
    2.0
    """
    samples = floats(gaze, "gaze_map: gaze")
    if samples.ndim != 2 or samples.shape[1] != 2:
        raise FovealError(f"gaze_map: gaze: x and y of each sample, not {described(samples)}")
    x, y = samples[np.isfinite(samples).all(axis=1)].T
    inside = Fixations.of(np.zeros(len(x)), x, y).inside(np.array([size]))
    return fixation_map(inside, size, sigma=sigma, sigma_degrees=sigma_degrees, pixels_per_degree=pixels_per_degree)
