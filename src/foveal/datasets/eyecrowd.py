"""EyeCrowd: 500 photographs of crowds, 16 observers."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from foveal.datasets.catalogue import Contents, DatasetCard, register_dataset
from foveal.datasets.matlab import ONE_BASED, field, fields, read_fixation_structs, read_mat
from foveal.errors import FovealError
from foveal.gaze import Heads

CARD = DatasetCard(
    name="eyecrowd",
    title="EyeCrowd (Saliency in Crowd)",
    images=500,
    observers=16,
    licence="MIT",
    citation="Jiang, Xu & Zhao, Saliency in crowd, ECCV 2014",
    url="https://github.com/NUS-VIP/saliency-in-crowd",
    pixels_per_degree=26.0,
    how_to_get="clone the repository into <data root>/eyecrowd; needed are stimuli/*.jpg and eye/fixations.mat, "
    "there or in the folder data; labels.mat beside eye says where the heads are",
    found_by=("eye/fixations.mat", "data/eye/fixations.mat"),
)


@register_dataset(CARD)
def read_eyecrowd(folder: Path) -> Contents:
    """Read the layout of the authors' repository; the forced first fixation of each scanpath is left out."""
    base = folder / "data" if (folder / "data/eye").is_dir() else folder
    contents = read_fixation_structs(
        base / "eye/fixations.mat",
        base / "stimuli",
        pixels_per_degree=CARD.pixels_per_degree,
        first_is_forced=True,
    )
    labels = base / "labels.mat"
    return replace(contents, heads=_heads(labels, contents.stimuli.ids)) if labels.is_file() else contents


def _heads(mat: Path, names: tuple[str, ...]) -> tuple[Heads, ...]:
    """The labelled heads of each photograph."""
    structs = {str(field(struct, "img", mat)): struct for struct in np.atleast_1d(read_mat(mat, "labels"))}
    unlabelled = [name for name in names if name not in structs]
    if unlabelled:
        raise FovealError(f"{mat}: says nothing of {unlabelled[0]}")
    return tuple(_heads_of(np.atleast_1d(field(structs[name], "faces", mat)), mat) for name in names)


def _heads_of(structs: np.ndarray, mat: Path) -> Heads:
    rows = [fields(struct, ("left", "top", "width", "height", "isBackFace"), mat) for struct in structs]
    heads = np.array(rows, dtype=np.float64).reshape(-1, 5)
    return Heads(heads[:, :4] - (ONE_BASED, ONE_BASED, 0, 0), heads[:, 4] == 0)
