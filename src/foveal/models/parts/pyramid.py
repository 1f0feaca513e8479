"""A pyramid of dilated convolutions: the same features, looked at over several distances (ASPP).

Chen, Papandreou, Schroff & Adam 2017, "Rethinking atrous convolution for semantic image segmentation",
arXiv:1706.05587; with rectifiers instead of batch normalisation, as in MSI-Net (Kroner et al. 2020, section 2.1).
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F


class DilatedPyramid(nn.Module):
    """A 1x1 convolution, 3x3 convolutions of some dilations, and the mean over the image; joined by a 1x1 convolution.

    Parameters
    ----------
    channels
        Number of features that come in.
    width
        Number of features of each branch, and of what comes out.
    dilations
        Of the 3x3 convolutions.
    """

    def __init__(self, channels: int, width: int, dilations: Sequence[int]) -> None:
        super().__init__()
        self.point = nn.Conv2d(channels, width, 1)
        self.dilated = nn.ModuleList(
            nn.Conv2d(channels, width, 3, padding=dilation, dilation=dilation) for dilation in dilations
        )
        self.whole = nn.Conv2d(channels, width, 1)
        self.join = nn.Conv2d((2 + len(dilations)) * width, width, 1)

    def forward(self, features: Float[Tensor, "image feature h w"]) -> Float[Tensor, "image width h w"]:
        """All branches, joined; each is rectified."""
        branches = [F.relu(layer(features)) for layer in (self.point, *self.dilated)]
        whole = F.relu(self.whole(features.mean(dim=(2, 3), keepdim=True))).expand_as(branches[0])
        joined: Tensor = F.relu(self.join(torch.cat([*branches, whole], dim=1)))
        return joined
