"""Area under the ROC curve: how well a map's value tells a fixated pixel from any pixel."""

import torch
from jaxtyping import Float
from torch import Tensor

from foveal.metrics.fixation_batch import FixationBatch, check_maps
from foveal.metrics.registry import register_metric


@register_metric("AUC", uses="log_density", takes_any_map=True)
def auc(saliency: Float[Tensor, "image height width"], fixations: FixationBatch) -> Float[Tensor, " image"]:
    r"""Exact area under the ROC curve of each image; negatives are all its pixels, ties count one half.

    $\mathrm{AUC} = \frac{1}{N}\sum_i \frac{\#\{p: s(p) < s(x_i)\} + \frac12 \#\{p: s(p) = s(x_i)\}}{\#\{p\}}$: the
    probability that a fixation has a higher value than a pixel drawn uniformly (Tübingen's convention, pysaliency's
    `AUC` with uniform nonfixations). The order of values is all that counts, so a log density gives the same as its
    density. A constant map has ½.

    Raises
    ------
    FovealError
        If a map holds NaN or infinite values, or an image has no fixations.

    >>> ramp = torch.arange(4.0).reshape(1, 2, 2)
    >>> auc(ramp, FixationBatch.of([(1, 1)]))
    tensor([0.8750])
    """
    check_maps(saliency, "AUC")
    n_images = len(saliency)
    values = fixations.values_in(saliency)
    thresholds = fixations.padded(values, torch.inf).sort(dim=1).values
    pixels = saliency.flatten(1)
    # The pixels are placed among the few fixated values, which is cheaper than sorting the pixels: of T sorted
    # thresholds, threshold k has below it the pixels with at most k thresholds <= their value.
    n_bins = thresholds.shape[1] + 1

    def pixels_per_bin(*, right: bool) -> Float[Tensor, "image bin"]:
        bins = torch.searchsorted(thresholds, pixels, right=right)
        bins += n_bins * torch.arange(n_images, device=pixels.device)[:, None]
        return torch.bincount(bins.flatten(), minlength=n_images * n_bins).reshape(n_images, n_bins).double()

    below = pixels_per_bin(right=True).cumsum(dim=1)[:, :-1]
    below_or_equal = pixels_per_bin(right=False).cumsum(dim=1)[:, :-1]
    rank = 0.5 * (below + below_or_equal) / pixels.shape[1]
    real = torch.arange(n_bins - 1, device=pixels.device) < fixations.count[:, None]
    flat_rank = rank[real]  # row by row, so still sorted by image
    return fixations.mean_per_image(flat_rank).to(saliency.dtype)
