r"""Graph-based visual saliency (Harel, Koch & Perona, "Graph-based visual saliency", NIPS 2006).

Of each feature map, every place is a node of a graph; a walker steps from one to another with a probability that rises
with how different they are and falls with their distance, and is most often where the map differs from what is around
it. The weights of the steps are symmetric, so that the equilibrium needs no iteration: a node's share is the sum of its
weights, $a_i \propto \sum_j |m_i - m_j| F_{ij}$ (the published code iterates to a tolerance).

As the published code (2012) and unlike the paper: no second walk gathers what the first left scattered, but each share
is raised to the power 1.5, which is quicker and comes nearer to the published maps. Its other parameters: maps of 32
px; of levels 2 to 4 of a pyramid the three axes of the cones, the intensity, and four orientations; a walk of width .15
of the map; four places of the sum attenuated at the border; a blur of .02. Differs in: a gray image has no colors,
and the cones see a display of gamma 1.8 in place of one that was measured.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from foveal.gaze.maps import gaussian_blur
from foveal.models.base import SaliencyMapModel
from foveal.models.catalogue import register_model
from foveal.models.config import ModelConfig
from foveal.models.parts import channels
from foveal.models.parts.graph import nearness
from foveal.models.parts.map_normalization import scaled
from foveal.models.parts.working_size import resized, scaled_size

NOTHING = 1e-6  # the mean share on the graph of a constant map, whose nodes no walker leaves


@dataclass(frozen=True)
class GBVSConfig(ModelConfig):
    """The parameters of the published code."""

    map_side: int = 32  # places of the graph along the longer side
    levels: tuple[int, ...] = (2, 3, 4)
    sigma: float = 0.15  # of the mean side of the map
    power: float = 1.5  # of the walker's share
    border: int = 4  # places
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
    """The equilibrium of a random walk over each feature map."""

    Config = GBVSConfig
    config: GBVSConfig

    def saliency_map(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image height width"]:
        """The sum over all feature maps."""
        config = self.config
        height, width = images.shape[2:]
        size = scaled_size((height, width), config.map_side / max(height, width))
        colors = channels.pyramid(images, max(config.levels))
        intensities = channels.pyramid(channels.intensity(images), max(config.levels))
        total = images.new_zeros(len(images), *size)
        for level in config.levels:
            features = [
                channels.opponent_cones(colors[level]),
                intensities[level],
                channels.orientations(intensities[level]),
            ]
            for maps in resized(torch.cat(features, dim=1), size).unbind(dim=1):
                total += self._shares(maps) ** config.power
        blurred = gaussian_blur(channels.attenuated(total, config.border), config.blur * config.map_side)
        return resized(blurred[:, None], (height, width))[:, 0]

    def _shares(self, maps: Float[Tensor, "image h w"]) -> Float[Tensor, "image h w"]:
        """How often the walker is at each place, in units of the mean place."""
        size = maps.shape[1], maps.shape[2]
        near = nearness(size, self.config.sigma, maps.device)
        weights = [((places[:, None] - places).abs() * near).sum(dim=1) for places in scaled(maps).flatten(1)]
        shares = torch.stack(weights).view_as(maps)
        return shares / shares.mean(dim=(1, 2), keepdim=True).clamp(min=NOTHING)
