"""Anybody's predictions from files: a folder of maps, or one HDF5 file."""

import os
from pathlib import Path, PurePosixPath

import h5py
import numpy as np
import scipy.io
from jaxtyping import Float
from PIL import Image, UnidentifiedImageError
from scipy.special import logsumexp

from foveal.errors import FovealError, first_line
from foveal.images import IMAGE_SUFFIXES

MAP_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".npy", ".mat")
HDF5_SUFFIXES = (".hdf5", ".h5")
# What `foveal predict` writes for photo.jpg is found as well: photo.density.npy rather than photo.map.png.
ENDINGS = ("", ".density", ".map")
NORMALIZED = 1e-3  # |logsumexp| of a log density; the limit of the Tübingen benchmark
GRAY_TOLERANCE = 4  # of 255: how far the channels of a gray JPEG may be apart
ZERO_OF_INTEGERS = 0.25  # of one level


class Predictions:
    """The maps that somebody predicted for the images of a data set.

    A map is found by the name of its image: `a/photo.jpg` has the map `a/photo.png`, or `photo.png` if the maps lie in
    one folder. Formats are PNG, JPEG and TIFF (8 or 16 bits, or floating point), NumPy, MATLAB (the file's one
    two-dimensional array), and HDF5 with one array an image, called like it: the Tübingen benchmark's format.

    Whole numbers are taken as they are, but 0 as a quarter of a level: in a map that was rounded to 256 levels, 0 says
    "less than one half", and a density that is nowhere 0 should not be punished as if it excluded that anybody looks
    there.

    Parameters
    ----------
    path
        The folder or the file.
    resize
        Bring a map of another size to that of its image, instead of refusing it.

    Raises
    ------
    FovealError
        If there is no such folder or file, or it holds no maps.
    """

    def __init__(self, path: str | os.PathLike[str], *, resize: bool = False) -> None:
        self.path = Path(path)
        self.name = os.fspath(path)
        self.resize = resize
        if self.path.suffix.lower() in HDF5_SUFFIXES:
            self._places = {_without_suffix(key): key for key in _keys_of_hdf5(self.path)}
        elif self.path.is_dir():
            self._places = _files_of_folder(self.path)
        else:
            raise FovealError(f"{path}: no folder of maps and no HDF5 file (.hdf5, .h5)")
        if not self._places:
            raise FovealError(f"{path}: no maps in it (known formats: {', '.join(MAP_SUFFIXES)})")

    def are_log_densities(self, ids: list[str]) -> bool:
        """Is the first map to be found one whose exponential sums to one?"""
        for name in ids:
            if self._place(name) is not None:
                values = self._read(name)
                return bool((values <= 0).all()) and abs(float(logsumexp(values))) < NORMALIZED
        raise FovealError(f"{self.path}: no map for any image (the first image is {ids[0]!r})")

    def map_of(self, name: str, *, log_density: bool) -> Float[np.ndarray, "height width"]:
        """The map of the image with this id, of any size.

        Raises
        ------
        FovealError
            If there is none, it cannot be read, holds NaN or infinite values, or is no log density though it should be.
        """
        values = self._read(name)
        if not np.isfinite(values).all():
            raise FovealError(f"{self.path}: the map of {name} holds NaN or infinite values")
        if log_density and abs(mass := float(logsumexp(values))) >= NORMALIZED:
            raise FovealError(f"{self.path}: the map of {name} is no log density, as others are (logsumexp {mass:.3g})")
        return values

    def _place(self, name: str) -> str | None:
        """The file or key of an image's map."""
        bare = _without_suffix(name)
        candidates = [base + ending for base in (bare, name, PurePosixPath(bare).name) for ending in ENDINGS]
        return next((self._places[key] for key in candidates if key in self._places), None)

    def _read(self, name: str) -> Float[np.ndarray, "height width"]:
        place = self._place(name)
        if place is None:
            raise FovealError(f"{self.path}: no map of {name}")
        if self.path.suffix.lower() in HDF5_SUFFIXES:
            with h5py.File(self.path) as file:
                return _as_map(np.asarray(file[place]), f"{self.path}: {place}")
        return read_map(self.path / place)


