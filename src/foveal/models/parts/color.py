"""Color spaces, as linear or nonlinear maps of RGB in [0, 1]."""

import torch
from jaxtyping import Float
from torch import Tensor

# sRGB to XYZ under D65 (IEC 61966-2-1), and the white point.
_TO_XYZ = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
_WHITE = tuple(sum(row) for row in _TO_XYZ)


def to_lab(images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image 3 height width"]:
    """CIE L*a*b* of sRGB images: lightness 0 to 100, a green to red, b blue to yellow.

    >>> to_lab(torch.ones(1, 3, 1, 1)).round().int().flatten().tolist()
    [100, 0, 0]
    """
    linear = torch.where(images <= 0.04045, images / 12.92, ((images.clamp(min=0) + 0.055) / 1.055) ** 2.4)
    xyz = torch.einsum("ij,njhw->nihw", linear.new_tensor(_TO_XYZ), linear)
    xyz = xyz / linear.new_tensor(_WHITE)[:, None, None]
    # Below (6/29)^3 the cube root is replaced by its tangent, so that dark noise does not become color.
    f = torch.where(xyz > (6 / 29) ** 3, xyz.clamp(min=1e-6) ** (1 / 3), xyz * (29 / 6) ** 2 / 3 + 4 / 29)
    x, y, z = f.unbind(dim=1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=1)


def to_opponent(images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image 3 height width"]:
    """Intensity, red against green, blue against yellow, all linear in RGB.

    >>> to_opponent(torch.tensor([1.0, 0.5, 0.0]).reshape(1, 3, 1, 1)).flatten().round(decimals=4)
    tensor([ 0.5000,  0.5000, -0.7500])
    """
    red, green, blue = images.unbind(dim=1)
    return torch.stack([images.mean(dim=1), red - green, blue - (red + green) / 2], dim=1)
