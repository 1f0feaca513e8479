"""What a run says of the images that it was not fitted to, as files that `foveal evaluate --predictions` scores."""

from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np

from foveal.datasets.foreign import UnreadableFileError, hdf5_arrays, hdf5_headers
from foveal.errors import FovealError, first_line
from foveal.files import new_file, write_atomically
from foveal.paths import safe_file_name

HELD_OUT = "held_out"  # folder in a run's


def file_of_held_out(folder: Path, dataset: str) -> Path:
    """Where a run keeps its densities of the held-out images of a data set."""
    return folder / HELD_OUT / f"{safe_file_name(dataset)}.hdf5"


def write_maps(path: Path, maps: Mapping[str, np.ndarray]) -> None:
    """One array an image, called like it."""
    with write_atomically(path) as temporary, new_file(temporary) as raw, h5py.File(raw, "w") as file:
        for name, values in maps.items():
            file.create_dataset(name, data=values)


def read_maps(path: Path) -> dict[str, np.ndarray]:
    """What `write_maps` wrote.

    Raises
    ------
    FovealError
        If it is not there, or cannot be read.
    """
    try:
        return hdf5_arrays(path, hdf5_headers(path))
    except (OSError, UnreadableFileError) as error:
        raise FovealError(f"{path}: the maps cannot be read ({first_line(error)})") from error
