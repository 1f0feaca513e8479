"""Scene: 500 places and landscapes from SUN2012, few people in them, 12 observers."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from foveal.datasets.catalogue import Contents, DatasetCard, register_dataset
from foveal.datasets.matlab import Scanpath, concatenate_scanpaths, read_mat
from foveal.datasets.scale import stimuli_of_assumed_scale
from foveal.errors import FovealError
from foveal.gaze.folds import named_folds
from foveal.images import find_images

CARD = DatasetCard(
    name="scene",
    title="Scene saliency on SUN2012",
    images=500,
    observers=12,
    licence="MIT",
    citation="Haoran Liang et al., fixations on scenes of SUN2012, 2015",
    url="no public address known to us",
    pixels_per_degree=None,
    how_to_get="ask the author (Haoran Liang), and put the folders into <data root>/scene; needed are stimuli/*.jpg "
    "and tidy/fixations.mat",
    found_by=("tidy/fixations.mat",),
)


@register_dataset(CARD)
def read_scene(folder: Path) -> Contents:
    """Read `tidy/fixations.mat`: a cell array, image by observer, of rows [y, x, start s, duration s].

    Positions are continuous, from the image's upper left corner. The first fixation of a scanpath stays in: it spreads
    as far as the later ones of other data sets, and nothing says that it was forced.
    """
    mat = folder / "tidy/fixations.mat"
    cells = read_mat(mat, "fixations")
    if not (folder / "stimuli").is_dir():
        raise FileNotFoundError(2, "no such folder", str(folder / "stimuli"))
    sources, left_out = find_images(folder / "stimuli")
    if cells.ndim != 2 or len(cells) != len(sources):
        raise FovealError(f"{mat}: fixations of {len(cells)} images, but {len(sources)} in {folder / 'stimuli'}")

    def scanpaths() -> Iterator[Scanpath]:
        for (image, subject), cell in np.ndenumerate(cells):
            rows = np.asarray(cell, dtype=np.float64).reshape(-1, 4)
            y, x, start, duration = rows.T
            yield Scanpath(image, subject, x, y, 1000 * duration, 1000 * start)

    # From the corner of the first pixel to its center: half a pixel.
    fixations, notes = concatenate_scanpaths(scanpaths(), mat, origin=0.5)
    return Contents(
        stimuli_of_assumed_scale(sources), fixations, named_folds(len(sources)), notes, problems=tuple(left_out)
    )
