"""OSIE: 700 photographs with objects and their attributes in view, 15 observers."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from foveal.datasets.catalogue import Contents, DatasetCard, register_dataset
from foveal.datasets.labelled import scenes_of
from foveal.datasets.matlab import read_fixation_structs

CARD = DatasetCard(
    name="osie",
    title="OSIE (Object and Semantic Images and Eye-tracking)",
    images=700,
    observers=15,
    licence="MIT",
    citation="Xu, Jiang, Wang, Kankanhalli & Zhao, Predicting human gaze beyond pixels, J. Vision 14(1):28, 2014",
    url="https://github.com/NUS-VIP/predicting-human-gaze-beyond-pixels",
    pixels_per_degree=24.0,
    how_to_get="clone the repository into <data root>/osie; needed are data/stimuli/*.jpg and data/eye/fixations.mat",
    found_by=("data/eye/fixations.mat",),
)


@register_dataset(CARD)
def read_osie(folder: Path) -> Contents:
    """Read the layout of the authors' repository; the forced first fixation of each scanpath is left out.

    Split `every14`: images 1001 to 1700 in steps of 14, the 50 on which published models were compared. Categories are
    21 kinds of scene, labelled for this project.
    """
    contents = read_fixation_structs(
        folder / "data/eye/fixations.mat",
        folder / "data/stimuli",
        pixels_per_degree=CARD.pixels_per_degree,
        first_is_forced=True,
    )
    every14 = {"every14": np.arange(0, len(contents.stimuli), 14)}
    scene_of = scenes_of(CARD.name)
    return replace(
        contents,
        splits={**contents.splits, **every14},
        categories=tuple(scene_of.get(name, "other") for name in contents.stimuli.ids),
    )
