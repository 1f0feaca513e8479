"""Feature channels of early vision, as Itti, Koch & Niebur (1998) and Harel, Koch & Perona (2006) have them."""

import math
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

Maps = Float[Tensor, "image channel _ _"]

LOWPASS = (1 / 32, 5 / 32, 10 / 32, 10 / 32, 5 / 32, 1 / 32)  # before every halving; symmetric
ANGLES = (0.0, 45.0, 90.0, 135.0)
PERIOD = math.pi  # px, of the Gabor filters
SPREAD_ACROSS, SPREAD_ALONG = 2.0, 4.0  # px, of their Gaussian
REACH = 13  # px, from the center of a filter to its border

# RGB of a monitor to cones, as Harel's code; each cone's row is divided by its answer to white.
_TO_LMS = ((18.32535, 44.60077, 7.46216), (4.09544, 28.20135, 6.66066), (0.02114, 0.10325, 1.05258))
MONITOR_GAMMA = 1.8  # in place of a table of 256 measured luminances


def halved(maps: Maps) -> Maps:
    """Low-pass filtered, every other row and column: an odd one out is dropped, a map of one pixel stays one."""
    height, width = maps.shape[2:]
    maps = F.pad(maps, (2, 2 + (width == 1), 2, 2 + (height == 1)), mode="replicate")
    for dim in (2, 3):
        taps = maps.unfold(dim, len(LOWPASS), 2).unbind(dim=-1)
        outer, middle, inner = (weight * (taps[tap] + taps[-1 - tap]) for tap, weight in enumerate(LOWPASS[:3]))
        maps = outer + middle + inner
    return maps


def pyramid(maps: Maps, levels: int) -> list[Maps]:
    """The maps, and then each level half the one before."""
    found = [maps]
    for _ in range(levels):
        found.append(halved(found[-1]))
    return found


def attenuated(maps: Float[Tensor, "*batch height width"], border: int) -> Float[Tensor, "*batch height width"]:
    """Less the nearer to the border, within so many pixels of it: filters know least there."""
    border = min(border, maps.shape[-2] // 2, maps.shape[-1] // 2)
    rows, columns = (
        (torch.minimum(place, place.flip(0)) + 1).clamp(max=border + 1) / (border + 1)
        for place in (torch.arange(length, device=maps.device) for length in maps.shape[-2:])
    )
    return maps * rows[:, None] * columns


def intensity(images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image 1 height width"]:
    """The largest of red, green and blue."""
    return images.amax(dim=1, keepdim=True)


def orientations(intensities: Float[Tensor, "image 1 height width"]) -> Float[Tensor, "image angle height width"]:
    """Contrast along each orientation: absolute responses of an even and an odd Gabor filter, summed."""
    padded = F.pad(intensities, (REACH, REACH, REACH, REACH), mode="replicate")
    responses = F.conv2d(padded, _gabor_filters().to(intensities)).abs()
    return attenuated(responses.unflatten(1, (len(ANGLES), 2)).sum(dim=2), REACH)


@lru_cache(maxsize=1)
@torch.inference_mode(False)
def _gabor_filters() -> Float[Tensor, "filter 1 height width"]:
    """Of each angle an even and an odd one, of norm one; a constant image has no orientation."""
    offset = torch.arange(-REACH, REACH + 1, dtype=torch.float32)
    filters = []
    for angle in map(math.radians, ANGLES):
        across = offset * math.sin(angle) + offset[:, None] * math.cos(angle)
        along = offset * math.cos(angle) - offset[:, None] * math.sin(angle)
        envelope = torch.exp(-(across / SPREAD_ACROSS).square() / 2 - (along / SPREAD_ALONG).square() / 2)
        for phase in (0.0, math.pi / 2):
            one = envelope * torch.cos(2 * math.pi * across / PERIOD + phase)
            one = one - one.mean()
            filters.append(one / one.norm())
    return torch.stack(filters)[:, None]


def opponent_cones(images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image 3 height width"]:
    """The axes of Derrington, Krauskopf & Lennie (1984), each on a scale of its own: L + M, L - M, and S - (L + M).

    A gray image has only the first.
    """
    to_lms = images.new_tensor(_TO_LMS)
    white = to_lms.sum(dim=1)
    linear = images.clamp(min=0) ** MONITOR_GAMMA
    long, medium, short = torch.einsum("ij,njhw->inhw", to_lms, linear)
    luminance = (long + medium) / (white[0] + white[1])
    return torch.stack([luminance, long / white[0] - medium / white[1], short / white[2] - luminance], dim=1)


def opponent_hues(
    images: Float[Tensor, "image 3 height width"], intensities: Float[Tensor, "image 1 height width"]
) -> Float[Tensor, "image 2 height width"]:
    """Blue against yellow (the lesser of red and green), and red against green, as shares of the intensity."""
    red, green, blue = images.unbind(dim=1)
    opponents = torch.stack([blue - torch.minimum(red, green), red - green], dim=1).abs()
    return opponents / torch.where(intensities > 0, intensities, 1.0)
