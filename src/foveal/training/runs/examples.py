"""Images of several data sets, of all sizes, as the batches that a network is trained on."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from foveal.features.cache import Autocast, FeatureGroup
from foveal.features.observed import maps_in_views
from foveal.features.views import WHOLE, View
from foveal.gaze import Dataset
from foveal.gaze.center_bias import CenterBiasKDE
from foveal.models.deep.network import Network
from foveal.models.parts.sizes import Viewing
from foveal.progress import Progress
from foveal.training.losses import Observed
from foveal.training.runs.batch import Batch
from foveal.training.runs.photographs import Photographs
from foveal.training.runs.shown import shown_of, viewings_of

Group = TypeVar("Group")


@dataclass(frozen=True)
class ExampleGroup:
    """All images of one size of one data set, in one view."""

    dataset: int
    viewing: Viewing
    shown: FeatureGroup | Photographs
    log_priors: Float[Tensor, "image row column"]
    counts: Float[Tensor, "image row column"]
    densities: Float[Tensor, "image row column"]
    taught: Float[Tensor, "image row column"] | None = None

    def batch(self, rows: list[int], layers: Sequence[str] | None = None, seed: int | None = None) -> Batch:
        """Some of them.

        Of features that are kept, with those of these layers (of all, by default); of photographs, with colors that are
        changed by chance, by this seed (by none, as they are).
        """
        if isinstance(self.shown, Photographs):
            seen = self.shown.read(rows, seed)
        else:
            wanted = [layer for layer in self.shown.grids if layers is None or layer in layers]
            seen = self.shown.only(wanted).read(rows)
        observed = Observed(self.counts[rows], self.densities[rows])
        taught = None if self.taught is None else self.taught[rows]
        return Batch(self.dataset, seen, self.shown.size, self.viewing, self.log_priors[rows], observed, taught)


@dataclass(frozen=True)
class Example:
    """One image: group and row."""

    group: int
    row: int


class Examples:
    """Images of data sets, each in several views.

    Attributes
    ----------
    groups
        For each view the groups of all data sets; the lists are parallel. The first view is the plain one.
    fitted, held_out
        The images that are fitted to and those that are judged.
    densities
        The center bias of each data set's fitted images.
    digest
        See `digest_of`.

    `autocast` makes a context in which features that are kept are computed, in the precision of the training.
    """

    def __init__(
        self,
        model: Network,
        datasets: Sequence[Dataset],
        held_out: Sequence[np.ndarray],
        views: Sequence[View],
        progress: Progress,
        colors: float = 0.0,
        *,
        with_pictures: bool = False,
        autocast: Autocast = nullcontext,
    ) -> None:
        self.groups: list[list[ExampleGroup]] = [[] for _ in views]
        self._whole = [views.index(replace(view, crop=WHOLE)) for view in views]
        self.fitted: list[Example] = []
        self.held_out: list[Example] = []
        self.densities: list[CenterBiasKDE] = []
        shown = shown_of(model, datasets, views, colors, progress, with_pictures=with_pictures, autocast=autocast)
        for number, data in enumerate(datasets):
            unseen = held_out[number].tolist()
            density = CenterBiasKDE.fit(data.select(np.setdiff1d(np.arange(len(data)), unseen)))
            self.densities.append(density)
            in_views = {view: shown[number, view] for view in views}
            maps = maps_in_views(in_views, data, density, model.cells, unseen)
            n_before = len(self.groups[0])
            for groups, (view, of_view) in zip(self.groups, in_views.items(), strict=True):
                viewings = viewings_of(model, data, view)
                groups += [
                    ExampleGroup(number, viewings[group.size], group, *of_group)
                    for group, of_group in zip(of_view, maps[view], strict=True)
                ]
            for position, same_size in enumerate(in_views[views[0]], start=n_before):
                for row, image in enumerate(same_size.images):
                    (self.held_out if image in unseen else self.fitted).append(Example(position, row))
        self.digest = digest_of(datasets, held_out)

    def steps(self, batch_size: int, order: torch.Generator) -> Iterator[list[tuple[ExampleGroup, list[int]]]]:
        """All fitted images once, in a new order, each in a view by chance: a step after the other.

        A step is made of the groups that its images come from, with their rows. An image is shown whole instead of by a
        part in which nobody looked anywhere.
        """
        shuffled = [self.fitted[number] for number in torch.randperm(len(self.fitted), generator=order).tolist()]
        views = torch.randint(len(self.groups), (len(shuffled),), generator=order).tolist()
        for start in range(0, len(shuffled), batch_size):
            rows: dict[tuple[int, int], list[int]] = {}
            for example, chosen in zip(shuffled[start : start + batch_size], views[start:], strict=False):
                looked_at = self.groups[chosen][example.group].counts[example.row].any()
                view = chosen if looked_at else self._whole[chosen]
                rows.setdefault((view, example.group), []).append(example.row)
            yield [(self.groups[view][group], sorted(some)) for (view, group), some in rows.items()]

    def judged(self, batch_size: int) -> Iterator[tuple[ExampleGroup, list[int]]]:
        """All held-out images, in the plain view."""
        rows: dict[int, list[int]] = {}
        for example in self.held_out:
            rows.setdefault(example.group, []).append(example.row)
        for group, some in rows.items():
            for start in range(0, len(some), batch_size):
                yield self.groups[0][group], some[start : start + batch_size]


def joinable(step: Sequence[tuple[ExampleGroup, list[int]]]) -> list[list[tuple[ExampleGroup, list[int]]]]:
    """A step's images by what `Batch.joined` takes: mirrored ones, and parts of the size of others, with them."""
    parts: dict[tuple[int, tuple[int, int], Viewing], list[tuple[ExampleGroup, list[int]]]] = {}
    for group, rows in step:
        parts.setdefault((group.dataset, group.shown.size, group.viewing), []).append((group, rows))
    return list(parts.values())


def share_of(parts: Sequence[tuple[Group, list[int]]], process: int, n_processes: int) -> list[tuple[Group, list[int]]]:
    """Every so many-th of some images, which is what one of several processes computes; none, if there are too few."""
    own, first = [], process
    for group, rows in parts:
        own.append((group, rows[first::n_processes]))
        first = (first - len(rows)) % n_processes
    return [(group, rows) for group, rows in own if rows]


def digest_of(datasets: Sequence[Dataset], held_out: Sequence[np.ndarray]) -> str:
    """A short text that changes with the images' names and scales, what is held out, and with where somebody looked."""
    digest = hashlib.sha256()
    for data, unseen in zip(datasets, held_out, strict=True):
        scales = [stimulus.known_pixels_per_degree for stimulus in data.stimuli]
        digest.update(repr((data.name, data.stimuli.ids, scales, unseen.tolist(), data.fixations.digest())).encode())
    return digest.hexdigest()[:12]
