r"""Context-aware saliency (Goferman, Zelnik-Manor & Tal, CVPR 2010; PAMI 34(10), 2012).

A place is salient if even the patches most like the one around it are unlike it, the less so the farther they are in
the image: $d = d_\mathrm{color} / (1 + 3\,d_\mathrm{position})$, and $S = 1 - e^{-\bar d}$ of the mean over the 64
nearest. At each scale r of {1, .8, .5, .3}, a patch is compared with those of scales {r, r/2, r/4}, none below .2; the
maps are scaled to [0, 1] and averaged. What lies near a focus, a place above .8, is its context: each place counts by
one minus its distance from the nearest focus.

Patches of 7 px in an image of 250 px, in L*a*b*, as the paper; its overlap of 50 % is steps of three pixels here. Also
here: foci are those of the mean over scales, as in the paper of 2010; beyond the border is the nearest pixel; the
colors of patches are 1 apart if one is black and the other white; the .8 is of the highest place, and distances from
foci are relative to the largest. The paper's prior for the center and its detector of faces are left out: the
calibration has a center bias.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from foveal.models.base import SaliencyMapModel
from foveal.models.catalogue import register_model
from foveal.models.config import ModelConfig
from foveal.models.parts.color import to_lab
from foveal.models.parts.finalizer import resize_maps
from foveal.models.parts.map_normalization import scaled
from foveal.models.parts.working_size import resized

WHITE = 100.0  # its lightness
PATCHES_AT_ONCE = 512  # compared with all candidates: at the finest scale 14 MB a matrix


@dataclass(frozen=True)
class ContextAwareConfig(ModelConfig):
    """The parameters of the paper."""

    working_side: int = 250  # px, the longer side
    scales: tuple[float, ...] = (1.0, 0.8, 0.5, 0.3)  # R
    candidate_scales: tuple[float, ...] = (1.0, 0.5, 0.25)  # of the patch's own scale
    least_scale: float = 0.2
    patch_side: int = 7  # px
    step: int = 3  # px from patch to patch
    nearest: int = 64  # K
    nearness: float = 3.0  # c: how much less unlikeness counts from afar
    focus: float = 0.8  # of the highest place


@dataclass(frozen=True)
class Patches:
    """The patches of an image, and the places of their centers in units of its longer side."""

    colors: Float[Tensor, "row column value"]
    places: Float[Tensor, "row column 2"]


@register_model(
    "cas",
    family="classical",
    year=2010,
    paper="Goferman, Zelnik-Manor & Tal, Context-aware saliency detection, CVPR 2010",
    trainable=True,
    weights="package",
)
class ContextAwareSaliency(SaliencyMapModel):
    """How unlike a patch the patches are that are most like it."""

    Config = ContextAwareConfig
    config: ContextAwareConfig

    def saliency_map(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image height width"]:
        """Mean over the scales, weighted by the nearness to a focus."""
        # One image at a time bounds the memory, whatever the batch.
        maps = torch.stack([self._of_patches(image) for image in images])
        return resize_maps(maps, (images.shape[2], images.shape[3]))

    def _of_patches(self, image: Float[Tensor, "3 height width"]) -> Float[Tensor, "row column"]:
        """The map of one image, a value a patch."""
        config = self.config
        candidates = {
            scale: [scale * other for other in config.candidate_scales if scale * other >= config.least_scale]
            for scale in config.scales
        }
        patches = {scale: self._patches(image, scale) for scale in set().union(*candidates.values())}
        maps = [
            unlikeness(patches[scale], [patches[other] for other in others], config.nearest, config.nearness)
            for scale, others in candidates.items()
        ]
        places = patches[max(config.scales)].places
        finest = places.shape[0], places.shape[1]
        mean = torch.stack([resize_maps(scaled(one)[None], finest)[0] for one in maps]).mean(dim=0)
        return mean * (1 - distance_from_foci(mean, places, config.focus))

    def _patches(self, image: Float[Tensor, "3 height width"], scale: float) -> Patches:
        """Each in the middle of a cell of an image that has no other pixels: a map of patches is one of the image."""
        config = self.config
        unit = config.working_side * scale / config.step / max(image.shape[1:])
        rows, columns = (max(1, round(length * unit)) for length in image.shape[1:])
        size = rows * config.step, columns * config.step
        small = resized(image[None], size)
        margin = (config.patch_side - config.step) // 2
        padded = F.pad(to_lab(small.clamp(0, 1)), (margin, margin, margin, margin), mode="replicate")
        colors = F.unfold(padded, config.patch_side, stride=config.step)[0].T / (WHITE * config.patch_side)
        centers = torch.meshgrid(torch.arange(rows) + 0.5, torch.arange(columns) + 0.5, indexing="ij")
        return Patches(colors.reshape(rows, columns, -1), torch.stack(centers, dim=2).to(colors) / max(rows, columns))


def unlikeness(patches: Patches, others: list[Patches], nearest: int, nearness: float) -> Float[Tensor, "row column"]:
    """Of each patch and the others that are nearest to it in color and place."""
    other_colors = torch.cat([some.colors.flatten(0, 1) for some in others])
    other_places = torch.cat([some.places.flatten(0, 1) for some in others])
    middle = other_colors.mean(dim=0)  # nothing to the distances, but to their rounding
    other_colors = other_colors - middle
    colors, places = (patches.colors - middle).flatten(0, 1), patches.places.flatten(0, 1)
    nearest = min(nearest, len(other_colors))
    found = []
    for some, some_places in zip(colors.split(PATCHES_AT_ONCE), places.split(PATCHES_AT_ONCE), strict=True):
        distances = torch.cdist(some, other_colors) / (1 + nearness * torch.cdist(some_places, other_places))
        found.append(distances.topk(nearest, dim=1, largest=False, sorted=False).values.mean(dim=1))
    return (1 - torch.exp(-torch.cat(found))).view(patches.places.shape[:2])


def distance_from_foci(
    saliency: Float[Tensor, "row column"], places: Float[Tensor, "row column 2"], focus: float
) -> Float[Tensor, "row column"]:
    """Distance of each place from the nearest focus, in units of the largest."""
    foci = places[saliency >= focus * saliency.max()]
    distances = torch.cdist(places.flatten(0, 1), foci, compute_mode="donot_use_mm_for_euclid_dist").amin(dim=1)
    return (distances / distances.max().clamp(min=torch.finfo().tiny)).view(saliency.shape)
