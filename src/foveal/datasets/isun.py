"""iSUN: 8,926 scenes of SUN, looked at in front of webcams at home (LSUN challenge of 2015)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from foveal.datasets.catalogue import Contents, DatasetCard, register_dataset
from foveal.datasets.matlab import Scanpath, columns, concatenate_scanpaths, field, read_mat
from foveal.datasets.scale import stimuli_of_assumed_scale

PARTS = ("training", "validation", "testing")

CARD = DatasetCard(
    name="isun",
    title="iSUN",
    images=8926,
    observers=3,
    licence="see the authors' page",
    citation="Xu, Ehinger, Zhang, Finkelstein, Kulkarni & Xiao, TurkerGaze: Crowdsourcing saliency with webcam based "
    "eye tracking, arXiv:1504.06755, 2015",
    url="http://lsun.cs.princeton.edu",
    pixels_per_degree=None,
    how_to_get="unpack image.zip into <data root>/isun, and put training.mat, validation.mat and testing.mat beside "
    "it; needed are images/*.jpg, training.mat and validation.mat",
    found_by=("training.mat",),
    gaze="by observer, numbered anew in each image",
    facts="Webcams are far less accurate than eye trackers. Durations are not published, nor the fixations of the "
    "testing images. Nothing says whether pixels are counted from zero or one: they are taken as they are.",
)


@register_dataset(CARD)
def read_isun(folder: Path) -> Contents:
    """Read `training.mat`, `validation.mat` and, if it is there, `testing.mat`; each is a split.

    Each holds a struct array of its name: `image` (a name without .jpg), and `gaze` with `fixation`, rows [x, y], of
    each observer.
    """
    parts = [part for part in PARTS if part != "testing" or (folder / "testing.mat").is_file()]
    names: list[str] = []
    gaze: list[tuple[Path, Any]] = []
    splits = {}
    for part in parts:
        mat = folder / f"{part}.mat"
        structs = np.atleast_1d(read_mat(mat, part))
        splits[part] = np.arange(len(names), len(names) + len(structs))
        names += [f"{field(struct, 'image', mat)}.jpg" for struct in structs]
        gaze += [(mat, field(struct, "gaze", mat) if part != "testing" else []) for struct in structs]
    sources = [folder / "images" / name for name in names]
    for source in sources:
        if not source.is_file():
            raise FileNotFoundError(2, "no such file", str(source))

    def scanpaths() -> Iterator[Scanpath]:
        for image, (mat, observers) in enumerate(gaze):
            for subject, fixations in enumerate(_of_each(observers, mat)):
                x, y = columns(fixations, 2, mat)
                yield Scanpath(image, subject, x, y, np.full(len(x), np.nan))

    fixations, notes = concatenate_scanpaths(scanpaths(), folder / "training.mat", origin=0.0)
    return Contents(stimuli_of_assumed_scale(sources, names), fixations, splits, notes)


def _of_each(observers: Any, mat: Path) -> Iterator[Any]:
    """The fixations of each observer: of a struct each, or of the cells of one struct."""
    for observer in np.atleast_1d(observers):
        fixations = field(observer, "fixation", mat)
        yield from fixations if isinstance(fixations, np.ndarray) and fixations.dtype == object else [fixations]
