r"""AIM, attention based on information maximization (Bruce & Tsotsos, NIPS 2005; *Journal of Vision* 9(3):5, 2009).

What is salient is what the rest of the image does not lead one to expect: the self-information $-\log p$ of each of the
independent features of a patch, with the image's own histogram as density, summed over the features.

Parameters as in the published code: patches of 21 px, histograms of 256 bins that all features of an image share,
blurred by 8 px as if nothing was outside, and no value within half a patch of the border. Its filters are its authors';
here they are learned (`foveal train aim`) by FastICA instead of JADE or infomax, and there are 25. They respond at
every other pixel of every other row, which the blur hides and which takes a quarter of the time. The blur goes on to
four of its widths, the authors' ends after two.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from foveal.models.catalogue import register_model
from foveal.models.config import ModelConfig
from foveal.models.parts.blur import blurred_in_black
from foveal.models.parts.ica import independent_components
from foveal.models.parts.patch_filters import PatchFilterModel, at_least

PATCH_SIDE = 21  # px
FILTERS = 25
STEP = 2  # px, from one response to the next
TINY = 1e-6  # the range of responses to an image without any; the likelihood of what never happens
REACH = 4  # deviations of the blur, beyond which it does not reach


@dataclass(frozen=True)
class AIMConfig(ModelConfig):
    """The parameters of the published code."""

    bins: int = 256
    blur: float = 8.0  # px


@register_model(
    "aim",
    family="classical",
    year=2005,
    paper="Bruce & Tsotsos, Saliency based on information maximization, NIPS 2005",
    trainable=True,
    weights="package",
)
class AIM(PatchFilterModel):
    """Self-information of the responses of learned filters."""

    Config = AIMConfig
    config: AIMConfig

    patch_side = PATCH_SIDE

    def __init__(self, config: AIMConfig | None = None) -> None:
        super().__init__(config)
        self.register_buffer("filters", torch.zeros(FILTERS, 3 * PATCH_SIDE**2))

    def prepared(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image 3 _ _"]:
        """The images as they are."""
        return at_least(images, PATCH_SIDE)

    def learn(self, patches: Float[Tensor, "patch value"], seed: int) -> None:
        """Independent components of the patches."""
        self.filters = independent_components(patches, FILTERS, seed)

    def saliency_map(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image height width"]:
        """Information, blurred; 0 where no patch is centerd."""
        height, width = images.shape[2:]
        # One image at a time: of each there are as many maps as filters.
        prepared = self.prepared(images).split(1)
        found = [self_information(self.responses(one, STEP)[0], self.config.bins) for one in prepared]
        sigma = self.config.blur / STEP
        blurred = blurred_in_black(torch.stack(found), sigma, 2 * round(REACH * sigma) + 1)
        above_lowest = blurred - blurred.amin(dim=(1, 2), keepdim=True)
        rows, columns = (STEP * (length - 1) + 1 for length in blurred.shape[1:])
        full = F.interpolate(above_lowest[:, None], size=(rows, columns), mode="bilinear", align_corners=True)[:, 0]
        border = PATCH_SIDE // 2
        return F.pad(full, (border, border + STEP, border, border + STEP))[:, :height, :width]


def self_information(responses: Float[Tensor, "feature h w"], bins: int) -> Float[Tensor, "h w"]:
    """How rare the features of each place are in the image, in nats."""
    low, high = responses.aminmax()
    binned = (responses - low).div_((high - low).clamp(min=TINY)).mul_(bins - 1).round_()
    total = torch.zeros_like(responses[0])
    for feature in binned:
        bin_of = feature.long()
        likelihood = torch.bincount(bin_of.flatten(), minlength=bins) / feature.numel()
        total -= (likelihood + TINY).log()[bin_of]
    return total
