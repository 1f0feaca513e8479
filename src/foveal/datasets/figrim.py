"""FIGRIM: 2,787 scenes in 21 categories, looked at in a test of memory."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from foveal.datasets.catalogue import Contents, DatasetCard, register_dataset
from foveal.datasets.matlab import Scanpath, columns, concatenate_scanpaths, field, fields, read_mat
from foveal.datasets.scale import stimuli_of_assumed_scale
from foveal.errors import FovealError
from foveal.images import find_images

PARTS = {"Targets": "allImages_release.mat", "Fillers": "allImages_fillers.mat"}

CARD = DatasetCard(
    name="figrim",
    title="FIGRIM (eye-tracking part)",
    images=2787,
    observers=42,
    licence="see the authors' page",
    citation="Bylinskii, Isola, Bainbridge, Torralba & Oliva, Intrinsic and extrinsic effects on image memorability, "
    "Vision Research 116, 2015",
    url="http://figrim.mit.edu/index_eyetracking.html",
    pixels_per_degree=None,
    how_to_get="unpack Targets.zip and Fillers.zip into <data root>/figrim, and put allImages_release.mat and "
    "allImages_fillers.mat (github.com/cvzoya/figrim) beside them; one of the two parts is enough",
    found_by=tuple(PARTS.values()),
    facts="A test of memory, not free viewing: only fixations of the first time that somebody saw an image are read. "
    "Not everybody saw every image. Durations are not published. Nothing says whether pixels are counted from zero or "
    "one: they are taken as they are.",
)


@register_dataset(CARD)
def read_figrim(folder: Path) -> Contents:
    """Read `allImages` of each part: `filename`, and `userdata(j).fixations.enc`, rows [x, y], of each observer.

    Splits: `targets`, which came again in the test, and `fillers`. Categories are the folders of the pictures.
    """
    parts = [part for part in PARTS if (folder / part).is_dir()]
    if not parts:
        raise FileNotFoundError(2, "no such folder", str(folder / "Targets"))
    sources: list[Path] = []
    left_out: list[str] = []
    splits = {}
    trials: list[tuple[Path, int, Any]] = []
    for part in parts:
        found, problems = find_images(folder / part)
        if not found:
            raise FovealError(f"{folder / part}: no photographs")
        splits[part.lower()] = np.arange(len(sources), len(sources) + len(found))
        position = {path.name: len(sources) + number for number, path in enumerate(found)}
        if len(position) < len(found):
            raise FovealError(f"{folder / part}: {len(found)} photographs with {len(position)} names")
        sources += found
        left_out += problems
        mat = folder / PARTS[part]
        for struct in np.atleast_1d(read_mat(mat, "allImages")):
            name, observers = fields(struct, ("filename", "userdata"), mat)
            if name not in position:
                raise FileNotFoundError(2, "no such file", str(folder / part / str(name)))
            trials.append((mat, position[name], observers))

    def scanpaths() -> Iterator[Scanpath]:
        for mat, image, observers in trials:
            for subject, observer in enumerate(np.atleast_1d(observers)):
                if np.size(field(observer, "trial", mat)):  # this observer saw it
                    x, y = columns(field(field(observer, "fixations", mat), "enc", mat), 2, mat)
                    yield Scanpath(image, subject, x, y, np.full(len(x), np.nan))

    fixations, notes = concatenate_scanpaths(scanpaths(), folder, origin=0.0)
    ids = [source.relative_to(folder).as_posix() for source in sources]
    categories = tuple(source.parent.name for source in sources)
    return Contents(
        stimuli_of_assumed_scale(sources, ids), fixations, splits, notes, categories, problems=tuple(left_out)
    )
