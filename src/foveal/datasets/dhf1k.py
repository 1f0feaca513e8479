"""DHF1K: 1,000 films of everyday scenes, sport, art and animals, 17 observers; fixations of 700 are public."""

from pathlib import Path

from foveal.datasets.catalogue import Contents, DatasetCard, register_dataset
from foveal.datasets.film_frames import FACTS, FilmFolder, folders_in, read_film_frames

LAST_FOR_TRAINING = 600  # number of a film, as the authors split them; the others are for validation

CARD = DatasetCard(
    name="dhf1k",
    title="DHF1K (frames with public fixations)",
    images=400_000,
    observers=17,
    licence="CC-BY 4.0",
    citation="Wang, Shen, Guo, Cheng & Borji, Revisiting video saliency: A large-scale benchmark and a new model, "
    "CVPR 2018",
    url="https://github.com/wenguanwang/DHF1K",
    pixels_per_degree=None,
    how_to_get="unpack the annotations into <data root>/dhf1k, and write the frames of video/NNN.AVI beside them as "
    "images, counted from one; needed are annotation/NNNN/images/*.png and annotation/NNNN/fixation/*.png",
    found_by=("annotation",),
    gaze="of all observers together",
    facts=f"{FACTS} The number of images is rounded. Fixations of films 701 to 1000 are not public.",
)


@register_dataset(CARD)
def read_dhf1k(folder: Path) -> Contents:
    """Read `annotation/NNNN/images/FFFF.png` and, for each, `annotation/NNNN/fixation/FFFF.png`.

    Splits: `train`, films 1 to 600, and `val`, films 601 to 700. Folders whose name is no number are passed over.
    """
    numbered = [film for film in folders_in(folder / "annotation") if film.name.isdecimal()]
    return read_film_frames(
        CARD.name,
        [FilmFolder(film, "train" if int(film.name) <= LAST_FOR_TRAINING else "val") for film in numbered],
        folder / "annotation",
    )
