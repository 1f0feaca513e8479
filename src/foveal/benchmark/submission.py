"""The file that the Tübingen benchmark takes: log densities of every image of a data set in one HDF5 file."""

import os
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import torch
from scipy.special import logsumexp

from foveal.benchmark.predictions import HDF5_SUFFIXES, NORMALIZED
from foveal.benchmark.scoring import MapsOfModel
from foveal.datasets import load_dataset
from foveal.errors import FovealError, first_line
from foveal.files import new_file, write_atomically
from foveal.gaze import Dataset
from foveal.gaze.given import text
from foveal.models import SaliencyModel, load_model
from foveal.paths import path_of
from foveal.progress import Progress, Report
from foveal.registry import no_such

FORMATS = ("tuebingen",)


@dataclass(frozen=True)
class Export:
    """What was written: the file, the number of images in it, and a line for each that could not be predicted."""

    path: Path
    n_images: int
    problems: list[str]


def export(
    model: SaliencyModel | str | os.PathLike[str],
    dataset: Dataset | str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    format: str = "tuebingen",  # noqa: A002 (the word of the command line)
    data_root: str | os.PathLike[str] | None = None,
    device: str | torch.device = "cpu",
    progress: Report | None = None,
) -> Export:
    """Write a model's predictions for all images of a data set as a benchmark takes them.

    "tuebingen": one HDF5 file, in it one float32 array an image, called like the image (a path makes groups): the
    natural logarithm of the density at the image's exact size, `|logsumexp| < 0.001`. The file is read again and
    checked before it takes its name. Pysaliency's `HDF5Model` reads it.

    Raises
    ------
    FovealError
        If the format is not known, the model cannot predict, or the file cannot be written or fails its check.
    """
    if text(format, "format") not in FORMATS:
        raise FovealError(no_such("format", format, FORMATS))
    if path_of(out, "out").suffix.lower() not in HDF5_SUFFIXES:
        raise FovealError(f"{out}: name it {' or '.join(HDF5_SUFFIXES)}, it is an HDF5 file")
    data = dataset if isinstance(dataset, Dataset) else load_dataset(dataset, data_root)
    model = model if isinstance(model, SaliencyModel) else load_model(model, device)
    problems, report = list(data.problems), Progress.of(progress)
    n_images = 0
    with write_atomically(out) as temporary:
        with new_file(temporary) as raw, h5py.File(raw, "w") as file:
            for batch in MapsOfModel(model, data, raw=False)(range(len(data))):
                problems += batch.problems
                if batch.maps is None:
                    continue
                for image, log_density in zip(batch.images, batch.maps.cpu().numpy(), strict=True):
                    name = data.stimuli.ids[image]
                    try:
                        file.create_dataset(name, data=log_density, compression="gzip", shuffle=True)
                    except (TypeError, ValueError) as error:  # "a" and "a/b" cannot both be names of arrays
                        raise FovealError(f"{out}: no array can be called {name!r} ({first_line(error)})") from error
                raw.check()  # a full disk is said now, not after the last image
                n_images += len(batch.images)
                report(model.name, n_images, len(data))
        if n_images == 0:
            raise FovealError(f"{data.name}: no image could be predicted ({problems[-1]})")
        _check(temporary, Path(out), data, n_images)
    return Export(Path(out), n_images, problems)


def _check(path: Path, name_of_file: Path, data: Dataset, n_images: int) -> None:
    """Read the file again: every array there, of its image's size, finite, and summing to one."""
    found = 0
    with h5py.File(path) as file:
        for name, size in zip(data.stimuli.ids, data.stimuli.sizes.tolist(), strict=True):
            if name not in file:
                continue
            found += 1
            log_density = np.asarray(file[name])
            if list(log_density.shape) != size or log_density.dtype != np.float32:
                raise FovealError(
                    f"{name_of_file}: the array of {name} is {log_density.dtype} {log_density.shape}, not {size}"
                )
            if not np.isfinite(log_density).all() or abs(logsumexp(log_density.astype(np.float64))) >= NORMALIZED:
                raise FovealError(f"{name_of_file}: the array of {name} is not a log density")
    if found != n_images:
        raise FovealError(f"{name_of_file}: {found} arrays of {n_images} were found on reading the file again")
