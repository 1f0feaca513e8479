r"""SUN, saliency using natural statistics (Zhang, Tong, Marks, Shan & Cottrell, *Journal of Vision* 8(7):32, 2008).

What is salient is what is rare in the natural world, not in the image at hand: the self-information of a patch is a sum
over independent features, whose densities were learned before. Each is a generalised Gaussian, so that
$-\log p = \sum_i |f_i / \sigma_i|^{\theta_i}$ but for a constant (equation 9 and what follows of the paper; the version
with features of independent component analysis).

As in the published code: patches of 11 px in RGB, of images divided by the deviation of their values, at full size, no
value within half a patch of the border, no blur. Its 362 filters are its authors', learned from photographs that were
never compressed. Here they are learned (`foveal train sun`) from JPEG files, whose finest differences are rounding:
only the 150 strongest components are kept.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from foveal.models.catalogue import register_model
from foveal.models.parts.ica import independent_components
from foveal.models.parts.patch_filters import PatchFilterModel, at_least

PATCH_SIDE = 11  # px
FILTERS = 150
FILTERS_AT_ONCE = 16  # bounds memory: each makes a map of the size of the image
NO_CONTRAST = 1e-3  # a deviation that is rounding
SHAPES = (0.1, 4.0)  # of generalised Gaussians: from nearly all mass at zero to nearly uniform
HALVINGS = 20  # of that interval


@register_model(
    "sun",
    family="classical",
    year=2008,
    paper="Zhang, Tong, Marks, Shan & Cottrell, SUN: a Bayesian framework for saliency, Journal of Vision 8(7), 2008",
    trainable=True,
    weights="package",
)
class SUN(PatchFilterModel):
    """Self-information of patches under natural statistics."""

    patch_side = PATCH_SIDE
    shape: Float[Tensor, " filter"]
    scale: Float[Tensor, " filter"]

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("filters", torch.zeros(FILTERS, 3 * PATCH_SIDE**2))
        self.register_buffer("shape", torch.ones(FILTERS))
        self.register_buffer("scale", torch.ones(FILTERS))

    def prepared(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image 3 _ _"]:
        """Images whose values have mean zero and deviation one; a constant image is zero."""
        every_value = (1, 2, 3)
        centerd = images - images.mean(dim=every_value, keepdim=True)
        deviation = centerd.square().mean(dim=every_value, keepdim=True).sqrt()
        return at_least(centerd / deviation.clamp(min=NO_CONTRAST), PATCH_SIDE)

    def learn(self, patches: Float[Tensor, "patch value"], seed: int) -> None:
        """Independent components of patches without their mean, and the densities of the filters' responses."""
        patches = patches - patches.mean(dim=1, keepdim=True)
        self.filters = independent_components(patches, FILTERS, seed)
        self.shape, self.scale = fit_generalized_gaussians(patches @ self.filters.T)

    def saliency_map(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image height width"]:
        """Self-information; 0 where no patch is centerd."""
        height, width = images.shape[2:]
        maps = torch.cat([self._self_information(one) for one in self.prepared(images).split(1)])
        border = PATCH_SIDE // 2
        return F.pad(maps, (border, border, border, border))[:, :height, :width]

    def _self_information(self, prepared: Float[Tensor, "1 3 height width"]) -> Float[Tensor, "1 h w"]:
        filters = self.filters.unflatten(1, (3, PATCH_SIDE, PATCH_SIDE)) / self.scale[:, None, None, None]
        some = FILTERS_AT_ONCE
        # |x|^θ by way of its logarithm: `pow` takes more than twice as long.
        return torch.stack(
            [
                F.conv2d(prepared, part).abs_().log2_().mul_(shape[:, None, None]).exp2_().sum(dim=1)
                for part, shape in zip(filters.split(some), self.shape.split(some), strict=True)
            ]
        ).sum(dim=0)


def fit_generalized_gaussians(
    samples: Float[Tensor, "sample variable"],
) -> tuple[Float[Tensor, " variable"], Float[Tensor, " variable"]]:
    r"""Shape θ and scale σ of each variable's density, proportional to $e^{-|x / \sigma|^\theta}$.

    θ is where $\overline{|x|^{2\theta}} / \overline{|x|^\theta}^2 = \theta + 1$, which is unique and needs no start
    (Song, "A globally convergent and consistent method for estimating the shape parameter of a generalized Gaussian
    distribution", IEEE Trans. Information Theory 52(2), 2006), found by halving an interval; σ is the most likely.
    """
    magnitude = samples.abs().clamp(min=torch.finfo(samples.dtype).tiny)
    low, high = (torch.full_like(samples[0], end) for end in SHAPES)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        powers = magnitude.pow(middle)
        too_large = powers.square().mean(dim=0) > powers.mean(dim=0).square() * (middle + 1)
        low, high = torch.where(too_large, low, middle), torch.where(too_large, middle, high)
    shape = (low + high) / 2
    return shape, (shape * magnitude.pow(shape).mean(dim=0)).pow(1 / shape)
