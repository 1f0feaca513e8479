"""Anybody's predictions from files: a folder of maps, or one HDF5 file."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import cv2
import h5py
import numpy as np
import scipy.io
from jaxtyping import Float
from scipy.special import logsumexp

from foveal.errors import FovealError, first_line
from foveal.images import IMAGE_SUFFIXES
from foveal.paths import path_of

MAP_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".npy", ".mat")
HDF5_SUFFIXES = (".hdf5", ".h5")
# What `foveal predict` writes for photo.jpg is found as well: photo.density.npy rather than photo.map.png.
ENDINGS = ("", ".density", ".map")
NORMALIZED = 1e-3  # |logsumexp| of a log density; the limit of the Tübingen benchmark
LOOKED_AT = 5  # maps, to know what kind they are
GRAY_TOLERANCE = 0.02  # of the highest value: how far the channels of a gray JPEG may be apart
LEVELS = 32  # from which on whole numbers are taken for a map that was rounded
ZERO_OF_INTEGERS = 0.25  # of one level


class Predictions:
    """The maps that somebody predicted for the images of a data set.

    A map is found by the name of its image: `a/photo.jpg` has the map `a/photo.png`, or `photo.png` if the maps lie in
    one folder. Formats are PNG, JPEG and TIFF (8 or 16 bits, or floating point), NumPy, MATLAB (the file's one
    two-dimensional array), and HDF5 with one array an image, called like it: the Tübingen benchmark's format.

    Maps of whole numbers up to 32 or more, as 8 and 16 bits hold them, were rounded: 0 is taken as a quarter of a level
    there. It says "less than one half", and a density that is nowhere 0 should not be punished as if it excluded that
    anybody looks there.

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
        self.path = path_of(path, "predictions")
        self.name = os.fspath(path)
        self.resize = resize
        if self._is_hdf5:
            self._keys = {key: key for key in _keys_of_hdf5(self.path)}
        elif self.path.is_dir():
            self._keys = _files_of_folder(self.path)
        else:
            raise FovealError(f"{path}: no folder of maps and no HDF5 file (.hdf5, .h5)")
        if not self._keys:
            raise FovealError(f"{path}: no maps in it (known formats: {', '.join(MAP_SUFFIXES)})")

    @property
    def _is_hdf5(self) -> bool:
        return self.path.suffix.lower() in HDF5_SUFFIXES

    def places_of(self, ids: Sequence[str]) -> dict[str, str]:
        """The file or key of the map of each image that has one, by the images' ids.

        Raises
        ------
        FovealError
            If one map would serve two images, or no image has one.
        """
        same_name = Counter(PurePosixPath(_without_suffix(name)).name for name in ids)
        of_image: dict[str, str] = {}
        for name in ids:
            bare = _without_suffix(name)
            bases = [name, bare]
            if same_name[PurePosixPath(bare).name] == 1:  # images of one name in two folders need their folders
                bases.append(PurePosixPath(bare).name)
            found = (self._keys.get(base + ending) for base in bases for ending in ENDINGS)
            if place := next((key for key in found if key is not None), None):
                of_image[name] = place
        shared = [name for name, n in Counter(of_image.values()).items() if n > 1]
        if shared:
            raise FovealError(f"{self.path}: {shared[0]} would be the map of several images; name maps like the images")
        if not of_image:
            raise FovealError(f"{self.path}: no map for any image (the first image is {ids[0]!r})")
        return of_image

    def are_log_densities(self, ids: Sequence[str]) -> bool:
        """Do the exponentials of the maps sum to one: of most of the first that can be read?"""
        places = self.places_of(ids)
        votes = []
        for name in places:
            try:
                values = self._read(places[name])
            except FovealError:
                continue  # it is reported when it is scored
            if np.isfinite(values).all():
                votes.append(bool((values <= 0).all()) and abs(float(logsumexp(values))) < NORMALIZED)
            if len(votes) == LOOKED_AT:
                break
        return sum(votes) > len(votes) / 2

    def map_of(self, name: str, places: Mapping[str, str], *, log_density: bool) -> Float[np.ndarray, "height width"]:
        """The map of the image with this id, of any size, float64.

        Raises
        ------
        FovealError
            If it cannot be read, holds NaN or infinite values, or is no log density though it should be.
        """
        values = self._read(places[name])
        if not np.isfinite(values).all():
            raise FovealError(f"{self.path}: the map of {name} holds NaN or infinite values")
        if log_density and abs(mass := float(logsumexp(values))) >= NORMALIZED:
            raise FovealError(f"{self.path}: the map of {name} is no log density, as others are (logsumexp {mass:.3g})")
        return values

    def _read(self, place: str) -> Float[np.ndarray, "height width"]:
        if not self._is_hdf5:
            return read_map(self.path / place)
        try:
            with h5py.File(self.path) as file:
                values = np.asarray(file[place])
        except (OSError, KeyError, RuntimeError) as error:
            raise FovealError(f"{self.path}: {place} cannot be read ({first_line(error)})") from error
        return _as_map(values, f"{self.path}: {place}")


def read_map(path: Path) -> Float[np.ndarray, "height width"]:
    """A map from a picture, a NumPy file or a MATLAB file, as float64.

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
            values = _gray_values(path)
    except FovealError:
        raise
    except Exception as error:  # whatever a broken file makes one of the readers say
        raise FovealError(f"{path}: the map cannot be read ({first_line(error)})") from error
    return _as_map(values, str(path))


def _as_map(values: np.ndarray, name: str) -> Float[np.ndarray, "height width"]:
    if values.ndim == 3 and 1 in (values.shape[0], values.shape[2]):
        values = values.squeeze(0 if values.shape[0] == 1 else 2)
    if values.ndim != 2 or values.size == 0 or values.dtype.kind not in "buif":
        raise FovealError(f"{name}: not a map (height, width) of numbers, but {values.dtype} {values.shape}")
    values = values.astype(np.float64)
    was_rounded = values.max() >= LEVELS and values.min() >= 0 and (values == np.round(values)).all()
    return np.where(values == 0, ZERO_OF_INTEGERS, values) if was_rounded else values


def _gray_values(path: Path) -> np.ndarray:
    """The pixels of a picture as they are stored: 8 or 16 bits, or floating point."""
    pixels = cv2.imdecode(np.fromfile(path, dtype=np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise FovealError(f"{path}: not an image that can be read")
    if pixels.ndim == 2:
        return pixels
    channels = pixels[..., :3].astype(np.float64)
    if np.ptp(channels, axis=2).max() > GRAY_TOLERANCE * max(channels.max(), 1e-12):
        raise FovealError(f"{path}: a picture in color, not a map of one channel")
    return pixels[..., 1]


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
