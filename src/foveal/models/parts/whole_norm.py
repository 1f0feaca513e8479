"""Features brought to one length, all of an image's together.

Liu, Rabinovich & Berg, "ParseNet: Looking wider to see better", arXiv:1506.04579 (2015), over all places and features,
as in DSCLRCN (Liu & Han 2018, *IEEE TIP* 27(7)): features of different networks have the same say.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F


class WholeNorm(nn.Module):
    r"""$s \, x / \lVert x \rVert_2$ of each image, where $s$ is learned; what is zero everywhere stays so.

    Parameters
    ----------
    scale
        What $s$ is at first.
    """

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(scale))

    def forward(self, features: Float[Tensor, "image ..."]) -> Float[Tensor, "image ..."]:
        """Features of that length."""
        return self.scale * F.normalize(features.flatten(1), dim=1).view_as(features)
