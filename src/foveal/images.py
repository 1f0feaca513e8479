"""Photographs from disk: any common format, as they are meant to be seen, as uint8 RGB."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps, UnidentifiedImageError

from foveal.errors import FovealError

IMAGE_SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})

RGBImage: TypeAlias = UInt8[np.ndarray, "height width 3"]
ImageSource: TypeAlias = str | os.PathLike[str] | Image.Image | np.ndarray

EXIF_ORIENTATION = 0x0112
QUARTER_TURNS = {5, 6, 7, 8}  # EXIF orientations that exchange width and height


def read_image(source: ImageSource) -> RGBImage:
    """Read a photograph as it is meant to be seen: (height, width, 3), uint8, RGB.

    EXIF rotation is applied, transparency is laid on white, 16-bit samples are rounded to 8 bits, gray becomes three
    equal channels, CMYK and palettes become RGB. Of an animation the first frame is read.

    Parameters
    ----------
    source
        A path, a PIL image, or an array: (height, width), (height, width, 1), (height, width, 3) or
        (height, width, 4), uint8 or uint16.

    Raises
    ------
    FovealError
        If the file is missing, truncated or no image, or if the array has another shape or type.
    """
    if isinstance(source, np.ndarray):
        return _array_to_rgb(source)
    if isinstance(source, Image.Image):
        return _pil_to_rgb(source, "image")
    with _opened(Path(source)) as image:
        return _pil_to_rgb(image, str(source))


def image_size(source: ImageSource) -> tuple[int, int]:
    """Height and width in px of a photograph as `read_image` returns it; of a file only the header is read."""
    if isinstance(source, np.ndarray):
        return int(source.shape[0]), int(source.shape[1])
    if isinstance(source, Image.Image):
        return _upright_size(source)
    with _opened(Path(source)) as image:
        return _upright_size(image)


def find_images(folder: Path) -> list[Path]:
    """All pictures under a folder, sub-folders included, hidden files left out, sorted by path."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in IMAGE_SUFFIXES
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """An open image file; whatever is wrong with it becomes one line that names it."""
    try:
        with warnings.catch_warnings():
            # A photograph of 100 megapixels is large, not an attack; Pillow still refuses twice that.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            # Odd metadata (a corrupt EXIF block, say) does not make the pixels wrong.
            warnings.filterwarnings("ignore", category=UserWarning, module="PIL")
            with Image.open(path) as image:
                yield image
    except UnidentifiedImageError:
        raise FovealError(f"{path}: not an image that can be read") from None
    except FileNotFoundError:
        raise FovealError(f"{path}: no such file") from None
    except (Image.DecompressionBombError, OSError, SyntaxError, ValueError, EOFError) as error:
        if isinstance(error, FovealError):
            raise
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise FovealError(f"{path}: the image cannot be read ({reason})") from error


def _upright_size(image: Image.Image) -> tuple[int, int]:
    turned = image.getexif().get(EXIF_ORIENTATION) in QUARTER_TURNS
    return (image.width, image.height) if turned else (image.height, image.width)


def _pil_to_rgb(image: Image.Image, name: str) -> RGBImage:
    image.load()
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):  # 16-bit gray; Pillow's own conversion to RGB would clip it at 255
        return _array_to_rgb(np.asarray(image).clip(0, 65535).astype(np.uint16))
    if image.mode == "F":
        raise FovealError(f"{name}: floating-point pixels have no fixed range; save the image with 8 or 16 bits")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return np.asarray(image.convert("RGB"))


def _array_to_rgb(array: np.ndarray) -> RGBImage:
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or 0 in array.shape:
        raise FovealError(f"an image array has the shape (height, width, 3), not {array.shape}")
    if array.dtype == np.uint16:
        array = ((array.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if array.dtype != np.uint8:
        raise FovealError(f"an image array holds uint8 values from 0 to 255, not {array.dtype}")
    if array.shape[2] == 4:
        return _pil_to_rgb(Image.fromarray(array), "image")
    return np.ascontiguousarray(np.broadcast_to(array, (*array.shape[:2], 3)))
