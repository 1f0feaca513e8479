"""Fixations to maps: a Gaussian on every fixation, separable, without a border that swallows mass."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from foveal.errors import FovealError
from foveal.gaze.fixations import Fixations

FIXATIONS_AT_ONCE = 4096  # bounds the memory of fixation_map: two float32 rows a fixation


def gaussian_rows(
    centers: Float[Tensor, " n"], length: int, sigma: float | Float[Tensor, "*width"]
) -> Float[Tensor, "*width n length"]:
    r"""One-dimensional Gaussians on `length` pixel centres, one row a centre, each summing to one inside the image.

    $g_i(p) = e^{-(p-c_i)^2/2\sigma^2} / \sum_{q} e^{-(q-c_i)^2/2\sigma^2}$; written as a softmax, it stays defined for
    a σ far below one pixel and for centres far outside.

    >>> gaussian_rows(torch.tensor([1.0]), 3, 1.0)
    tensor([[0.2741, 0.4519, 0.2741]])
    """
    pixels = torch.arange(length, device=centers.device, dtype=centers.dtype)
    width = torch.as_tensor(sigma, device=centers.device, dtype=centers.dtype)[..., None, None]
    return torch.softmax(-0.5 * ((pixels - centers[:, None]) / width).square(), dim=-1)


def gaussian_blur(
    maps: Float[Tensor, "*batch height width"], sigma: float | Float[Tensor, "*#batch"]
) -> Float[Tensor, "*batch height width"]:
    """Gaussian blur that conserves mass: each pixel's Gaussian is normalised inside the image.

    Differentiable in the maps and in `sigma` (px; one for all, or one for each of the maps). Two matrix products, which
    at the sizes of saliency maps is faster than a convolution and has no truncated tails.

    >>> gaussian_blur(torch.eye(3), 1.0).sum()
    tensor(3.)
    """
    height, width = maps.shape[-2:]
    positions = torch.arange(max(height, width), device=maps.device, dtype=maps.dtype)
    rows = gaussian_rows(positions[:height], height, sigma)
    columns = gaussian_rows(positions[:width], width, sigma)
    return rows.mT @ maps @ columns


def fixation_map(
    fixations: Fixations,
    size: tuple[int, int],
    *,
    sigma: float | None = None,
    sigma_degrees: float | None = None,
    pixels_per_degree: float | None = None,
) -> Float[np.ndarray, "height width"]:
    """The empirical map of one photograph: a Gaussian on every fixation, float32, summing to the number of fixations.

    Each Gaussian is evaluated at the pixel centres from the fixation's exact position and normalised inside the image,
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

    Raises
    ------
    FovealError
        If not exactly one of the two widths is given, or it is not positive.
    """
    if (sigma is None) == (sigma_degrees is None):
        raise FovealError("fixation_map: give sigma (px) or sigma_degrees, one of the two")
    if sigma is None:
        if pixels_per_degree is None:
            raise FovealError("fixation_map: sigma_degrees needs pixels_per_degree")
        sigma = float(sigma_degrees or 0) * pixels_per_degree
    if not sigma > 0:
        raise FovealError(f"fixation_map: sigma must be positive, not {sigma}")
    height, width = size
    x = torch.as_tensor(fixations.x, dtype=torch.float32)
    y = torch.as_tensor(fixations.y, dtype=torch.float32)
    total = torch.zeros(height, width)
    for some_x, some_y in zip(x.split(FIXATIONS_AT_ONCE), y.split(FIXATIONS_AT_ONCE), strict=True):
        total += gaussian_rows(some_y, height, sigma).T @ gaussian_rows(some_x, width, sigma)
    return total.numpy()
