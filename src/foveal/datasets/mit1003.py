"""MIT1003: 1003 photographs from Flickr and LabelMe, 15 observers."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from foveal.datasets.catalogue import Contents, DatasetCard, register_dataset
from foveal.datasets.matlab import (
    ONE_BASED,
    Scanpath,
    concatenate_scanpaths,
    field,
    read_fixation_structs,
    read_variables,
)
from foveal.errors import FovealError
from foveal.gaze import Stimuli
from foveal.gaze.events import detect_fixations
from foveal.images import find_images

ONE_SIZE = (768, 1024)  # height and width of the 463 photographs that DeepGaze I was trained on

CARD = DatasetCard(
    name="mit1003",
    title="MIT1003",
    images=1003,
    observers=15,
    licence="not stated",
    citation="Judd, Ehinger, Durand & Torralba, Learning to predict where humans look, ICCV 2009",
    url="https://people.csail.mit.edu/tjudd/WherePeopleLook/",
    pixels_per_degree=35.0,
    how_to_get="unpack ALLSTIMULI.zip and DATA.zip from the authors' page into <data root>/mit1003 (folders ALLSTIMULI "
    "and DATA); or, converted to the layout of OSIE, data/mit/stimuli/*.jpg and data/mit/eye/fixations.mat",
    found_by=("DATA", "data/mit/eye/fixations.mat"),
)


@register_dataset(CARD)
def read_mit1003(folder: Path) -> Contents:
    """Read the authors' release or its conversion to OSIE's layout.

    Splits: `onesize`, the photographs of 1024 x 768, and `othersizes`, all others.
    """
    if (folder / "DATA").is_dir():
        contents = _read_release(folder)
    else:
        # The conversion holds no first fixations, nor any outside their image.
        contents = read_fixation_structs(
            folder / "data/mit/eye/fixations.mat",
            folder / "data/mit/stimuli",
            pixels_per_degree=CARD.pixels_per_degree,
            first_is_forced=False,
            is_whole=False,
        )
    is_one_size = (contents.stimuli.sizes == ONE_SIZE).all(axis=1)
    return replace(
        contents, splits={"onesize": np.flatnonzero(is_one_size), "othersizes": np.flatnonzero(~is_one_size)}
    )


def _read_release(folder: Path) -> Contents:
    """ALLSTIMULI/<stem>.jpeg and DATA/<observer>/<stem>.mat, raw gaze at 240 Hz.

    Fixations are found as the authors' `checkFixations.m` finds them; the first of each scanpath, on the cross that was
    shown before the photograph, is left out, as the authors say one should.
    """
    if not (folder / "ALLSTIMULI").is_dir():
        raise FileNotFoundError(2, "no such folder", str(folder / "ALLSTIMULI"))
    sources, left_out = find_images(folder / "ALLSTIMULI")
    observers = sorted(path for path in (folder / "DATA").iterdir() if path.is_dir())
    if not sources or not observers:
        raise FovealError(f"{folder}: {len(sources)} photographs in ALLSTIMULI, {len(observers)} observers in DATA")

    def scanpaths() -> Iterator[Scanpath]:
        for image, source in enumerate(sources):
            for subject, observer in enumerate(observers):
                fixations = detect_fixations(_read_gaze(observer / f"{source.stem}.mat"))
                yield Scanpath(image, subject, *fixations)

    fixations, notes = concatenate_scanpaths(scanpaths(), folder / "DATA", origin=ONE_BASED)
    stimuli = Stimuli(sources, pixels_per_degree=CARD.pixels_per_degree)
    return Contents(stimuli, fixations.drop_first(), {}, notes, problems=tuple(left_out))


def _read_gaze(mat: Path) -> np.ndarray:
    """Gaze samples (sample, 2) of one observer on one photograph: `<variable>.DATA(1).eyeData`.

    The variable is named after the file, cut to the 63 characters that MATLAB allows.
    """
    variables = list(read_variables(mat).values())
    if not variables:
        raise FovealError(f"{mat}: holds no variable")
    trial = np.atleast_1d(field(variables[0], "DATA", mat))[0]
    return np.asarray(field(trial, "eyeData", mat), dtype=np.float64)[:, :2]
