r"""LDS, learning discriminative subspaces on random contrasts (Fang, Li, Tian, Huang & Chen 2017).

IEEE Transactions on Neural Networks and Learning Systems 28(5), 1095-1108. What sets a target apart from all around it
shows in some of the directions in which patches of photographs vary, and not in others. Patches of L*a*b*, side by
side, are projected on principal components; in each map of projections, a place is as salient as it differs from the
mean of a rectangle that it lies in or from the mean of all outside, whichever is less, on average over random
rectangles; places in the middle lie in more of them than places at the border. The maps of all components and scales
are added up by weights, none negative, that tell places that are looked at from others (`training.learning.subspaces`).
Of the sum, mass gathers where there is mass already, by the second walk of GBVS, twice.

As in the published code: patches of 8 px at three scales, each half the one before; values of a patch standardised
before the components are taken; rectangles of at least a hundredth of the map; a walk of width .06 on a map of 32 px;
the blur at the end. Differs in: components and weights are ours, of which the authors' came as files (32 components a
scale are weighed, theirs were 192); the rectangles are 200 from a Sobol sequence, the same for all images, where that
code draws 80 and more by chance for each map until it changes little; every image is brought to one size, and each
scale to whole patches, where that code cuts off the rest and stretches what is left, by up to 24 px.
"""

from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.quasirandom import SobolEngine

from foveal.gaze.maps import gaussian_blur
from foveal.models.catalogue import register_model
from foveal.models.config import ModelConfig
from foveal.models.parts.color import to_lab
from foveal.models.parts.graph import gathered, nearness
from foveal.models.parts.map_normalization import scaled
from foveal.models.parts.patch_filters import PatchFilterModel
from foveal.models.parts.working_size import resized, scaled_size

PATCH_SIDE = 8  # px
COMPONENTS = 32  # a scale, those of the largest variance, from which the weights choose; chosen here
LEAST_DEVIATION = 1e-3  # of a patch's value, in units of L*a*b*
NO_CONTRAST = 1e-3  # the range of a map of projections, in deviations, that is rounding; and of its random contrasts


@dataclass(frozen=True)
class LDSConfig(ModelConfig):
    """The parameters of the published code, but for the working side and the number of rectangles, chosen here."""

    working_side: int = 800  # px, the longer side
    scales: int = 3  # each half the one before
    rectangles: int = 200
    least_area: float = 0.01  # of a rectangle, of the map
    graph_side: int = 32  # places of the walk's graph along the longer side
    sigma: float = 0.06  # of its steps, of the mean side of the graph
    walks: int = 2
    blur: float = 1.33  # patches; a Gaussian of 2.5 that ends two patches from its center has this deviation


