"""Saliency by center and surround (Itti, Koch & Niebur 1998).

"A model of saliency-based visual attention for rapid scene analysis", PAMI 20(11). A place is salient where a fine
level of a pyramid of intensity, colors or orientations differs from a coarse one. Maps with few peaks count for more
than maps with many: N(.), the paper's or the iterative one of Itti & Koch (2000), see `map_normalization`. What is left
is added up within each channel, normalised once more, and added up over the channels.

`itti` is the model as Harel's GBVS package has it (`ittikochmap`): centers at levels 2 and 3, surrounds two levels
coarser, squared differences, maps of an eighth of the image, the largest of red, green and blue as intensity, and
opponent colors relative to it. The published maps of OSIE 1001 to 1003 settle that the sum is not blurred (the
package's default is .03 of the map) and that the pyramid drops an odd last row.

`itti1998` is the model as the paper has it: centers at levels 2 to 4, surrounds three and four levels coarser, absolute
differences, maps of level 4, the mean as intensity, and broadly tuned red, green, blue and yellow. Differs from the
paper in: the surround of a color pair is the same pair (R - G against R - G, not against G - R, which would make a
uniform red the most salient); the highest peak counts among a map's local maxima; a map is normalised after it has been
resized; there is an even and an odd Gabor filter, whose responses are attenuated at the border, as in `itti`.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from foveal.models.base import SaliencyMapModel
from foveal.models.catalogue import register_model
from foveal.models.config import ModelConfig
from foveal.models.parts import channels
from foveal.models.parts.channels import Maps
from foveal.models.parts.map_normalization import CONSTANT, normalized_by_competition, normalized_by_peaks
from foveal.models.parts.working_size import resized, scaled_size

Kind = Literal["colors", "intensity", "orientations"]
Pyramid = dict[int, Float[Tensor, "image _ _ _"]]  # the maps of a channel, by level
NORMALIZATIONS = {"peaks": normalized_by_peaks, "competition": normalized_by_competition}

DARK = 0.1  # of the image's largest intensity; below, a hue is not seen (paper, section 2.1)


@dataclass(frozen=True)
class IttiConfig(ModelConfig):
    """The parameters of Harel's code; "peaks" is N(.) of 1998, "competition" that of Itti & Koch (2000)."""

    center_levels: tuple[int, ...] = (2, 3)
    surround_levels: tuple[int, ...] = (2,)  # coarser than the center by
    map_level: int = 3  # of whose size the map is
    border: int = 4  # places, attenuated
    normalization: Literal["peaks", "competition"] = "peaks"


@dataclass(frozen=True)
class Itti1998Config(IttiConfig):
    """The parameters of the paper."""

    center_levels: tuple[int, ...] = (2, 3, 4)
    surround_levels: tuple[int, ...] = (3, 4)
    map_level: int = 4
    border: int = 0


