"""Normalized scanpath saliency: how far above the image's mean the map is where people looked."""

import math

from jaxtyping import Float
from torch import Tensor

from foveal.metrics.fixation_batch import FixationBatch
from foveal.metrics.maps import deviations_and_length
from foveal.metrics.registry import register_metric


@register_metric(
    "NSS",
    uses="density",
    takes_any_map=True,
    unit="SD",
    chance=0.0,
    meaning="How many standard deviations the map is above its mean where people looked.",
)
def normalized_scanpath_saliency(
    saliency: Float[Tensor, "image height width"], fixations: FixationBatch, *, ddof: int = 0
) -> Float[Tensor, " image"]:
    r"""Mean z-score of the map at the fixations of each image.

    $\mathrm{NSS} = \frac{1}{N}\sum_i \frac{s(x_i) - \mu_s}{\sigma_s}$  (Peters, Iyer, Itti & Koch 2005, *Vision
    Research* 45). A constant map has no z-score; its NSS is 0, and a note says so. `ddof=1` is the MIT benchmark's
    MATLAB code, `ddof=0` Tübingen's.

    Raises
    ------
    FovealError
        If a map holds NaN or infinite values, or an image has no fixations.

    >>> import torch
    >>> peak = torch.zeros(1, 3, 3); peak[0, 1, 1] = 1.0
    >>> normalized_scanpath_saliency(peak, FixationBatch.of([(1, 1)]))
    tensor([2.8284])
    """
    deviations, length = deviations_and_length(saliency, "NSS")
    at_fixations = fixations.mean_per_image(fixations.values_in(deviations))
    return at_fixations / length * math.sqrt(saliency[0].numel() - ddof)


@register_metric(
    "NSS_MIT",
    uses="density",
    takes_any_map=True,
    unit="SD",
    chance=0.0,
    meaning="As NSS, with every fixated pixel counted once.",
)
def normalized_scanpath_saliency_mit(
    saliency: Float[Tensor, "image height width"], fixations: FixationBatch
) -> Float[Tensor, " image"]:
    """As the MIT benchmark's NSS.m: the standard deviation with N − 1, every fixated pixel counted once.

    Raises
    ------
    FovealError
        If a map holds NaN or infinite values, or an image has no fixations.

    >>> import torch
    >>> peak = torch.zeros(1, 3, 3); peak[0, 1, 1] = 1.0
    >>> normalized_scanpath_saliency_mit(peak, FixationBatch.of([(1, 1), (1, 1)]))
    tensor([2.6667])
    """
    return normalized_scanpath_saliency(saliency, fixations.distinct(), ddof=1)
