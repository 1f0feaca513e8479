"""What a density says of the parts of a photograph, and what people did there: mass against fixations, part by part."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from foveal.benchmarking.entries import Entry
from foveal.gaze import Dataset, Fixations
from foveal.gaze.found_regions import outline_of, people_map, pieces_of, top_of
from foveal.gaze.regions import FLAGS, Regions

IMAGE, REGION, UNION, OVER = "image", "region", "regions", "over"  # kinds of parts; a flag is one as well
MOST = 0.5  # of a part's pixels: more than that is "most of it"


class Share(NamedTuple):
    """One part of a photograph under one model.

    Attributes
    ----------
    image
        Id of the photograph.
    part
        "image" is all of it, "region" one region, "regions" all regions together, a letter all regions with that flag,
        and "over" a piece of the model's top 5 % most of which is not in people's.
    number
        Of a region, or of a piece; 0 otherwise.
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
    people_top = top_of(people_map(stimulus, data.fixations.for_image(views.image)))
    model_top = top_of(density)

    def share(part: str, mask: Bool[np.ndarray, "h w"], number: int = 0, corners: Sequence[float] = ()) -> Share:
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
        )

    shares = [share(IMAGE, np.ones(density.shape, dtype=bool))]
    unions: dict[str, Bool[np.ndarray, "h w"]] = {}
    for region in regions.for_image(stimulus.id):
        mask = region.mask(stimulus.size)
        shares.append(share(REGION, mask, region.number))
        for name in (UNION, *(flag for flag in FLAGS if flag in region.flags)):
            unions[name] = unions.get(name, False) | mask
    shares += [share(name, mask) for name, mask in unions.items()]
    pieces = pieces_of(density, stimulus.assumed_pixels_per_degree)
    for piece in range(1, int(pieces.max(initial=0)) + 1):
        mask = pieces == piece
        if people_top[mask].mean() <= MOST:
            number = 1 + sum(other.part == OVER for other in shares)
            shares.append(share(OVER, mask, number, outline_of(mask).ravel().tolist()))
    return shares
