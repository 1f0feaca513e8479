"""What a density says of the parts of a photograph, and what people did there: mass against fixations, part by part."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from foveal.benchmarking.entries import Entry
from foveal.gaze import Dataset, Fixations
from foveal.gaze.found_regions import outline_of, people_map, pieces_of, top_of
from foveal.gaze.regions import Regions

IMAGE, REGION, CELL, OVER = "image", "region", "cell", "over"  # kinds of parts
MOST = 0.5  # of a part's pixels: more than that is "most of it"


class Share(NamedTuple):
    """One part of a photograph under one model.

    Attributes
    ----------
    image
        Id of the photograph.
    part
        "image" is all of it, "region" one region, "cell" what lies in the same regions, so that regions that overlap
        can be summed, and "over" a piece of the model's top 5 % most of which is not in people's.
    number
        Of a region, a cell, or a piece; 0 of the whole.
    area, mass
        Share of the pixels, and of the density.
    n_fixations
        Fixations in it.
    bits
        Sum over these fixations of the log-likelihood above the uniform density, in bit.
    people_top, model_top
        Share of its pixels that are in the top 5 % of people's map, and of the model's density.
    corners
        Of the outline of a piece: x, y, x, y, … in px; empty otherwise.
    within
        The numbers of the regions that a cell lies in; empty otherwise.
    """

    image: str
    part: str
    number: int
    area: float
    mass: float
    n_fixations: int
    bits: float
    people_top: float
    model_top: float
    corners: list[float]
    within: list[int]


@dataclass(frozen=True)
class _Views:
    """The log densities of one photograph, and the fixations that each is judged on."""

    image: int
    log_densities: Float[Tensor, "view height width"]
    parts: Sequence[Fixations]


def shares_of(
    entry: Entry, images: Sequence[int], data: Dataset, regions: Regions
) -> Iterator[tuple[list[Share], list[str]]]:
    """The parts of one photograph after the other, and a line for each photograph that cannot be read or computed.

    A model that is judged observer by observer has the mean of its densities, weighted by the fixations of each.

    Raises
    ------
    FovealError
        If a region has no pixel in its photograph.
    """
    for views, problems in _by_image(entry, images, data):
        yield (_measured(views, data, regions) if views else []), problems


def densities_of(
    entry: Entry, images: Sequence[int], data: Dataset
) -> Iterator[tuple[int, Float[np.ndarray, "height width"]]]:
    """Each photograph and its density; those that cannot be read or computed are left out."""
    for views, _ in _by_image(entry, images, data):
        if views is not None:
            yield views.image, _density(views)


def _by_image(entry: Entry, images: Sequence[int], data: Dataset) -> Iterator[tuple[_Views | None, list[str]]]:
    for batch in entry.maps(images):
        if batch.problems:
            yield None, batch.problems
        if batch.maps is None:
            continue
        parts = batch.parts or [data.fixations.for_image(image) for image in batch.images]
        for image in dict.fromkeys(batch.images):
            rows = [row for row, other in enumerate(batch.images) if other == image]
            yield _Views(image, batch.maps[rows].cpu(), [parts[row] for row in rows]), []


def _density(views: _Views) -> Float[np.ndarray, "height width"]:
    n_fixations = torch.tensor([len(part) for part in views.parts])
    return torch.einsum("v,vhw->hw", n_fixations / n_fixations.sum(), views.log_densities.exp()).double().numpy()


def _measured(views: _Views, data: Dataset, regions: Regions) -> list[Share]:
    stimulus = data.stimuli[views.image]
    density = _density(views)
    x, y = (np.concatenate([getattr(part, name) for part in views.parts]) for name in ("pixel_x", "pixel_y"))
    view = np.repeat(np.arange(len(views.parts)), [len(part) for part in views.parts])
    bits = views.log_densities.numpy()[view, y, x].astype(np.float64) / np.log(2) + np.log2(density.size)
    people_top = top_of(people_map(data, views.image))
    model_top = top_of(density)

    def share(
        part: str,
        mask: Bool[np.ndarray, "h w"],
        number: int = 0,
        corners: Sequence[float] = (),
        within: Sequence[int] = (),
    ) -> Share:
        inside = mask[y, x]
        return Share(
            stimulus.id,
            part,
            number,
            area=float(mask.mean()),
            mass=float(density[mask].sum()),
            n_fixations=int(inside.sum()),
            bits=float(bits[inside].sum()),
            people_top=float(people_top[mask].mean()),
            model_top=float(model_top[mask].mean()),
            corners=list(corners),
            within=list(within),
        )

    shares = [share(IMAGE, np.ones(density.shape, dtype=bool))]
    masks = {region.number: region.mask(stimulus.size) for region in regions.for_image(stimulus.id)}
    shares += [share(REGION, mask, number) for number, mask in masks.items()]
    cell_of, within = _cells(masks, stimulus.size)
    shares += [
        share(CELL, cell_of == cell, cell, within=within[cell]) for cell in np.unique(cell_of[cell_of > 0]).tolist()
    ]
    pieces = pieces_of(density, stimulus.assumed_pixels_per_degree)
    for piece in range(1, int(pieces.max(initial=0)) + 1):
        mask = pieces == piece
        if people_top[mask].mean() <= MOST:
            number = 1 + sum(other.part == OVER for other in shares)
            shares.append(share(OVER, mask, number, outline_of(mask).ravel().tolist()))
    return shares


def _cells(
    masks: Mapping[int, Bool[np.ndarray, "h w"]], size: tuple[int, int]
) -> tuple[Int[np.ndarray, "h w"], list[list[int]]]:
    """The cell that each pixel is in, 0 outside all regions, and the regions that each cell is in."""
    cell_of = np.zeros(size, dtype=np.intp)
    within: list[list[int]] = [[]]
    for number, mask in masks.items():
        cells, place = np.unique(cell_of[mask], return_inverse=True)
        cell_of[mask] = len(within) + place
        within += [[*within[cell], number] for cell in cells]
    return cell_of, within
