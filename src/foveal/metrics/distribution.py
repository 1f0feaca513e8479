"""Map against map: how alike a prediction and the empirical map of the fixations are.

The empirical map is a Gaussian on every fixation (`foveal.fixation_map`); its width is part of the result, and one
degree of visual angle is customary. Conventions of the MIT benchmark's published MATLAB code and of Tübingen's
(pysaliency) stand side by side where they differ.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from foveal.metrics.maps import deviations_and_length, mass, min_max_scaled
from foveal.metrics.registry import register_metric

EPSILON = float(np.finfo(np.float64).eps)  # MATLAB's eps


@register_metric(
    "CC",
    uses="blurred",
    takes_any_map=True,
    chance=0.0,
    meaning="Correlation of the map with the map of people's fixations.",
)
def correlation(
    saliency: Float[Tensor, "image height width"], empirical_map: Float[Tensor, "image height width"]
) -> Float[Tensor, " image"]:
    r"""Pearson's correlation coefficient of the two maps of each image.

    $\mathrm{CC} = \operatorname{cov}(p, q) / \sigma_p \sigma_q$. A constant map has none; its CC is 0, and a note says
    so.

    Raises
    ------
    FovealError
        If a map holds NaN or infinite values.

    >>> ramp = torch.arange(6.0).reshape(1, 2, 3)
    >>> correlation(ramp, 3 - 2 * ramp).round(decimals=4)
    tensor([-1.])
    """
    (first, length), (second, other_length) = (deviations_and_length(maps, "CC") for maps in (saliency, empirical_map))
    return (first.mul_(second).sum(dim=(1, 2)) / length / other_length).clamp(-1, 1)


@register_metric(
    "SIM",
    uses="similarity_map",
    takes_any_map=True,
    meaning="Overlap of the map with the map of people's fixations; 1 is all of it.",
)
def similarity(
    saliency: Float[Tensor, "image height width"], empirical_map: Float[Tensor, "image height width"]
) -> Float[Tensor, " image"]:
    r"""Histogram intersection of the two maps, each divided by its sum: $\sum_j \min(p_j, q_j)$ (Tübingen).

    A map with negative values is first raised so that its lowest is 0; a map that is 0 everywhere counts as uniform.

    Raises
    ------
    FovealError
        If a map holds NaN or infinite values.

    >>> similarity(torch.tensor([[[1.0, 1.0]]]), torch.tensor([[[1.0, 3.0]]]))
    tensor([0.7500])
    """
    (predicted, total), (observed, other_total) = mass(saliency, "SIM"), mass(empirical_map, "SIM")
    common = observed * (total / other_total)
    return torch.minimum(predicted, common, out=common).sum(dim=(1, 2)) / total[:, 0, 0]


@register_metric(
    "SIM_MIT",
    uses="similarity_map",
    takes_any_map=True,
    meaning="As SIM, after scaling both maps from 0 to 1.",
)
def similarity_mit(
    saliency: Float[Tensor, "image height width"], empirical_map: Float[Tensor, "image height width"]
) -> Float[Tensor, " image"]:
    r"""As `similarity`, but both maps are first scaled from their lowest to their highest value (MIT, similarity.m).

    Raises
    ------
    FovealError
        If a map holds NaN or infinite values.

    >>> similarity_mit(torch.tensor([[[1.0, 2.0, 3.0]]]), torch.tensor([[[5.0, 5.0, 6.0]]]))
    tensor([0.6667])
    """
    return similarity(min_max_scaled(saliency, "SIM_MIT"), min_max_scaled(empirical_map, "SIM_MIT"))


@register_metric(
    "KL",
    uses="blurred",
    takes_any_map=True,
    higher_is_better=False,
    unit="nat",
    meaning="How far the map is from the map of people's fixations; 0 is the same map.",
)
def kullback_leibler(
    saliency: Float[Tensor, "image height width"], empirical_map: Float[Tensor, "image height width"]
) -> Float[Tensor, " image"]:
    r"""Divergence of the prediction p from the empirical map q, both divided by their sums, in nats.

    $\sum_j q_j \log\left(\epsilon + \frac{q_j}{p_j + \epsilon}\right)$ with MATLAB's ε, 2.2e-16 (MIT, KLdiv.m).
    Tübingen's `image_based_kl_divergence` differs in the ε only, by less than 1e-6 on ordinary maps.

    Raises
    ------
    FovealError
        If a map holds NaN or infinite values.

    >>> kullback_leibler(torch.tensor([[[0.5, 0.5]]]), torch.tensor([[[1.0, 0.0]]]))
    tensor([0.6931])
    """
    (predicted, total), (observed, other_total) = mass(saliency, "KL"), mass(empirical_map, "KL")
    # In place, step by step: a large map is read from memory as few times as can be.
    quotient = predicted + EPSILON * total
    torch.div(observed, quotient, out=quotient).mul_(total / other_total).add_(EPSILON).log_().mul_(observed)
    return quotient.sum(dim=(1, 2)) / other_total[:, 0, 0]
