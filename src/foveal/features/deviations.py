"""By how much features vary over a whole data set."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from foveal.features.cache import FeatureGroup
from foveal.models.parts.moments import moments

IMAGES_AT_ONCE = 32  # bounds the memory of a step
CONSTANT = 1e-6  # deviation, as a share of the mean, of a feature that does not change


def standard_deviations(groups: Sequence[FeatureGroup]) -> Float[Tensor, " feature"]:
    """Deviation of every feature over all images and places, layer after layer; 1 for one that never changes.

    Such a feature has nothing to be divided by; left as it is, it stays without effect.
    """
    chunks = (
        group.read(slice(start, start + IMAGES_AT_ONCE))
        for group in groups
        for start in range(0, len(group.images), IMAGES_AT_ONCE)
    )
    means, deviations = zip(*moments(chunks).values(), strict=True)
    std, size = torch.cat(deviations), torch.cat(means).abs()
    # What is left of a constant by rounding is no deviation.
    return torch.where(std > CONSTANT * size, std, 1.0).float()
