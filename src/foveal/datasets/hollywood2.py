"""Hollywood-2: 1,707 clips of films, cut into shots, watched to recognize what people do in them."""

from pathlib import Path

from foveal.datasets.catalogue import Contents, DatasetCard, register_dataset
from foveal.datasets.film_frames import FACTS, PARTS, FilmFolder, folders_in, read_film_frames

CARD = DatasetCard(
    name="hollywood2",
    title="Hollywood-2 (frames, as the authors of DHF1K pack them)",
    images=487_000,
    observers=16,
    licence="see the authors' page",
    citation="Mathe & Sminchisescu, Actions in the eye: Dynamic gaze datasets and learnt saliency models for visual "
    "recognition, IEEE TPAMI 37(7), 2015",
    url="http://vision.imar.ro/eyetracking/description.php",
    pixels_per_degree=None,
    how_to_get="unpack the archive that the authors of DHF1K pack into <data root>/hollywood2; needed are "
    "{training,testing}/<clip>_<shot>/images/*.png and {training,testing}/<clip>_<shot>/fixation/*.png",
    found_by=PARTS,
    gaze="of all observers together",
    facts=f"{FACTS} The number of images is rounded. Most observers had the task to recognize actions.",
)


@register_dataset(CARD)
def read_hollywood2(folder: Path) -> Contents:
    """Read `{training,testing}/<clip>_<shot>/images/*.png` and, for each, the map of its name in `fixation`.

    Splits: `training` and `testing`. The numbers of frames go on from shot to shot.
    """
    shots = [FilmFolder(shot, part) for part in PARTS for shot in folders_in(folder / part)]
    return read_film_frames(CARD.name, shots, folder)
