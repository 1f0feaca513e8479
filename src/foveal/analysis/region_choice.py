"""Which regions are looked at: labelled ones, found ones, heads, one's own, or the cells of a grid."""

import os

import numpy as np
from jaxtyping import Float

from foveal.datasets.labelled import has_labels
from foveal.datasets.regions import regions_of
from foveal.errors import FovealError
from foveal.gaze import Dataset
from foveal.gaze.found_regions import find_regions
from foveal.gaze.regions import Region, Regions
from foveal.progress import Report

FOUND, HEADS = "found", "heads"
FACE = frozenset("F")


def choose_regions(
    dataset: Dataset,
    regions: Regions | str | os.PathLike[str] | None = None,
    grid: tuple[int, int] | None = None,
    progress: Report | None = None,
) -> tuple[Regions, str]:
    """The regions of a data set that are asked for, and what to call them.

    Parameters
    ----------
    dataset
        Its photographs and fixations.
    regions
        Regions; a table of them (see `foveal.datasets.regions.read_regions`); "found": those in which fixations are
        dense; "heads": the heads that the data set says. By default its labelled regions if they come with the package,
        and otherwise those that are found.
    grid
        Instead of all these the cells of a grid: how many across, and how many down.

    Raises
    ------
    FovealError
        If there are no such regions, none is in any of the photographs, or one has no pixel in its photograph.
    """
    if grid is not None:
        if regions is not None:
            raise FovealError("regions and a grid: give one of them")
        return _cells(dataset, *grid), f"cells of a grid of {grid[0]} x {grid[1]}"
    if regions is None and has_labels(dataset.name, "regions"):
        chosen, what = regions_of(dataset.name), "labelled regions"
    elif regions is None or regions == FOUND:
        chosen, what = find_regions(dataset, progress=progress), "regions where fixations are dense"
    elif regions == HEADS:
        chosen, what = _heads(dataset), "heads"
    elif isinstance(regions, Regions):
        chosen, what = regions, "regions"
    else:
        chosen, what = regions_of(regions), f"regions of {os.path.basename(regions)}"  # noqa: PTH119 (any path)
    chosen = chosen.for_images(dataset.stimuli.ids)
    if not len(chosen):
        raise FovealError(f"{dataset.name}: none of the {what} is in any photograph looked at")
    for image, stimulus in enumerate(dataset.stimuli):
        height, width = dataset.stimuli.sizes[image].tolist()
        for region in chosen.for_image(stimulus.id):
            region.mask((height, width))  # or it is said now that it is empty
    return chosen, what


def _cells(dataset: Dataset, across: int, down: int) -> Regions:
    """The cells of a grid over every photograph, row by row."""
    regions = []
    for name, (height, width) in zip(dataset.stimuli.ids, dataset.stimuli.sizes.tolist(), strict=True):
        if not (1 <= across <= width and 1 <= down <= height):
            raise FovealError(f"a grid of {across} x {down} over {name}, which has {width} x {height} px")
        for number in range(across * down):
            row, column = divmod(number, across)
            box = width * column / across, height * row / down, width / across, height / down
            regions.append(Region(name, number + 1, _polygon(*box)))
    return Regions(tuple(regions))


def _heads(dataset: Dataset) -> Regions:
    """The heads in every photograph, as far as they are in it."""
    if not dataset.heads:
        raise FovealError(f"{dataset.name} does not say where heads are")
    regions = []
    for name, heads in zip(dataset.stimuli.ids, dataset.heads, strict=True):
        for number, (box, has_face) in enumerate(zip(heads.boxes.tolist(), heads.has_face.tolist(), strict=True)):
            flags = FACE if has_face else frozenset[str]()
            regions.append(Region(name, number + 1, _polygon(*box), "person_head", flags))
    return Regions(tuple(regions))


def _polygon(left: float, top: float, width: float, height: float) -> Float[np.ndarray, "4 2"]:
    """The corners of a box that begins with the pixel at its left and top."""
    x, y = (left - 0.5, left + width - 0.5), (top - 0.5, top + height - 0.5)
    return np.array([(x[0], y[0]), (x[1], y[0]), (x[1], y[1]), (x[0], y[1])])
