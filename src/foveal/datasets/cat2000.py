"""CAT2000: 2,000 pictures in 20 categories from actions to noise, the part whose fixations are public."""

from pathlib import Path

from foveal.datasets.catalogue import Contents, DatasetCard, register_dataset
from foveal.datasets.matlab import masked_pixels, of_everybody, read_mat
from foveal.datasets.read_once import read_once
from foveal.datasets.scale import stimuli_of_assumed_scale
from foveal.errors import FovealError
from foveal.gaze import Fixations
from foveal.gaze.folds import named_folds
from foveal.images import find_images

CARD = DatasetCard(
    name="cat2000",
    title="CAT2000 (train set)",
    images=2000,
    observers=18,
    licence="see the authors' page",
    citation="Borji & Itti, CAT2000: A large scale fixation dataset for boosting saliency research, "
    "CVPR 2015 workshop on the future of datasets",
    url="http://saliency.mit.edu/datasets.html",
    pixels_per_degree=None,
    how_to_get="unpack trainSet.zip into <data root>/cat2000; needed are trainSet/Stimuli/*/*.jpg and "
    "trainSet/FIXATIONLOCS/*/*.mat",
    found_by=("trainSet/FIXATIONLOCS", "FIXATIONLOCS"),
    gaze="of all observers together",
    facts="Read from the maps in FIXATIONLOCS, where a pixel counts once: who looked, and when, is only in "
    "allFixData.mat, which needs MATLAB. Smaller pictures have gray margins.",
)


@register_dataset(CARD)
def read_cat2000(folder: Path) -> Contents:
    """Read `FIXATIONLOCS/<category>/<number>.mat`: `fixLocs`, 1 where anybody looked at a picture's pixel.

    Categories are the folders of the pictures; maps of models in a folder `Output` below them are passed over.
    """
    base = folder / "trainSet" if (folder / "trainSet").is_dir() else folder
    if not (base / "Stimuli").is_dir():
        raise FileNotFoundError(2, "no such folder", str(base / "Stimuli"))
    pictures, left_out = find_images(base / "Stimuli")
    sources = [path for path in pictures if path.parent.parent == base / "Stimuli"]
    if not sources:
        raise FovealError(f"{base / 'Stimuli'}: no pictures in folders of categories")
    ids = [path.relative_to(base / "Stimuli").as_posix() for path in sources]
    stimuli = stimuli_of_assumed_scale(sources, ids)
    mats = [base / "FIXATIONLOCS" / source.parent.name / f"{source.stem}.mat" for source in sources]

    def read() -> tuple[Fixations, tuple[str, ...]]:
        sizes = stimuli.sizes.tolist()
        return of_everybody(
            masked_pixels(read_mat(mat, "fixLocs"), (height, width), f"{mat}: fixLocs")
            for mat, (height, width) in zip(mats, sizes, strict=True)
        ), ()

    fixations, _ = read_once(CARD.name, mats, read)
    categories = tuple(source.parent.name for source in sources)
    return Contents(stimuli, fixations, named_folds(len(ids)), categories=categories, problems=tuple(left_out))
