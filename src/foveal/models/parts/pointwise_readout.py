"""The readout of the later DeepGazes: 1 x 1 convolutions, between which whole images are normalised."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

SALIENCY = (8, 16, 1)  # channels of the convolutions that say one map of the features
SELECTION = (128, 16, 1)  # and of those that make it a density's
EPSILON = 1e-12  # of the normalisation


class JointNorm(nn.Module):
    """All features of an image together to mean zero and unit deviation, then a scale and a shift for each feature.

    Over features, rows and columns; a constant image becomes the shifts.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(channels))
        self.shift = nn.Parameter(torch.zeros(channels))

    def forward(self, maps: Float[Tensor, "image feature h w"]) -> Float[Tensor, "image feature h w"]:
        """Normalised."""
        joint = F.layer_norm(maps, maps.shape[1:], eps=EPSILON)
        return joint * self.scale[:, None, None] + self.shift[:, None, None]


class PointwiseReadout(nn.Sequential):
    """Normalisation, convolution and softplus, again and again; the last convolution says a real number, unchanged.

    As in the published code of DeepGaze IIE (Linardos, Kümmerer, Press & Bethge, ICCV 2021). Before the last
    convolution there is no normalisation, and it has no bias, which would change no density.

    Parameters
    ----------
    channels
        Number of features that are read.
    """

    def __init__(self, channels: int) -> None:
        layers: list[nn.Module] = []
        for after in (*SALIENCY, *SELECTION[:-1]):
            layers += [JointNorm(channels), nn.Conv2d(channels, after, 1), nn.Softplus()]
            channels = after
        super().__init__(*layers, nn.Conv2d(channels, SELECTION[-1], 1, bias=False))
