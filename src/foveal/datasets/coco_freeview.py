"""COCO-FreeView: photographs of MS COCO on a screen, ten observers who looked freely."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from foveal.datasets.catalogue import Contents, DatasetCard, register_dataset
from foveal.datasets.json_file import entries, read_json
from foveal.datasets.matlab import Scanpath, concatenate_scanpaths
from foveal.datasets.scale import stimuli_of_assumed_scale
from foveal.errors import FovealError
from foveal.images import find_images

DISPLAY = (1050, 1680)  # height and width, px
FIXATIONS = "COCOFreeView_fixations_trainval.json"
FOLDERS = ("images", "coco_search18_images_TA")
SPLITS = ("train", "valid")

CARD = DatasetCard(
    name="coco-freeview",
    title="COCO-FreeView (train and validation)",
    images=4317,
    observers=10,
    licence="see the authors' page",
    citation="Chen, Yang, Chakraborty, Mondal, Ahn, Samaras, Hoai & Zelinsky, Characterizing target-absent human "
    "attention, CVPR 2022 workshops",
    url="https://sites.google.com/view/cocosearch/coco-freeview",
    pixels_per_degree=None,
    how_to_get=f"put {FIXATIONS} into <data root>/coco-freeview, and unpack COCOSearch18-images-TP.zip and "
    "COCOSearch18-images-TA.zip there; needed are the pictures images/*/*.jpg and coco_search18_images_TA/*/*.jpg, of "
    "1680 x 1050",
    found_by=(FIXATIONS,),
    facts="The pictures are what the screen showed: photographs with margins that fill 1680 x 1050. The fixations of "
    "the test images are not public. All fixations are kept, also the first: nothing says that it was forced.",
)


@register_dataset(CARD)
def read_coco_freeview(folder: Path) -> Contents:
    """Read the list of scanpaths: `name`, `subject` from 1, `X`, `Y` in px of the screen, `T` in ms, `split`.

    A picture that lies in the folders of several tasks is one picture. Splits: `train`, `valid`.
    """
    path = folder / FIXATIONS
    rows = entries(read_json(path), ("name", "subject", "X", "Y", "T", "split"), path)
    split_of = {str(name): split for name, *_, split in rows}
    names = sorted(split_of)
    place: dict[str, Path] = {}
    left_out: list[str] = []
    for pictures in FOLDERS:
        found, problems = find_images(folder / pictures) if (folder / pictures).is_dir() else ([], [])
        place = {source.name: source for source in found} | place
        left_out += problems
    for name in names:
        if name not in place:
            raise FileNotFoundError(2, "no such file", str(folder / "images" / name))
    stimuli = stimuli_of_assumed_scale([place[name] for name in names], names)
    others = np.flatnonzero((stimuli.sizes != DISPLAY).any(axis=1))
    if len(others):
        (height, width), source = stimuli.sizes[others[0]], stimuli.sources[others[0]]
        raise FovealError(f"{source}: {width} x {height} px; pictures of the whole screen are needed, 1680 x 1050")
    position = {name: image for image, name in enumerate(names)}

    def scanpaths() -> Iterator[Scanpath]:
        for name, subject, x, y, duration, _ in rows:
            try:
                columns = [np.asarray(column, dtype=np.float64).reshape(-1) for column in (x, y, duration)]
                yield Scanpath(position[str(name)], int(subject) - 1, *columns)
            except (TypeError, ValueError):
                raise FovealError(f"{path}: {name}, subject {subject}: X, Y and T must be lists of numbers") from None

    fixations, notes = concatenate_scanpaths(scanpaths(), path, origin=0.0)
    splits = {part: np.array([position[name] for name in names if split_of[name] == part], int) for part in SPLITS}
    return Contents(stimuli, fixations, splits, notes, problems=tuple(left_out))
