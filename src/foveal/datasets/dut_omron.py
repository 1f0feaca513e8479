"""DUT-OMRON: 5,168 small photographs, five observers each."""

from pathlib import Path

import numpy as np

from foveal.datasets.catalogue import Contents, DatasetCard, register_dataset
from foveal.datasets.matlab import columns, read_mat
from foveal.datasets.read_once import read_once
from foveal.datasets.scale import stimuli_of_assumed_scale
from foveal.errors import FovealError
from foveal.gaze import Fixations
from foveal.gaze.folds import named_folds
from foveal.images import find_images

CARD = DatasetCard(
    name="dut-omron",
    title="DUT-OMRON",
    images=5168,
    observers=5,
    licence="see the authors' page",
    citation="Yang, Zhang, Lu, Ruan & Yang, Saliency detection via graph-based manifold ranking, CVPR 2013",
    url="http://saliencydetection.net/dut-omron",
    pixels_per_degree=None,
    how_to_get="unpack DUT-OMRON-image.zip and DUT-OMRON-eye-fixations.zip into <data root>/dut-omron; needed are "
    "DUT-OMRON-image/*.jpg and DUT-OMRON-eye-fixations/mat/*.mat",
    found_by=("DUT-OMRON-eye-fixations/mat",),
    gaze="by observer, numbered anew in each image",
    facts="Fixations have no order and no durations. The authors left some out before they published them.",
)


@register_dataset(CARD)
def read_dut_omron(folder: Path) -> Contents:
    """Read `mat/<stem>.mat`: `s`, rows [x, y, subject], the first of which is the size of the photograph.

    Positions are counted from zero: some are zero. Subjects are counted from one.
    """
    if not (folder / "DUT-OMRON-image").is_dir():
        raise FileNotFoundError(2, "no such folder", str(folder / "DUT-OMRON-image"))
    sources, left_out = find_images(folder / "DUT-OMRON-image")
    if not sources:
        raise FovealError(f"{folder / 'DUT-OMRON-image'}: no photographs")
    mats = [folder / "DUT-OMRON-eye-fixations/mat" / f"{source.stem}.mat" for source in sources]

    def read() -> tuple[Fixations, tuple[str, ...]]:
        rows = [np.stack(columns(read_mat(mat, "s"), 3, mat), axis=1)[1:] for mat in mats]
        image = np.repeat(np.arange(len(rows)), [len(some) for some in rows])
        x, y, subject = np.concatenate(rows).T
        return Fixations.of(image, x, y, subject.astype(np.int64) - 1), ()

    fixations, notes = read_once(CARD.name, mats, read)
    return Contents(
        stimuli_of_assumed_scale(sources), fixations, named_folds(len(sources)), notes, problems=tuple(left_out)
    )
