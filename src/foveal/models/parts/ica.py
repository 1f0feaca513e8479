"""Independent components (Hyvärinen, "Fast and robust fixed-point algorithms", IEEE Trans. Neural Networks 10, 1999).

FastICA with the contrast log cosh, all components together: samples are made white, and then turned until the
responses of the filters are as far from Gaussian, and so as independent, as they can be.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from foveal.errors import FovealError

STEPS = 200  # at most
NO_VARIANCE = 1e-7  # of the largest; below, it is rounding
TOLERANCE = 1e-4  # one minus the cosine by which a filter still turns


def independent_components(
    samples: Float[Tensor, "sample dimension"], n_components: int, seed: int = 0
) -> Float[Tensor, "component dimension"]:
    """Filters whose responses to the samples are independent, with variance one.

    Parameters
    ----------
    samples
        One a row.
    n_components
        Number of filters: they respond to as many principal components of the samples, the others are noise.
    seed
        Of the turn from which the search starts.

    Raises
    ------
    FovealError
        If the samples vary in fewer directions than there are to be filters.
    """
    whitening = _whitening(samples, n_components)
    white = (samples - samples.mean(dim=0)) @ whitening.T
    start = torch.randn(n_components, n_components, generator=torch.Generator().manual_seed(seed))
    rotation = _orthogonal(start.to(samples))
    for _ in range(STEPS):
        slopes = torch.tanh(white @ rotation.T)
        curvature = 1 - slopes.square().mean(dim=0)
        turned = _orthogonal(slopes.T @ white / len(white) - curvature[:, None] * rotation)
        change = 1 - (turned * rotation).sum(dim=1).abs().min()
        rotation = turned
        if change < TOLERANCE:
            break
    return rotation @ whitening


def _whitening(samples: Float[Tensor, "sample dimension"], n_components: int) -> Float[Tensor, "component dimension"]:
    """Principal axes, each divided by the deviation along it, the largest first."""
    variances, axes = torch.linalg.eigh(torch.cov(samples.T).double())
    dimensions = int((variances > NO_VARIANCE * variances[-1]).sum())
    if dimensions < n_components:
        raise FovealError(f"{n_components} filters of patches that vary in {dimensions} directions: all gray?")
    kept = axes.flip(1)[:, :n_components] / variances.flip(0)[:n_components].sqrt()
    return kept.T.to(samples)


def _orthogonal(matrix: Float[Tensor, "component component"]) -> Float[Tensor, "component component"]:
    """The nearest orthogonal matrix."""
    left, _, right = torch.linalg.svd(matrix)
    return left @ right
