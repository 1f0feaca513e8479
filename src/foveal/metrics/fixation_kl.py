"""Divergence between the values of a map where people looked and where they did not."""

import torch
from jaxtyping import Float
from torch import Tensor

from foveal.metrics.fixation_batch import FixationBatch
from foveal.metrics.maps import finite_range
from foveal.metrics.registry import register_metric

BINS = 10
EPSILON = 1e-20


@register_metric("KL_fixations", uses="over_center_bias", takes_any_map=True)
def fixation_kullback_leibler(
    saliency: Float[Tensor, "image height width"], fixations: FixationBatch, nonfixations: FixationBatch
) -> Float[Tensor, " image"]:
    r"""Divergence of the values at nonfixations from those at fixations, both as histograms of ten bins, in nats.

    $\sum_b h_b \log \frac{h_b + \epsilon}{g_b + \epsilon}$, with h the share of fixations and g that of nonfixations in
    a bin; the bins divide the range of all these values evenly (Itti & Baldi 2005, *NIPS* 18; with pixels fixated in
    other images as nonfixations: Zhang et al. 2008, *Journal of Vision* 8(7)). High is good, and 0 is chance.
    Tübingen's `fixation_based_KL_divergence` pools the values of all images into one pair of histograms; here every
    image has its own, so that one can say how sure the mean is. A bin that only fixations fall into counts as much as
    ε = 1e-20 makes it, so that few nonfixations make the value large.

    Raises
    ------
    FovealError
        If a map holds NaN or infinite values, or an image has no fixations or no nonfixations.

    >>> ramp = torch.arange(4.0).reshape(1, 2, 2)
    >>> fixation_kullback_leibler(ramp, FixationBatch.of([(1, 1)]), FixationBatch.of([(0, 0), (1, 1)]))
    tensor([0.6931])
    """
    finite_range(saliency, "KL_fixations")
    at_fixations = fixations.values_in(saliency).split(fixations.checked_count().tolist())
    elsewhere = nonfixations.values_in(saliency).split(nonfixations.checked_count("nonfixations").tolist())
    divergences = [_divergence(h, g) for h, g in zip(at_fixations, elsewhere, strict=True)]
    return torch.stack(divergences).to(saliency.dtype)


def _divergence(first: Float[Tensor, " some"], second: Float[Tensor, " others"]) -> Float[Tensor, ""]:
    both = torch.cat([first, second])
    low, high = both.min(), both.max()
    h, g = (_shares((values - low) / torch.where(low < high, high - low, 1.0)) for values in (first, second))
    return (h * ((h + EPSILON) / (g + EPSILON)).log()).sum()


def _shares(values: Float[Tensor, " some"]) -> Float[Tensor, " bin"]:
    """Share of the values, from 0 to 1, in each bin."""
    bins = (values.double() * BINS).long().clamp(max=BINS - 1)
    return bins.bincount(minlength=BINS).double() / len(values)
