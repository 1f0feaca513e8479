"""The size at which a model sees a photograph."""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F


def scaled_size(size: tuple[int, int], scale: float) -> tuple[int, int]:
    """Height and width times a factor, in whole px, at least one.

    >>> scaled_size((600, 800), 0.08)
    (48, 64)
    """
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def resized(
    maps: Float[Tensor, "image channel _ _"], size: tuple[int, int], mode: str = "bicubic"
) -> Float[Tensor, "image channel height width"]:
    """Maps of another (height, width), what becomes smaller without aliasing; bicubic as MATLAB's imresize."""
    if size[1] == 1 and size[0] > 1:  # of one column, torch (2.15, on a CPU) makes all rows the same
        return resized(maps.mT.contiguous(), (1, size[0]), mode).mT
    return F.interpolate(maps, size=size, mode=mode, antialias=True, align_corners=False)


def shrunk(images: Float[Tensor, "image 3 height width"], side: int) -> Float[Tensor, "image 3 h w"]:
    """Images whose longer side has so many px, in [0, 1] (see `resized`)."""
    height, width = images.shape[2:]
    size = scaled_size((height, width), side / max(height, width))
    return resized(images, size).clamp(0, 1)


def size_of_area(size: tuple[int, int], area: int, multiple: int) -> tuple[int, int]:
    """Height and width of about so many px in the shape of an image, both multiples of so many px.

    >>> size_of_area((480, 640), 192 * 256, 16), size_of_area((640, 480), 192 * 256, 16)
    ((192, 256), (256, 192))
    """
    scale = (area / (size[0] * size[1])) ** 0.5 / multiple
    height, width = scaled_size(size, scale)
    return multiple * height, multiple * width
