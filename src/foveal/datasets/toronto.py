"""Toronto: 120 photographs of rooms and streets, 20 observers; the data set of AIM."""

from pathlib import Path

from foveal.datasets.catalogue import Contents, DatasetCard, register_dataset
from foveal.datasets.matlab import masked_pixels, of_everybody, read_cells
from foveal.datasets.numbered import numbered_images
from foveal.datasets.scale import stimuli_of_assumed_scale
from foveal.errors import FovealError
from foveal.gaze.folds import named_folds

CARD = DatasetCard(
    name="toronto",
    title="Toronto (Bruce & Tsotsos)",
    images=120,
    observers=20,
    licence="see the authors' page",
    citation="Bruce & Tsotsos, Attention based on information maximization, J. Vision 7(9):950, 2007",
    url="http://www-sop.inria.fr/members/Neil.Bruce/",
    pixels_per_degree=None,
    how_to_get="unpack eyetrackingdata.zip into <data root>/toronto; needed are "
    "eyetrackingdata/fixdens/Original Image Set/*.jpg and eyetrackingdata/fixdens/origfixdata.mat",
    found_by=("eyetrackingdata/fixdens/origfixdata.mat", "fixdens/origfixdata.mat"),
    gaze="of all observers together",
    facts="A pixel counts once. The files of single observers are not used: their positions are not pixels of the "
    "photographs.",
)


@register_dataset(CARD)
def read_toronto(folder: Path) -> Contents:
    """Read `origfixdata.mat`: cells `white`, one map a photograph in the order of their numbers, not 0 at fixations."""
    base = folder / "eyetrackingdata" if (folder / "eyetrackingdata").is_dir() else folder
    mat = base / "fixdens/origfixdata.mat"
    cells = read_cells(mat, "white")
    sources, left_out = numbered_images(base / "fixdens/Original Image Set")
    if len(cells) != len(sources):
        raise FovealError(f"{mat}: maps of {len(cells)} photographs, but {len(sources)} are there")
    stimuli = stimuli_of_assumed_scale(sources)
    fixations = of_everybody(
        masked_pixels(cell, (height, width), f"{mat}: map {number}")
        for number, (cell, (height, width)) in enumerate(zip(cells, stimuli.sizes.tolist(), strict=True), 1)
    )
    return Contents(stimuli, fixations, named_folds(len(sources)), problems=tuple(left_out))
