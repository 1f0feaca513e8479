"""Blurs that differ from `gaussian_blur` at the border: a mean of what is inside, and that of published code."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from foveal.gaze.maps import gaussian_rows


def local_mean(maps: Float[Tensor, "*batch h w"], sigma: float) -> Float[Tensor, "*batch h w"]:
    """Mean of what lies around each place within the image, weighted by a Gaussian (σ in px).

    >>> local_mean(torch.ones(1, 3), 1.0).round(decimals=4)
    tensor([[1., 1., 1.]])
    """
    rows, columns = (
        gaussian_rows(torch.arange(length, device=maps.device, dtype=maps.dtype), length, sigma)
        for length in maps.shape[-2:]
    )
    return rows @ maps @ columns.mT


def blurred_in_black(maps: Float[Tensor, "image h w"], sigma: float, width: int) -> Float[Tensor, "image h w"]:
    """Maps with nothing outside, blurred by a Gaussian (σ in px) that is cut off to a square of `width` px.

    As MATLAB's `imfilter` does by default. Maps fade towards the border, which favours the center. A square of even
    width reaches one px further to the right and below.

    >>> blurred_in_black(torch.ones(1, 1, 3), 1.0, 3)[0, 0]
    tensor([0.3280, 0.4519, 0.3280])
    """
    places = torch.arange(width, device=maps.device, dtype=maps.dtype) - (width - 1) / 2
    kernel = torch.softmax(-0.5 * (places / sigma).square(), dim=0)
    before, after = (width - 1) // 2, width // 2
    padded = F.pad(maps[:, None], (before, after, before, after))
    return F.conv2d(F.conv2d(padded, kernel.view(1, 1, 1, -1)), kernel.view(1, 1, -1, 1))[:, 0]
