"""Mr-CNN: is a place looked at? Three networks see a patch around it, each at another resolution of the image.

Liu, Han, Zhang, Wen & Liu, "Predicting eye fixations using convolutional neural networks", CVPR 2015. A place of which
people's blurred map says much is a positive example, one of which it says little a negative one. The map is the
probability that a patch is positive, on a grid of places.

Differs from the paper in: a step learns from all positive and negative places of an image's grid, where the paper draws
10 and 20 of the image; both kinds count as much as there (`training.losses.patches`). Colors are shown from -1 to 1.
Filters of the first layer are not bounded. The steps of patches that overlap are computed once, with the same result.
"""

from dataclasses import dataclass
from functools import partial
from math import floor

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from foveal.models.catalogue import register_model
from foveal.models.config import ModelConfig, check_values
from foveal.models.deep.network import MapNetwork, Seen
from foveal.models.parts.first_numbers import begin_by
from foveal.models.parts.geometry import Grid
from foveal.models.parts.patch_scanning import patch_values
from foveal.models.parts.sizes import USUAL, Viewing
from foveal.models.parts.working_size import resized

KERNELS = (7, 3, 3)  # px; none is padded, and the highest of 2 x 2 values follows each
SMALLEST_PATCH, STEP = 26, 8  # px: of this patch one value is left, and one more of each step further


@dataclass(frozen=True)
class MrCNNConfig(ModelConfig):
    """What the network is made of.

    Attributes
    ----------
    sides
        Px of both sides of the image in each stream, which is a square there.
    patch
        Px of a patch's sides, the same in all streams.
    channels
        Numbers of features of the three convolutions of a stream.
    hidden
        Numbers that a stream says of a patch; as many are made of those of all streams.
    dropout
        Share of the numbers that are left out in training, after the last convolution and after each hidden layer.
    grid
        Rows and columns of places of an image.
    """

    sides: tuple[int, ...] = (400, 250, 150)
    patch: int = 42
    channels: tuple[int, ...] = (96, 160, 288)
    hidden: int = 512
    dropout: float = 0.5
    grid: int = 50

    def completed(self) -> "MrCNNConfig":
        """Checked for a patch that comes out even.

        Raises
        ------
        FovealError
            If it does not, there is no stream, or a value is not right.
        """
        super().completed()
        fits = self.patch >= SMALLEST_PATCH and (self.patch - SMALLEST_PATCH) % STEP == 0
        needed = {
            "sides": (len(self.sides) > 0, "at least one"),
            "patch": (fits, "26, 34, 42 or so on in steps of 8"),
            "channels": (len(self.channels) == len(KERNELS), "a list of three whole numbers"),
            "dropout": (0 <= self.dropout < 1, "a number from 0 to less than 1"),
        }
        check_values(self, needed)
        return self


class Stream(nn.Module):
    """Three convolutions, and a layer of all that is left of a patch."""

    def __init__(self, config: MrCNNConfig) -> None:
        super().__init__()
        self.patch, self.left = config.patch, (config.patch - SMALLEST_PATCH) // STEP + 1
        before, convolutions = 3, []
        for kernel, channels in zip(KERNELS, config.channels, strict=True):
            convolutions.append(nn.Sequential(nn.Conv2d(before, channels, kernel), nn.ReLU()))
            before = channels
        self.convolutions = nn.ModuleList(convolutions)
        self.dropout = nn.Dropout(config.dropout)
        self.hidden = nn.Linear(before * self.left**2, config.hidden)

    def forward(self, images: Float[Tensor, "image 3 side side"], grid: int) -> Float[Tensor, "image row column value"]:
        """What a stream says of patches around so many places in a row; beyond the border, the nearest color."""
        side, before = images.shape[2], self.patch // 2
        padded = F.pad(2 * images - 1, (before, self.patch - before) * 2, mode="replicate")
        centers = [floor((number + 0.5) * side / grid) for number in range(grid)]  # with the padding, where one begins
        left = patch_values(padded, list(self.convolutions), centers, centers, self.left)
        values = self.dropout(left.permute(0, 2, 3, 1, 4, 5).flatten(3))
        return self.dropout(F.relu(self.hidden(values)))


@register_model(
    "mr-cnn",
    family="deep",
    year=2015,
    paper="Liu, Han, Zhang, Wen & Liu, Predicting eye fixations using convolutional neural networks, CVPR 2015",
    trainable=True,
    weights="recipe",
)
class MrCNN(MapNetwork):
    """Three streams, a layer of what all say, and a logistic unit."""

    Config = MrCNNConfig
    losses = {"patches": 1.0}  # noqa: RUF012
    tiny = MrCNNConfig(sides=(64, 32, 16), patch=26, channels=(4, 8, 8), hidden=16, dropout=0.1, grid=8)
    config: MrCNNConfig

    def __init__(self, config: MrCNNConfig | None = None) -> None:
        super().__init__(config)
        self.streams = nn.ModuleList(Stream(self.config) for _ in self.config.sides)
        self.joint = nn.Linear(len(self.config.sides) * self.config.hidden, self.config.hidden)
        self.dropout = nn.Dropout(self.config.dropout)
        self.readout = nn.Linear(self.config.hidden, 1)
        begin_by(partial(nn.init.kaiming_normal_, nonlinearity="relu"), self)
        nn.init.normal_(self.readout.weight, std=0.01)  # else it is sure of its answer before it has learned

    def see(self, images: Float[Tensor, "image 3 height width"], viewing: Viewing = USUAL) -> Seen:
        """The images as squares, whatever their shape: a size for each stream, by its number."""
        sides = [max(1, round(side * viewing.zoom)) for side in self.config.sides]
        return {str(number): resized(images, (side, side), "bilinear") for number, side in enumerate(sides)}

    def cells(self, size: tuple[int, int]) -> Grid:
        """A place in the middle of each cell."""
        return Grid.over(size, (self.config.grid, self.config.grid))

    def forward(self, seen: Seen, size: tuple[int, int], viewing: Viewing = USUAL) -> Float[Tensor, "image row column"]:
        """The probability that the patch around each place is looked at."""
        said = [stream(seen[str(number)], self.config.grid) for number, stream in enumerate(self.streams)]
        joint = self.dropout(F.relu(self.joint(torch.cat(said, dim=3))))
        probability: Tensor = self.readout(joint)[..., 0].sigmoid()
        return probability
