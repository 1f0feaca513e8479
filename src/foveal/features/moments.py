"""Mean and deviation of features over all images of a data set."""

from collections.abc import Iterable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from foveal.features.cache import FeatureGroup

IMAGES_AT_ONCE = 32  # bounds the memory of a step
CONSTANT = 1e-6  # deviation, as a share of the mean, of a feature that does not change


def moments(
    batches: Iterable[dict[str, Float[Tensor, "image feature _ _"]]],
) -> dict[str, tuple[Float[Tensor, " feature"], Float[Tensor, " feature"]]]:
    """Mean and standard deviation of every feature of each layer over images and places, in double precision."""
    sums: dict[str, list[Tensor]] = {}
    for features in batches:
        for layer, maps in features.items():
            maps = maps.double()
            parts = [maps.sum(dim=(0, 2, 3)), maps.square().sum(dim=(0, 2, 3)), torch.tensor(maps[:, 0].numel())]
            sums[layer] = [a + b for a, b in zip(sums[layer], parts, strict=True)] if layer in sums else parts
    return {
        layer: (total / n, (squares / n - (total / n).square()).clamp(min=0).sqrt())
        for layer, (total, squares, n) in sums.items()
    }


def standard_deviations(groups: Sequence[FeatureGroup]) -> Float[Tensor, " feature"]:
    """Of every feature over all images and places, layer after layer; 1 for one that never changes.

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
