"""Maps of others from their files: pictures, NumPy, MATLAB and HDF5; what a file holds is known before it is read."""

import os
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
from jaxtyping import Float
from PIL import Image, TiffImagePlugin, UnidentifiedImageError

from foveal.datasets.foreign import UnreadableFileError, hdf5_arrays, hdf5_headers, mat_array, mat_headers
from foveal.errors import FovealError, first_line
from foveal.images import IMAGE_SUFFIXES

MAP_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".npy", ".mat")
PICTURE_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP")  # that are looked for behind a picture's ending
LARGEST_MAP = 100_000_000  # px, where the size of the image does not say how large the map is
GRAY_TOLERANCE = 0.02  # of the highest value: how far the channels of a gray JPEG may be apart
LEVELS = 32  # from which on whole numbers are taken for a map that was rounded
ZERO_OF_INTEGERS = 0.25  # of one level

Size = tuple[int, int]  # height, width


class OtherSizeError(FovealError):
    """A map has another size than it must have."""

    def __init__(self, name: str, size: Size, wanted: Size) -> None:
        super().__init__(f"{name} has {size[1]} x {size[0]} px, not {wanted[1]} x {wanted[0]}")
        self.size = size


class FolderOfMaps:
    """The files of maps below a folder, by their paths without the ending.

    Raises
    ------
    FovealError
        If two files have the same path without the ending.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.places: dict[str, str] = {}
        for path in sorted(folder.rglob("*")):
            place = path.relative_to(folder).as_posix()
            is_hidden = any(part.startswith(".") for part in Path(place).parts)
            if path.suffix.lower() not in MAP_SUFFIXES or is_hidden or path.is_dir():
                continue
            key = without_suffix(place)
            if key in self.places:
                raise FovealError(f"{folder}: {self.places[key]} and {place} are maps of the same image; take one away")
            self.places[key] = place

    def read(self, place: str, size: Size | None) -> Float[np.ndarray, "height width"]:
        """One of the maps (see `read_map`)."""
        return read_map(self.folder / place, size)


class HDF5Maps:
    """The arrays of an HDF5 file, by their names.

    Raises
    ------
    FovealError
        If it is no HDF5 file that can be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._headers = hdf5_headers(path)
        except FileNotFoundError:
            raise FovealError(f"{path}: no such file") from None
        except UnreadableFileError as error:
            raise FovealError(f"{path}: not an HDF5 file that can be read ({error})") from error
        self.places = {name: name for name in self._headers}

    def read(self, place: str, size: Size | None) -> Float[np.ndarray, "height width"]:
        """One of the maps (see `read_map`)."""
        name = f"{self.path}: {place}"
        header = self._headers[place]
        _check(header.shape, header.kind, name, size)
        try:
            values = hdf5_arrays(self.path, [place])[place]
        except (UnreadableFileError, OSError) as error:
            raise FovealError(f"{name} cannot be read ({first_line(error)})") from error
        return _as_map(values, name, size)


def read_map(path: str | os.PathLike[str], size: Size | None = None) -> Float[np.ndarray, "height width"]:
    """A map from a picture, a NumPy file or a MATLAB file, as float64.

    Parameters
    ----------
    path
        A file with one of the endings `MAP_SUFFIXES`.
    size
        Height and width that it must have; any up to 100 megapixels by default.

    Raises
    ------
    FovealError
        If the file cannot be read, or does not hold one map.
    OtherSizeError
        If the map has another size; it is not read then.
    """
    path = Path(path)
    read = {".npy": _numpy_array, ".mat": _one_array_of_mat}.get(path.suffix.lower(), _gray_values)
    try:
        if path.exists() and not path.is_file():  # a pipe would keep us waiting
            raise FovealError(f"{path}: no regular file")
        return _as_map(read(path, size), str(path), size)
    except FovealError:
        raise
    except Exception as error:  # whatever a broken file makes one of the readers say
        raise FovealError(f"{path}: the map cannot be read ({first_line(error)})") from error


def without_suffix(place: str) -> str:
    """A path without the ending of a picture or a map; other dots belong to the name."""
    path = PurePosixPath(place)
    return str(path.with_suffix("")) if path.suffix.lower() in IMAGE_SUFFIXES | {*MAP_SUFFIXES} else place


