"""The last step of every model: any real-valued map becomes a log density of the photograph's own size."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

ROWS_AT_ONCE = 32  # logsumexp makes copies of what it sums; of a large map, never whole ones


def normalize_log_density(log_density: Float[Tensor, "image height width"]) -> Float[Tensor, "image height width"]:
    """Shift each map so that its exponential sums to one (in place where the map needs no gradient)."""
    rows = torch.cat([part.logsumexp(dim=2) for part in log_density.split(ROWS_AT_ONCE, dim=1)], dim=1)
    log_mass = rows.logsumexp(dim=1)[:, None, None]
    return log_density - log_mass if log_density.requires_grad else log_density.sub_(log_mass)


def resize_maps(maps: Float[Tensor, "image h w"], size: tuple[int, int]) -> Float[Tensor, "image height width"]:
    """Resample maps to another (height, width).

    Bilinear between pixel centers, the borders of both grids on each other, so that nothing drifts by half a pixel.
    """
    return F.interpolate(maps[:, None], size=size, mode="bilinear", align_corners=False)[:, 0]


def resize_log_density(
    log_density: Float[Tensor, "image h w"], size: tuple[int, int]
) -> Float[Tensor, "image height width"]:
    """Resample log densities to another (height, width) and normalise them there.

    See `resize_maps` for how.
    """
    same = tuple(log_density.shape[1:]) == size
    return normalize_log_density(log_density.clone() if same else resize_maps(log_density, size))
