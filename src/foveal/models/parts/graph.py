"""The places of a small map as nodes of a graph, between which a walker steps the more often the nearer they are."""

from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor


@lru_cache(maxsize=8)  # one a size of map and device, two megabytes each
@torch.inference_mode(False)
def nearness(size: tuple[int, int], sigma: float, device: torch.device) -> Float[Tensor, "place place"]:
    """A Gaussian of the distance of every place from every other."""
    rows, columns = (torch.arange(length, dtype=torch.float32, device=device) for length in size)
    places = torch.cartesian_prod(rows, columns)
    return torch.exp(-torch.cdist(places, places).square() / (2 * sigma**2))
