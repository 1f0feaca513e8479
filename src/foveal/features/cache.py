"""Features of a whole data set on disk, computed once."""

import glob
import hashlib
import io
import json
import math
import os
import shutil
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock
from jaxtyping import Float
from torch import Tensor

from foveal.errors import FovealError, FovealNote, first_line
from foveal.features.views import WHOLE, Crop
from foveal.files import cache_folder, make_writable_folder, write_atomically
from foveal.gaze import Dataset
from foveal.models.backbones.catalogue import weights_path
from foveal.models.base import stacked
from foveal.models.feature_source import FeatureSource
from foveal.models.parts.geometry import Grid, resample
from foveal.paths import safe_file_name
from foveal.progress import Progress, Report
from foveal.threads import computed_ahead

Autocast = Callable[[], AbstractContextManager[object]]
UNFINISHED = "unfinished-"  # begins the names of arrays that an interrupted computation goes on with
BATCH_SIZE = 2  # small maps stay in the processor's cache: measured on EfficientNet-lite0, three times faster than 8


@dataclass(frozen=True)
class FeatureGroup:
    """The features of all images of one size.

    Attributes
    ----------
    size
        Height and width of the images, or of what is seen of them, px.
    images
        Their positions in the data set.
    grids
        Where each layer's values lie in the images.
    """

    size: tuple[int, int]
    images: list[int]
    grids: dict[str, Grid]
    _arrays: dict[str, np.ndarray]

    def feature(self, layer: str, number: int) -> Float[np.ndarray, "image h w"]:
        """One feature of all images, float32."""
        return self._arrays[layer][:, number].astype(np.float32)

    def read(self, rows: slice | list[int]) -> dict[str, Float[Tensor, "image feature h w"]]:
        """Features of some of the group's images, float32."""
        return {layer: torch.from_numpy(array[rows]).float() for layer, array in self._arrays.items()}

    def only(self, layers: Sequence[str]) -> "FeatureGroup":
        """Some of the layers."""
        return replace(
            self,
            grids={layer: self.grids[layer] for layer in layers},
            _arrays={layer: self._arrays[layer] for layer in layers},
        )

    def with_layers_of(self, other: "FeatureGroup", name: Callable[[str], str]) -> "FeatureGroup":
        """With other features of the same images as well, whose layers are called here as `name` says."""
        return replace(
            self,
            grids=self.grids | {name(layer): grid for layer, grid in other.grids.items()},
            _arrays=self._arrays | {name(layer): array for layer, array in other._arrays.items()},
        )


