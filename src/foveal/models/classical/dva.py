r"""DVA (Hou & Zhang, "Dynamic visual attention: searching for coding length increments", NIPS 2008).

An image spends its energy on sparse features of its patches, a share $p_i$ each. The incremental coding length of a
feature says how much the entropy of these shares rises with more of it: rare features gain, common ones lose.
Energy goes to those that gain, in proportion, and what a patch has of them makes it salient.

As in the published code: patches of 8 px in RGB with their mean, of an image of 80 x 120 px, every patch counts for all
its pixels, the result squared. Here the image keeps its proportions, with as many pixels. The filters of that code are
its authors'; here they are learned (`foveal train dva`) by FastICA, and of length one, which the published maps settle.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from foveal.models.catalogue import register_model
from foveal.models.config import ModelConfig
from foveal.models.parts.finalizer import resize_maps
from foveal.models.parts.ica import independent_components
from foveal.models.parts.patch_filters import PatchFilterModel, at_least
from foveal.models.parts.working_size import resized, scaled_size

PATCH_SIDE = 8  # px
FILTERS = 3 * PATCH_SIDE**2
TINY = 1e-12  # a share of nothing


@dataclass(frozen=True)
class DVAConfig(ModelConfig):
    """The parameters of the published code."""

    pixels: int = 80 * 120  # of the shrunk image


@register_model(
    "dva",
    family="classical",
    year=2008,
    paper="Hou & Zhang, Dynamic visual attention: searching for coding length increments, NIPS 2008",
    trainable=True,
    weights="package",
)
class DVA(PatchFilterModel):
    """Responses of learned filters, weighted by how much each adds to the entropy."""

    Config = DVAConfig
    config: DVAConfig

    patch_side = PATCH_SIDE

    def __init__(self, config: DVAConfig | None = None) -> None:
        super().__init__(config)
        self.register_buffer("filters", torch.zeros(FILTERS, FILTERS))

    def prepared(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image 3 _ _"]:
        """Images of so many pixels."""
        height, width = images.shape[2:]
        size = scaled_size((height, width), math.sqrt(self.config.pixels / (height * width)))
        return at_least(resized(images, size), PATCH_SIDE)

    def learn(self, patches: Float[Tensor, "patch value"], seed: int) -> None:
        """Independent components of the patches, of length one."""
        self.filters = F.normalize(independent_components(patches, FILTERS, seed))

    def saliency_map(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image height width"]:
        """Energy of the patches that hold a pixel, squared."""
        activity = self.responses(self.prepared(images)).abs()
        energy = torch.einsum("nf,nfhw->nhw", energy_shares(activity.sum(dim=(2, 3))), activity)
        patches = energy.new_ones(1, 1, PATCH_SIDE, PATCH_SIDE)
        spread = F.conv_transpose2d(energy[:, None], patches)[:, 0].square()
        return resize_maps(spread, (images.shape[2], images.shape[3]))


def energy_shares(activity: Float[Tensor, "image feature"]) -> Float[Tensor, "image feature"]:
    r"""What each feature is given: its $-H(p) - p_i - \log p_i - p_i \log p_i$ (equation 5), if positive, of their sum.

    A feature that never occurs, and an image without any, is given nothing.
    """
    p = activity / activity.sum(dim=1, keepdim=True).clamp(min=TINY)
    log_p = p.clamp(min=TINY).log2()
    entropy = -(p * log_p).sum(dim=1, keepdim=True)
    gain = (-entropy - p - log_p - p * log_p).clamp(min=0) * (p > 0)
    return gain / gain.sum(dim=1, keepdim=True).clamp(min=TINY)
