"""Area under the ROC curve, exactly: how well a map's value tells a fixated pixel from another."""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor

from foveal.metrics.fixation_batch import FixationBatch
from foveal.metrics.maps import PixelRanks, check_finite, count_below, pixel_ranks, sorted_rows
from foveal.metrics.registry import register_metric


@register_metric(
    "AUC",
    uses="log_density",
    takes_any_map=True,
    chance=0.5,
    meaning="How often a fixated pixel has a higher value than any pixel drawn at random.",
)
def auc(
    saliency: Float[Tensor, "image height width"],
    fixations: FixationBatch,
    *,
    pixels: Sequence[PixelRanks] | None = None,
) -> Float[Tensor, " image"]:
    r"""Exact area under the ROC curve of each image; negatives are all its pixels, ties count one half.

    $\mathrm{AUC} = \frac{1}{N}\sum_i \frac{\#\{p: s(p) < s(x_i)\} + \frac12 \#\{p: s(p) = s(x_i)\}}{\#\{p\}}$: the
    probability that a fixation has a higher value than a pixel drawn uniformly (Tübingen's convention, pysaliency's
    `AUC` with uniform nonfixations). The order of values is all that counts, so a log density gives the same as its
    density. A constant map has ½. `pixels` (`pixel_ranks` of the maps) can be given
    where other metrics need them, too.

    Raises
    ------
    FovealError
        If a map holds NaN or infinite values, or an image has no fixations.

    >>> ramp = torch.arange(4.0).reshape(1, 2, 2)
    >>> auc(ramp, FixationBatch.of([(1, 1)]))
    tensor([0.8750])
    """
    check_finite(saliency, "AUC")
    ranks = pixel_ranks(saliency) if pixels is None else pixels
    n_pixels = torch.full((len(saliency),), saliency[0].numel(), device=saliency.device)
    return _mean_rank(saliency, fixations, partial(count_below, ranks), n_pixels)


@register_metric(
    "sAUC",
    uses="over_center_bias",
    takes_any_map=True,
    chance=0.5,
    meaning="How often a fixated pixel has a higher value than one fixated in another image.",
)
def shuffled_auc(
    saliency: Float[Tensor, "image height width"], fixations: FixationBatch, nonfixations: FixationBatch
) -> Float[Tensor, " image"]:
    r"""Exact area under the ROC curve of each image; negatives are pixels fixated in other images, ties count one half.

    As `auc`, with the places of `nonfixations`, one by one, in the place of all pixels (Tatler, Baddeley & Gilchrist
    2005, *Vision Research* 45; Tübingen's convention, pysaliency's `sAUC`: all fixations on all other images). A center
    bias wins nothing here, and the best map of a density is its quotient with the center bias.

    Raises
    ------
    FovealError
        If a map holds NaN or infinite values, or an image has no fixations or no nonfixations.

    >>> ramp = torch.arange(4.0).reshape(1, 2, 2)
    >>> shuffled_auc(ramp, FixationBatch.of([(1, 1)]), FixationBatch.of([(0, 0), (1, 1), (1, 1), (0, 1)]))
    tensor([0.7500])
    """
    check_finite(saliency, "sAUC")
    count = nonfixations.checked_count("nonfixations")
    negatives = sorted_rows(nonfixations.padded(nonfixations.values_in(saliency), torch.inf))

    def negatives_below(values: Float[Tensor, "image value"], *, or_equal: bool = False) -> Int[Tensor, "image value"]:
        return torch.searchsorted(negatives, values, right=or_equal)

    return _mean_rank(saliency, fixations, negatives_below, count)


def _mean_rank(
    saliency: Float[Tensor, "image height width"],
    fixations: FixationBatch,
    below: Callable[..., Int[Tensor, "image value"]],
    n_negatives: Int[Tensor, " image"],
) -> Float[Tensor, " image"]:
    """Mean share of an image's negatives that are below each fixated value, by a function that counts them."""
    values = fixations.padded(fixations.values_in(saliency), 0.0)
    counts = below(values) + below(values, or_equal=True)
    rank = 0.5 * counts.double() / n_negatives[:, None]
    return fixations.mean_per_image(rank[fixations.image, fixations.position]).to(saliency.dtype)
