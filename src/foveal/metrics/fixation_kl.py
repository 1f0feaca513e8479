"""Divergence between the values of a map where people looked and where they did not."""

from jaxtyping import Float
from torch import Tensor

from foveal.metrics.fixation_batch import FixationBatch
from foveal.metrics.maps import min_max_scaled
from foveal.metrics.registry import register_metric

BINS = 10
EPSILON = 1e-20


@register_metric(
    "KL_fixations",
    uses="over_center_bias",
    takes_any_map=True,
    unit="nat",
    chance=0.0,
    meaning="How much the values at fixations differ from those at other images' fixations.",
)
def fixation_kullback_leibler(
    saliency: Float[Tensor, "image height width"], fixations: FixationBatch, nonfixations: FixationBatch
) -> Float[Tensor, " image"]:
    r"""Divergence of the values at nonfixations from those at fixations, both as histograms of ten bins, in nats.

    $\sum_b h_b \log \frac{h_b + \epsilon}{g_b + \epsilon}$, with h the share of fixations and g that of nonfixations in
    a bin; the bins divide the range of the map evenly (Itti & Baldi 2005, *NIPS* 18; with pixels fixated in
    other images as nonfixations: Zhang et al. 2008, *Journal of Vision* 8(7)). High is good, and 0 is chance.
    Tübingen's `fixation_based_KL_divergence` pools the values of all images into one pair of histograms; here every
    image has its own, so that one can say how sure the mean is. A bin that only fixations fall into counts as much as
    ε = 1e-20 makes it, so that few nonfixations make the value large.

    Raises
    ------
    FovealError
        If a map holds NaN or infinite values, or an image has no fixations or no nonfixations.

    >>> import torch
    >>> ramp = torch.arange(4.0).reshape(1, 2, 2)
    >>> fixation_kullback_leibler(ramp, FixationBatch.of([(1, 1)]), FixationBatch.of([(0, 0), (1, 1)]))
    tensor([0.6931])
    """
    scaled = min_max_scaled(saliency, "KL_fixations")
    h = _histograms(fixations, scaled, "fixations")
    g = _histograms(nonfixations, scaled, "nonfixations")
    return (h * ((h + EPSILON) / (g + EPSILON)).log()).sum(dim=1).to(saliency.dtype)


def _histograms(
    places: FixationBatch, scaled: Float[Tensor, "image height width"], what: str
) -> Float[Tensor, "image bin"]:
    """Share of each image's places whose value, from 0 to 1, falls into each bin."""
    count = places.checked_count(what)
    bins = (places.values_in(scaled) * BINS).long().clamp(max=BINS - 1)
    counts = (places.image * BINS + bins).bincount(minlength=len(count) * BINS)
    return counts.reshape(-1, BINS).double() / count[:, None]