@register_model(
    "itti",
    family="classical",
    year=1998,
    paper="Itti, Koch & Niebur, A model of saliency-based visual attention for rapid scene analysis, PAMI 20(11), 1998",
    trainable=True,
    weights="package",
)
class Itti(SaliencyMapModel):
    """Differences of a pyramid's levels, as in Harel's GBVS package."""

    Config: ClassVar[type[IttiConfig]] = IttiConfig
    constant: ClassVar[float] = CONSTANT**2  # the range of a map of squared differences that is rounding
    normalized_map_by_map: ClassVar[tuple[Kind, ...]] = ()  # channels whose maps are, before they are added up

    def saliency_map(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image height width"]:
        """The channels' conspicuity, summed."""
        total = self.conspicuity_maps(images).sum(dim=1, keepdim=True)
        return resized(total, (images.shape[2], images.shape[3]))[:, 0]

    def conspicuity_maps(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image 3 h w"]:
        """Of colors, intensity and orientations, where they stand out, at the size of the map's level."""
        size = images.shape[2], images.shape[3]
        conspicuities = [self._conspicuity(kind, pyramid, size) for kind, pyramid in self._pyramids(images).items()]
        return channels.attenuated(torch.cat(conspicuities, dim=1), self.config.border)

    def _pyramids(self, images: Float[Tensor, "image 3 height width"]) -> dict[Kind, Pyramid]:
        """Each channel, from its finest center to its coarsest surround."""
        centers = self.config.center_levels
        levels = range(min(centers), max(centers) + max(self.config.surround_levels) + 1)
        hues, intensities = self._hues_and_intensities(images, levels)
        orientations = {level: channels.orientations(maps) for level, maps in intensities.items()}
        return {"colors": hues, "intensity": intensities, "orientations": orientations}

    def _hues_and_intensities(
        self, images: Float[Tensor, "image 3 height width"], levels: range
    ) -> tuple[Pyramid, Pyramid]:
        colors = channels.pyramid(images, levels[-1])
        intensities = channels.pyramid(channels.intensity(images), levels[-1])
        hues = {level: channels.opponent_hues(colors[level], intensities[level]) for level in levels}
        return hues, {level: intensities[level] for level in levels}

    def _conspicuity(self, kind: Kind, pyramid: Pyramid, size: tuple[int, int]) -> Float[Tensor, "image 1 h w"]:
        """Where a channel stands out: its center-surround differences, normalised, summed, normalised."""
        config = self.config
        places = scaled_size(size, 0.5**config.map_level)
        normalized = NORMALIZATIONS[config.normalization]
        differences = []
        for level in config.center_levels:
            center = pyramid[level]
            for coarser in config.surround_levels:
                surround = resized(pyramid[level + coarser], (center.shape[2], center.shape[3]))
                differences.append(resized(self._contrast(center, surround), places))
        of_each_map = normalized(torch.stack(differences, dim=1), self.constant).sum(dim=1)
        if kind in self.normalized_map_by_map:
            of_each_map = normalized(of_each_map)
        return normalized(of_each_map.sum(dim=1, keepdim=True))

    def _contrast(self, center: Maps, surround: Maps) -> Maps:
        return (center - surround).square()


@register_model(
    "itti1998",
    family="classical",
    year=1998,
    paper="Itti, Koch & Niebur, A model of saliency-based visual attention for rapid scene analysis, PAMI 20(11), 1998",
    trainable=True,
    weights="package",
)
class Itti1998(Itti):
    """Differences of a pyramid's levels, as in the paper."""

    Config = Itti1998Config
    constant = CONSTANT
    normalized_map_by_map = ("orientations",)  # equation 7; equation 6 adds up the colors first

    def _hues_and_intensities(
        self, images: Float[Tensor, "image 3 height width"], levels: range
    ) -> tuple[Pyramid, Pyramid]:
        hues = channels.pyramid(_tuned_hues(images), levels[-1])
        intensities = channels.pyramid(images.mean(dim=1, keepdim=True), levels[-1])
        return {level: hues[level] for level in levels}, {level: intensities[level] for level in levels}

    def _contrast(self, center: Maps, surround: Maps) -> Maps:
        return (center - surround).abs()


def _tuned_hues(images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image 2 height width"]:
    """Red less green, and blue less yellow, each tuned broadly and of one strength whatever the intensity."""
    intensity = images.mean(dim=1, keepdim=True)
    is_seen = intensity > DARK * intensity.amax(dim=(2, 3), keepdim=True)
    r, g, b = torch.where(is_seen, images / torch.where(is_seen, intensity, 1.0), 0.0).unbind(dim=1)
    tuned = [r - (g + b) / 2, g - (r + b) / 2, b - (r + g) / 2, (r + g) / 2 - (r - g).abs() / 2 - b]
    red, green, blue, yellow = (hue.clamp(min=0) for hue in tuned)
    return torch.stack([red - green, blue - yellow], dim=1)
