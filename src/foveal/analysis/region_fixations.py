"""Which fixations fall into which labelled regions."""

import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from foveal.errors import FovealError, RowsLeftOut
from foveal.gaze import Dataset
from foveal.gaze.regions import Region, Regions
from foveal.metrics.fixation_batch import FixationBatch


@dataclass(frozen=True)
class LookedAt:
    """The regions of one photograph that were looked at.

    Attributes
    ----------
    image
        Position of the photograph in the data set.
    regions
        The regions, each with a category and a fixation at least.
    fixations
        The fixated pixels in each; a region stands for an image of the batch.
    """

    image: int
    regions: tuple[Region, ...]
    fixations: FixationBatch


def looked_at(data: Dataset, regions: Regions) -> tuple[list[LookedAt], list[str]]:
    """The photographs of a data set with regions that were looked at, and a line for each region that is none.

    Fixations are taken as the data set has them. A fixation in two regions counts in both. Regions without a category
    are not taken.

    Raises
    ------
    FovealError
        If nothing is left.
    """
    found, problems, n_not_looked_at = [], [], 0
    for image, name in enumerate(data.stimuli.ids):
        fixations = data.fixations.for_image(image)
        x, y = fixations.pixel_x, fixations.pixel_y
        size = (int(data.stimuli.sizes[image][0]), int(data.stimuli.sizes[image][1]))
        kept, pixels = [], []
        for region in regions.for_image(name):
            try:
                inside = region.mask(size)[y, x] if region.category else None
            except FovealError as error:
                problems.append(str(error))
                continue
            if inside is not None and inside.any():
                kept.append(region)
                pixels.append((x[inside], y[inside]))
            elif inside is not None:
                n_not_looked_at += 1
        if kept:
            found.append(LookedAt(image, tuple(kept), FixationBatch.at(pixels)))
    if not found:
        raise FovealError(f"{data.name}: no labelled region of its {len(data)} photographs was looked at")
    if n_not_looked_at:
        note = f"{data.name}: {n_not_looked_at} regions are left out, in which nobody looked"
        warnings.warn(note, RowsLeftOut, stacklevel=2)
    return found, problems


def digest_of(regions: Sequence[Region]) -> str:
    """A short text that changes with where regions are and with what is in them."""
    content = repr([(r.image, r.number, r.category, r.polygon.round(3).tolist()) for r in regions])
    return hashlib.sha256(content.encode()).hexdigest()[:12]
