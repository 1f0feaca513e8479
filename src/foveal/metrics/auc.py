"""Area under the ROC curve, exactly: how well a map's value tells a fixated pixel from another."""

import torch
from jaxtyping import Float
from torch import Tensor

from foveal.metrics.fixation_batch import FixationBatch
from foveal.metrics.maps import finite_range, sorted_rows
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
    pixels = saliency.flatten(1)
    n_pixels = torch.full((len(pixels),), pixels.shape[1], device=pixels.device)
    return _mean_rank(fixations.values_in(saliency), fixations, sorted_rows(pixels), n_pixels)


@register_metric("sAUC", uses="over_center_bias", takes_any_map=True)
def shuffled_auc(
    saliency: Float[Tensor, "image height width"], fixations: FixationBatch, nonfixations: FixationBatch
) -> Float[Tensor, " image"]:
    r"""Exact area under the ROC curve of each image; negatives are pixels fixated in other images, ties count one half.

    As `auc`, with the places of `nonfixations`, one by one, in the place of all pixels (Tatler, Baddeley & Gilchrist
    2005, *Vision Research* 45; Tübingen's convention, pysaliency's `sAUC`: all fixations on all other images). A centre
    bias wins nothing here, and the best map of a density is its quotient with the centre bias.

    Raises
    ------
    FovealError
        If a map holds NaN or infinite values, or an image has no fixations or no nonfixations.

    >>> ramp = torch.arange(4.0).reshape(1, 2, 2)
    >>> shuffled_auc(ramp, FixationBatch.of([(1, 1)]), FixationBatch.of([(0, 0), (1, 1), (1, 1), (0, 1)]))
    tensor([0.7500])
    """
    finite_range(saliency, "sAUC")
    count = nonfixations.checked_count("nonfixations")
    negatives = sorted_rows(nonfixations.padded(nonfixations.values_in(saliency), torch.inf))
    return _mean_rank(fixations.values_in(saliency), fixations, negatives, count)


def _mean_rank(
    values: Float[Tensor, " fixation"],
    fixations: FixationBatch,
    negatives: Float[Tensor, "image most"],
    n_negatives: Float[Tensor, " image"] | Tensor,
) -> Float[Tensor, " image"]:
    """Mean share of an image's negatives (sorted, filled up with infinities) that are below each of the values."""
    thresholds = fixations.padded(values, 0.0)
    below = torch.searchsorted(negatives, thresholds)
    below_or_equal = torch.searchsorted(negatives, thresholds, right=True)
    rank = 0.5 * (below + below_or_equal).double() / n_negatives[:, None]
    return fixations.mean_per_image(rank[fixations.image, fixations.position]).to(negatives.dtype)
