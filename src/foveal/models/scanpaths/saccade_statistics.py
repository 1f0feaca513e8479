"""How far and in which direction eyes jump, whatever the picture shows: a table in polar coordinates.

Saccades are mostly short and horizontal (Tatler & Vincent 2008, "Systematic tendencies in scene viewing", *Journal of
Eye Movement Research* 2(2)). Part of that is where things are in pictures. So the table holds the density of saccades
relative to what the static density alone would give. It is the one of highest likelihood, under which saccades are as
long and point where people's do.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from foveal.models.base import SaliencyModel
from foveal.models.scanpaths.base import Offsets, ScanpathModel

AMPLITUDES = 24  # knots from 0 to the diagonal of a square, denser where saccades are short
DIRECTIONS = 24  # knots around the circle
DIAGONAL = math.sqrt(2)


class SaccadeStatistics(ScanpathModel):
    r"""$p(x) \propto p_\text{static}(x) \, r(a, \phi)$: static density times the table at the saccade to x."""

    name = "saccade-statistics"
    epochs = 2
    learning_rate = 0.05

    def __init__(self, static: SaliencyModel | None = None) -> None:
        super().__init__(static)
        self.log_ratio = nn.Parameter(torch.zeros(AMPLITUDES, DIRECTIONS))

    def change(
        self,
        saliency: Float[Tensor, "path row column"],
        offsets: Offsets,
    ) -> Float[Tensor, "path row column"]:
        """The table, interpolated at the saccade from the last fixation to each cell."""
        x, y, distance = offsets.x[:, 0], offsets.y[:, 0], offsets.distance[:, 0]
        turn = torch.atan2(-y, x) / (2 * math.pi) % 1  # from the right, counterclockwise
        amplitude = (distance / DIAGONAL).sqrt().clamp(max=1)
        around = torch.cat([self.log_ratio, self.log_ratio[:, :1]], dim=1)  # the circle closes
        places = torch.stack([turn, amplitude], dim=3) * 2 - 1
        return F.grid_sample(around[None, None], places.flatten(0, 1)[None], align_corners=True).view_as(turn)
