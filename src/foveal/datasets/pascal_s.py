"""PASCAL-S: 850 photographs of PASCAL VOC 2010, looked at for two seconds."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from foveal.datasets.catalogue import Contents, DatasetCard, register_dataset
from foveal.datasets.matlab import ONE_BASED, Scanpath, columns, concatenate_scanpaths, read_cells
from foveal.datasets.numbered import numbered_images
from foveal.datasets.scale import stimuli_of_assumed_scale
from foveal.errors import FovealError
from foveal.gaze.folds import named_folds

CARD = DatasetCard(
    name="pascal-s",
    title="PASCAL-S",
    images=850,
    observers=8,
    licence="see the authors' page",
    citation="Li, Hou, Koch, Rehg & Yuille, The secrets of salient object segmentation, CVPR 2014",
    url="http://cbs.ic.gatech.edu/salobj/",
    pixels_per_degree=None,
    how_to_get="unpack salObj.zip into <data root>/pascal-s; needed are datasets/imgs/pascal/*.jpg and "
    "datasets/fixations/pascalFix.mat",
    found_by=("datasets/fixations/pascalFix.mat",),
    facts="Durations are not published. The outlines of salient objects are not read.",
)


@register_dataset(CARD)
def read_pascal_s(folder: Path) -> Contents:
    """Read `pascalFix.mat`: cells `fixCell`, one a photograph in the order of their numbers, rows [y, x, subject].

    All three are counted from one. The rows of a subject are taken to be in the order in which they were made.
    """
    mat = folder / "datasets/fixations/pascalFix.mat"
    cells = read_cells(mat, "fixCell")
    sources, left_out = numbered_images(folder / "datasets/imgs/pascal")
    if len(cells) != len(sources):
        raise FovealError(f"{mat}: fixations on {len(cells)} photographs, but {len(sources)} are there")

    def scanpaths() -> Iterator[Scanpath]:
        for image, cell in enumerate(cells):
            y, x, subject = columns(cell, 3, mat)
            for number in np.unique(subject):
                rows = subject == number
                yield Scanpath(image, int(number) - 1, x[rows], y[rows], np.full(rows.sum(), np.nan))

    fixations, notes = concatenate_scanpaths(scanpaths(), mat, origin=ONE_BASED)
    return Contents(
        stimuli_of_assumed_scale(sources), fixations, named_folds(len(sources)), notes, problems=tuple(left_out)
    )
