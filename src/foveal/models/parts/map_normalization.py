"""What makes a feature map with one peak count for more than a map with many: the two operators N(.) of Itti & Koch.

Itti, Koch & Niebur, PAMI 20(11), 1998, figure 2; Itti & Koch, "A saliency-based search mechanism for overt and covert
shifts of visual attention", Vision Research 40, 2000, section 2.3.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from foveal.gaze.maps import gaussian_blur

Maps = Float[Tensor, "*batch height width"]

CONSTANT = 1e-5  # the range of a map that is constant, but for rounding
LEAST_PEAK = 0.1  # of the map's maximum; below, a local maximum is none
ITERATIONS = 10
EXCITATION, INHIBITION, EVERYWHERE = 0.5, 1.5, 0.02  # strengths; the last is a constant inhibition
EXCITATION_SIGMA, INHIBITION_SIGMA = 0.02, 0.25  # of the map's width


def scaled(maps: Maps, constant: float = CONSTANT) -> Maps:
    """Each map in [0, 1]; 0 where its range is not above `constant`."""
    low = maps.amin(dim=(-2, -1), keepdim=True)
    span = maps.amax(dim=(-2, -1), keepdim=True) - low
    return (maps - low) / span.clamp(min=constant) * (span > constant)


def normalized_by_peaks(maps: Maps, constant: float = CONSTANT) -> Maps:
    r"""$s\,(1 - \bar m)^2$ of the map $s$ in [0, 1], where $\bar m$ is the mean of its local maxima (1998).

    Local maxima are inner pixels not below their four neighbours, the highest among them; one alone counts in full, so
    that a map of two peaks that are equal but for rounding may be anything between nothing and the whole.
    """
    maps = scaled(maps, constant)
    inner = maps[..., 1:-1, 1:-1]
    beside = (maps[..., :-2, 1:-1], maps[..., 2:, 1:-1], maps[..., 1:-1, :-2], maps[..., 1:-1, 2:])
    is_peak = inner >= LEAST_PEAK
    for neighbor in beside:
        is_peak = is_peak & (inner >= neighbor)
    peaks = is_peak.sum(dim=(-2, -1), keepdim=True)
    mean = (inner * is_peak).sum(dim=(-2, -1), keepdim=True) / peaks.clamp(min=1)
    return maps * torch.where(peaks > 1, 1 - mean, 1.0).square()


def normalized_by_competition(maps: Maps, constant: float = CONSTANT) -> Maps:
    """Places excite what is near and inhibit what is far, ten times over; what falls below 0 is silent (2000)."""
    maps = scaled(maps, constant)
    width = maps.shape[-1]
    for _ in range(ITERATIONS):
        excited = EXCITATION**2 * gaussian_blur(maps, EXCITATION_SIGMA * width)
        inhibited = INHIBITION**2 * gaussian_blur(maps, INHIBITION_SIGMA * width)
        maps = (maps + excited - inhibited - EVERYWHERE).clamp(min=0)
    return maps
