"""Photographs that were shown to people: read when needed, their sizes known before."""

import hashlib
import operator
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int
from PIL import Image

from foveal.errors import FovealError
from foveal.gaze.given import described, floats, listed, positions, texts, whole_number
from foveal.images import RGBImage, batches_of_one_kind, image_size, read_image

ASSUMED_PIXELS_PER_DEGREE = 35.0  # where nobody said


@dataclass(frozen=True)
class Stimulus:
    """One photograph: its id, where it comes from, and how large it was on the retina."""

    id: str
    source: Path | np.ndarray
    pixels_per_degree: float | None
    scale_is_assumed: bool = False

    @property
    def image(self) -> RGBImage:
        """The pixels, (height, width, 3) uint8 RGB; a file is read at every call."""
        return read_image(self.source)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in px."""
        return image_size(self.source)

    @property
    def assumed_pixels_per_degree(self) -> float:
        """Pixels per degree of visual angle: as they are known, or else about those of a photograph on a screen."""
        return ASSUMED_PIXELS_PER_DEGREE if self.pixels_per_degree is None else self.pixels_per_degree

    @property
    def known_pixels_per_degree(self) -> float | None:
        """Pixels per degree of visual angle, unless nobody knows them."""
        return None if self.scale_is_assumed else self.pixels_per_degree

    def digest(self) -> bytes:
        """SHA-256 of what the photograph is read from, whenever it was written; of nothing if that cannot be read."""
        if not isinstance(self.source, Path):
            return hashlib.sha256(np.ascontiguousarray(self.source).tobytes()).digest()
        try:
            return hashlib.sha256(self.source.read_bytes()).digest()
        except OSError:  # it is said where the photograph is wanted
            return hashlib.sha256().digest()


class Stimuli:
    """A sequence of photographs, lazy: only headers are read until an image is asked for.

    Parameters
    ----------
    sources
        Paths, or uint8 arrays (height, width, 3).
    ids
        One name an image, unique; by default the file names, or the position for arrays.
    pixels_per_degree
        Pixels per degree of visual angle, one number for all images or one for each; None if not known.
    scale_is_assumed
        Are these numbers a guess? Metrics take them; models, which know better what to assume, do not.

    Raises
    ------
    FovealError
        If ids are not unique or no texts, the lengths differ, or something is no photograph or no scale.

    >>> stimuli = Stimuli([np.zeros((60, 80, 3), np.uint8)], pixels_per_degree=24.0)
    >>> stimuli.sizes
    array([[60, 80]])
    >>> stimuli[0].pixels_per_degree
    24.0
    """

    def __init__(
        self,
        sources: Sequence[str | Path | np.ndarray],
        ids: Sequence[str] | None = None,
        pixels_per_degree: float | Sequence[float] | np.ndarray | None = None,
        *,
        scale_is_assumed: bool = False,
    ) -> None:
        self.scale_is_assumed = scale_is_assumed
        self.sources = tuple(
            Path(source) if isinstance(source, str | os.PathLike) else source
            for source in listed(sources, "stimuli: photographs")
        )
        for source in self.sources:
            is_array = isinstance(source, np.ndarray) and source.ndim in (2, 3) and source.size > 0
            if not is_array and not isinstance(source, Path | Image.Image):
                raise FovealError(f"stimuli: a path or an array (height, width, 3) is needed, not {described(source)}")
        if ids is None:
            ids = [source.name if isinstance(source, Path) else str(i) for i, source in enumerate(self.sources)]
        self.ids = tuple(texts(listed(ids, "stimuli: ids"), "stimuli: ids"))
        if len(self.ids) != len(self.sources) or len(set(self.ids)) != len(self.ids):
            raise FovealError("stimuli: every image needs an id of its own")
        self.pixels_per_degree: Float[np.ndarray, " image"] | None = None
        if pixels_per_degree is not None:
            per_image = floats(pixels_per_degree, "stimuli: pixels_per_degree")
            if per_image.shape not in ((), (len(self.sources),)):
                raise FovealError("stimuli: pixels_per_degree is one number, or one for each image")
            if not ((per_image > 0) & np.isfinite(per_image)).all():
                raise FovealError("stimuli: pixels_per_degree must be positive")
            self.pixels_per_degree = np.broadcast_to(per_image, len(self.sources))

    def __len__(self) -> int:
        return len(self.sources)

    def __getitem__(self, index: int) -> Stimulus:
        index = operator.index(index)
        ppd = None if self.pixels_per_degree is None else float(self.pixels_per_degree[index])
        return Stimulus(self.ids[index], self.sources[index], ppd, self.scale_is_assumed)

    def __iter__(self) -> Iterator[Stimulus]:
        return (self[index] for index in range(len(self)))

    def __repr__(self) -> str:
        return f"Stimuli({len(self)} images)"

    @cached_property
    def sizes(self) -> Int[np.ndarray, "image 2"]:
        """Height and width in px of every image."""
        return np.array([image_size(source) for source in self.sources], dtype=np.int64).reshape(-1, 2)

    def select(self, indices: Sequence[int] | np.ndarray) -> "Stimuli":
        """The photographs at these positions (or where a mask says so), in this order; known sizes stay known."""
        indices = positions(indices, "images to select", len(self))
        ppd = self.pixels_per_degree
        chosen = Stimuli(
            [self.sources[i] for i in indices],
            [self.ids[i] for i in indices],
            None if ppd is None else ppd[indices],
            scale_is_assumed=self.scale_is_assumed,
        )
        if "sizes" in self.__dict__:
            chosen.__dict__["sizes"] = self.sizes[indices]
        return chosen

    def read(self, indices: Sequence[int]) -> tuple[dict[int, RGBImage], list[str]]:
        """The photographs at these positions that can be read, and a line for each that cannot."""
        images, problems = {}, []
        for index in positions(indices, "images to read", len(self)).tolist():
            try:
                images[index] = self[index].image
            except FovealError as error:
                problems.append(str(error))
        return images, problems

    def by_size(self, indices: Sequence[int] | None = None) -> dict[tuple[int, int], list[int]]:
        """Positions of the photographs, or of those at `indices`, by (height, width)."""
        sizes = self.sizes.tolist()
        found: dict[tuple[int, int], list[int]] = {}
        chosen = range(len(self)) if indices is None else positions(indices, "images", len(self)).tolist()
        for index in chosen:
            height, width = sizes[index]
            found.setdefault((height, width), []).append(index)
        return found

    def batches(self, batch_size: int) -> Iterator[list[int]]:
        """Positions in groups of at most `batch_size` images of one size and scale, fewer if they are large.

        So a batch never distorts an image, and its memory is bounded.
        """
        batch_size = whole_number(batch_size, "batch size", 1)
        sizes = self.sizes.tolist()
        kinds = [(height, width, self[i].pixels_per_degree) for i, (height, width) in enumerate(sizes)]
        return batches_of_one_kind(kinds, batch_size)
