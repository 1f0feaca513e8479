"""Calibration: a saliency map becomes a density.

Kümmerer, Wallis & Bethge 2014 ("How close are we to understanding image-based saliency?", arXiv:1409.7686) and DeepGaze
I (2015, Fig. 3): a saliency map says which pixels are more salient, not how much more likely they are to be looked at.
A monotone pointwise nonlinearity, a Gaussian blur and a center bias, all fitted by maximum likelihood, say the rest.

Differs from Kümmerer et al. in: the nonlinearity acts in the log domain (theirs times the center bias is ours plus its
logarithm); the center bias is a kernel density with an exponent, theirs radial and piecewise linear; the map is
calibrated on a grid of at most 200 px and resampled.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from foveal.gaze.maps import gaussian_blur
from foveal.models.parts.finalizer import normalize_log_density, resize_log_density
from foveal.models.parts.prior import WithPrior
from foveal.models.parts.working_size import scaled_size

BINS = 20  # of the piecewise linear nonlinearity
WORKING_SIDE = 200  # px, longer side of the grid on which maps are calibrated: finer than any blur that was fitted


class Calibration(WithPrior):
    r"""$\log p(x) = (\phi(s) * G_\sigma)(x) + \alpha \log c(x) - \log Z$.

    $s$ is the map, scaled to [0, 1] in each image; $\phi$ is increasing and piecewise linear in 20 equal bins; $\sigma$
    is a share of the longer side; $c$ is a center bias. Fresh, it is the identity with hardly any blur, on a uniform
    prior.
    """

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("steps", torch.full((BINS,), 1 / BINS))
        self.register_buffer("blur", torch.tensor(0.001))
        self.register_buffer("prior_weight", torch.tensor(1.0))

    steps: Float[Tensor, " bin"]  # rise of the nonlinearity over each bin, >= 0
    blur: Float[Tensor, ""]
    prior_weight: Float[Tensor, ""]

    def forward(
        self, saliency: Float[Tensor, "image height width"], is_blank: Bool[Tensor, "#image"] | None = None
    ) -> Float[Tensor, "image height width"]:
        """Log densities of the maps' own size; of an image that `is_blank`, the center bias."""
        height, width = saliency.shape[1:]
        if is_blank is None:
            is_blank = torch.zeros(len(saliency), dtype=torch.bool, device=saliency.device)
        maps = WorkingMaps(to_working_grid(saliency), is_blank, (height, width), (height, width))
        return maps.log_density(self)

    def on_grid(self, saliency: Float[Tensor, "image h w"]) -> Float[Tensor, "image h w"]:
        """Log densities of maps that `to_working_grid` has prepared."""
        height, width = saliency.shape[1:]
        curved = piecewise_linear(saliency, self.steps)
        blurred = gaussian_blur(curved, self.blur * max(height, width))
        return normalize_log_density(blurred + self.prior_weight * self.prior_on((height, width)))

    def center_bias(self, size: tuple[int, int]) -> Float[Tensor, "1 height width"]:
        """Log density of the center bias alone, whatever its weight beside a map that may have one of its own."""
        return normalize_log_density(self.prior_on(size))


@dataclass(frozen=True)
class WorkingMaps:
    """Saliency maps of photographs of one size, as a calibration takes them.

    Attributes
    ----------
    maps
        As `to_working_grid` prepares them.
    is_blank
        Is the photograph of one color, so that its map means nothing?
    seen, size
        Height and width of the photographs as the model saw them, and their own.
    """

    maps: Float[Tensor, "image h w"]
    is_blank: Bool[Tensor, " image"]
    seen: tuple[int, int]
    size: tuple[int, int]

    def log_density(self, calibration: Calibration) -> Float[Tensor, "image height width"]:
        """Log densities of the photographs' own size."""
        of_maps = resize_log_density(calibration.on_grid(self.maps), self.seen)
        log_density = torch.where(self.is_blank[:, None, None], calibration.center_bias(self.seen), of_maps)
        return log_density if self.seen == self.size else resize_log_density(log_density, self.size)

    def only(self, rows: Sequence[int] | np.ndarray) -> "WorkingMaps":
        """Some of them, by their positions."""
        return WorkingMaps(self.maps[rows], self.is_blank[rows], self.seen, self.size)


def to_working_grid(saliency: Float[Tensor, "image height width"]) -> Float[Tensor, "image h w"]:
    """Each map scaled to [0, 1] (a constant map to 0), its longer side at most WORKING_SIDE."""
    height, width = saliency.shape[1:]
    scale = WORKING_SIDE / max(height, width)
    if scale < 1:
        size = scaled_size((height, width), scale)
        saliency = F.interpolate(saliency[:, None], size=size, mode="area")[:, 0]
    low = saliency.amin(dim=(1, 2), keepdim=True)
    span = saliency.amax(dim=(1, 2), keepdim=True) - low
    return torch.where(span > 0, (saliency - low) / torch.where(span > 0, span, 1.0), 0.0)


def piecewise_linear(values: Float[Tensor, "*shape"], steps: Float[Tensor, " bin"]) -> Float[Tensor, "*shape"]:
    """The curve that starts at (0, 0) and rises by `steps[k]` over the k-th of equal bins of [0, 1].

    >>> piecewise_linear(torch.tensor([0.0, 0.25, 0.75, 1.0]), torch.tensor([1.0, 3.0]))
    tensor([0.0000, 0.5000, 2.5000, 4.0000])
    """
    n_bins = len(steps)
    heights = torch.cat([steps.new_zeros(1), steps.cumsum(0)])
    bins = (values * n_bins).long().clamp(max=n_bins - 1)
    return heights[bins] + steps[bins] * (values * n_bins - bins)
