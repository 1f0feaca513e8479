"""Normalized scanpath saliency: how far above the image's mean the map is where people looked."""

import torch
from jaxtyping import Float
from torch import Tensor

from foveal.metrics.fixation_batch import FixationBatch, check_maps
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
    check_maps(saliency, "NSS")
    pixels = saliency.flatten(1)
    # Scaled by the peak first: the density of a large image is so small that its square leaves float32's range.
    scale = pixels.abs().amax(dim=1).clamp(min=torch.finfo(pixels.dtype).tiny)
    scaled = pixels / scale[:, None]
    mean = scaled.mean(dim=1)
    std = scaled.std(dim=1, correction=ddof)
    constant = pixels.amax(dim=1) == pixels.amin(dim=1)
    at_fixations = fixations.mean_per_image(fixations.values_in(saliency)) / scale
    return torch.where(constant, 0.0, (at_fixations - mean) / torch.where(constant, 1.0, std))
