r"""CovSal: saliency by region covariances (Erdem & Erdem, Journal of Vision 13(4), 2013), with means (their model 2).

A region is described by how its features vary together. The covariance of each of the regions of a grid is made a
vector by its Cholesky factor (sigma points), which stands beside the mean of the features; a region is salient if even
those that are most like it are unlike: the mean of the distances to the nearest tenth, each divided by one plus the
distance in the image. Maps of regions of 8 to 128 px, of an image of 512 x 512 px, are multiplied.

The features are L*a*b*, the absolute derivatives of lightness, and the place, whose mean is no feature of a region.
Left open, or not known here, and chosen by the scores on 50 images of OSIE: each feature is divided by its standard
deviation in the image, and the final blur. The published code multiplies the map by a centre bias, which is left out:
the calibration has one.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from foveal.gaze.maps import gaussian_blur
from foveal.models.base import SaliencyMapModel
from foveal.models.parts.color import to_lab
from foveal.models.parts.finalizer import resize_maps
from foveal.models.registry import register_model

ROWS_AT_ONCE = 512  # regions compared with all others: at the finest scale 8 MB a matrix
NO_SPREAD = 0.1  # of a feature (L*a*b* in 0 to 100); one that varies less is not stretched
PLACE = 5  # where, among the features, the place begins
NO_RANGE = 1e-3  # of a map that is constant but for rounding
REGULARISATION = 1e-5  # added to the variances, so that a region of one colour has a Cholesky factor


@dataclass(frozen=True)
class CovSalConfig:
    """The parameters of the published code."""

    working_side: int = 512  # px, of both sides
    region_sides: tuple[int, ...] = (8, 16, 32, 64, 128)  # px
    nearest: float = 0.1  # share of the regions that one is compared with: those most like it
    alpha: float = 2.0  # α: of the sigma points
    blur: float = 0.02  # of the side


@register_model(
    "covsal",
    family="classical",
    year=2013,
    paper="Erdem & Erdem, Visual saliency estimation by ... features using region covariances, JoV 13(4), 2013",
    trainable=True,
    weights="package",
)
class CovSal(SaliencyMapModel):
    """How unlike the regions most like it a region's means and covariances are."""

    def __init__(self, config: CovSalConfig | None = None) -> None:
        super().__init__()
        self.config = config or CovSalConfig()

    def saliency_map(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image height width"]:
        """Product over the sizes of the regions."""
        config = self.config
        side = config.working_side
        small = F.interpolate(images, size=(side, side), mode="bicubic", antialias=True, align_corners=False)
        features = region_features(small.clamp(0, 1))
        finest = side // min(config.region_sides)
        product = images.new_ones(len(images), finest, finest)
        for region_side in config.region_sides:
            vectors = sigma_points(features, region_side, config.alpha)
            # One image at a time bounds the memory, whatever the batch.
            saliency = torch.stack([dissimilarity(one, config.nearest) for one in vectors])
            product *= _scaled(_to_grid(_scaled(saliency), finest))
        blurred = gaussian_blur(product, config.blur * finest)
        return resize_maps(blurred, (images.shape[2], images.shape[3]))


def region_features(images: Float[Tensor, "image 3 side side"]) -> Float[Tensor, "image 7 side side"]:
    """Colours, derivatives and place of each pixel, in units of their standard deviations."""
    lab = to_lab(images)
    vertical, horizontal = torch.gradient(lab[:, :1], dim=(2, 3))
    side = images.shape[2]
    rows = torch.arange(side, dtype=images.dtype, device=images.device)[:, None].expand(len(images), 1, side, side)
    features = torch.cat([lab, horizontal.abs(), vertical.abs(), rows.mT, rows], dim=1)
    return features / features.flatten(2).std(dim=2).clamp(min=NO_SPREAD)[..., None, None]


def sigma_points(
    features: Float[Tensor, "image feature side side"], region_side: int, alpha: float
) -> Float[Tensor, "image row column value"]:
    r"""Of each region of a grid, the mean of its features and its sigma points relative to it.

    The points are $\pm\alpha_d L_i$, of the columns of the covariance's Cholesky factor, with $\alpha_d = \sqrt{\alpha
    d}$. That each is there twice only multiplies its part of a distance by the root of two.
    """
    count = features.shape[1]
    regions = features.unfold(2, region_side, region_side).unfold(3, region_side, region_side)
    regions = regions.flatten(4).movedim(1, 3)  # image, row, column, feature, pixel
    means = regions.mean(dim=4)
    centered = regions - means[..., None]
    centered = centered.double()  # a region of two colours has a covariance of one dimension, but for rounding
    covariances = centered @ centered.mT / (region_side**2 - 1)
    factors = torch.linalg.cholesky(covariances + REGULARISATION * torch.eye(count).to(covariances)).to(features)
    return torch.cat([means[..., :PLACE], math.sqrt(2 * alpha * count) * factors.flatten(3)], dim=3)


def dissimilarity(vectors: Float[Tensor, "row column value"], nearest: float) -> Float[Tensor, "row column"]:
    """Mean of each region's smallest distances, which count the less the farther the other is in the image."""
    size = vectors.shape[:2]
    flat = vectors.flatten(0, 1)
    flat = flat - flat.mean(dim=0)  # nothing to the distances, but to their rounding
    centers = [(torch.arange(length) + 0.5) / length for length in size]
    places = torch.cartesian_prod(*centers).to(vectors)
    n_nearest = max(1, round(nearest * len(flat)))
    found = []
    for some, some_places in zip(flat.split(ROWS_AT_ONCE), places.split(ROWS_AT_ONCE), strict=True):
        distances = torch.cdist(some, flat) / (1 + torch.cdist(some_places, places))
        found.append(distances.topk(n_nearest, dim=1, largest=False, sorted=False).values.mean(dim=1))
    return torch.cat(found).view(size)


def _to_grid(maps: Float[Tensor, "image row column"], side: int) -> Float[Tensor, "image h w"]:
    """Maps of a coarser grid on the finest, blurred by half a region."""
    fine = F.interpolate(maps[:, None], size=(side, side), mode="bicubic", align_corners=False)[:, 0]
    return gaussian_blur(fine.clamp(min=0), 0.5 * side / maps.shape[1])


def _scaled(maps: Float[Tensor, "image h w"]) -> Float[Tensor, "image h w"]:
    """Each map in [0, 1]; a constant one 0."""
    low = maps.amin(dim=(1, 2), keepdim=True)
    span = maps.amax(dim=(1, 2), keepdim=True) - low
    return (maps - low) / span.clamp(min=NO_RANGE) * (span > NO_RANGE)
