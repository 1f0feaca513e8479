"""EyeCrowd: 500 photographs of crowds, 16 observers."""

from pathlib import Path

from foveal.datasets.catalogue import Contents, DatasetCard, register_dataset
from foveal.datasets.matlab import read_fixation_structs

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
    "there or in the folder data",
    found_by=("eye/fixations.mat", "data/eye/fixations.mat"),
)


@register_dataset(CARD)
def read_eyecrowd(folder: Path) -> Contents:
    """Read the layout of the authors' repository; the forced first fixation of each scanpath is left out."""
    base = folder / "data" if (folder / "data/eye").is_dir() else folder
    return read_fixation_structs(
        base / "eye/fixations.mat",
        base / "stimuli",
        pixels_per_degree=CARD.pixels_per_degree,
        first_is_forced=True,
    )
