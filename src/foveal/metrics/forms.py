"""From one density, the map that is best for each metric.

Metrics ask for different things: a map that is best under one is not under another. Given a density of fixations, each
metric's best map follows from it (Kümmerer, Wallis & Bethge 2018, *ECCV*, "Saliency benchmarking made easy: separating
models, maps and metrics").
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from foveal.gaze.maps import gaussian_blur, gaussian_rows
from foveal.metrics.maps import sorted_rows

SAMPLES = 400  # drawn sets of fixations; more of them raise the expected SIM by less than 0.0005
CELLS_PER_SIGMA = 3  # of the grid on which the empirical maps are drawn; finer grids change SIM by less than 0.0005
LONGEST_SIDE = 160  # cells


def over_center_bias(
    log_density: Float[Tensor, "image height width"], log_center_bias: Float[Tensor, "image height width"]
) -> Float[Tensor, "image height width"]:
    """Log of the density divided by the center bias: what the image adds. For sAUC, whose negatives follow the latter.

    >>> over_center_bias(torch.tensor([[[-1.0, -2.0]]]), torch.tensor([[[-1.5, -1.5]]]))
    tensor([[[ 0.5000, -0.5000]]])
    """
    return log_density - log_center_bias


def blurred(log_density: Float[Tensor, "image height width"], sigma: float) -> Float[Tensor, "image height width"]:
    """The density, blurred like the empirical map (σ in px): what that map will be on average. For CC, KL and EMD."""
    return gaussian_blur(log_density.exp(), sigma)


def similarity_map(
    log_density: Float[Tensor, "image height width"], sigma: float, n_fixations: int, *, seed: int = 0
) -> Float[Tensor, "image height width"]:
    r"""The map of highest expected SIM with the empirical map of `n_fixations` fixations, blurred with σ (px).

    $\arg\max_p \mathrm{E}_q \sum_j \min(p_j, q_j)$ over maps p of sum one. The objective is concave, and where it is
    highest, $P(q_j > p_j)$ is the same at every pixel: p is one quantile of the empirical maps, at each pixel its own,
    the quantile being the one whose map sums to one. So it is found without any descent: empirical maps are drawn
    from the density, sorted at each pixel, and the quantile is interpolated. (The published code ascends the gradient.)

    The maps are drawn on a grid of σ/3, or coarser on very large images, and the result is enlarged bilinearly.

    Parameters
    ----------
    log_density
        Natural log, `logsumexp` 0.
    sigma
        Of the empirical map, px.
    n_fixations
        How many fixations an empirical map is made of, on average.
    seed
        Of the drawn fixations.
    """
    height, width = log_density.shape[1:]
    step = max(sigma / CELLS_PER_SIGMA, max(height, width) / LONGEST_SIDE, 1.0)
    size = max(1, round(height / step)), max(1, round(width / step))
    density = torch.nn.functional.adaptive_avg_pool2d(log_density.exp()[:, None], size)[:, 0]
    # One σ for both sides of the grid, though its cells are not quite square.
    sigma_in_cells = sigma * math.sqrt(size[0] * size[1] / (height * width))
    best = torch.stack([_quantile_map(one, sigma_in_cells, n_fixations, seed) for one in density])
    enlarged = torch.nn.functional.interpolate(best[:, None], (height, width), mode="bilinear", align_corners=False)
    return enlarged[:, 0] / enlarged.sum(dim=(2, 3))[:, :, None]


def _quantile_map(
    density: Float[Tensor, "row column"], sigma: float, n_fixations: int, seed: int
) -> Float[Tensor, "row column"]:
    """The map made of the same quantile of drawn empirical maps at every pixel, and of sum one."""
    generator = torch.Generator(density.device).manual_seed(seed)
    places = density.flatten().multinomial(SAMPLES * n_fixations, replacement=True, generator=generator)
    drawn = torch.arange(SAMPLES, device=density.device).repeat_interleave(n_fixations)
    counts = density.new_zeros(density.numel() * SAMPLES)
    counts.index_add_(0, places * SAMPLES + drawn, counts.new_full((len(places),), 1 / n_fixations))
    # `gaussian_blur` with the samples last: a few large products, after which what is sorted lies together.
    rows, columns = (
        gaussian_rows(torch.arange(length, device=density.device, dtype=density.dtype), length, sigma)
        for length in density.shape
    )
    across = (rows.mT @ counts.view(len(rows), -1)).view(len(rows), len(columns), SAMPLES)
    ordered = sorted_rows((columns.mT @ across).flatten(0, 1))  # (cell, sample)

    # From sample to sample the sums rise from below one to above it; between two, every cell moves in proportion.
    sums = ordered.sum(dim=0)
    above = int((sums < 1).sum().clamp(1, SAMPLES - 1))
    low, high = ordered[:, above - 1], ordered[:, above]
    share = ((1 - sums[above - 1]) / (sums[above] - sums[above - 1]).clamp(min=1e-12)).clamp(0, 1)
    return torch.lerp(low, high, share).reshape(density.shape)
