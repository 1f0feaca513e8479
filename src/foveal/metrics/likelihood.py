"""Likelihood of the fixations under a density, in bit per fixation, and how much of the explainable it explains.

Kümmerer, Wallis & Bethge 2015 (*PNAS* 112, "Information-theoretic model comparison unifies saliency metrics") and
section 2.1 of DeepGaze I (Kümmerer, Theis & Bethge 2015).
"""

import math

import numpy as np
from jaxtyping import Float
from torch import Tensor

from foveal.metrics.distribution import EPSILON
from foveal.metrics.fixation_batch import FixationBatch
from foveal.metrics.maps import check_finite, mass, min_max_scaled
from foveal.metrics.registry import register_metric


@register_metric(
    "LL",
    uses="log_density",
    unit="bit/fixation",
    chance=0.0,
    meaning="How much more likely fixations are than if all pixels were alike.",
)
def log_likelihood(
    log_density: Float[Tensor, "image height width"], fixations: FixationBatch
) -> Float[Tensor, " image"]:
    r"""Mean log-likelihood of an image's fixations above that of the uniform density, in bit per fixation.

    $\mathrm{LL} = \frac{1}{N}\sum_i \log_2 p(x_i) + \log_2(HW)$. The uniform density has 0; subtract $\log_2(HW)$ for
    the absolute value.

    Raises
    ------
    FovealError
        If a map holds NaN or infinite values, or an image has no fixations.

    >>> import torch
    >>> log_likelihood(torch.tensor([[[0.5, 0.25, 0.125, 0.125]]]).log(), FixationBatch.of([(0, 0)])).round(decimals=4)
    tensor([1.])
    """
    check_finite(log_density, "LL")
    nats = fixations.mean_per_image(fixations.values_in(log_density))
    return (nats + math.log(log_density[0].numel())) / math.log(2)


@register_metric(
    "IG",
    uses="log_likelihood",
    unit="bit/fixation",
    chance=0.0,
    meaning="How much more likely fixations are than under the center bias.",
)
def information_gain(
    log_likelihood: Float[np.ndarray, "*resample image"], baseline_log_likelihood: Float[np.ndarray, "*resample image"]
) -> Float[np.ndarray, "*resample image"]:
    r"""Log-likelihood above that of the image-independent baseline (the center bias), in bit per fixation.

    $\mathrm{IG} = \mathrm{LL} - \mathrm{LL}_\text{baseline}$, both as `log_likelihood` gives them.

    >>> information_gain(np.array([1.0, 0.5]), np.array([0.25, 0.75]))
    array([ 0.75, -0.25])
    """
    return log_likelihood - baseline_log_likelihood


@register_metric(
    "IG_MIT",
    uses="density",
    takes_any_map=True,
    unit="bit/fixation",
    chance=0.0,
    meaning="As IG, of any map scaled to a density; rests on the map's units.",
)
def information_gain_mit(
    saliency: Float[Tensor, "image height width"],
    fixations: FixationBatch,
    center_bias: Float[Tensor, "image height width"],
) -> Float[Tensor, " image"]:
    r"""Information gain of any map over a baseline map, in bit per fixation (MIT, InfoGain.m).

    $\frac{1}{N}\sum_i \log_2(\epsilon + p(x_i)) - \log_2(\epsilon + b(x_i))$, both maps scaled from their lowest to
    their highest value and then divided by their sums; every fixated pixel counts once. A map that was not made to be a
    density is judged as one: the value says as much of the map's units as of its truth. `information_gain` is the one
    to use for densities.

    Raises
    ------
    FovealError
        If a map holds NaN or infinite values, or an image has no fixations.

    >>> import torch
    >>> predicted, baseline = torch.tensor([[[0.0, 3.0, 1.0]]]), torch.tensor([[[0.0, 1.0, 3.0]]])
    >>> information_gain_mit(predicted, FixationBatch.of([(1, 0)]), baseline)
    tensor([1.5850])
    """
    fixations = fixations.distinct()

    def log_likelihood(maps: Float[Tensor, "image height width"]) -> Float[Tensor, " image"]:
        scaled, total = mass(min_max_scaled(maps, "IG_MIT"), "IG_MIT")
        density = fixations.values_in(scaled).double() / total[fixations.image, 0, 0]
        return fixations.mean_per_image((EPSILON + density).log2())

    return (log_likelihood(saliency) - log_likelihood(center_bias)).to(saliency.dtype)


@register_metric(
    "explained_information",
    uses="information_gain",
    chance=0.0,
    meaning="Information gain as a share of the gold standard's, which has 1.",
)
def explained_information(
    gain: Float[np.ndarray, "*resample image"], gold_gain: Float[np.ndarray, "*resample image"]
) -> Float[np.ndarray, "*resample"]:
    r"""Share of the explainable information that a model explains: its mean IG over the gold standard's.

    $\overline{\mathrm{IG}}_\text{model} / \overline{\mathrm{IG}}_\text{gold}$, means over images. 0 is the center
    bias, 1 the other observers. NaN where the gold standard is no better than the center bias: nothing is to be
    explained.

    >>> explained_information(np.array([0.5, 1.5]), np.array([2.0, 2.0]))
    array(0.5)
    """
    explainable = np.asarray(gold_gain.mean(axis=-1))
    return np.divide(gain.mean(axis=-1), explainable, out=np.full(explainable.shape, np.nan), where=explainable > 0)
