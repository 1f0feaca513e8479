"""Photographs and the fixations on them, with all that one must know to use and to cite them."""

import hashlib
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

import numpy as np
from jaxtyping import Int

from foveal.errors import FovealError, FovealNote
from foveal.gaze.fixations import Fixations
from foveal.gaze.given import described, listed, positions, real_number, text, texts, whole_number, whole_numbers
from foveal.gaze.heads import Heads
from foveal.gaze.stimuli import Stimuli


@dataclass(frozen=True, repr=False)
class Dataset:
    """A named collection of stimuli and fixations.

    Attributes
    ----------
    name, licence, citation
        What to call it, what one may do with it, whom to cite.
    stimuli, fixations
        `fixations.image` counts positions in `stimuli`; every fixation lies inside its image.
    splits
        Named parts, as positions in `stimuli`.
    positions
        Where each of the stimuli stands in the list of the whole data set, of which this may be a part.
    subject_names
        What the subjects are called, by their number; empty where only the numbers are known.
    categories
        What kind of photograph each of the stimuli is; empty where nobody said.
    heads
        Where people's heads are in each of the stimuli; empty where nobody said.
    problems
        One line for each picture that could not be read when the data set was.
    notes
        One line for each thing in its tables that was left out, or was assumed in reading them.

    Raises
    ------
    FovealError
        If a fixation is on no image of the stimuli, or outside it, only some of the stimuli are labelled, or something
        is of another kind.
    """

    name: str
    stimuli: Stimuli
    fixations: Fixations
    licence: str = "not stated"
    citation: str = "not stated"
    splits: Mapping[str, np.ndarray] = field(default_factory=dict)
    positions: Int[np.ndarray, " image"] = field(default_factory=lambda: np.zeros(0, np.int64))
    subject_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    heads: tuple[Heads, ...] = ()
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for what, kind in (("stimuli", Stimuli), ("fixations", Fixations), ("splits", Mapping)):
            if not isinstance(given := getattr(self, what), kind):
                raise FovealError(f"data set: {what}: {kind.__name__} is needed, not {described(given)}")
        for what in ("name", "licence", "citation"):
            text(getattr(self, what), f"data set: {what}")
        for what in ("subject_names", "categories", "problems", "notes"):
            given = texts(listed(getattr(self, what), f"data set: {what}"), f"data set: {what}")
            object.__setattr__(self, what, tuple(given))
        object.__setattr__(self, "heads", tuple(listed(self.heads, "data set: heads")))
        if not all(isinstance(heads, Heads) for heads in self.heads):
            raise FovealError("data set: heads: Heads of each image are needed")
        positions_in_whole = whole_numbers(self.positions, "data set: positions")
        if len(positions_in_whole) != len(self.stimuli):  # not said, or of other stimuli that were replaced: the whole
            positions_in_whole = np.arange(len(self.stimuli))
        object.__setattr__(self, "positions", positions_in_whole)
        image = self.fixations.image
        if len(image) and not 0 <= image[0] <= image[-1] < len(self.stimuli):
            raise FovealError(f"{self.name}: fixations on image {image[-1]}, of {len(self.stimuli)} images")
        for what, labels in (("categories", self.categories), ("labels of heads", self.heads)):
            if labels and len(labels) != len(self.stimuli):
                raise FovealError(f"{self.name}: {len(labels)} {what} for {len(self.stimuli)} images")
        if self.subject_names and self.fixations.subject.max(initial=-1) >= len(self.subject_names):
            last = self.fixations.subject.max()
            raise FovealError(f"{self.name}: {len(self.subject_names)} names of subjects, counted from 0 to {last}")
        outside = int((~self.fixations.is_inside(self.stimuli.sizes)).sum())
        if outside:
            raise FovealError(f"{self.name}: {outside} fixations are outside their image; drop them (Fixations.inside)")

    def __repr__(self) -> str:
        return f"Dataset({self.name!r}, {len(self)} images, {len(self.fixations)} fixations)"

    def __len__(self) -> int:
        return len(self.stimuli)

    def digest(self) -> str:
        """A short text that changes with the photographs, their names and scales, and with where anybody looked.

        All photographs are read for it.
        """
        digest = hashlib.sha256(repr((self.stimuli.ids, self.fixations.digest())).encode())
        for stimulus, size in zip(self.stimuli, self.stimuli.sizes.tolist(), strict=True):
            digest.update(
                repr((size, stimulus.pixels_per_degree, stimulus.known_pixels_per_degree)).encode() + stimulus.digest()
            )
        return digest.hexdigest()[:12]

    def select(self, images: Sequence[int] | np.ndarray) -> "Dataset":
        """The part with these photographs (positions in `stimuli`, or a mask), in this order."""
        images = positions(images, f"{self.name}: images to select", len(self))
        return replace(
            self,
            stimuli=self.stimuli.select(images),
            fixations=self.fixations.select(images),
            splits={},
            positions=self.positions[images],
            categories=tuple(self.categories[image] for image in images) if self.categories else (),
            heads=tuple(self.heads[image] for image in images) if self.heads else (),
        )

    def between(self, start: float | int, stop: float | int) -> "Dataset":
        """Only the fixations that began from `start` on and before `stop`, in ms since the photograph came on.

        Fixations whose onset is not known are left out, with a note. A note also tells if no time passes between any
        two fixations: their onsets are cumulated durations then, and early (`foveal.gaze.onsets`).

        Raises
        ------
        FovealError
            If the times are no window, no onset is known, or nobody began to look there in that time.
        """
        start, stop = (real_number(time, f"{self.name}: window in ms") for time in (start, stop))
        if not start < stop:
            raise FovealError(f"{self.name}: a window begins before it ends, not {start:g} to {stop:g} ms")
        onset = self.fixations.start
        n_unknown = int(np.isnan(onset).sum())
        if n_unknown == len(onset):
            needed = "start_ms, or subject, duration_ms and an order that counts from 0 without gaps"
            raise FovealError(f"{self.name}: when fixations began is not known; needed are the columns {needed}")
        if n_unknown:
            note = f"{self.name}: {n_unknown} of {len(onset)} fixations are left out: when they began is not known"
            warnings.warn(note, FovealNote, stacklevel=2)
        if self.fixations.follow_at_once():
            note = f"{self.name}: onsets are cumulated durations, without the time of saccades: they are early"
            warnings.warn(note, FovealNote, stacklevel=2)
        return self._with_fixations((onset >= start) & (onset < stop), f"between {start:g} and {stop:g} ms")

    def first(self, n: int) -> "Dataset":
        """Only the first `n` fixations of each observer on each photograph (see `nth`)."""
        return self.nth(1, n)

    def nth(self, first: int, last: int | None = None) -> "Dataset":
        """Only the first to last fixations of each observer on each photograph, counted from 1; or only one of them.

        Counted are the fixations that the data set has. A fixation that was left out, such as a forced first one or
        one outside of the photograph, does not count.

        Raises
        ------
        FovealError
            If the numbers are no such range, observers or orders are not known, or nobody made so many fixations.
        """
        first = whole_number(first, f"{self.name}: number of the first fixation", 1)
        last = first if last is None else whole_number(last, f"{self.name}: number of the last fixation", first)
        try:
            place = self.fixations.place()
        except FovealError as error:
            raise FovealError(f"{self.name}: {error}") from None
        numbers = f"{first}" if first == last else f"{first} to {last}"
        return self._with_fixations((place >= first - 1) & (place < last), f"with the number {numbers}")

    def _with_fixations(self, rows: np.ndarray, which: str) -> "Dataset":
        if not rows.any():
            raise FovealError(f"{self.name}: no fixation {which}")
        return replace(self, fixations=self.fixations.where(rows))

    def looked_at(self) -> "Dataset":
        """The part with the photographs that have fixations."""
        return self.select(np.unique(self.fixations.image))

    def readable(self) -> "Dataset":
        """The part with the photographs that can be read, which takes reading all; a line for each other is a problem.

        Raises
        ------
        FovealError
            If not one can be read.
        """
        unreadable = {image: lines for image in range(len(self)) if (lines := self.stimuli.read([image])[1])}
        if not unreadable:
            return self
        if len(unreadable) == len(self):
            raise FovealError(f"{self.name}: no photograph can be read ({unreadable[0][0]})")
        part = self.select([image for image in range(len(self)) if image not in unreadable])
        return replace(part, problems=(*self.problems, *chain.from_iterable(unreadable.values())))

    def split(self, name: str) -> "Dataset":
        """The named part (see `split_indices`)."""
        return self.select(self.split_indices(name))

    def split_indices(self, name: str) -> Int[np.ndarray, " image"]:
        """Positions of the photographs of a named part.

        Raises
        ------
        FovealError
            If the data set has no split of that name.
        """
        if text(name, f"{self.name}: split") not in self.splits:
            known = f"known: {', '.join(self.splits)}" if self.splits else "it has none"
            raise FovealError(f"{self.name}: no split {name!r} ({known})")
        return positions(self.splits[name], f"{self.name}: split {name!r}", len(self))

    def limit(self, n: int) -> "Dataset":
        """The first `n` photographs, at least one."""
        return self.select(np.arange(min(whole_number(n, "limit", 1), len(self))))