class FeatureCache:
    """Features of chosen layers for all images of a data set: float16 arrays on disk, one a layer and image size.

    A layer is kept under a key made of all that its values depend on: the backbone and the hash of its weights, padding
    and shrinking, how the images are seen, the kind of device, and the images. An interrupted computation goes on with
    the images that are missing.

    Parameters
    ----------
    model
        Says which features of which backbone.
    dataset
        Whose images.
    folder
        Where the arrays are; by default in the user's cache folder.
    finest_step
        Layers whose values lie closer than so many px of the image are averaged to this distance, which makes features
        of many layers small enough to be kept; None keeps them as they are.
    mirrored
        Features of the images' mirror images.
    crop
        Features of a part of each image.
    autocast
        Makes a context in which they are computed, in another precision.
    """

    def __init__(
        self,
        model: FeatureSource,
        dataset: Dataset,
        folder: str | os.PathLike[str] | None = None,
        *,
        finest_step: int | None = None,
        mirrored: bool = False,
        crop: Crop = WHOLE,
        autocast: Autocast = nullcontext,
    ) -> None:
        self.model = model
        self.dataset = dataset
        self.finest_step = finest_step
        self.mirrored, self.crop, self.autocast = mirrored, crop, autocast
        self.root = Path(folder or cache_folder("") / "features")

    @cached_property
    def key(self) -> str:
        """A name made of everything that the features depend on, but for the layer."""
        chosen = dict(self.model.features_depend_on)
        if self.finest_step is not None:
            chosen["finest_step"] = self.finest_step
        if self.mirrored:
            chosen["mirrored"] = True
        if self.crop != WHOLE:
            chosen["crop"] = self.crop.share
        device = self.model.device.type
        if device != "cpu":  # its convolutions may round otherwise
            chosen["device"] = device
        with self.autocast():
            if torch.is_autocast_enabled(device):
                chosen["precision"] = str(torch.get_autocast_dtype(device))
        digest = hashlib.sha256(json.dumps(chosen, sort_keys=True).encode())
        weights = weights_path(chosen["backbone"])
        if weights.is_file():
            digest.update(hashlib.sha256(weights.read_bytes()).digest())
        for stimulus in self.dataset.stimuli:
            digest.update(stimulus.id.encode() + stimulus.digest())
        return f"{safe_file_name(self.dataset.name)}-{chosen['backbone']}-{digest.hexdigest()[:12]}"

    @property
    def folder(self) -> Path:
        """Where the arrays are."""
        return self.root / self.key

    def n_missing_bytes(self) -> int:
        """What the features that are not kept yet will take."""
        return sum(
            2 * len(images) * int(np.prod(self._shape(layer, grid)))
            for size, images in self.dataset.stimuli.by_size().items()
            for layer, grid in self._grids(self.crop.size(size)).items()
            if not _is_whole(self.folder / _file(layer, size), len(images), grid)
        )

    def groups(self, progress: Report | None = None, *, tell: bool = True) -> list[FeatureGroup]:
        """The features, image size by image size; what is missing is computed first.

        `tell`: say before what room it takes (see `tell_of_room`).

        Raises
        ------
        FovealError
            If the folder cannot be written to, the disk has no room for them, or an image cannot be read.
        """
        folder = make_writable_folder(self.folder)
        if tell:
            tell_of_room([self])
        by_size = self.dataset.stimuli.by_size()
        grids = {size: self._grids(self.crop.size(size)) for size in by_size}
        groups, done = [], 0
        for size, images in by_size.items():
            report = Progress.of(progress).counting("features", len(self.dataset), before=done)
            if self._missing(folder, size, images, grids[size]):
                with FileLock(folder / "lock"):  # runs side by side may want the same
                    self._compute(folder, size, images, grids[size], report)
            arrays = {layer: np.load(folder / _file(layer, size), mmap_mode="c") for layer in grids[size]}
            groups.append(FeatureGroup(self.crop.size(size), images, grids[size], arrays))
            report(len(images))
            done += len(images)
        return groups

    def _features(self, images: Float[Tensor, "image 3 height width"]) -> dict[str, Float[Tensor, "image _ _ _"]]:
        size = images.shape[2], images.shape[3]
        features, sources = self.model.features(images.flip(3) if self.mirrored else images), self.model.grids(size)
        for layer, grid in self._grids(size).items():
            if grid != sources[layer]:
                features[layer] = resample(features[layer], sources[layer], grid)
        return features

    def _grids(self, size: tuple[int, int]) -> dict[str, Grid]:
        """Where the values that are kept of an image of this size lie in it."""
        grids, step = self.model.grids(size), self.finest_step
        if step is None:
            return grids
        coarse = Grid.of_cells(size, step)
        return {layer: coarse if grid.rows.step < step else grid for layer, grid in grids.items()}

    @cached_property
    def _channels(self) -> dict[str, int]:
        """Numbers of the layers' features."""
        with torch.inference_mode():
            smallest = self.crop.size(min(self.dataset.stimuli.by_size(), key=math.prod))
            features = self.model.features(torch.zeros(1, 3, *smallest, device=self.model.device))
        return {layer: maps.shape[1] for layer, maps in features.items()}

    def _shape(self, layer: str, grid: Grid) -> tuple[int, int, int]:
        return self._channels[layer], grid.rows.length, grid.columns.length

    @torch.inference_mode()
    def _compute(
        self,
        folder: Path,
        size: tuple[int, int],
        images: Sequence[int],
        grids: dict[str, Grid],
        report: Callable[[int], None],
    ) -> None:
        """Fill in the arrays of one image size; they take their names when they are whole."""
        missing = self._missing(folder, size, images, grids)
        if not missing:
            return
        # Runs that want other layers count for themselves. The names of all layers would be too long a name.
        together = hashlib.sha256("-".join(missing).encode()).hexdigest()[:12]
        unfinished = {layer: folder / f"{UNFINISHED}{together}-{_file(layer, size)}" for layer in missing}
        count = folder / f"{UNFINISHED}{together}-{_extent(size)}.txt"
        shapes = {layer: (len(images), *self._shape(layer, grids[layer])) for layer in missing}
        done = _read_count(count, len(images))
        for layer, path in unfinished.items():
            if not path.is_file() or path.stat().st_size < _size_of(shapes[layer], done):
                done = 0
        for layer, path in unfinished.items():
            _cut(path, shapes[layer], done)
        batches = [images[start : start + BATCH_SIZE] for start in range(done, len(images), BATCH_SIZE)]
        for pixels, problems in computed_ahead(self.dataset.stimuli.read, batches):
            if problems:
                raise FovealError(problems[0])
            seen = [self.crop.cut(pixels[image], image) for image in pixels]
            with self.autocast():
                features = self._features(stacked(seen).to(self.model.device))
            for layer, path in unfinished.items():
                _append(path, features[layer].float().cpu().numpy())
            done += len(pixels)
            with write_atomically(count) as temporary:
                temporary.write_text(str(done))
            report(done)
        for layer, path in unfinished.items():
            path.replace(folder / _file(layer, size))
            # Others had begun this layer together with further ones; without it, theirs are not gone on with.
            for begun in folder.glob(f"{UNFINISHED}*-{glob.escape(_file(layer, size))}"):
                for path_of_run in folder.glob(f"{begun.name[: len(together) + len(UNFINISHED)]}*-{_extent(size)}.*"):
                    path_of_run.unlink()
        count.unlink()

    def _missing(self, folder: Path, size: tuple[int, int], images: Sequence[int], grids: dict[str, Grid]) -> list[str]:
        """Layers whose array of one image size is not there, or not whole."""
        return [layer for layer, grid in grids.items() if not _is_whole(folder / _file(layer, size), len(images), grid)]


