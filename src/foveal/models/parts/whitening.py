"""Channels made white: uncorrelated over an image, each of variance one."""

import torch
from jaxtyping import Float
from torch import Tensor


def whitened(maps: Float[Tensor, "image channel h w"], least_variance: float) -> Float[Tensor, "image channel h w"]:
    """Uncorrelated channels of variance one, from the largest variance before to the least; a constant one 0."""
    values = maps.flatten(2).double()  # of neighbouring scales, whose covariance is near to singular
    values = values - values.mean(dim=2, keepdim=True)
    variances, axes = torch.linalg.eigh(values @ values.mT / values.shape[2])
    scales = torch.where(variances > least_variance, variances.clamp(min=least_variance).rsqrt(), 0.0)
    return ((axes * scales[:, None]).mT @ values).flip(1).view_as(maps).to(maps)
