"""foveal-path: where the eye goes next, from what is salient and the last four fixations.

The structure of DeepGaze III (Kümmerer, Bethge & Wallis 2022, "DeepGaze III: Modeling free-viewing human scanpaths with
deep learning", *Journal of Vision* 22(5):7): a scanpath network sees the picture from the last fixations, and a
fixation-selection network joins what it says with the saliency.

Differs from it in: the saliency is a log density that stays as it is, foveal-s's, and what the networks say is added to
it, so that they begin without effect; offsets are in longer sides of the picture, and beside the distance stands its
logarithm, which tells small saccades apart; fewer channels.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from foveal.models.base import SaliencyModel
from foveal.models.parts.pointwise_readout import JointNorm
from foveal.models.scanpaths.base import REMEMBERED, Offsets, ScanpathModel

PLANES = 4  # of each fixation: x, y, distance and its logarithm
WIDE, NARROW = 32, 16  # channels
NEAR = 0.01  # of the longer side: below, distances are all alike


class FovealPath(ScanpathModel):
    """A scanpath network and a fixation-selection network on foveal-s's density."""

    name = "foveal-path"
    epochs = 3
    learning_rate = 3e-3

    def __init__(self, static: SaliencyModel | None = None) -> None:
        super().__init__(static)
        self.see = nn.Conv2d(REMEMBERED * PLANES, WIDE, 1, bias=False)
        self.see_bias = nn.Parameter(torch.zeros(REMEMBERED, WIDE))  # counts where there is such a fixation
        self.path = nn.Sequential(nn.Softplus(), JointNorm(WIDE), nn.Conv2d(WIDE, NARROW, 1), nn.Softplus())
        self.norms = nn.ModuleList([JointNorm(1), JointNorm(NARROW)])
        last = nn.Conv2d(NARROW, 1, 1, bias=False)
        nn.init.zeros_(last.weight)
        self.select = nn.Sequential(
            nn.Conv2d(1 + NARROW, WIDE, 1),
            nn.Softplus(),
            JointNorm(WIDE),
            nn.Conv2d(WIDE, NARROW, 1),
            nn.Softplus(),
            last,
        )

    def change(self, saliency: Float[Tensor, "path row column"], offsets: Offsets) -> Float[Tensor, "path row column"]:
        """What the fixation-selection network says of each cell."""
        distance = offsets.distance
        x, y = offsets.x.expand_as(distance), offsets.y.expand_as(distance)
        planes = torch.stack([x, y, distance, (distance + NEAR).log()], dim=2) * offsets.exists[..., None, None, None]
        seen = self.see(planes.flatten(1, 2)) + (offsets.exists.float() @ self.see_bias)[..., None, None]
        of_saliency, of_path = self.norms
        selected: Tensor = self.select(torch.cat([of_saliency(saliency[:, None]), of_path(self.path(seen))], dim=1))
        return selected[:, 0]
