"""The ragged thing, solved once: each image of a batch has its own number of fixations."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from foveal.errors import FovealError
from foveal.gaze import Fixations
from foveal.gaze.given import described, whole_numbers


@dataclass(frozen=True)
class FixationBatch:
    """Fixated pixels of a batch of images, as flat index vectors, sorted by image.

    Attributes
    ----------
    image, y, x
        Position in the batch, row and column of each fixated pixel.
    n_images
        Size of the batch.

    Raises
    ------
    FovealError
        If the vectors are not int64 and of one length, or the images are not sorted and below `n_images`.
    """

    image: Int[Tensor, " fixation"]
    y: Int[Tensor, " fixation"]
    x: Int[Tensor, " fixation"]
    n_images: int

    def __post_init__(self) -> None:
        for vector in (self.image, self.y, self.x):
            kind = isinstance(vector, Tensor) and vector.dtype == torch.int64 and vector.ndim == 1
            if not kind or len(vector) != len(self.image):
                raise FovealError(f"fixations: int64 vectors of one length are needed, not {described(vector)}")
        sorted_and_known = (self.image[1:] >= self.image[:-1]).all() and (
            len(self.image) == 0 or 0 <= self.image[0] <= self.image[-1] < self.n_images
        )
        if not sorted_and_known:
            raise FovealError(f"fixations: their images must be sorted, and from 0 to {self.n_images - 1}")

    @classmethod
    def of(cls, *points: Sequence[tuple[int, int]]) -> "FixationBatch":
        """One list of (x, y) pixels for each image.

        Raises
        ------
        FovealError
            If something is no list of pairs, or a coordinate is no whole number from 0 on.

        >>> FixationBatch.of([(4, 1)], [(0, 0), (2, 3)]).count
        tensor([1, 2])
        """
        pairs = []
        for image, some in enumerate(points):
            pixels = _pixels(some, image)
            if pixels.size and (pixels.ndim != 2 or pixels.shape[1] != 2):
                raise FovealError(f"fixations of image {image}: a list of (x, y) pixels, not {described(pixels)}")
            pairs.append((pixels.reshape(-1, 2)[:, 0], pixels.reshape(-1, 2)[:, 1]))
        return cls._of_each(pairs)

    @classmethod
    def stack(cls, parts: Sequence[Fixations]) -> "FixationBatch":
        """One set of fixations for each image of a batch, whatever image numbers they carry.

        Raises
        ------
        FovealError
            If something else is given, or a fixation lies left of or above its image.
        """
        if not isinstance(parts, Sequence) or not all(isinstance(part, Fixations) for part in parts):
            raise FovealError("fixations: a list of Fixations, one for each image (fixations.for_image(0), and so on)")
        return cls.at([(part.pixel_x, part.pixel_y) for part in parts])

    @classmethod
    def at(cls, pixels: Sequence[tuple[Int[np.ndarray, " _"], Int[np.ndarray, " _"]]]) -> "FixationBatch":
        """Columns and rows of the pixels, one pair of arrays for each image of a batch.

        Raises
        ------
        FovealError
            If something is no pair of equally long arrays, or a coordinate is no whole number from 0 on.
        """
        pairs = []
        for image, pair in enumerate(pixels):
            columns = [_pixels(axis, image) for axis in pair] if isinstance(pair, Sequence | np.ndarray) else []
            if len(columns) != 2 or columns[0].ndim != 1 or columns[0].shape != columns[1].shape:
                raise FovealError(f"fixations of image {image}: a pair of equally long arrays, columns and rows")
            pairs.append((columns[0], columns[1]))
        return cls._of_each(pairs)

    @classmethod
    def _of_each(cls, pairs: Sequence[tuple[Int[np.ndarray, " _"], Int[np.ndarray, " _"]]]) -> "FixationBatch":
        """From whole numbers: the columns and the rows of every image."""
        none = np.empty(0, np.int64)  # there may be no image
        x, y = (torch.from_numpy(np.concatenate([none, *(pair[axis] for pair in pairs)])) for axis in (0, 1))
        count = torch.tensor([len(columns) for columns, _ in pairs], dtype=torch.long)
        return cls(torch.repeat_interleave(torch.arange(len(pairs)), count), y, x, len(pairs))

    @classmethod
    def of_counts(cls, counts: Float[Tensor, "image row column"]) -> "FixationBatch":
        """From whole numbers of fixations in cells: a cell stands as often as it was fixated.

        >>> FixationBatch.of_counts(torch.tensor([[[0.0, 2.0]]])).x
        tensor([1, 1])
        """
        cells = counts.nonzero().repeat_interleave(counts[counts > 0].long(), dim=0)
        return cls(cells[:, 0], cells[:, 1], cells[:, 2], len(counts))

    def to(self, device: torch.device | str) -> "FixationBatch":
        """The fixations on another device."""
        return FixationBatch(self.image.to(device), self.y.to(device), self.x.to(device), self.n_images)

    @cached_property
    def count(self) -> Int[Tensor, " image"]:
        """How many fixations each image has."""
        return torch.bincount(self.image, minlength=self.n_images)

    @cached_property
    def position(self) -> Int[Tensor, " fixation"]:
        """The place of each fixation among those of its image, from 0."""
        count = self.count
        return torch.arange(len(self.image), device=self.image.device) - (count.cumsum(0) - count)[self.image]

    def checked_count(self, what: str = "fixations") -> Int[Tensor, " image"]:
        """As `count`, but every image must have some.

        Raises
        ------
        FovealError
            If an image has none.
        """
        count = self.count
        if (count == 0).any():
            raise FovealError(f"image {int((count == 0).nonzero()[0])} of the batch has no {what}")
        return count

    def distinct(self) -> "FixationBatch":
        """Every fixated pixel once, as in the fixation masks of the MIT benchmark."""
        pixels = torch.stack([self.image, self.y, self.x], dim=1).unique(dim=0)
        return FixationBatch(pixels[:, 0], pixels[:, 1], pixels[:, 2], self.n_images)

    def values_in(self, maps: Float[Tensor, "image height width"]) -> Float[Tensor, " fixation"]:
        """Each map's values at the pixels that were fixated in its image.

        Raises
        ------
        FovealError
            If a fixation lies outside its map.
        """
        height, width = maps.shape[1:]
        outside = (self.y < 0) | (self.y >= height) | (self.x < 0) | (self.x >= width)
        if outside.any():
            first = int(outside.nonzero()[0])
            raise FovealError(
                f"a fixation of image {int(self.image[first])} of the batch is at ({int(self.x[first])}, "
                f"{int(self.y[first])}), outside its map of {width} x {height} px"
            )
        return maps[self.image, self.y, self.x]

    def mean_per_image(self, values: Float[Tensor, " fixation"]) -> Float[Tensor, " image"]:
        """Mean over the fixations of each image.

        Raises
        ------
        FovealError
            If an image has no fixations.
        """
        count = self.checked_count()
        total = torch.zeros(self.n_images, dtype=values.dtype, device=values.device)
        return total.index_add_(0, self.image, values) / count

    def padded(self, values: Float[Tensor, " fixation"], fill: float) -> Float[Tensor, "image most"]:
        """The values as one row an image, filled up at the end."""
        rows = values.new_full((self.n_images, int(self.count.max())), fill)
        rows[self.image, self.position] = values
        return rows


def _pixels(given: Any, image: int) -> Int[np.ndarray, "*shape"]:
    pixels = whole_numbers(given, f"fixations of image {image}")
    if pixels.min(initial=0) < 0:
        raise FovealError(f"fixations of image {image}: a column or row is {pixels.min()}; they are counted from 0")
    return pixels
