"""The gist of a scene: what runs in which direction, and where, coarsely (Oliva & Torralba 2001).

"Modeling the shape of the scene: a holistic representation of the spatial envelope", IJCV 42. The photograph is made a
square of 128 px, and contrast is evened out in its logarithm (a window of 6 px); of the amplitudes of band-pass
filters of eight orientations and four scales, the means over 4 x 4 parts of the square are what is known.

Differs from the published code in: log-Gabor filters an octave and a half wide; the square roots of the means are
taken, over their own mean, so that the contrast of the whole image does not count.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from foveal.gaze.maps import gaussian_blur
from foveal.models.parts.frequencies import log_gabor_amplitudes

SIDE = 128  # px
PARTS = 4  # along each side
PERIODS = (4.0, 8.0, 16.0, 32.0)  # px
ORIENTATIONS = 8
RADIAL_WIDTH = 0.55  # of a log-Gabor filter: an octave and a half
ANGULAR_WIDTH = 15.0  # degrees
WINDOW = 6.0  # px, within which contrast is evened out
LEAST_CONTRAST = 0.2  # of a logarithm: what counts as contrast
N_NUMBERS = ORIENTATIONS * len(PERIODS) * PARTS**2


def gist(images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image number"]:
    """Of each image 512 numbers, 1 on average: orientation by orientation, scale by scale, part by part, row by row."""
    square = F.interpolate(images, size=(SIDE, SIDE), mode="area").mean(dim=1)
    logarithm = torch.log1p(255 * square)
    centerd = logarithm - gaussian_blur(logarithm, WINDOW)
    even = centerd / (LEAST_CONTRAST + gaussian_blur(centerd.square(), WINDOW).sqrt())
    amplitudes = log_gabor_amplitudes(even, list(PERIODS), RADIAL_WIDTH, ORIENTATIONS, ANGULAR_WIDTH)
    means = torch.cat([F.adaptive_avg_pool2d(maps, PARTS).flatten(1) for maps in amplitudes], dim=1)
    roots = (means + torch.finfo(means.dtype).eps).sqrt()
    return roots / roots.mean(dim=1, keepdim=True)
