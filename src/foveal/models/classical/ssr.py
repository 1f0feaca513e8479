r"""Static saliency by self-resemblance (Seo & Milanfar, Journal of Vision 9(12), 2009).

A place is salient if what is at it resembles little of what is elsewhere. What is at a place is described by local
steering kernels: Gaussians $K_l = e^{-x_l^T C_l x_l / 2h^2}$ of the offsets from a pixel, as steep as the gradients
around where they lead to, so that they follow the edges. A feature matrix $F_i$ holds the kernels of a window;
$\rho_{ij}$ is its matrix cosine similarity with that of another place, and $S_i = 1 / \sum_j e^{(\rho_{ij} - 1) /
\sigma^2}$.

The image is seen at 64 x 64 px in L*a*b*, kernels are of 3 x 3 px, windows of 7 x 7. The published code compares a
place with those around it or, as here, with all others, which gives the published map of OSIE 1001. That map settles,
too, that the aspect ratio is not kept, that each channel is scaled to [0, 1], and that kernels are not normalised.
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
from foveal.models.parts.working_size import resized

# MATLAB's fspecial("disk", 1) over its center: how much each gradient counts in a covariance.
DISK = ((0.0251, 0.1453, 0.0251), (0.1453, 0.3183, 0.1453), (0.0251, 0.1453, 0.0251))
PLACES_AT_ONCE = 512  # compared with as many others; their similarities are 1 MB
NO_RANGE = 1.0  # units of L*a*b*: a channel that varies less is not stretched to [0, 1]; a gray image has no colors
TINY = 1e-7  # keeps the sharpness of a flat neighbourhood above 0, as the published code


@dataclass(frozen=True)
class SelfResemblanceConfig(ModelConfig):
    """The parameters of the paper and the published code."""

    working_side: int = 64  # px, of both sides
    smoothing: float = 0.2  # h: of the steering kernels
    sensitivity: float = 0.42  # α: how a kernel's steepness grows with the gradients
    regularisation: float = 1.0  # λ': of a kernel's elongation
    window: int = 7  # px, whose kernels make a feature matrix
    fall_off: float = 0.07  # σ


@register_model(
    "ssr",
    family="classical",
    year=2009,
    paper="Seo & Milanfar, Static and space-time visual saliency detection by self-resemblance, JoV 9(12), 2009",
    trainable=True,
    weights="package",
)
class SelfResemblance(SaliencyMapModel):
    """How little the steering kernels at a place resemble those elsewhere."""

    Config = SelfResemblanceConfig
    config: SelfResemblanceConfig

    def saliency_map(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image height width"]:
        """Likelihood that a place is salient, given how it resembles the others."""
        config = self.config
        side = config.working_side
        small = resized(images, (side, side), "bilinear")
        covariances = steering_covariances(scaled_channels(to_lab(small)), config.sensitivity, config.regularisation)
        kernels = steering_kernels(covariances, config.smoothing)
        # One image at a time bounds the memory, whatever the batch.
        saliency = [self_resemblance(one, config.window, config.fall_off) for one in kernels]
        return resize_maps(torch.stack(saliency), (images.shape[2], images.shape[3]))


def scaled_channels(images: Float[Tensor, "image channel h w"]) -> Float[Tensor, "image channel h w"]:
    """Each channel of each image in [0, 1]."""
    low, high = images.amin(dim=(2, 3), keepdim=True), images.amax(dim=(2, 3), keepdim=True)
    return (images - low) / (high - low).clamp(min=NO_RANGE)


def steering_covariances(
    channels: Float[Tensor, "image channel h w"], sensitivity: float, regularisation: float
) -> Float[Tensor, "3 image channel h w"]:
    """Elements xx, xy and yy of the matrix C of each pixel's kernel.

    From the singular values s1 >= s2 of the gradients around the pixel, and the direction of the first: elongation
    (s1 + λ') / (s2 + λ') and its inverse along and across it, times (s1 s2 / M)^α.
    """
    disk = channels.new_tensor(DISK)
    disk = disk / disk[1, 1]
    vertical, horizontal = torch.gradient(channels, dim=(2, 3))
    products = torch.stack([horizontal * horizontal, horizontal * vertical, vertical * vertical])
    xx, xy, yy = F.conv2d(_mirrored(products.flatten(0, 2)[:, None], 1), disk.square()[None, None])[:, 0].view_as(
        products
    )

    # The eigenvalues of [[xx, xy], [xy, yy]] are the squares of the singular values.
    trace, difference = xx + yy, torch.hypot(xx - yy, 2 * xy)
    first, second = (((trace + sign * difference) / 2).clamp(min=0).sqrt() for sign in (1, -1))
    along = (first + regularisation) / (second + regularisation)
    sharpness = ((first * second + TINY) / disk.sum()) ** sensitivity
    mean, half = sharpness * (along + 1 / along) / 2, sharpness * (along - 1 / along) / 2
    cosine, sine = ((part / difference.clamp(min=TINY**2)) for part in (xx - yy, 2 * xy))
    return torch.stack([mean + half * cosine, half * sine, mean - half * cosine])


def steering_kernels(
    covariances: Float[Tensor, "3 image channel h w"], smoothing: float
) -> Float[Tensor, "image value h w"]:
    """The kernels of all channels of a pixel, 9 values each; an offset counts by the pixel it leads to."""
    height, width = covariances.shape[3:]
    padded = _mirrored(covariances.flatten(0, 1), 1).unflatten(0, covariances.shape[:2])
    distances = []
    for y in (-1, 0, 1):
        for x in (-1, 0, 1):
            xx, xy, yy = padded[..., 1 + y : 1 + y + height, 1 + x : 1 + x + width]
            distances.append(x * x * xx + 2 * x * y * xy + y * y * yy)
    return torch.exp(torch.stack(distances, dim=2) / (-2 * smoothing**2)).flatten(1, 2)


def self_resemblance(kernels: Float[Tensor, "value h w"], window: int, fall_off: float) -> Float[Tensor, "h w"]:
    """One over the sum, over all places, of a function that falls with their unlikeness."""
    matrices = F.unfold(_mirrored(kernels[None], window // 2), window)[0].T
    matrices = matrices / matrices.norm(dim=1, keepdim=True)
    total = matrices.new_zeros(len(matrices))
    totals, blocks = total.split(PLACES_AT_ONCE), matrices.split(PLACES_AT_ONCE)
    for number, block in enumerate(blocks):
        # Resemblance is mutual: what one block is to a later one, that is to this.
        for other in range(number, len(blocks)):
            resemblance = torch.exp((block @ blocks[other].T - 1) / fall_off**2)
            totals[number].add_(resemblance.sum(dim=1))
            if other != number:
                totals[other].add_(resemblance.sum(dim=0))
    return (1 / total).view(kernels.shape[1:])


def _mirrored(maps: Float[Tensor, "image channel _ _"], margin: int) -> Float[Tensor, "image channel _ _"]:
    return F.pad(maps, (margin, margin, margin, margin), mode="reflect")
