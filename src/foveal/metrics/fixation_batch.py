"""The ragged thing, solved once: each image of a batch has its own number of fixations."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from foveal.errors import FovealError
from foveal.gaze import Fixations


@dataclass(frozen=True)
class FixationBatch:
    """Fixated pixels of a batch of images, as flat index vectors, sorted by image.

    Attributes
    ----------
    image, y, x
        Position in the batch, row and column of each fixated pixel.
    n_images
        Size of the batch.
    """

    image: Int[Tensor, " fixation"]
    y: Int[Tensor, " fixation"]
    x: Int[Tensor, " fixation"]
    n_images: int

    @classmethod
    def of(cls, *points: Sequence[tuple[int, int]]) -> "FixationBatch":
        """One list of (x, y) pixels for each image.

        >>> FixationBatch.of([(4, 1)], [(0, 0), (2, 3)]).count
        tensor([1, 2])
        """
        flat = torch.tensor([(i, y, x) for i, some in enumerate(points) for x, y in some], dtype=torch.long)
        flat = flat.reshape(-1, 3)
        return cls(flat[:, 0], flat[:, 1], flat[:, 2], len(points))

    @classmethod
    def stack(cls, parts: Sequence[Fixations]) -> "FixationBatch":
        """One set of fixations for each image of a batch, whatever image numbers they carry."""
        return cls.at([(part.pixel_x, part.pixel_y) for part in parts])

    @classmethod
    def at(cls, pixels: Sequence[tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"]]]) -> "FixationBatch":
        """Columns and rows of the pixels, one pair of arrays for each image of a batch."""
        count = torch.tensor([len(x) for x, _ in pixels])
        x, y = (torch.cat([torch.from_numpy(pair[axis]) for pair in pixels]) for axis in (0, 1))
        return cls(torch.repeat_interleave(torch.arange(len(pixels)), count), y, x, len(pixels))

    @classmethod
    def of_counts(cls, counts: Float[Tensor, "image row column"]) -> "FixationBatch":
        """From numbers of fixations in cells: a cell stands as often as it was fixated.

        >>> FixationBatch.of_counts(torch.tensor([[[0.0, 2.0]]])).x
        tensor([1, 1])
        """
        cells = counts.nonzero().repeat_interleave(counts[counts > 0].long(), dim=0)
        return cls(cells[:, 0], cells[:, 1], cells[:, 2], len(counts))

    def to(self, device: torch.device | str) -> "FixationBatch":
        """The same on another device."""
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
