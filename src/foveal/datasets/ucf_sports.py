"""UCF Sports: 150 short films of sport from television, watched to recognize what people do in them."""

from dataclasses import replace
from pathlib import Path

from foveal.datasets.catalogue import Contents, DatasetCard, register_dataset
from foveal.datasets.film_frames import FACTS, PARTS, FilmFolder, folders_in, read_film_frames

CARD = DatasetCard(
    name="ucf-sports",
    title="UCF Sports (frames, as the authors of DHF1K pack them)",
    images=9580,
    observers=16,
    licence="see the authors' page",
    citation="Mathe & Sminchisescu, Actions in the eye: Dynamic gaze datasets and learnt saliency models for visual "
    "recognition, IEEE TPAMI 37(7), 2015",
    url="http://vision.imar.ro/eyetracking/description.php",
    pixels_per_degree=None,
    how_to_get="unpack the archive that the authors of DHF1K pack into <data root>/ucf-sports; needed are "
    "{training,testing}/<action>-NNN/images/*.png and {training,testing}/<action>-NNN/fixation/*.png",
    found_by=PARTS,
    gaze="of all observers together",
    facts=f"{FACTS} Most observers had the task to recognize actions.",
)


@register_dataset(CARD)
def read_ucf_sports(folder: Path) -> Contents:
    """Read `{training,testing}/<action>-NNN/images/*.png` and, for each, the map of its name in `fixation`.

    Splits: `training` and `testing`. The category of a frame is the action.
    """
    films = [FilmFolder(film, part) for part in PARTS for film in folders_in(folder / part)]
    contents = read_film_frames(CARD.name, films, folder)
    actions = (Path(name).parent.parent.name.rsplit("-", 1)[0] for name in contents.stimuli.ids)
    return replace(contents, categories=tuple(actions))
