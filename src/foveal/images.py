"""Photographs from disk: any common format, as they are meant to be seen, as uint8 RGB."""

import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps, UnidentifiedImageError

from foveal.errors import FovealError, first_line

IMAGE_SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})

RGBImage: TypeAlias = UInt8[np.ndarray, "height width 3"]
ImageSource: TypeAlias = str | os.PathLike[str] | Image.Image | np.ndarray

EXIF_ORIENTATION = 0x0112
QUARTER_TURNS = {5, 6, 7, 8}  # EXIF orientations that exchange width and height
ROWS_AT_ONCE = 512
PIXELS_AT_ONCE = 16_000_000  # of the images that are held together, which bounds memory whatever their size
TO_8_BITS = ((np.arange(65536) + 128) // 257).astype(np.uint8)

# A photograph of 100 megapixels is large, not an attack; Pillow still refuses one of twice as many.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
# Odd metadata (a corrupt EXIF block, say) does not make the pixels wrong.
warnings.filterwarnings("ignore", category=UserWarning, module="PIL")


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


def batches_of_one_kind(kinds: Sequence[tuple[Any, ...]], batch_size: int) -> Iterator[list[int]]:
    """Positions of images of one kind, at most `batch_size` together, and fewer if they are large.

    A kind is a height, a width, and whatever else images must share to be computed together.

    >>> list(batches_of_one_kind([(6, 8), (5, 5), (6, 8), (6, 8)], 2))
    [[0, 2], [3], [1]]
    """
    groups: dict[tuple[Any, ...], list[int]] = {}
    for index, kind in enumerate(kinds):
        groups.setdefault(kind, []).append(index)
    for (height, width, *_), group in groups.items():
        n = max(1, min(batch_size, PIXELS_AT_ONCE // (height * width)))
        for start in range(0, len(group), n):
            yield group[start : start + n]


def encode_png(pixels: np.ndarray) -> bytes:
    """A PNG of RGB pixels or of a gray picture, 8 or 16 bits.

    Raises
    ------
    FovealError
        If the pixels cannot be encoded.
    """
    encoded, data = cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR) if pixels.ndim == 3 else pixels)
    if not encoded:
        raise FovealError("the picture could not be encoded as PNG")
    return data.tobytes()


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """An open image file; whatever is wrong with it becomes one line that names it."""
    with _explained(str(path)), Image.open(path) as image:
        yield image


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """Turn what Pillow says of a bad image into one line with its name."""
    try:
        yield
    except FovealError:
        raise
    except UnidentifiedImageError:
        raise FovealError(f"{name}: not an image that can be read") from None
    except FileNotFoundError:
        raise FovealError(f"{name}: no such file") from None
    except (Image.DecompressionBombError, OSError, SyntaxError, ValueError, EOFError) as error:
        raise FovealError(f"{name}: the image cannot be read ({first_line(error)})") from error


def _upright_size(image: Image.Image) -> tuple[int, int]:
    # Of a TIFF, Pillow itself gives the upright size.
    turned = image.format != "TIFF" and image.getexif().get(EXIF_ORIENTATION) in QUARTER_TURNS
    return (image.width, image.height) if turned else (image.height, image.width)


def _pil_to_rgb(image: Image.Image, name: str) -> RGBImage:
    with _explained(name):
        image.load()
        if image.getexif().get(EXIF_ORIENTATION, 1) != 1:
            image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):  # 16-bit gray; Pillow's own conversion to RGB would clip it at 255
        array = np.asarray(image)
        return _array_to_rgb(array if array.dtype == np.uint16 else array.clip(0, 65535).astype(np.uint16))
    if image.mode == "F":
        raise FovealError(f"{name}: floating-point pixels have no fixed range; save the image with 8 or 16 bits")
    if image.has_transparency_data:
        return _on_white(image)
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


def _on_white(image: Image.Image) -> RGBImage:
    """Lay a transparent image on white, strip by strip: a large one is never held twice."""
    laid = np.empty((image.height, image.width, 3), dtype=np.uint8)
    for top in range(0, image.height, ROWS_AT_ONCE):
        bottom = min(top + ROWS_AT_ONCE, image.height)
        strip = image.crop((0, top, image.width, bottom)).convert("RGBA")
        white = Image.new("RGBA", strip.size, "white")
        laid[top:bottom] = np.asarray(Image.alpha_composite(white, strip).convert("RGB"))
    return laid


def _array_to_rgb(array: np.ndarray) -> RGBImage:
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or 0 in array.shape:
        raise FovealError(f"an image array has the shape (height, width, 3), not {array.shape}")
    if array.dtype == np.uint16:
        array = TO_8_BITS[array]
    if array.dtype != np.uint8:
        raise FovealError(f"an image array holds uint8 values from 0 to 255, not {array.dtype}")
    if array.shape[2] == 4:
        return _pil_to_rgb(Image.fromarray(array), "image")
    return np.ascontiguousarray(np.broadcast_to(array, (*array.shape[:2], 3)))
