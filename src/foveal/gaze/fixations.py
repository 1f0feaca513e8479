"""Where people looked: one row a fixation, in columns of equal length."""

import hashlib
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from foveal.errors import FovealError, first_line
from foveal.gaze.given import described, floats, positions, whole_number, whole_numbers
from foveal.gaze.onsets import cumulated_durations, sorted_by_scanpath

UNKNOWN = -1  # subject or order
SUBJECT = "fixations: the number of a subject"


@dataclass(frozen=True, eq=False)
class Fixations:
    """Fixations on a set of photographs, sorted by image.

    Pixel centers are at integer coordinates, x right and y down: a fixation at (0, 0) is on the center of the top left
    pixel, and an image of width W reaches from -0.5 to W - 0.5.

    Attributes
    ----------
    image
        Position of the photograph in its `Stimuli`.
    x, y
        Where, in px of that photograph.
    subject
        Who, a number from 0; -1 where it is not known.
    order
        Which fixation of its scanpath, from 0; -1 where it is not known.
    duration
        How long, in ms; NaN where it is not known.
    start
        When it began, in ms since the photograph came on; NaN where it is not known.

    Raises
    ------
    FovealError
        If a column holds no numbers (text, truth values) or, where whole ones are needed, others; if the columns differ
        in length; if a coordinate is NaN or infinite; or an image is negative.

    >>> fixations = Fixations.of(image=[0, 0, 1], x=[4, 5, 6], y=[1, 2, 3], subject=[0, 1, 0])
    >>> fixations.for_image(0).without_subject(1).x
    array([4.])
    """

    image: Int[np.ndarray, " fixation"]
    x: Float[np.ndarray, " fixation"]
    y: Float[np.ndarray, " fixation"]
    subject: Int[np.ndarray, " fixation"]
    order: Int[np.ndarray, " fixation"]
    duration: Float[np.ndarray, " fixation"]
    start: Float[np.ndarray, " fixation"]

    def __post_init__(self) -> None:
        for column in fields(self):
            read = floats if column.name in ("x", "y", "duration", "start") else whole_numbers
            values = read(getattr(self, column.name), f"fixations: {column.name}")
            if values.ndim != 1:
                raise FovealError(f"fixations: {column.name} is one number a fixation, not {described(values)}")
            object.__setattr__(self, column.name, values)
        lengths = {column.name: len(getattr(self, column.name)) for column in fields(self)}
        if len(set(lengths.values())) != 1:
            raise FovealError(f"fixations: columns differ in length: {lengths}")
        finite = np.isfinite(self.x) & np.isfinite(self.y)
        if not finite.all():
            raise FovealError(f"fixations: row {int(np.argmin(finite))} has a coordinate that is NaN or infinite")
        # for_image is a slice, because the fixations of an image stand together.
        if (np.diff(self.image) < 0).any():
            sorting = np.argsort(self.image, kind="stable")
            for column in fields(self):
                object.__setattr__(self, column.name, getattr(self, column.name)[sorting])
        if len(self) and self.image[0] < 0:
            raise FovealError(f"fixations: one is on image {self.image[0]}; images are counted from 0")

    @classmethod
    def of(
        cls, image: Any, x: Any, y: Any, subject: Any = None, order: Any = None, duration: Any = None, start: Any = None
    ) -> "Fixations":
        """Build from columns of any kind, which are copied; columns left out are filled with "not known".

        If `start` is left out, it follows from order and duration (`foveal.gaze.onsets.cumulated_durations`).
        """
        x = floats(x, "fixations: x").copy()
        n = x.shape
        fixations = cls(
            image=whole_numbers(image, "fixations: image").copy(),
            x=x,
            y=floats(y, "fixations: y").copy(),
            subject=np.full(n, UNKNOWN) if subject is None else whole_numbers(subject, "fixations: subject").copy(),
            order=np.full(n, UNKNOWN) if order is None else whole_numbers(order, "fixations: order").copy(),
            duration=np.full(n, np.nan) if duration is None else floats(duration, "fixations: duration").copy(),
            start=np.full(n, np.nan) if start is None else floats(start, "fixations: start").copy(),
        )
        if start is not None or order is None or duration is None:
            return fixations
        columns = (fixations.image, fixations.subject, fixations.order, fixations.duration)
        return replace(fixations, start=cumulated_durations(*columns))

    def __len__(self) -> int:
        return len(self.image)

    def __repr__(self) -> str:
        return f"Fixations({len(self)} fixations on {len(np.unique(self.image))} images)"

    @property
    def has_subjects(self) -> bool:
        """Is every fixation's observer known?"""
        return len(self) > 0 and bool((self.subject != UNKNOWN).all())

    @property
    def subjects(self) -> Int[np.ndarray, " subject"]:
        """The observers' numbers, sorted, each once."""
        known = np.unique(self.subject)
        return known[known != UNKNOWN]

    @property
    def pixel_x(self) -> Int[np.ndarray, " fixation"]:
        """Column of the pixel that each fixation falls on."""
        return np.floor(self.x + 0.5).astype(np.int64)

    @property
    def pixel_y(self) -> Int[np.ndarray, " fixation"]:
        """Row of the pixel that each fixation falls on."""
        return np.floor(self.y + 0.5).astype(np.int64)

    def digest(self) -> str:
        """A short text that changes with where anybody looked."""
        content = b"".join(np.ascontiguousarray(c).tobytes() for c in (self.image, self.x, self.y, self.subject))
        return hashlib.sha256(content).hexdigest()[:12]

    def where(self, rows: Any) -> "Fixations":
        """The fixations that a mask, slice or index array picks.

        Raises
        ------
        FovealError
            If it picks none of the rows there are.
        """
        try:
            picked = {field.name: getattr(self, field.name)[rows] for field in fields(self)}
        except (IndexError, TypeError, ValueError) as error:
            raise FovealError(f"fixations: rows of {len(self)} cannot be picked so ({first_line(error)})") from None
        return Fixations(**picked)

    def for_image(self, image: int | np.integer) -> "Fixations":
        """The fixations on one photograph (a slice: nothing is copied)."""
        return self.where(self.rows_of(image))

    def rows_of(self, image: int | np.integer) -> slice:
        """The rows that hold one photograph's fixations."""
        image = whole_number(image, "fixations: the number of an image")
        start, stop = np.searchsorted(self.image, [image, image + 1])
        return slice(int(start), int(stop))

    def mean_by_image(self, values: Float[np.ndarray, " fixation"], n_images: int) -> Float[np.ndarray, " image"]:
        """Mean over each photograph's fixations of a value that every fixation has; NaN where there are none."""
        values = floats(values, "values")
        n_images = whole_number(n_images, "number of images", int(self.image.max(initial=-1)) + 1)
        if values.shape != self.image.shape:
            raise FovealError(f"values: one of each of {len(self)} fixations is needed, not {described(values)}")
        count = np.bincount(self.image, minlength=n_images)
        total = np.bincount(self.image, weights=values, minlength=n_images)
        return np.divide(total, count, out=np.full(n_images, np.nan), where=count > 0)

    def for_subject(self, subject: int | np.integer) -> "Fixations":
        """One observer's fixations."""
        return self.where(self.subject == whole_number(subject, SUBJECT, UNKNOWN))

    def without_subject(self, subject: int | np.integer) -> "Fixations":
        """Everybody else's fixations."""
        return self.where(self.subject != whole_number(subject, SUBJECT, UNKNOWN))

    def drop_first(self) -> "Fixations":
        """Without the first fixation of every scanpath, which many experiments force to the center."""
        return self.where(self.order != 0)

    def place(self) -> Int[np.ndarray, " fixation"]:
        """Which fixation of its observer on its photograph each is, from 0, among those that are here.

        Raises
        ------
        FovealError
            If the observer or the order of one is not known.
        """
        if ((self.subject == UNKNOWN) | (self.order == UNKNOWN)).any():
            raise FovealError("fixations: which came first is not known: each needs a subject and an order")
        rows, sorted_place = sorted_by_scanpath(self.image, self.subject, self.order)
        place = np.empty_like(rows)
        place[rows] = sorted_place
        return place

    def follow_at_once(self) -> bool:
        """Does every fixation begin where the one before ends, as if saccades took no time? Where both are known."""
        rows, place = sorted_by_scanpath(self.image, self.subject, self.order)
        gaps = self.start[rows[1:]] - (self.start + self.duration)[rows[:-1]]
        gaps = gaps[(place[1:] > 0) & np.isfinite(gaps)]
        return len(gaps) > 0 and bool((np.abs(gaps) < 1e-3).all())

    def inside(self, sizes: Int[np.ndarray, "image 2"]) -> "Fixations":
        """Those that fall on a pixel of their photograph, given every photograph's (height, width)."""
        return self.where(self.is_inside(sizes))

    def is_inside(self, sizes: Int[np.ndarray, "image 2"]) -> np.ndarray:
        """For each fixation: does it fall on a pixel of its photograph?"""
        sizes = whole_numbers(sizes, "sizes of images")
        if (
            sizes.ndim != 2
            or sizes.shape[1] != 2
            or sizes.min(initial=1) < 1
            or len(sizes) <= self.image.max(initial=-1)
        ):
            raise FovealError(f"sizes of images: height and width of each, at least 1 px, not {described(sizes)}")
        height, width = sizes[self.image].T
        return (self.x >= -0.5) & (self.x < width - 0.5) & (self.y >= -0.5) & (self.y < height - 0.5)

    def select(self, images: Any) -> "Fixations":
        """The fixations on these photographs, renumbered to their positions in the list (each at most once)."""
        images = positions(images, "images to select")
        if len(np.unique(images)) != len(images):
            raise FovealError("images to select: each at most once")
        if len(images) == 0:
            return self.where(slice(0, 0))
        new_number = np.full(max(images.max(), self.image.max(initial=0)) + 1, -1)
        new_number[images] = np.arange(len(images))
        kept = self.where(new_number[self.image] >= 0)
        return replace(kept, image=new_number[kept.image])
