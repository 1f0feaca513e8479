"""Anybody's predictions from files: a folder of maps, or one HDF5 file."""

import os
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

import numpy as np
from jaxtyping import Float
from scipy.special import logsumexp

from foveal.benchmarking.map_files import MAP_SUFFIXES, FolderOfMaps, HDF5Maps, OtherSizeError, Size, without_suffix
from foveal.errors import FovealError, FovealNote
from foveal.gaze.names import FOLDERS, match_names
from foveal.gaze.stimuli import Stimuli
from foveal.paths import path_of

HDF5_SUFFIXES = (".hdf5", ".h5")
# What `foveal predict` writes for photo.jpg is found as well: photo.density.npy rather than photo.map.png.
ENDINGS = ("", ".density", ".map")
NORMALIZED = 1e-3  # |logsumexp| of a log density; the limit of the Tübingen benchmark
LOOKED_AT = 5  # maps, to know what kind they are


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
        self._files: FolderOfMaps | HDF5Maps
        if self.path.suffix.lower() in HDF5_SUFFIXES:
            self._files = HDF5Maps(self.path)
        elif self.path.is_dir():
            self._files = FolderOfMaps(self.path)
        else:
            raise FovealError(f"{path}: no folder of maps and no HDF5 file (.hdf5, .h5)")
        if not self._files.places:
            raise FovealError(f"{path}: no maps in it (known formats: {', '.join(MAP_SUFFIXES)})")

    def places_of(self, ids: Sequence[str]) -> dict[str, str]:
        """The file or key of the map of each image that has one, by the images' ids.

        Where an image has none of its name, one that is spelled otherwise is taken if it can mean no other image; a
        note says of how many maps that is so.

        Raises
        ------
        FovealError
            If one map would serve two images, or no image has one.
        """
        same_name = Counter(PurePosixPath(without_suffix(name)).name for name in ids)
        of_image: dict[str, str] = {}
        for name in ids:
            bare = without_suffix(name)
            bases = [name, bare]
            if same_name[PurePosixPath(bare).name] == 1:  # images of one name in two folders need their folders
                bases.append(PurePosixPath(bare).name)
            found = (self._files.places.get(base + ending) for base in bases for ending in ENDINGS)
            if place := next((key for key in found if key is not None), None):
                of_image[name] = place
        shared = [name for name, n in Counter(of_image.values()).items() if n > 1]
        if shared:
            raise FovealError(f"{self.path}: {shared[0]} would be the map of several images; name maps like the images")
        spelled_otherwise = self._spelled_otherwise([name for name in ids if name not in of_image], of_image.values())
        if spelled_otherwise:
            image, place = next(iter(spelled_otherwise.items()))
            note = (
                f"{self.path}: {len(spelled_otherwise)} of {len(ids)} images have a map of a name spelled otherwise "
                f"(first: {place} for {image})"
            )
            warnings.warn(note, FovealNote, stacklevel=2)
        of_image |= spelled_otherwise
        if not of_image:
            raise FovealError(f"{self.path}: no map for any image (the first image is {ids[0]!r})")
        return of_image

    def _spelled_otherwise(self, ids: Sequence[str], taken: Iterable[str]) -> dict[str, str]:
        """Of images without a map of their name: the one that can only be theirs."""
        taken = set(taken)
        free = {key: place for key, place in self._files.places.items() if place not in taken}
        places: dict[str, str] = {}
        for ending in ENDINGS:
            for key, place in free.items():
                if key.endswith(ending):
                    places.setdefault(key.removesuffix(ending), place)
        found: dict[str, str] = {}
        for name_of in (str, lambda name: PurePosixPath(name).name):  # with its folders, and the name alone
            names = Counter(name_of(name) for name in ids)
            unique = [name for name in ids if name not in found and names[name_of(name)] == 1]
            wanted = {without_suffix(name_of(name)): name for name in unique}
            matches, _ = match_names(wanted, places)
            found |= {wanted[name]: places[match.name] for name, match in matches.items() if match.differs != FOLDERS}
        shared = Counter(found.values())
        return {name: place for name, place in found.items() if shared[place] == 1}

    def are_log_densities(self, stimuli: Stimuli, places: Mapping[str, str]) -> bool:
        """Do the exponentials of the maps sum to one: of most of the first that can be read?"""
        votes = []
        for stimulus in stimuli:
            if stimulus.id not in places:
                continue
            try:
                values = self._read(places[stimulus.id], stimulus.size)
            except FovealError:
                continue  # it is reported when it is scored
            if np.isfinite(values).all():
                votes.append(bool((values <= 0).all()) and abs(float(logsumexp(values))) < NORMALIZED)
            if len(votes) == LOOKED_AT:
                break
        return sum(votes) > len(votes) / 2

    def map_of(self, name: str, place: str, size: Size, *, log_density: bool) -> Float[np.ndarray, "height width"]:
        """The map at a place, of the image with this id and size, float64; of any size if it is to be resized.

        Raises
        ------
        FovealError
            If it cannot be read, holds NaN or infinite values, or is no log density though it should be.
        """
        try:
            values = self._read(place, size)
        except OtherSizeError as error:
            raise FovealError(
                f"{self.path}: the map of {name} has {error.size[1]} x {error.size[0]} px, the image {size[1]} x "
                f"{size[0]} (--resize brings it to that)"
            ) from error
        if not np.isfinite(values).all():
            raise FovealError(f"{self.path}: the map of {name} holds NaN or infinite values")
        if log_density and abs(mass := float(logsumexp(values))) >= NORMALIZED:
            raise FovealError(f"{self.path}: the map of {name} is no log density, as others are (logsumexp {mass:.3g})")
        return values

    def _read(self, place: str, size: Size) -> Float[np.ndarray, "height width"]:
        return self._files.read(place, None if self.resize else size)
