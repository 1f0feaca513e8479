"""Normalized mean under a mask: how far above the image's mean the map is on an item."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from foveal.errors import FovealError
from foveal.metrics.maps import deviations_and_length


def normalized_means_of_items(
    saliency: Float[Tensor, "image height width"], items: Int[Tensor, "image height width"]
) -> Float[Tensor, "image item"]:
    r"""Mean z-score of the map on every item of each image.

    $\mathrm{NMM}_i = \mathrm{mean}_{mask_i} \frac{pred_i - \mu(pred_i)}{\sigma(pred_i)}$  (He et al., CVPR 2019, eq.
    4), the standard deviation over all pixels. A constant map has no z-score; its values are 0, and a note says so.

    Parameters
    ----------
    saliency
        Maps in any unit.
    items
        For every pixel the number of its item, from 1 on; 0 where there is none. For a single mask, 1 is what is in it.

    Returns
    -------
    Values of items 1, 2, …; NaN where an image has fewer.

    Raises
    ------
    FovealError
        If a map holds NaN or infinite values, an image has no item 1, or a number is negative.

    >>> peak, items = torch.zeros(1, 3, 3), torch.zeros(1, 3, 3, dtype=torch.int64)
    >>> peak[0, 1, 1] = 1.0
    >>> items[0, 1, 1], items[0, 0, 0] = 1, 2
    >>> normalized_means_of_items(peak, items)
    tensor([[ 2.8284, -0.3536]])
    """
    if (items < 0).any():
        raise FovealError("NMM: the number of an item is below 0")
    n_images, n_items = len(items), int(items.max())
    flat = items.flatten(1).long()
    pixels = torch.zeros(n_images, n_items + 1, dtype=torch.float64, device=saliency.device)
    pixels.scatter_add_(1, flat, torch.ones_like(flat, dtype=torch.float64))
    if n_items == 0 or (pixels[:, 1] == 0).any():
        raise FovealError(f"NMM: the mask of image {int((pixels[:, 1:2].sum(dim=1) == 0).nonzero()[0])} is empty")
    deviations, length = deviations_and_length(saliency, "NMM")
    sums = torch.zeros_like(pixels).scatter_add_(1, flat, deviations.flatten(1).double())
    values = sums / pixels / length[:, None] * math.sqrt(saliency[0].numel())
    return values[:, 1:].to(saliency.dtype)
