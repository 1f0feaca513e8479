"""An inception block, one of whose branches is dilated: features of several sizes side by side.

Szegedy et al., "Going deeper with convolutions", CVPR 2015, with a dilated 3 x 3 convolution in the place of the
5 x 5 one, as in DeepFix (Kruthiventi, Ayush & Babu 2017, *IEEE TIP* 26(9)).
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

DILATION = 2


class DilatedInception(nn.Module):
    """Four branches side by side: 1 x 1 values, 3 x 3, 3 x 3 of every second, and the largest of 3 x 3; all rectified.

    Parameters
    ----------
    channels
        Number of features that come in.
    widths
        Six numbers of features: those of the branch of single values; those of the branch of 3 x 3 values, before and
        after its convolution; those of the dilated branch, before and after; those of the branch of the largest.
    """

    def __init__(self, channels: int, widths: Sequence[int]) -> None:
        super().__init__()
        point, before_near, near, before_far, far, largest = widths
        self.channels = point + near + far + largest  # of what comes out
        self.point = _rectified(nn.Conv2d(channels, point, 1))
        self.near = nn.Sequential(
            _rectified(nn.Conv2d(channels, before_near, 1)), _rectified(nn.Conv2d(before_near, near, 3, padding=1))
        )
        self.far = nn.Sequential(
            _rectified(nn.Conv2d(channels, before_far, 1)),
            _rectified(nn.Conv2d(before_far, far, 3, padding=DILATION, dilation=DILATION)),
        )
        self.largest = nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), _rectified(nn.Conv2d(channels, largest, 1)))

    def forward(self, features: Float[Tensor, "image feature h w"]) -> Float[Tensor, "image wide h w"]:
        """All branches."""
        return torch.cat([branch(features) for branch in (self.point, self.near, self.far, self.largest)], dim=1)


def _rectified(convolution: nn.Conv2d) -> nn.Sequential:
    return nn.Sequential(convolution, nn.ReLU())
