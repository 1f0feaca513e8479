"""Regions of photographs: a polygon, what is in it, and what makes it special (Bylinskii et al., ECCV 2016)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import overload

import numpy as np
from jaxtyping import Bool, Float
from skimage.draw import polygon as pixels_of_polygon

from foveal.errors import FovealError

# What can be in a region: the twelve categories of He, Tavakoli, Borji, Mi & Pugeault, 2019 (Table 1), in words.
CATEGORIES = {
    "person_head": "head of a person",
    "person_part": "part of a person",
    "animal_head": "head of an animal",
    "animal_part": "part of an animal",
    "object": "object",
    "text": "text",
    "symbol": "symbol",
    "vehicle": "vehicle",
    "food": "food",
    "drink": "drink",
    "plant": "plant",
    "other": "other",
}
FLAGS = {
    "F": "face inside",
    "G": "gazed at",
    "A": "acted on",
    "P": "in an action",
    "S": "main subject",
    "U": "unexpected there",
}


def check_polygon(polygon: Float[np.ndarray, "corner 2"], what: str) -> None:
    """Make sure that corners enclose something.

    Raises
    ------
    FovealError
        If they are fewer than three, or not all finite; the line begins with `what`.
    """
    if len(polygon) < 3 or not np.isfinite(polygon).all():
        raise FovealError(f"{what}: {len(polygon)} corners (needs three or more, all of them finite)")


@dataclass(frozen=True, eq=False)
class Region:
    """One region of a photograph, as it was found or labelled.

    Attributes
    ----------
    image
        The id of the photograph.
    number
        The number of the region in the photograph, from 1.
    polygon
        Its corners, x and y in px; the center of the first pixel is at (0, 0).
    category
        A key of `CATEGORIES`, or "" if nobody has labelled it.
    flags
        Keys of `FLAGS`.
    note
        What somebody wrote about it.
    n_fixations, n_subjects
        Fixations in it, and of how many observers; 0 if not counted.

    Raises
    ------
    FovealError
        If the category or a flag is unknown, or the polygon has less than three corners.

    >>> region = Region("a.jpg", 1, np.array([[1.0, 1.0], [3.0, 1.0], [3.0, 2.0], [1.0, 2.0]]), "text", frozenset("S"))
    >>> int(region.mask((4, 5)).sum()), region.flag_words
    (6, ['main subject'])
    """

    image: str
    number: int
    polygon: Float[np.ndarray, "corner 2"]
    category: str = ""
    flags: frozenset[str] = frozenset()
    note: str = ""
    n_fixations: int = 0
    n_subjects: int = 0

    def __post_init__(self) -> None:
        if self.category and self.category not in CATEGORIES:
            raise FovealError(f"unknown category: {self.category} (known: {', '.join(CATEGORIES)})")
        if unknown := sorted(self.flags - set(FLAGS)):
            known = ", ".join(f"{flag} {words}" for flag, words in FLAGS.items())
            raise FovealError(f"unknown flag: {unknown[0]} (known: {known})")
        check_polygon(self.polygon, "polygon")

    @property
    def name(self) -> str:
        """Photograph and number, as an error calls the region."""
        return f"{self.image}, region {self.number}"

    @property
    def flag_words(self) -> list[str]:
        """The flags in words, in the order of `FLAGS`."""
        return [words for flag, words in FLAGS.items() if flag in self.flags]

    def mask(self, size: tuple[int, int]) -> Bool[np.ndarray, "height width"]:
        """The pixels whose centers lie in the polygon, in a photograph of this height and width.

        Raises
        ------
        FovealError
            If there is none: the polygon lies outside the photograph, or between the centers of its pixels.
        """
        height, width = size
        mask = np.zeros(size, dtype=bool)
        rows, columns = pixels_of_polygon(self.polygon[:, 1], self.polygon[:, 0], size)
        mask[rows, columns] = True
        if not mask.any():
            x, y = self.polygon.T
            is_inside = x.max() >= 0 and y.max() >= 0 and x.min() <= width - 1 and y.min() <= height - 1
            why = "is smaller than a pixel" if is_inside else f"lies outside the photograph of {width} x {height} px"
            raise FovealError(f"{self.name}: its polygon {why}")
        return mask


@dataclass(frozen=True)
class Regions(Sequence[Region]):
    """Regions of several photographs.

    Raises
    ------
    FovealError
        If two regions of a photograph have the same number.
    """

    regions: tuple[Region, ...] = field(default=())

    def __post_init__(self) -> None:
        seen: set[tuple[str, int]] = set()
        for region in self.regions:
            if (region.image, region.number) in seen:
                raise FovealError(f"{region.name}: there are two of this number")
            seen.add((region.image, region.number))

    def __len__(self) -> int:
        return len(self.regions)

    @overload
    def __getitem__(self, index: int) -> Region: ...
    @overload
    def __getitem__(self, index: slice) -> "Regions": ...
    def __getitem__(self, index: int | slice) -> "Region | Regions":
        return Regions(self.regions[index]) if isinstance(index, slice) else self.regions[index]

    def __iter__(self) -> Iterator[Region]:
        return iter(self.regions)

    def __repr__(self) -> str:
        return f"Regions({len(self)} in {len(self.images)} images)"

    @property
    def images(self) -> list[str]:
        """The photographs that have regions, in order of appearance."""
        return list(self._of_image)

    def for_image(self, image: str) -> "Regions":
        """The regions of one photograph; none if it has none."""
        return Regions(self._of_image.get(image, ()))

    def for_images(self, images: Iterable[str]) -> "Regions":
        """The regions of some photographs, in this order."""
        return Regions(tuple(region for image in images for region in self._of_image.get(image, ())))

    @cached_property
    def _of_image(self) -> dict[str, tuple[Region, ...]]:
        of_image: dict[str, list[Region]] = defaultdict(list)
        for region in self.regions:
            of_image[region.image].append(region)
        return {image: tuple(regions) for image, regions in of_image.items()}