def _check(shape: tuple[int, ...], kind: str, name: str, size: Size | None) -> None:
    """Refuse what is no map of the right size, by what is known before its values are read."""
    plane = shape
    if len(shape) == 3 and 1 in (shape[0], shape[2]):  # one channel, first or last
        plane = shape[1:] if shape[0] == 1 else shape[:2]
    if kind != "numbers" or len(plane) != 2 or 0 in plane:
        raise FovealError(f"{name}: not a map (height, width) of numbers, but {kind} {shape}")
    if size is None and plane[0] * plane[1] > LARGEST_MAP:
        raise FovealError(f"{name} has {plane[1]} x {plane[0]} px, more than {LARGEST_MAP // 10**6} megapixels")
    if size is not None and (plane[0], plane[1]) != size:
        raise OtherSizeError(name, (plane[0], plane[1]), size)


def _as_map(values: np.ndarray, name: str, size: Size | None) -> Float[np.ndarray, "height width"]:
    _check(values.shape, "numbers" if values.dtype.kind in "buif" else str(values.dtype), name, size)
    if values.ndim == 3:
        values = values.squeeze(0 if values.shape[0] == 1 else 2)
    with np.errstate(over="ignore", invalid="ignore"):  # infinite values and NaN are said where the map is used
        values = values.astype(np.float64, copy=False)
    if values.max() >= LEVELS and values.min() >= 0 and all((row == np.round(row)).all() for row in values):
        values[values == 0] = ZERO_OF_INTEGERS  # it was rounded
    return values


def _numpy_array(path: Path, size: Size | None) -> np.ndarray:
    header = np.load(path, mmap_mode="r", allow_pickle=False)
    if not isinstance(header, np.ndarray):
        header.close()
        raise FovealError(f"{path}: an archive (.npz), not one array; save each map by itself, with numpy.save")
    _check(header.shape, "numbers" if header.dtype.kind in "buif" else str(header.dtype), str(path), size)
    return np.load(path, allow_pickle=False)  # a mapped file that somebody cuts would end this process


def _one_array_of_mat(path: Path, size: Size | None) -> np.ndarray:
    headers = mat_headers(path)
    maps = [
        name
        for name, header in headers.items()
        if header.kind == "numbers" and len(header.shape) == 2 and header.shape[0] * header.shape[1] > 1
    ]
    if len(maps) != 1:
        held = ", ".join(maps or [f"{name}: {header.kind} {header.shape}" for name, header in headers.items()])
        raise FovealError(f"{path}: one two-dimensional array is a map, but it holds {held or 'nothing'}")
    _check(headers[maps[0]].shape, "numbers", str(path), size)
    return mat_array(path, maps[0])


def _gray_values(path: Path, size: Size | None) -> np.ndarray:
    """The pixels of a picture as they are stored: 8 or 16 bits, or floating point."""
    _check_picture(path, size)
    pixels = cv2.imdecode(np.fromfile(path, dtype=np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise FovealError(f"{path}: not an image that can be read")
    if pixels.ndim == 2:
        return pixels
    n_colors = 1 if pixels.shape[2] < 3 else 3
    colors, alpha = pixels[..., :n_colors], pixels[..., n_colors:]
    if alpha.size and np.ptp(alpha) > 0 and (colors == colors[0, 0]).all():
        raise FovealError(f"{path}: the map is in the alpha channel, its color is one; save it as a gray picture")
    with np.errstate(invalid="ignore"):  # infinite values are said later
        is_colored = np.ptp(colors, axis=2).max() > GRAY_TOLERANCE * max(float(colors.max()), 1e-12)
    if is_colored:
        raise FovealError(f"{path}: a picture in color, not a map of one channel")
    return colors[..., n_colors // 2]


def _check_picture(path: Path, size: Size | None) -> None:
    """Refuse a picture of another size by its header, and a PNG whose parts are not as long as they say."""
    with path.open("rb") as file:
        try:
            with Image.open(file, formats=PICTURE_FORMATS) as picture:
                _check_pixels(*picture.size, path, size)
                picture.verify()  # OpenCV would make room for parts of any length
            return
        except UnidentifiedImageError:
            if path.suffix.lower() not in (".tif", ".tiff"):
                raise FovealError(f"{path}: not an image that can be read") from None
        file.seek(0)  # Pillow knows no TIFF in double precision, and no floating-point colors
        directory = TiffImagePlugin.ImageFileDirectory_v2(file.read(8))
        file.seek(directory.next)
        directory.load(file)
        width, height = (directory[tag] for tag in (TiffImagePlugin.IMAGEWIDTH, TiffImagePlugin.IMAGELENGTH))
        _check_pixels(width, height, path, size)


def _check_pixels(width: int, height: int, path: Path, size: Size | None) -> None:
    if size is None:
        _check((height, width), "numbers", str(path), None)
    elif width * height != size[0] * size[1]:  # which is which is known when it is decoded: some are stored turned
        raise OtherSizeError(str(path), (height, width), size)
