"""SalGAN's discriminator (Pan et al. 2017, arXiv:1701.01081, Table 1): is this map of this image one of people?

Differs from the paper in: what the convolutions leave is brought to 24 x 32 values, which it is for the paper's 192 x
256 px, so that maps may have any size; the last sigmoid is part of the loss.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

LEFT = 24, 32  # rows and columns after three poolings of 192 x 256


class Discriminator(nn.Module):
    """Convolutions over image and map together, then three layers of all to all."""

    def __init__(self) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv2d(4, 3, 1),
            nn.ReLU(),
            nn.Conv2d(3, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2, ceil_mode=True),
            nn.Conv2d(32, 64, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(64, 64, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2, ceil_mode=True),
            nn.Conv2d(64, 64, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(64, 64, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2, ceil_mode=True),
            nn.AdaptiveAvgPool2d(LEFT),
        )
        self.connected = nn.Sequential(
            nn.Flatten(),
            nn.Linear(64 * LEFT[0] * LEFT[1], 100),
            nn.Tanh(),
            nn.Linear(100, 2),
            nn.Tanh(),
            nn.Linear(2, 1),
        )

    def forward(
        self, images: Float[Tensor, "image 3 row column"], maps: Float[Tensor, "image row column"]
    ) -> Float[Tensor, " image"]:
        """Log odds that each map is people's; images are RGB in [0, 1], maps of height one."""
        together = torch.cat([images, maps[:, None]], dim=1)
        return self.connected(self.convolutions(together))[:, 0]
