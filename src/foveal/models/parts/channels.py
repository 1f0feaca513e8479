"""Feature channels of early vision, as Itti, Koch & Niebur (1998) and Harel, Koch & Perona (2006) have them."""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

Maps = Float[Tensor, "image channel _ _"]

LOWPASS = (1 / 32, 5 / 32, 10 / 32, 10 / 32, 5 / 32, 1 / 32)  # before every halving
PERIOD = 7.0  # px, of the Gabor filters
SPREAD = 7 / 3  # px, of their Gaussian
REACH = 9  # px, from the centre of a filter to its border
ANGLES = (0.0, 45.0, 90.0, 135.0)

# RGB to cone responses (Hunt–Pointer–Estévez) of linear RGB: what DKL's two chromatic axes are made of.
_TO_XYZ = ((0.5141364, 0.3238786, 0.16036376), (0.265068, 0.67023428, 0.06409157), (0.0241188, 0.1228178, 0.84442666))
_TO_LMS = ((0.3897, 0.6890, -0.0787), (-0.2298, 1.1834, 0.0464), (0.0, 0.0, 1.0))


def halved(maps: Maps) -> Maps:
    """Low-pass filtered, every other row and column; a map of one pixel stays one."""
    channels = maps.shape[1]
    kernel = maps.new_tensor(LOWPASS).expand(channels, 1, 1, -1)
    padded = F.pad(maps, (2, 3, 2, 3), mode="replicate")
    rows = F.conv2d(padded, kernel, stride=(1, 2), groups=channels)
    return F.conv2d(rows, kernel.mT, stride=(2, 1), groups=channels)


def pyramid(maps: Maps, levels: int) -> list[Maps]:
    """The maps, and then each level half the one before."""
    found = [maps]
    for _ in range(levels):
        found.append(halved(found[-1]))
    return found


def intensity(images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image 1 height width"]:
    """The largest of red, green and blue."""
    return images.amax(dim=1, keepdim=True)


def orientations(
    maps: Float[Tensor, "image 1 height width"], angles: tuple[float, ...] = ANGLES
) -> Float[Tensor, "image angle height width"]:
    """Contrast along each orientation (degrees): absolute responses of an even and an odd Gabor filter, summed."""
    offset = torch.arange(-REACH, REACH + 1, dtype=maps.dtype, device=maps.device)
    filters = []
    for angle in angles:
        across = offset * math.cos(math.radians(angle)) + offset[:, None] * math.sin(math.radians(angle))
        envelope = torch.exp(-(offset.square() + offset[:, None].square()) / (2 * SPREAD**2))
        for phase in (0.0, math.pi / 2):
            one = envelope * torch.cos(2 * math.pi * across / PERIOD + phase)
            one = one - one.mean()  # a constant image has no orientation
            filters.append(one / one.norm())
    padded = F.pad(maps, (REACH, REACH, REACH, REACH), mode="replicate")
    responses = F.conv2d(padded, torch.stack(filters)[:, None]).abs()
    return responses.unflatten(1, (len(angles), 2)).sum(dim=2)


def opponent_cones(images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image 2 height width"]:
    """The two chromatic axes of Derrington, Krauskopf & Lennie (1984): L - M cones, and S - (L + M)."""
    to_lms = images.new_tensor(_TO_LMS) @ images.new_tensor(_TO_XYZ)
    long, medium, short = torch.einsum("ij,njhw->nihw", to_lms, images).unbind(dim=1)
    return torch.stack([long - medium, short - (long + medium)], dim=1)