def read_map(path: Path) -> Float[np.ndarray, "height width"]:
    """A map from a picture, a NumPy file or a MATLAB file, as float32.

    Raises
    ------
    FovealError
        If the file cannot be read, or does not hold one map.
    """
    try:
        if path.suffix.lower() == ".npy":
            values = np.load(path, allow_pickle=False)
        elif path.suffix.lower() == ".mat":
            values = _one_array_of_mat(path)
        else:
            with Image.open(path) as image:
                values = _gray_values(image, path)
    except FovealError:
        raise
    except UnidentifiedImageError:
        raise FovealError(f"{path}: not an image that can be read") from None
    except Exception as error:  # whatever a broken file makes one of the readers say
        raise FovealError(f"{path}: the map cannot be read ({first_line(error)})") from error
    return _as_map(values, str(path))


def _as_map(values: np.ndarray, name: str) -> Float[np.ndarray, "height width"]:
    if values.ndim == 3 and 1 in (values.shape[0], values.shape[2]):
        values = values.squeeze(0 if values.shape[0] == 1 else 2)
    if values.ndim != 2 or values.size == 0 or values.dtype.kind not in "buif":
        raise FovealError(f"{name}: not a map (height, width) of numbers, but {values.dtype} {values.shape}")
    whole = values.dtype.kind in "bui"
    values = values.astype(np.float32)
    return np.where(values == 0, np.float32(ZERO_OF_INTEGERS), values) if whole else values


def _gray_values(image: Image.Image, path: Path) -> np.ndarray:
    if image.mode not in ("RGB", "RGBA", "P", "PA", "LA", "CMYK", "YCbCr"):
        return np.asarray(image)
    channels = np.asarray(image.convert("RGB"))
    if np.ptp(channels.astype(np.int16), axis=2).max() > GRAY_TOLERANCE:
        raise FovealError(f"{path}: a picture in color, not a map of one channel")
    return channels[..., 1]


def _one_array_of_mat(path: Path) -> np.ndarray:
    if h5py.is_hdf5(path):  # MATLAB's own format since version 7.3; its arrays are stored column by column
        with h5py.File(path) as file:
            arrays = {key: np.asarray(value).T for key, value in file.items() if isinstance(value, h5py.Dataset)}
    else:
        arrays = {key: value for key, value in scipy.io.loadmat(path).items() if not key.startswith("__")}
    maps = {key: value for key, value in arrays.items() if np.ndim(value) == 2 and np.size(value) > 1}
    if len(maps) != 1:
        raise FovealError(f"{path}: one two-dimensional array is a map, but it holds {', '.join(maps) or 'none'}")
    return next(iter(maps.values()))


def _files_of_folder(folder: Path) -> dict[str, str]:
    """The files of maps below a folder, by their paths without the ending."""
    places: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder).as_posix()
        if path.suffix.lower() not in MAP_SUFFIXES or any(part.startswith(".") for part in Path(place).parts):
            continue
        key = _without_suffix(place)
        if key in places:
            raise FovealError(f"{folder}: {places[key]} and {place} are maps of the same image; take one away")
        places[key] = place
    return places


def _keys_of_hdf5(path: Path) -> list[str]:
    if not path.is_file():
        raise FovealError(f"{path}: no such file")
    keys: list[str] = []
    try:
        with h5py.File(path) as file:
            file.visititems(lambda key, item: keys.append(key) if isinstance(item, h5py.Dataset) else None)
    except OSError as error:
        raise FovealError(f"{path}: not an HDF5 file that can be read ({first_line(error)})") from error
    return keys


def _without_suffix(place: str) -> str:
    """A path without the ending of a picture or a map; other dots belong to the name."""
    path = PurePosixPath(place)
    return str(path.with_suffix("")) if path.suffix.lower() in IMAGE_SUFFIXES | {*MAP_SUFFIXES} else place
