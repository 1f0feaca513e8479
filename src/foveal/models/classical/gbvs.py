r"""Graph-based visual saliency (Harel, Koch & Perona, "Graph-based visual saliency", NIPS 2006).

Of each feature map, every place is a node of a graph; a walker steps from one to another with a probability that rises
with how different they are and falls with their distance, and is most often where the map differs from what is around
it. A second walk, towards high values, gathers what the first left scattered.

Both walks have equilibria in closed form, so that nothing is iterated. Weights of the first are symmetric, so that a
node's share is the sum of its weights: $a_i \propto \sum_j |m_i - m_j| F_{ij}$. The second, with weights $a_j F_{ij}$
from i to j, is reversible with respect to $a_i \sum_j F_{ij} a_j$. The published code iterates to a tolerance.

Parameters as in the published code: maps of 32 px, three levels of a pyramid, intensity, two chromatic axes and four
orientations, widths .15 and .06 of the maps, the border of the result attenuated, a blur of .02 of the image. Settled
by the published maps of OSIE 1001 to 1003: levels 1 to 3 of the pyramid (levels 2 to 4 of theirs, whose first is
halved), and a border of five places.
"""

from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from foveal.gaze.maps import gaussian_blur
from foveal.models.base import SaliencyMapModel
from foveal.models.parts import channels
from foveal.models.parts.finalizer import resize_maps
from foveal.models.registry import register_model

TINY = 1e-6  # the range of a feature map that is constant, but for rounding


@dataclass(frozen=True)
class GBVSConfig:
    """The parameters of the published code."""

    map_side: int = 32  # places of the graph along the longer side
    levels: tuple[int, ...] = (1, 2, 3)
    sigma_activation: float = 0.15  # of the mean side of the map
    sigma_normalisation: float = 0.06
    border: int = 5  # places
    blur: float = 0.02  # of the longer side


@register_model(
    "gbvs",
    family="classical",
    year=2006,
    paper="Harel, Koch & Perona, Graph-based visual saliency, NIPS 2006",
    trainable=True,
    weights="package",
)
class GBVS(SaliencyMapModel):
    """The equilibria of two random walks over each feature map."""

    def __init__(self, config: GBVSConfig | None = None) -> None:
        super().__init__()
        self.config = config or GBVSConfig()

    def saliency_map(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image height width"]:
        """Mean over the maps of each channel, summed over the channels."""
        config = self.config
        height, width = images.shape[2:]
        scale = config.map_side / max(height, width)
        size = max(1, round(height * scale)), max(1, round(width * scale))
        pyramid = channels.pyramid(images, max(config.levels))
        total = images.new_zeros(len(images), *size)
        for maps_of in (channels.intensity, channels.opponent_cones, _orientations):
            maps = torch.cat([_to_size(maps_of(pyramid[level]), size) for level in config.levels], dim=1)
            walked = [self._walked(maps[:, number]) for number in range(maps.shape[1])]
            total += torch.stack(walked).mean(dim=0)
        total = _scaled(total * _border(size, config.border).to(total))
        return gaussian_blur(resize_maps(total, (height, width)), config.blur * max(height, width))

    def _walked(self, maps: Float[Tensor, "image h w"]) -> Float[Tensor, "image h w"]:
        """Where the second walker is, among what the first left."""
        config = self.config
        size = maps.shape[1], maps.shape[2]
        mean_side = (size[0] + size[1]) / 2
        values = _scaled(maps).flatten(1)[..., None]
        near = _nearness(size, config.sigma_activation * mean_side).to(maps)
        activation = (torch.cdist(values, values, p=1) * near).sum(dim=2)
        gathered = activation * (activation @ _nearness(size, config.sigma_normalisation * mean_side).to(maps))
        return (gathered / gathered.sum(dim=1, keepdim=True).clamp(min=TINY)).view_as(maps)


def _orientations(images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image angle height width"]:
    return channels.orientations(channels.intensity(images))


def _to_size(maps: channels.Maps, size: tuple[int, int]) -> Float[Tensor, "image channel h w"]:
    return F.interpolate(maps, size=size, mode="bicubic", antialias=True, align_corners=False)


def _scaled(maps: Float[Tensor, "image h w"]) -> Float[Tensor, "image h w"]:
    """Each map in [0, 1]; a constant one 0."""
    low = maps.amin(dim=(1, 2), keepdim=True)
    span = maps.amax(dim=(1, 2), keepdim=True) - low
    return (maps - low) / span.clamp(min=TINY) * (span > TINY)


@lru_cache(maxsize=8)  # two a size of map, of all its feature maps; two megabytes each
@torch.inference_mode(False)
def _nearness(size: tuple[int, int], sigma: float) -> Float[Tensor, "place place"]:
    """A Gaussian of the distance of every place from every other."""
    rows, columns = (torch.arange(length, dtype=torch.float32) for length in size)
    places = torch.cartesian_prod(rows, columns)
    return torch.exp(-torch.cdist(places, places).square() / (2 * sigma**2))


def _border(size: tuple[int, int], places: int) -> Float[Tensor, "h w"]:
    """What a place counts: 1, and less the nearer it is to the border."""
    along = [
        (torch.minimum(torch.arange(length), torch.arange(length).flip(0)) + 1).clamp(max=places + 1) / (places + 1)
        for length in size
    ]
    return along[0][:, None] * along[1]
