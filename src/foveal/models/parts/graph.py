"""The places of a small map as nodes of a graph, between which a walker steps the more often the nearer they are.

Harel, Koch & Perona, "Graph-based visual saliency", NIPS 2006.
"""

from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor


@lru_cache(maxsize=8)  # one a size of map and device, four megabytes at most of maps of 32 px
@torch.inference_mode(False)
def nearness(size: tuple[int, int], sigma: float, device: torch.device) -> Float[Tensor, "place place"]:
    """A Gaussian of the distance of every place from every other; `sigma` as a share of the map's mean side."""
    rows, columns = (torch.arange(length, dtype=torch.float32, device=device) for length in size)
    places = torch.cartesian_prod(rows, columns)
    width = sigma * sum(size) / 2
    return torch.exp(-torch.cdist(places, places).square() / (2 * width**2))


def gathered(mass: Float[Tensor, "image place"], near: Float[Tensor, "place place"]) -> Float[Tensor, "image place"]:
    r"""How often a walker is at each place who steps to what is near and has mass (section 4.2), up to a factor.

    The step from j to i has the probability $m_i F_{ij} / \sum_k m_k F_{kj}$, so that the equilibrium is
    $m_i \sum_j m_j F_{ij}$, without iteration.
    """
    return mass * (mass @ near)
