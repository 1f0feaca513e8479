"""Inhibition of return (Posner & Cohen 1984; in a saliency model Itti, Koch & Niebur 1998, *IEEE TPAMI* 20(11)).

Around each of the last fixations, the density is lower. How much and how far is fitted, and may turn out as the
opposite: facilitation of return (Smith & Henderson 2009, *Visual Cognition* 17).
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from foveal.models.base import SaliencyModel
from foveal.models.scanpaths.base import REMEMBERED, Offsets, ScanpathModel

START_WIDTH = 1 / 16  # of the picture's longer side: about 2 degrees of 32


class InhibitionOfReturn(ScanpathModel):
    r"""$\log p(x) = \log p_\text{static}(x) - \sum_i s_i \, \exp(-d_i^2 / 2 w_i^2) + c$.

    $d_i$ is the distance from the fixation $i$ steps back. A negative strength $s_i$ is facilitation.
    """

    name = "inhibition-of-return"
    epochs = 1
    learning_rate = 0.03

    def __init__(self, static: SaliencyModel | None = None) -> None:
        super().__init__(static)
        self.strength = nn.Parameter(torch.zeros(REMEMBERED))  # nats
        self.log_width = nn.Parameter(torch.full((REMEMBERED,), math.log(START_WIDTH)))  # of the longer side

    def change(
        self,
        saliency: Float[Tensor, "path row column"],
        offsets: Offsets,
    ) -> Float[Tensor, "path row column"]:
        """The bumps around the last fixations, downwards."""
        strength = self.strength * offsets.exists
        width = self.log_width.exp()[:, None, None]
        bumps = (-0.5 * (offsets.distance / width).square()).exp()
        return -torch.einsum("pb,pbrc->prc", strength, bumps)
