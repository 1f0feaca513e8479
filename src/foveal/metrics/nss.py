"""Normalized scanpath saliency: how far above the image's mean the map is where people looked."""

import torch
from jaxtyping import Float
from torch import Tensor

from foveal.metrics.fixation_batch import FixationBatch, finite_range
from foveal.metrics.registry import register_metric


@register_metric("NSS", uses="density", takes_any_map=True)
def normalized_scanpath_saliency(
    saliency: Float[Tensor, "image height width"], fixations: FixationBatch, *, ddof: int = 0
) -> Float[Tensor, " image"]:
    r"""Mean z-score of the map at the fixations of each image.

    $\mathrm{NSS} = \frac{1}{N}\sum_i \frac{s(x_i) - \mu_s}{\sigma_s}$  (Peters, Iyer, Itti & Koch 2005, *Vision
    Research* 45). A constant map has no z-score; its NSS is 0. `ddof=1` is the MIT benchmark's MATLAB code, `ddof=0`
    Tübingen's.

    Raises
    ------
    FovealError
        If a map holds NaN or infinite values, or an image has no fixations.

    >>> peak = torch.zeros(1, 3, 3); peak[0, 1, 1] = 1.0
    >>> normalized_scanpath_saliency(peak, FixationBatch.of([(1, 1)]))
    tensor([2.8284])
    """
    low, high = finite_range(saliency, "NSS")
    pixels = saliency.flatten(1)
    mean = pixels.mean(dim=1)
    deviation = pixels - mean[:, None]
    # Scaled by the largest one: the density of a large image is so small that its square can leave float32's range.
    scale = torch.where(low < high, torch.linalg.vector_norm(deviation, ord=float("inf"), dim=1), 1.0)
    deviation /= scale[:, None]
    std = scale * (deviation.square_().sum(dim=1) / (pixels.shape[1] - ddof)).sqrt()
    at_fixations = fixations.mean_per_image(fixations.values_in(saliency))
    return torch.where(low < high, (at_fixations - mean) / torch.where(low < high, std, 1.0), 0.0)
