"""The areas under the ROC curve of the MIT saliency benchmark, as its MATLAB code computes them.

Fixations are a mask there: a pixel fixated twice counts once. Negatives are not all pixels, thresholds are few, and
both change the number; `auc` and `shuffled_auc` are what they approximate. Even steps between thresholds see nothing of
a density's tails: with `equalize`, each value counts as its rank, the share of its map's pixels that are lower, which
is the best map for them.
"""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from foveal.metrics.fixation_batch import FixationBatch
from foveal.metrics.maps import PixelRanks, count_below, finite_range, pixel_ranks, sorted_rows
from foveal.metrics.registry import register_metric

SPLITS = 100  # random draws of negatives that are averaged
N_STEPS = 10  # between the thresholds of AUC_Borji and sAUC_MIT, on a map from 0 to 1


@register_metric(
    "AUC_Judd",
    uses="log_density",
    takes_any_map=True,
    chance=0.5,
    meaning="As AUC, against pixels that were not fixated, as the MIT benchmark computes it.",
)
def auc_judd(
    saliency: Float[Tensor, "image height width"],
    fixations: FixationBatch,
    *,
    pixels: Sequence[PixelRanks] | None = None,
) -> Float[Tensor, " image"]:
    r"""Area under the ROC curve whose thresholds are the values at the fixated pixels (MIT, AUC_Judd.m).

    With N fixated pixels of P in all, the i-th highest of their values has the true positive rate $i/N$ and the false
    positive rate $(\#\{p: s(p) \ge s(x_i)\} - i)/(P - N)$; trapezoids between them, from (0, 0) to (1, 1). About
    $1/2N$ above the exact `auc`. Without the jitter that the published code can add to break ties, which it otherwise
    counts to the negatives' favour. A constant map, all ties, has ½, and so has one whose every
    pixel is fixated. `pixels` as in `auc`.

    Raises
    ------
    FovealError
        If a map holds NaN or infinite values, or an image has no fixations.

    >>> ramp = torch.arange(4.0).reshape(1, 2, 2)
    >>> auc_judd(ramp, FixationBatch.of([(1, 1)]))
    tensor([1.])
    """
    low, high = finite_range(saliency, "AUC_Judd")
    fixations = fixations.distinct()
    count = fixations.checked_count().double()[:, None]
    ranks = pixel_ranks(saliency) if pixels is None else pixels
    n_pixels = saliency[0].numel()

    # Descending; rows are filled up with infinities, which then stand first and count as points at (0, 0).
    thresholds = sorted_rows(fixations.padded(fixations.values_in(saliency), torch.inf)).flip(1)
    real = torch.isfinite(thresholds)
    place = real.double().cumsum(dim=1)
    at_or_above = n_pixels - count_below(ranks, thresholds)
    true_positives = place / count
    false_positives = torch.where(real, (at_or_above - place) / (n_pixels - count).clamp(min=1), 0.0)
    tells = (low < high) & (count[:, 0] < n_pixels)
    return torch.where(tells, _area(true_positives, false_positives), 0.5).to(saliency.dtype)


@register_metric(
    "AUC_Borji",
    uses="log_density",
    takes_any_map=True,
    chance=0.5,
    meaning="As AUC, against few random pixels and with eleven thresholds, as the MIT benchmark computes it.",
)
def auc_borji(
    saliency: Float[Tensor, "image height width"],
    fixations: FixationBatch,
    *,
    splits: int = SPLITS,
    seed: int = 0,
    equalize: bool = False,
    pixels: Sequence[PixelRanks] | None = None,
) -> Float[Tensor, " image"]:
    """Area under the ROC curve against random pixels, as many as fixated ones, mean of 100 draws (MIT, AUC_Borji.m).

    The map is scaled from 0 to 1, the thresholds are 0, 0.1 … 1: few, so that skewed maps score too low. With
    `equalize`, each value counts as the share of pixels below it, which `pixels` tells as in `auc`. The draws depend on
    the seed and the number of fixations only.

    Raises
    ------
    FovealError
        If a map holds NaN or infinite values, or an image has no fixations.

    >>> ramp = torch.arange(100.0).reshape(1, 10, 10)
    >>> 0.9 < auc_borji(ramp, FixationBatch.of([(9, 9)])) < 1
    tensor([True])
    """
    scale = _scale(saliency, "AUC_Borji", equalize=equalize, pixels=pixels)
    areas = []
    for image, positives in enumerate(_per_image(saliency, fixations.distinct())):
        drawn = torch.randint(saliency[0].numel(), (splits, len(positives)), generator=_seeded(seed))
        negatives = saliency[image].flatten()[drawn.to(saliency.device)]
        areas.append(_area_on_grid(scale(image, positives), scale(image, negatives)))
    return torch.stack(areas).to(saliency.dtype)