def tell_of_room(caches: Sequence[FeatureCache]) -> None:
    """Say, in a note, what the features will take that some caches do not have yet; nothing if they have all.

    Raises
    ------
    FovealError
        If the disk has no room for them.
    """
    missing = {cache.folder: cache.n_missing_bytes() for cache in caches}
    total = sum(missing.values())
    if not total:
        return
    folder = make_writable_folder(caches[0].root)
    size = f"{total / 1e9:.2f} GB" if total >= 1e8 else f"{total / 1e6:.1f} MB"
    n_images = sum(len(cache.dataset) for cache in caches if missing[cache.folder])
    seen = f"{n_images} images" if len(caches) == 1 else f"{n_images} images (in all views and scales)"
    warnings.warn(f"features of {seen} will take {size} in {folder}", FovealNote, stacklevel=2)
    if total > (free := shutil.disk_usage(folder).free):
        raise FovealError(f"{folder}: {size} of features, but {free / 1e9:.2f} GB are free")


def _file(layer: str, size: tuple[int, int]) -> str:
    return f"{layer}-{_extent(size)}.npy"


def _extent(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


def _header(shape: tuple[int, ...]) -> bytes:
    """The head of a NumPy file of float16."""
    head = io.BytesIO()
    description = {"descr": np.lib.format.dtype_to_descr(np.dtype(np.float16)), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(head, description)
    return head.getvalue()


def _size_of(shape: tuple[int, ...], done: int) -> int:
    """Bytes of a file that holds its head and the first so many images."""
    return len(_header(shape)) + done * math.prod(shape[1:]) * np.dtype(np.float16).itemsize


def _is_whole(path: Path, n_images: int, grid: Grid) -> bool:
    """Does a file hold the features of all images on this grid, to its end?"""
    try:
        array = np.load(path, mmap_mode="r")
    except Exception:  # whatever a broken file makes NumPy say; then all is computed again
        return False
    n_rows, n_columns = grid.rows.length, grid.columns.length
    return array.dtype == np.float16 and array.shape == (n_images, *array.shape[1:2], n_rows, n_columns)


def _read_count(path: Path, largest: int) -> int:
    """How many images an interrupted computation had done; none if that cannot be read."""
    try:
        count = int(path.read_bytes())
    except (OSError, ValueError):
        return 0
    return count if 0 <= count <= largest else 0


def _cut(path: Path, shape: tuple[int, ...], done: int) -> None:
    """Make a file end after the first so many images, where the next are appended."""
    with _writing(path), path.open("r+b" if done else "wb") as file:
        if not done:
            file.write(_header(shape))
        file.truncate(_size_of(shape, done))


def _append(path: Path, features: Float[np.ndarray, "image feature h w"]) -> None:
    # Not through a memory map: on a full disk, that would end the process by a signal.
    with _writing(path), path.open("ab") as file:
        file.write(features.astype(np.float16).tobytes())


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FovealError(f"{path.parent}: features cannot be written ({first_line(error)})") from error
