"""Pooling by a norm: between the sum of what is around a place and its highest value."""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F


def norm_pooling(
    maps: Float[Tensor, "image feature height width"], width: int, order: int
) -> Float[Tensor, "image feature h w"]:
    r"""$(\sum x^p)^{1/p}$ over windows around every other value, from the first on.

    Beyond the border all is zero. Of order 1 it is the sum, which may be negative.

    Parameters
    ----------
    maps
        Such as have a $p$-th power in their precision.
    width
        Px of the window's sides, an odd number.
    order
        $p$, 1 or an even number.

    >>> import torch
    >>> norm_pooling(torch.tensor([[[[3.0, 4.0, 0.0]]]]), 3, 2)
    tensor([[[[5., 4.]]]])
    """
    sums = width**2 * F.avg_pool2d(maps**order, width, stride=2, padding=width // 2)
    return sums if order == 1 else sums.clamp(min=0) ** (1 / order)
