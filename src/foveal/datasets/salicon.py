"""SALICON: 20,000 photographs from MS COCO, looked at with the mouse through a window that is sharp in its middle.

Three data sets of one set of photographs: the fixations of 2015, those that the authors computed anew in 2017, and the
samples of the mouse that came first, as JSON.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from foveal.datasets.catalogue import Contents, DatasetCard, register_dataset
from foveal.datasets.json_file import entries, read_json
from foveal.datasets.matlab import ONE_BASED, Scanpath, columns, concatenate_scanpaths, field, read_mat
from foveal.datasets.read_once import read_once
from foveal.datasets.scale import stimuli_of_assumed_scale
from foveal.errors import FovealError
from foveal.gaze import Fixations
from foveal.images import find_images

PARTS = ("train", "val", "test")
WITH_FIXATIONS = ("train", "val")

_MOUSE = "No eye tracker: the mouse moved the sharp window. The fixations of the 5,000 test images are not public. "

SALICON_2017 = DatasetCard(
    name="salicon-2017",
    title="SALICON, release of 2017 (LSUN challenge)",
    images=20_000,
    observers=60,
    licence="see the authors' page",
    citation="Jiang, Huang, Duan & Zhao, SALICON: Saliency in Context, CVPR 2015",
    url="http://salicon.net",
    pixels_per_degree=None,
    how_to_get="unpack the images and the fixations (MATLAB) of 2017 from the authors' page into "
    "<data root>/salicon-2017; needed are images/{train,val,test}/*.jpg and fixations/{train,val}/*.mat; images can be "
    "a link to a folder",
    found_by=("fixations/train", "fixations/val"),
    gaze="by observer, numbered anew in each image",
    facts=_MOUSE + "Fixations were found by another algorithm than in 2015.",
)
SALICON_2015 = replace(
    SALICON_2017,
    name="salicon-2015",
    title="SALICON, release of 2015",
    how_to_get=SALICON_2017.how_to_get.replace("2017", "2015"),
    facts=_MOUSE + "Published models were mostly trained on this release.",
)
SALICON_MOUSE = replace(
    SALICON_2017,
    name="salicon-mouse",
    title="SALICON, samples of the mouse (JSON of 2015, r1)",
    how_to_get="unpack the images and the annotations (JSON, 2015r1) from the authors' page into "
    "<data root>/salicon-mouse; needed are images/{train,val,test}/*.jpg and annotations/fixations_{train,val}*.json",
    found_by=("annotations",),
    gaze="by observer",
    facts=_MOUSE + "These are samples of the mouse and no fixations: slow places count more.",
)


@register_dataset(SALICON_2017)
def read_salicon_2017(folder: Path) -> Contents:
    """Read `fixations/{train,val}/<stem>.mat`; splits: `train`, `val`, `test`."""
    return _read_release(SALICON_2017.name, folder)


@register_dataset(SALICON_2015)
def read_salicon_2015(folder: Path) -> Contents:
    """Read `fixations/{train,val}/<stem>.mat`; splits: `train`, `val`, `test`."""
    return _read_release(SALICON_2015.name, folder)


@register_dataset(SALICON_MOUSE)
def read_salicon_mouse(folder: Path) -> Contents:
    """Read `annotations/fixations_{train,val}*.json`; splits: `train`, `val`, `test`.

    Positions are (row, column), counted from one. Observers are known by their `worker_id`.
    """
    part_of, left_out = _photographs(folder)
    position = {source.name: image for image, source in enumerate(part_of)}
    scanpaths: list[Scanpath] = []
    workers: dict[str, int] = {}
    files = []
    for part in WITH_FIXATIONS:
        if part in part_of.values():
            files.append(_annotations(folder, part))
            scanpaths += _mouse_paths(files[-1], position, workers)
    fixations, notes = concatenate_scanpaths(iter(scanpaths), folder / "annotations", origin=ONE_BASED)
    return _contents(part_of, fixations, notes, left_out)


def _read_release(name: str, folder: Path) -> Contents:
    """One .mat an image: `gaze(i).fixations`, rows [x, y] counted from one, of each of its observers."""
    part_of, left_out = _photographs(folder)
    mats = {
        image: folder / "fixations" / part / f"{source.stem}.mat"
        for image, (source, part) in enumerate(part_of.items())
        if part in WITH_FIXATIONS
    }

    def read() -> tuple[Fixations, tuple[str, ...]]:
        rows = np.concatenate([np.zeros((0, 5)), *(_rows_of(image, mat) for image, mat in mats.items())])
        good = np.isfinite(rows).all(axis=1)
        image, x, y, subject, order = rows[good].T
        lost = f"{folder / 'fixations'}: {(~good).sum()} fixations without coordinates left out"
        return Fixations.of(image, x, y, subject, order), () if good.all() else (lost,)

    fixations, notes = read_once(name, list(mats.values()), read)
    return _contents(part_of, fixations, notes, left_out)


def _rows_of(image: int, mat: Path) -> Float[np.ndarray, "fixation 5"]:
    """Image, x, y, subject and order of the fixations on one image; a scanpath each would take too much memory."""
    observers = np.atleast_1d(read_mat(mat, "gaze"))
    paths = [np.stack(columns(field(observer, "fixations", mat), 2, mat), axis=1) for observer in observers]
    lengths = [len(path) for path in paths]
    rows = np.zeros((sum(lengths), 5))
    rows[:, 0] = image
    rows[:, 1:3] = np.concatenate([rows[:0, 1:3], *paths]) - ONE_BASED
    rows[:, 3] = np.repeat(np.arange(len(paths)), lengths)
    rows[:, 4] = np.concatenate([rows[:0, 4], *map(np.arange, lengths)])
    return rows


def _photographs(folder: Path) -> tuple[dict[Path, str], list[str]]:
    """The photographs in the order of the parts, each with its part; and a line for each thing left out."""
    if not (folder / "images").is_dir():
        raise FileNotFoundError(2, "no such folder", str(folder / "images"))
    part_of: dict[Path, str] = {}
    left_out: list[str] = []
    for part in PARTS:
        sources, problems = find_images(folder / "images" / part) if (folder / "images" / part).is_dir() else ([], [])
        part_of |= dict.fromkeys(sources, part)
        left_out += problems
    if not part_of:
        raise FovealError(f"{folder / 'images'}: no photographs in {', '.join(PARTS)}")
    return part_of, left_out


def _contents(
    part_of: dict[Path, str], fixations: Fixations, notes: tuple[str, ...], left_out: Sequence[str]
) -> Contents:
    parts = np.array(list(part_of.values()))
    splits = {part: np.flatnonzero(parts == part) for part in PARTS if part in parts}
    return Contents(stimuli_of_assumed_scale(list(part_of)), fixations, splits, notes, problems=tuple(left_out))


def _annotations(folder: Path, part: str) -> Path:
    """The JSON file of one part, whose name differs between releases after its part."""
    found = sorted((folder / "annotations").glob(f"fixations_{part}*.json"))
    if len(found) > 1:
        raise FovealError(f"{folder / 'annotations'}: {len(found)} files fixations_{part}*.json; keep one")
    return found[0] if found else folder / "annotations" / f"fixations_{part}2014.json"


def _mouse_paths(path: Path, position: dict[str, int], workers: dict[str, int]) -> Iterator[Scanpath]:
    """The path of each observer on each photograph that is there; `workers` numbers them, and grows."""
    contents = read_json(path)
    contents = contents if isinstance(contents, dict) else {}
    file_of = {str(number): str(name) for number, name in entries(contents.get("images"), ("id", "file_name"), path)}
    for image_id, worker, rows in entries(contents.get("annotations"), ("image_id", "worker_id", "fixations"), path):
        if (name := file_of.get(str(image_id))) is None:
            raise FovealError(f"{path}: annotations of the image {image_id}, which is not among its images")
        if name in position:
            y, x = columns(rows, 2, path)
            subject = workers.setdefault(str(worker), len(workers))
            yield Scanpath(position[name], subject, x, y, np.full(len(x), np.nan))
