"""Photographs from disk: any common format, as they are meant to be seen, as uint8 RGB."""

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np
from jaxtyping import UInt8
from PIL import Image, UnidentifiedImageError

from foveal.errors import FovealError, first_line

# Nothing else is opened, whatever a file is called: some of Pillow's other readers start programs.
FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "GIF", "BMP", "JPEG2000", "PPM", "AVIF")
# fmt: off
IMAGE_SUFFIXES = frozenset({
    ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".tif", ".tiff", ".webp", ".gif", ".bmp",
    ".jp2", ".j2k", ".jpf", ".jpx", ".pbm", ".pgm", ".ppm", ".pnm", ".avif",
})
OTHER_SUFFIXES = frozenset({  # of pictures as well, but of kinds that are not read
    ".heic", ".heif", ".hif", ".jxl", ".jxr", ".psd", ".psb", ".xcf", ".svg", ".svgz", ".pdf", ".eps", ".ai", ".wmf",
    ".emf", ".tga", ".ico", ".exr", ".hdr", ".pfm", ".dng", ".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".srf",
    ".sr2", ".orf", ".rw2", ".raf", ".pef", ".srw", ".x3f", ".3fr", ".iiq",
})
# fmt: on

RGBImage: TypeAlias = UInt8[np.ndarray, "height width 3"]
ImageSource: TypeAlias = str | os.PathLike[str] | Image.Image | np.ndarray

