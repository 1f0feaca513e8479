r"""CovSal: saliency by region covariances (Erdem & Erdem, Journal of Vision 13(4), 2013), with means (their model 2).

A region is described by how its features vary together. Their covariance is made a vector by its Cholesky factor (sigma
points), which stands beside their mean; a region is salient if even those around it that are most like it are unlike:
the mean of the smallest tenth of the distances to the 7 x 7 regions around it, each divided by one plus the distance in
the image. Maps of regions of 8 to 128 px, of an image of 512 x 512 px, are multiplied.

The features are L*a*b*, the absolute derivatives of the intensity, and the place, with the parameters of the published
code. Differs in: no noise is added to the image; and what a region counts does not fall with its distance from the
center, as the calibration has a center bias.
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
from foveal.models.parts.color import to_lab
from foveal.models.parts.finalizer import resize_maps
from foveal.models.parts.working_size import resized

REGULARISATION = 1e-3  # added to the variances, so that a region of one color has a Cholesky factor


@dataclass(frozen=True)
class CovSalConfig(ModelConfig):
    """The parameters of the published code."""

    working_side: int = 512  # px, of both sides
    region_sides: tuple[int, ...] = (8, 16, 32, 64, 128)  # px
    reach: int = 3  # regions, in each direction, that one is compared with
    nearest: float = 0.1  # share of them: those most like it
    alpha: float = 2.0  # α: of the sigma points
    blur: float = 0.02  # of the side


@register_model(
    "covsal",
    family="classical",
    year=2013,
    paper="Erdem & Erdem, Visual saliency estimation by nonlinearly integrating features using region covariances, "
    "JoV 13(4), 2013",
    trainable=True,
    weights="package",
)
class CovSal(SaliencyMapModel):
    """How unlike the regions most like it a region's means and covariances are."""

    Config = CovSalConfig
    config: CovSalConfig

    def saliency_map(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image height width"]:
        """Product over the sizes of the regions."""
        config = self.config
        side = config.working_side
        small = resized(images, (side, side))
        features = region_features(small.clamp(0, 1))
        finest = side // min(config.region_sides)
        product = images.new_ones(len(images), finest, finest)
        for region_side in config.region_sides:
            vectors = sigma_points(features, region_side, config.alpha)
            saliency = dissimilarity(vectors, region_side, config.reach, config.nearest)
            product *= resized(saliency[:, None], (finest, finest))[:, 0]
        blurred = gaussian_blur(product, config.blur * finest)
        return resize_maps(blurred, (images.shape[2], images.shape[3]))


def region_features(images: Float[Tensor, "image 3 side side"]) -> Float[Tensor, "image 7 side side"]:
    """Colors (L*a*b*), derivatives (of an intensity up to 255) and place (px) of each pixel."""
    padded = F.pad(255 * images.mean(dim=1, keepdim=True), (1, 1, 1, 1), mode="replicate")
    horizontal = (padded[:, :, 1:-1, 2:] - padded[:, :, 1:-1, :-2]).abs()
    vertical = (padded[:, :, 2:, 1:-1] - padded[:, :, :-2, 1:-1]).abs()
    side = images.shape[2]
    rows = torch.arange(side, dtype=images.dtype, device=images.device)[:, None].expand(len(images), 1, side, side)
    return torch.cat([to_lab(images), horizontal, vertical, rows.mT, rows], dim=1)


def sigma_points(
    features: Float[Tensor, "image feature side side"], region_side: int, alpha: float
) -> Float[Tensor, "image row column value"]:
    r"""Of each region of a grid, a vector whose distances are those of its mean and its sigma points.

    The points are $\mu \pm L_i$, of the columns of the Cholesky factor of the covariance times $\alpha (d + 0.1)$. As
    the mean is in each of the 2d points, too, and each column there twice, it counts 2d + 1 times, and they twice.
    """
    count = features.shape[1]
    regions = features.unfold(2, region_side, region_side).unfold(3, region_side, region_side)
    regions = regions.flatten(4).movedim(1, 3)  # image, row, column, feature, pixel
    means = regions.mean(dim=4)
    centered = (regions - means[..., None]).double()
    covariances = centered @ centered.mT / (region_side**2 - 1)
    covariances = covariances + REGULARISATION * torch.eye(count).to(covariances)
    factors = torch.linalg.cholesky(alpha * (count + 0.1) * covariances).to(features)
    return torch.cat([math.sqrt(2 * count + 1) * means, math.sqrt(2) * factors.flatten(3)], dim=3)


def dissimilarity(
    vectors: Float[Tensor, "image row column value"], region_side: int, reach: int, nearest: float
) -> Float[Tensor, "image row column"]:
    """Mean of each region's smallest distances to those around it, which count the less the farther these are."""
    rows, columns = vectors.shape[1:3]
    padded = F.pad(vectors, (0, 0, reach, reach, reach, reach), value=math.inf)  # no region is there
    distances = []
    for y in range(-reach, reach + 1):
        for x in range(-reach, reach + 1):
            if (y, x) != (0, 0):
                other = padded[:, reach + y : reach + y + rows, reach + x : reach + x + columns]
                distances.append((vectors - other).norm(dim=3) / (1 + region_side * math.hypot(y, x)))
    found = torch.stack(distances, dim=3)
    n_nearest = (found.isfinite().sum(dim=3, keepdim=True) * nearest).long().clamp(min=1)
    smallest = found.topk(max(1, int(found.shape[3] * nearest)), dim=3, largest=False).values
    counted = torch.arange(smallest.shape[3], device=found.device) < n_nearest
    return torch.where(counted, smallest, 0.0).sum(dim=3) / n_nearest[..., 0]