@register_model(
    "lds",
    family="classical",
    year=2017,
    paper="Fang, Li, Tian, Huang & Chen, Learning discriminative subspaces on random contrasts, TNNLS 28(5), 2017",
    trainable=True,
    weights="package",
)
class LDS(PatchFilterModel):
    """Random contrasts of principal components of patches, weighed by what was learned from fixations."""

    Config = LDSConfig
    config: LDSConfig
    map_is_fitted = True
    patch_side = PATCH_SIDE
    learned_at = 1.0  # at whatever size photographs come, they are brought to one
    weights: Float[Tensor, "scale filter"]

    def __init__(self, config: LDSConfig | None = None) -> None:
        super().__init__(config)
        self.register_buffer("filters", torch.zeros(COMPONENTS, 3 * PATCH_SIDE**2))
        self.register_buffer("weights", torch.zeros(self.config.scales, COMPONENTS))

    def prepared(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image 3 _ _"]:
        """L*a*b* of images whose longer side has so many px, in whole patches."""
        height, width = images.shape[2:]
        patches = scaled_size((height, width), self.config.working_side / PATCH_SIDE / max(height, width))
        return to_lab(_of_patches(images, patches).clamp(0, 1))

    def learn(self, patches: Float[Tensor, "patch value"], seed: int) -> None:
        """Principal components of the patches, each value of which is standardised, the largest first."""
        deviation = patches.std(dim=0).clamp(min=LEAST_DEVIATION)
        _, axes = torch.linalg.eigh(torch.cov((patches.double() / deviation).T))
        # What is subtracted before has no effect: of each map of projections only differences are looked at.
        self.filters = axes.flip(1)[:, :COMPONENTS].T.to(patches) / deviation

    def contrasts(
        self, images: Float[Tensor, "image 3 height width"], chosen: Bool[Tensor, "scale filter"]
    ) -> Float[Tensor, "image feature h w"]:
        """Random contrasts in [0, 1] of the chosen components at the chosen scales, on the patches of the first."""
        lab = self.prepared(images)
        size = lab.shape[2] // PATCH_SIDE, lab.shape[3] // PATCH_SIDE
        found = [lab.new_zeros(len(lab), 0, *size)]
        for number, components in enumerate(chosen):
            if not components.any():
                continue
            seen = lab if number == 0 else _of_patches(lab, scaled_size(size, 0.5**number))
            projections = scaled(self.responses(seen, PATCH_SIDE, components), NO_CONTRAST)
            contrast = random_contrast(projections, self.config.rectangles, self.config.least_area)
            found.append(scaled(resized(contrast, size), NO_CONTRAST))
        return torch.cat(found, dim=1)

    def saliency_map(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image height width"]:
        """The weighted sum of what the weights choose, gathered and blurred."""
        config, chosen = self.config, self.weights > 0
        total = torch.einsum("f,nfhw->nhw", self.weights[chosen], self.contrasts(images, chosen))
        size = total.shape[1], total.shape[2]
        small = scaled_size(size, config.graph_side / max(size))
        mass = resized(total[:, None], small).clamp(min=0)[:, 0]
        near = nearness(small, config.sigma, total.device)
        for _ in range(config.walks):
            mass = scaled(gathered(mass.flatten(1), near).view_as(mass))
        blurred = gaussian_blur(resized(mass[:, None], size), config.blur)
        return resized(blurred, (images.shape[2], images.shape[3]))[:, 0]


def _of_patches(
    images: Float[Tensor, "image channel _ _"], patches: tuple[int, int]
) -> Float[Tensor, "image channel _ _"]:
    """Images of so many rows and columns of patches."""
    return resized(images, (PATCH_SIDE * patches[0], PATCH_SIDE * patches[1]))


def random_contrast(
    maps: Float[Tensor, "image feature h w"], rectangles: int, least_area: float
) -> Float[Tensor, "image feature h w"]:
    """The mean over rectangles, for a place inside, of the lesser of its differences from the means in- and outside.

    A place counts 0 for a rectangle that it lies outside of. Outside of one that is the whole map is what is inside.
    """
    height, width = maps.shape[2:]
    total, whole = torch.zeros_like(maps), maps.sum(dim=(2, 3), keepdim=True)
    for top, left, bottom, right in _rectangles(rectangles, least_area):
        rows = slice(int(top * height), int(bottom * height) + 1)
        columns = slice(int(left * width), int(right * width) + 1)
        inside = maps[:, :, rows, columns]
        area, mass = inside.shape[2] * inside.shape[3], inside.sum(dim=(2, 3), keepdim=True)
        outside = height * width - area
        means = mass / area, (whole - mass) / outside if outside else mass / area
        total[:, :, rows, columns] += torch.minimum(*((inside - mean).abs() for mean in means))
    return total / rectangles


@lru_cache(maxsize=8)
def _rectangles(number: int, least_area: float) -> tuple[tuple[float, float, float, float], ...]:
    """Top, left, bottom and right, as shares of a map, of so many whose area is at least this, evenly spread."""
    corners = SobolEngine(4)
    found: list[tuple[float, float, float, float]] = []
    while len(found) < number:
        (top, bottom), (left, right) = corners.draw().view(2, 2).sort(dim=1).values.tolist()
        if (bottom - top) * (right - left) >= least_area:
            found.append((top, left, bottom, right))
    return tuple(found)