EXIF_ORIENTATION = 0x0112
QUARTER_TURNS = {5, 6, 7, 8}  # EXIF orientations that exchange width and height
LARGEST_AREA = 89_000_000  # px of a file that is read: `foveal predict` stays under 2 GB, and Pillow does not warn yet
LARGEST_AREA_OF = {"WEBP": 50_000_000, "AVIF": 50_000_000, "JPEG2000": 40_000_000}  # their decoders hold more copies
LONGEST_SIDE = 65_535  # px; JPEG cannot say more
PIXELS_OF_A_STRIP = 1 << 20  # that are converted together, so that a large photograph is never held in several forms
PIXELS_AT_ONCE = 16_000_000  # of the images that are held together, which bounds memory whatever their size
TO_8_BITS = ((np.arange(65536) + 128) // 257).astype(np.uint8)


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
        If the file is missing, truncated, too large or no image, or if the array has another shape or type. Whatever
        else reading raises (a decoder's own errors, MemoryError) becomes one as well.
    """
    if isinstance(source, np.ndarray):
        return _array_to_rgb(source)
    if isinstance(source, Image.Image):
        with _explained("image"):
            return _pil_to_rgb(source)
    with _opened(source) as image:
        return _pil_to_rgb(image)


def decode_image(content: bytes, name: str = "picture", largest_area: int = LARGEST_AREA) -> RGBImage:
    """Read a photograph from the content of a file, as `read_image` does from a path.

    Parameters
    ----------
    content
        Of a file of any kind that is read. What kind it is, only the content says.
    name
        What errors call it.
    largest_area
        In px. What has more is refused before it is decoded.

    Raises
    ------
    FovealError
        As `read_image`.
    """
    with _explained(name), Image.open(BytesIO(content), formats=FORMATS) as image:
        _check_size(image, name, largest_area)
        return _pil_to_rgb(image)


def image_size(source: ImageSource) -> tuple[int, int]:
    """Height and width in px of a photograph as `read_image` returns it; of most files only the header is read.

    Raises
    ------
    FovealError
        As `read_image`, of what can be known without the pixels.
    """
    if isinstance(source, np.ndarray):
        height, width, _ = _with_channels(source).shape
        return height, width
    if isinstance(source, Image.Image):
        with _explained("image"):
            return _upright_size(source)
    with _opened(source) as image:
        return _upright_size(image)


def find_images(folder: Path) -> tuple[list[Path], list[str]]:
    """All pictures under a folder, sub-folders included, hidden files left out, sorted by path.

    Also a line for each thing that is left out though it is a picture, or may hold some: pictures of kinds that are
    not read, folders that cannot be listed, links to folders elsewhere (they are not followed).
    """
    found: list[Path] = []
    left_out: list[str] = []

    def unlisted(error: OSError) -> None:
        left_out.append(f"{error.filename}: the folder cannot be read ({first_line(error)})")

    for parent, folders, files in os.walk(folder, onerror=unlisted):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in folders:
            path = Path(parent, name)
            if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder)):
                left_out.append(f"{path}: a link to a folder elsewhere is not followed; give that folder itself")
        for name in files:
            path = Path(parent, name)
            if name.startswith("."):
                continue
            if path.suffix.lower() in IMAGE_SUFFIXES:
                found.append(path)
            elif path.suffix.lower() in OTHER_SUFFIXES:
                left_out.append(_of_another_kind(path))
    return sorted(found), sorted(left_out)


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
def _opened(source: str | os.PathLike[str]) -> Iterator[Image.Image]:
    """An open image file of a size that can be read; whatever is wrong with it becomes one line that names it."""
    if not isinstance(source, str | os.PathLike):
        raise FovealError(f"an image is a path, a PIL image or a NumPy array, not {type(source).__name__}")
    path = Path(source)
    with _explained(str(path)):
        if not stat.S_ISREG(path.stat().st_mode):  # nobody may ever write into a named pipe
            raise FovealError(f"{path}: not a file")
        try:
            image = Image.open(path, formats=FORMATS)
        except UnidentifiedImageError:
            if path.suffix.lower() in OTHER_SUFFIXES:
                raise FovealError(_of_another_kind(path)) from None
            raise
        with image:
            _check_size(image, str(path), LARGEST_AREA)
            yield image


def _check_size(image: Image.Image, name: str, largest: int) -> None:
    """Make sure that a picture, of which only the header was read, is small enough to be decoded."""
    largest = min(largest, LARGEST_AREA_OF.get(image.format or "", LARGEST_AREA))
    if image.width * image.height > largest or max(image.size) > LONGEST_SIDE:
        raise FovealError(
            f"{name}: {image.width} x {image.height} px are too many (at most {largest // 10**6} megapixels as "
            f"{image.format}, {LONGEST_SIDE} px a side); make the picture smaller"
        )


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """Turn whatever reading an image raises into one line with its name."""
    try:
        yield
    except FovealError:
        raise
    except UnidentifiedImageError:
        raise FovealError(f"{name}: not an image that can be read") from None
    except FileNotFoundError:
        raise FovealError(f"{name}: no such file") from None
    except Image.DecompressionBombError:  # Pillow's own limit is the higher one, but comes first
        raise FovealError(
            f"{name}: too many pixels (at most {LARGEST_AREA // 10**6} megapixels); make the picture smaller"
        ) from None
    except Exception as error:  # whatever a damaged file makes a decoder say
        raise FovealError(f"{name}: the image cannot be read ({first_line(error)})") from error


def _of_another_kind(path: Path) -> str:
    return f"{path}: pictures of this kind ({path.suffix}) are not read; save it as JPEG, PNG or TIFF"


def _orientation(image: Image.Image) -> int:
    """How a picture is stored, as EXIF says it: 1 is upright. Of a TIFF, Pillow turns the pixels itself."""
    if image.format == "TIFF":
        return 1
    if image.format == "PNG":
        image.load()  # its EXIF may come after the pixels
    try:
        orientation = image.getexif().get(EXIF_ORIENTATION, 1)
    except Exception:  # odd metadata do not make the pixels wrong
        return 1
    return orientation if orientation in range(2, 9) else 1


def _as_stored(upright: RGBImage, orientation: int) -> UInt8[np.ndarray, "row column 3"]:
    """The pixels of an upright picture in the order in which one of this orientation is stored: a view."""
    if orientation in (2, 3, 6, 7):
        upright = upright[:, ::-1]
    if orientation in (3, 4, 7, 8):
        upright = upright[::-1]
    return upright.transpose(1, 0, 2) if orientation in QUARTER_TURNS else upright


def _upright_size(image: Image.Image) -> tuple[int, int]:
    return (image.width, image.height) if _orientation(image) in QUARTER_TURNS else (image.height, image.width)


def _pil_to_rgb(image: Image.Image) -> RGBImage:
    """Strip by strip: a large picture is held twice, as Pillow's and as ours, and not in the forms between them."""
    if image.mode == "F":
        raise ValueError("floating-point pixels have no fixed range; save the image with 8 or 16 bits")
    image.load()
    if image.mode in ("P", "PA") and image.palette is None:
        raise ValueError("it has no palette for its colors")
    orientation = _orientation(image)
    upright = np.empty((*_upright_size(image), 3), dtype=np.uint8)
    stored = _as_stored(upright, orientation)
    rows = max(1, PIXELS_OF_A_STRIP // image.width)
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        stored[top:bottom] = _strip_to_rgb(image.crop((0, top, image.width, bottom)))
    return upright


def _strip_to_rgb(strip: Image.Image) -> UInt8[np.ndarray, "height width _"]:
    if strip.mode.startswith("I"):  # 16-bit gray; Pillow's own conversion to RGB would clip it at 255
        values = np.asarray(strip)
        if values.min() < 0 or values.max() >= len(TO_8_BITS):
            raise ValueError("its values go beyond 16 bits; save the image with 8 or 16 bits")
        return TO_8_BITS[values][..., None]
    if strip.has_transparency_data:
        strip = strip.convert("RGBA")
        strip = Image.alpha_composite(Image.new("RGBA", strip.size, "white"), strip)
    return np.asarray(strip if strip.mode == "RGB" else strip.convert("RGB"))


def _with_channels(array: np.ndarray) -> np.ndarray:
    """An image array with its axis of channels; the shape of every other is refused."""
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or 0 in array.shape:
        raise FovealError(f"an image array has the shape (height, width, 3), not {array.shape}")
    return array


def _array_to_rgb(array: np.ndarray) -> RGBImage:
    array = _with_channels(array)
    if np.ma.is_masked(array):
        raise FovealError("an image array has a value at every pixel, and none that is masked")
    if (array.dtype.kind, array.dtype.itemsize) == ("u", 2):  # in either order of bytes
        array = TO_8_BITS[array]
    if array.dtype != np.uint8:
        raise FovealError(f"an image array holds uint8 values from 0 to 255, not {array.dtype}")
    if array.shape[2] == 4:
        return read_image(Image.fromarray(np.ascontiguousarray(array)))
    return np.ascontiguousarray(np.broadcast_to(array, (*array.shape[:2], 3)))
