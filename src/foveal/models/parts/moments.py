"""Mean and deviation of features."""

from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor


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
