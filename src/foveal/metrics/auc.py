"""Area under the ROC curve: how well a map's value tells a fixated pixel from any pixel."""

import torch
from jaxtyping import Float
from torch import Tensor

from foveal.metrics.fixation_batch import FixationBatch, finite_range
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
    finite_range(saliency, "AUC")
    thresholds = fixations.padded(fixations.values_in(saliency), torch.inf).sort(dim=1).values
    pixels = saliency.flatten(1)
    n_thresholds = thresholds.shape[1]

    # The pixels are placed among the few fixated values, which is cheaper than sorting the pixels: of sorted
    # thresholds, the k-th has below it the pixels that have at most k thresholds below or at their value.
    def cumulative_pixels(*, right: bool) -> Float[Tensor, "image threshold"]:
        places = torch.searchsorted(thresholds, pixels, right=right, out_int32=True)
        counts = torch.stack([row.bincount(minlength=n_thresholds + 1) for row in places])
        return counts[:, :-1].cumsum(dim=1).double()

    below, below_or_equal = cumulative_pixels(right=True), cumulative_pixels(right=False)
    rank = 0.5 * (below + below_or_equal) / pixels.shape[1]
    real = torch.arange(n_thresholds, device=pixels.device) < fixations.count[:, None]
    return fixations.mean_per_image(rank[real]).to(saliency.dtype)
