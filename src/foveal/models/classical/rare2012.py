"""RARE2012: multi-scale rarity (Riche et al., Signal Processing: Image Communication 28, 2013).

What is rare in the image attracts the eye: the self-information of a pixel's value, whose probability is that of its
bin in a histogram, averaged over scales. Of the principal components of the colors, and of what Gabor filters of eight
orientations answer to each; the more a rarity map's peak is above its mean, the more it counts when maps are fused.

Principal components, eight orientations at three periods and the threshold of the fusion are the defaults of the
published program, whose code is closed; it sees four scales, here there are three. Chosen by the scores on 50 images of
OSIE: the working size (300 px), the periods of the filters, the bins and the final blur.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from foveal.gaze.maps import gaussian_blur
from foveal.models.base import SaliencyMapModel
from foveal.models.catalogue import register_model
from foveal.models.config import ModelConfig
from foveal.models.parts.finalizer import resize_maps
from foveal.models.parts.frequencies import PaddedSpectrum
from foveal.models.parts.map_normalization import scaled
from foveal.models.parts.working_size import resized, shrunk

NO_RANGE = 1e-3  # a map that varies less, in units of the image, is constant but for rounding

Maps = Float[Tensor, "image channel _ _"]


@dataclass(frozen=True)
class RARE2012Config(ModelConfig):
    """What the rarity is computed of, and how its maps are fused."""

    working_side: int = 300  # px, the longer side
    periods: tuple[float, ...] = (3.0, 6.0, 12.0)  # px, of the Gabor filters
    gabor_sigma: float = 0.56  # of the period: one octave
    orientations: int = 8
    bins: int = 11
    scales: int = 3  # each half the one before
    least_efficiency: float = 0.3  # T: of the largest; maps of less are left out
    blur: float = 0.03  # of the longer side


@register_model(
    "rare2012",
    family="classical",
    year=2013,
    paper="Riche et al., RARE2012: a multi-scale rarity-based saliency detection, SPIC 28(6), 2013",
    trainable=True,
    weights="package",
)
class RARE2012(SaliencyMapModel):
    """How rare a pixel's colors and orientations are in its image."""

    Config = RARE2012Config
    config: RARE2012Config

    def saliency_map(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image height width"]:
        """Rarity of the colors, and of the orientations in each, fused and blurred."""
        config = self.config
        colors = principal_colors(shrunk(images, config.working_side))
        of_colors = self._fused_rarity(colors)
        of_orientations = fused(
            torch.cat([self._fused_rarity(self._orientations(color)) for color in colors.unbind(dim=1)], dim=1),
            config.least_efficiency,
        )
        both = fused(torch.cat([of_colors, of_orientations], dim=1), config.least_efficiency)
        blurred = gaussian_blur(both[:, 0], config.blur * config.working_side)
        return resize_maps(blurred, (images.shape[2], images.shape[3]))

    def _fused_rarity(self, maps: Maps) -> Float[Tensor, "image 1 _ _"]:
        return fused(rarity(maps, self.config.bins, self.config.scales), self.config.least_efficiency)

    def _orientations(self, maps: Float[Tensor, "image h w"]) -> Float[Tensor, "image orientation h w"]:
        """Of each orientation, the amplitudes of all periods together."""
        return gabor_amplitudes(maps, self.config.periods, self.config.gabor_sigma, self.config.orientations)


def principal_colors(images: Float[Tensor, "image 3 h w"]) -> Float[Tensor, "image 3 h w"]:
    """The colors of each image on their principal axes, from its own mean."""
    colors = images.flatten(2)
    colors = colors - colors.mean(dim=2, keepdim=True)
    axes = torch.linalg.eigh(colors @ colors.mT / colors.shape[2]).eigenvectors
    return (axes.mT @ colors).view_as(images)


def gabor_amplitudes(
    maps: Float[Tensor, "image h w"], periods: tuple[float, ...], sigma: float, orientations: int
) -> Float[Tensor, "image orientation h w"]:
    """Amplitudes of complex Gabor filters, summed over the periods."""
    spectrum = PaddedSpectrum(maps, math.ceil(2 * max(periods)))
    amplitudes = []
    for number in range(orientations):
        angle = math.pi * number / orientations
        along = spectrum.horizontal * math.cos(angle) + spectrum.vertical * math.sin(angle)
        across = spectrum.vertical * math.cos(angle) - spectrum.horizontal * math.sin(angle)
        total = torch.zeros_like(maps)
        for period in periods:
            squared = (along - 1 / period).square() + across.square()
            total += spectrum.amplitude(torch.exp(-2 * (math.pi * sigma * period) ** 2 * squared))
        amplitudes.append(total)
    return torch.stack(amplitudes, dim=1)


def rarity(maps: Maps, bins: int, scales: int) -> Maps:
    """Minus the logarithm of the probability of each pixel's value in its map, a mean over scales."""
    size = maps.shape[2:]
    probability = torch.zeros_like(maps)
    for scale in range(scales):
        if scale:
            maps = resized(maps, (math.ceil(maps.shape[2] / 2), math.ceil(maps.shape[3] / 2)), "bilinear")
        probability += F.interpolate(_probabilities(maps, bins), size=size, mode="bilinear", align_corners=False)
    return -(probability / scales).log()


def _probabilities(maps: Maps, bins: int) -> Maps:
    """Share of the pixels whose value is in the same of equal bins of the map's range."""
    bin_of = (scaled(maps, NO_RANGE).flatten(2) * bins).long().clamp(max=bins - 1)
    counts = maps.new_zeros(*maps.shape[:2], bins)
    counts.scatter_add_(2, bin_of, maps.new_ones(()).expand(bin_of.shape))
    return (counts / bin_of.shape[2]).gather(2, bin_of).view_as(maps)


def fused(maps: Maps, least_efficiency: float) -> Float[Tensor, "image 1 _ _"]:
    """Sum of the maps, each scaled to [0, 1] and weighted by the rank of its efficiency: (peak - mean) squared."""
    maps = scaled(maps, NO_RANGE)
    efficiency = (maps.amax(dim=(2, 3)) - maps.mean(dim=(2, 3))).square()
    rank = efficiency.argsort(dim=1).argsort(dim=1) + 1
    enough = efficiency >= least_efficiency * efficiency.amax(dim=1, keepdim=True)
    weights = rank / maps.shape[1] * enough
    return torch.einsum("nc,nchw->nhw", weights, maps)[:, None]