@register_metric(
    "sAUC_MIT",
    uses="over_center_bias",
    takes_any_map=True,
    chance=0.5,
    meaning="As sAUC, against fixations of ten other images and with eleven thresholds.",
)
def shuffled_auc_mit(
    saliency: Float[Tensor, "image height width"],
    fixations: FixationBatch,
    ten_others: FixationBatch,
    *,
    splits: int = SPLITS,
    seed: int = 0,
    equalize: bool = False,
) -> Float[Tensor, " image"]:
    """Area under the ROC curve against pixels fixated in ten other images, mean of 100 draws (MIT, AUC_shuffled.m).

    The map is scaled from 0 to 1, the thresholds are 0, 0.1 … 1. With `equalize`, each value counts as the share of
    pixels below it. Each draw takes as many of the other images' fixated pixels as the image has, none twice. The draws
    depend on the seed and the numbers of fixations only.

    Raises
    ------
    FovealError
        If a map holds NaN or infinite values, or an image has no fixations or nonfixations.

    >>> ramp = torch.arange(100.0).reshape(1, 10, 10)
    >>> shuffled_auc_mit(ramp, FixationBatch.of([(9, 9)]), FixationBatch.of([(0, 0), (1, 1)]))
    tensor([1.])
    """
    scale = _scale(saliency, "sAUC_MIT", equalize=equalize)
    ten_others = ten_others.distinct()
    ten_others.checked_count("nonfixations")
    of_both = zip(_per_image(saliency, fixations.distinct()), _per_image(saliency, ten_others), strict=True)
    areas = []
    for image, (positives, others) in enumerate(of_both):
        order = torch.rand(splits, len(others), generator=_seeded(seed)).argsort(dim=1)
        negatives = scale(image, others)[order[:, : len(positives)].to(saliency.device)]
        areas.append(_area_on_grid(scale(image, positives), negatives))
    return torch.stack(areas).to(saliency.dtype)


def _per_image(
    maps: Float[Tensor, "image height width"], fixations: FixationBatch
) -> tuple[Float[Tensor, " some"], ...]:
    return fixations.values_in(maps).split(fixations.checked_count().tolist())


def _seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _scale(
    saliency: Float[Tensor, "image height width"],
    name: str,
    *,
    equalize: bool,
    pixels: Sequence[PixelRanks] | None = None,
) -> Callable[[int, Tensor], Tensor]:
    """What brings values of one of the maps to a scale from 0 (its lowest) to 1; with `equalize`, to that of ranks."""
    low, high = finite_range(saliency, name)
    if not equalize:
        span = torch.where(low < high, high - low, 1.0)
        return lambda image, values: (values - low[image]) / span[image]
    ranks = pixel_ranks(saliency) if pixels is None else pixels
    highest = count_below(ranks, high[:, None]).clamp(min=1)

    def rank(image: int, values: Tensor) -> Tensor:
        return (ranks[image].below(values) / highest[image]).to(saliency.dtype)

    return rank


def _area_on_grid(
    positives: Float[Tensor, " positive"], negatives: Float[Tensor, "split negative"]
) -> Float[Tensor, ""]:
    """Mean area of all splits under the curve through the thresholds 1, 0.9 … 0 and the corners."""
    thresholds = torch.arange(N_STEPS, -1, -1, device=positives.device, dtype=positives.dtype) / N_STEPS
    true_positives = (positives >= thresholds[:, None]).double().mean(dim=1)
    false_positives = (negatives[:, None] >= thresholds[:, None]).double().mean(dim=2)
    return _area(true_positives.expand_as(false_positives), false_positives).mean()


def _area(
    true_positives: Float[Tensor, "curve point"], false_positives: Float[Tensor, "curve point"]
) -> Float[Tensor, " curve"]:
    """Area under each curve, the corners (0, 0) and (1, 1) added."""
    ends = true_positives.new_zeros(len(true_positives), 1)
    y = torch.cat([ends, true_positives, ends + 1], dim=1)
    x = torch.cat([ends, false_positives, ends + 1], dim=1)
    return torch.trapezoid(y, x, dim=1)
