"""Values over the strength of what is around them, in space and over all features.

Pinto, Doukhan, DiCarlo & Cox, "A high-throughput screening approach to discovering good forms of biologically inspired
visual representation", PLoS Computational Biology 5(11), 2009; with the thresholds and stretches of eDN (Vig, Dorr &
Cox, CVPR 2014).
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

EPSILON = 1e-5  # beside a norm


def local_normalization(
    maps: Float[Tensor, "image feature height width"],
    width: int,
    *,
    subtracts_mean: bool = False,
    threshold: float = 1.0,
    stretch: float = 1.0,
) -> Float[Tensor, "image feature height width"]:
    r"""$s\,x / n$, where $n = s\,(\sum x^2)^{1/2}$ over a window of all features; where that is less than $t$, $n = 1$.

    Beyond the border all is zero.

    Parameters
    ----------
    maps
        Of any range.
    width
        Px of the window's sides, an odd number.
    subtracts_mean
        Is the window's mean taken from the value, and its square from the sum of squares?
    threshold
        $t$, the least norm that divides.
    stretch
        $s$, which decides what is below the threshold.

    >>> local_normalization(torch.tensor([3.0, 4.0]).view(1, 2, 1, 1), 3).flatten()
    tensor([0.6000, 0.8000])
    """
    number = width**2 * maps.shape[1]
    squares = _sum_around(maps.square(), width)
    if subtracts_mean:
        sums = _sum_around(maps, width)
        maps = maps - sums / number
        squares = (squares - sums.square() / number).clamp(min=0)
    norm = stretch * (squares.sqrt() + EPSILON)
    return stretch * maps / torch.where(norm < threshold + EPSILON, 1.0, norm)


def _sum_around(maps: Float[Tensor, "image feature height width"], width: int) -> Float[Tensor, "image 1 height width"]:
    """The sum over all features and a window around each place."""
    sums = maps.sum(dim=1, keepdim=True)
    return width**2 * F.avg_pool2d(sums, width, stride=1, padding=width // 2)
