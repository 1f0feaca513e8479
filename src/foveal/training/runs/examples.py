"""Images of several data sets, of all sizes, as the batches that a deep model is trained on."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from foveal.features.cache import FeatureCache, FeatureGroup, tell_of_room
from foveal.features.cells import counts_of, log_priors_of
from foveal.features.views import WHOLE, View
from foveal.gaze import Dataset
from foveal.gaze.center_bias import CenterBiasKDE
from foveal.gaze.maps import gaussian_blur
from foveal.gaze.stimuli import ASSUMED_PIXELS_PER_DEGREE
from foveal.models.deep.foveal_s import FovealS, at_scale
from foveal.models.parts.geometry import Grid
from foveal.progress import Report as Progress
from foveal.training.losses import Observed

Group = TypeVar("Group")


@dataclass(frozen=True)
class Zoomed:
    """A model that sees images by so much larger, as the feature cache asks it for features."""

    model: FovealS
    zoom: float

    @property
    def device(self) -> torch.device:
        """Where the model computes."""
        return self.model.device

    @property
    def features_depend_on(self) -> dict[str, Any]:
        """What is chosen about the features."""
        chosen = self.model.features_depend_on
        return chosen if self.zoom == 1 else {**chosen, "zoom": self.zoom}

    def features(self, images: Float[Tensor, "image 3 height width"]) -> dict[str, Float[Tensor, "image _ _ _"]]:
        """Features of the model."""
        return self.model.features(images, self.zoom)

    def grids(self, size: tuple[int, int]) -> dict[str, Grid]:
        """Where they lie in images of this (height, width)."""
        return self.model.grids(size, self.model.kept_layers, self.zoom)


@dataclass(frozen=True)
class Batch:
    """Some images of one size of one data set: what a model sees of them, their prior, and where people looked.

    `taught` are densities that a teacher has of them, if there is one.
    """

    dataset: int
    features: dict[str, Float[Tensor, "image _ _ _"]]
    size: tuple[int, int]
    zoom: float
    log_prior: Float[Tensor, "image row column"]
    observed: Observed
    taught: Float[Tensor, "image row column"] | None = None

    @classmethod
    def joined(cls, batches: Sequence["Batch"]) -> "Batch":
        """One of several whose images have one size, data set and zoom."""
        first, *others = batches
        if not others:
            return first
        taught = [batch.taught for batch in batches if batch.taught is not None]
        assert len(taught) in (0, len(batches))
        return replace(
            first,
            features={layer: torch.cat([batch.features[layer] for batch in batches]) for layer in first.features},
            log_prior=torch.cat([batch.log_prior for batch in batches]),
            observed=Observed(
                torch.cat([batch.observed.counts for batch in batches]),
                torch.cat([batch.observed.density for batch in batches]),
            ),
            taught=torch.cat(taught) if taught else None,
        )


@dataclass(frozen=True)
class ExampleGroup:
    """All images of one size of one data set, in one view."""

    dataset: int
    zoom: float
    features: FeatureGroup
    log_priors: Float[Tensor, "image row column"]
    counts: Float[Tensor, "image row column"]
    densities: Float[Tensor, "image row column"]
    taught: Float[Tensor, "image row column"] | None = None

    def batch(self, rows: list[int], layers: Sequence[str] | None = None, device: torch.device | None = None) -> Batch:
        """Some of them, with the features of these layers (of all that are kept, by default)."""
        kept = self.features.read(rows) if layers is None else self.features.only(layers).read(rows)
        # As the network itself has them when it predicts: its convolutions are faster so.
        features = {layer: maps.to(device, memory_format=torch.channels_last) for layer, maps in kept.items()}
        log_priors, counts, densities = (
            maps[rows].to(device) for maps in (self.log_priors, self.counts, self.densities)
        )
        observed = Observed(counts, densities)
        taught = None if self.taught is None else self.taught[rows].to(device)
        return Batch(self.dataset, features, self.features.size, self.zoom, log_priors, observed, taught)


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
    """

    def __init__(
        self,
        model: FovealS,
        datasets: Sequence[Dataset],
        held_out: Callable[[Dataset], np.ndarray],
        views: Sequence[View],
        progress: Progress,
    ) -> None:
        self.groups: list[list[ExampleGroup]] = [[] for _ in views]
        self._whole = [views.index(replace(view, crop=WHOLE)) for view in views]
        self.fitted: list[Example] = []
        self.held_out: list[Example] = []
        self.densities: list[CenterBiasKDE] = []
        kept = _features(model, datasets, views, progress)
        for number, data in enumerate(datasets):
            unseen = held_out(data).tolist()
            density = CenterBiasKDE.fit(data.select(np.setdiff1d(np.arange(len(data)), unseen)))
            self.densities.append(density)
            features = [kept[number, view] for view in views]
            log_priors = log_priors_of(features[0], data, density, model.density_grid, unseen)
            n_before = len(self.groups[0])
            maps: dict[View, list[list[Tensor]]] = {}  # which all zooms share
            for groups, view, of_view in zip(self.groups, views, features, strict=True):
                unzoomed = replace(view, zoom=1.0)
                if unzoomed not in maps:
                    maps[unzoomed] = [
                        _maps(model, data, view, *group) for group in zip(of_view, log_priors, strict=True)
                    ]
                for group, of_group in zip(of_view, maps[unzoomed], strict=True):
                    groups.append(ExampleGroup(number, view.zoom, group, *of_group))
            for position, same_size in enumerate(features[0], start=n_before):
                for row, image in enumerate(same_size.images):
                    (self.held_out if image in unseen else self.fitted).append(Example(position, row))
        self.digest = digest_of(datasets, [held_out(data) for data in datasets])

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
    parts: dict[tuple[int, tuple[int, int], float], list[tuple[ExampleGroup, list[int]]]] = {}
    for group, rows in step:
        parts.setdefault((group.dataset, group.features.size, group.zoom), []).append((group, rows))
    return list(parts.values())


def share_of(parts: Sequence[tuple[Group, list[int]]], process: int, n_processes: int) -> list[tuple[Group, list[int]]]:
    """Every so many-th of some images, which is what one of several processes computes; none, if there are too few."""
    own, first = [], process
    for group, rows in parts:
        own.append((group, rows[first::n_processes]))
        first = (first - len(rows)) % n_processes
    return [(group, rows) for group, rows in own if rows]


def digest_of(datasets: Sequence[Dataset], held_out: Sequence[np.ndarray]) -> str:
    """A short text that changes with the images' names, what is held out of them, and with where somebody looked."""
    digest = hashlib.sha256()
    for data, unseen in zip(datasets, held_out, strict=True):
        digest.update(repr((data.name, data.stimuli.ids, unseen.tolist(), data.fixations.digest())).encode())
    return digest.hexdigest()[:12]


def _features(
    model: FovealS, datasets: Sequence[Dataset], views: Sequence[View], progress: Progress
) -> dict[tuple[int, View], list[FeatureGroup]]:
    """What is kept of the images of each data set in each view, at all scales of the model."""
    caches = {
        (number, view): [
            FeatureCache(Zoomed(model, view.zoom * scale), data, mirrored=view.mirrored, crop=view.crop)
            for scale in model.config.scales
        ]
        for number, data in enumerate(datasets)
        for view in views
    }
    tell_of_room([cache for of_scales in caches.values() for cache in of_scales])
    features, n_parts = {}, len(caches)
    for part, (which, of_scales) in enumerate(caches.items(), start=1):

        def report(what: str, done: int, total: int, part: int = part) -> None:
            progress(f"{what}, part {part}/{n_parts}", done, total)

        together, *others = [cache.groups(report, tell=False) for cache in of_scales]
        for number, other in enumerate(others, start=1):
            name = partial(at_scale, number=number)
            together = [one.with_layers_of(more, name) for one, more in zip(together, other, strict=True)]
        features[which] = together
    return features


def _maps(
    model: FovealS, data: Dataset, view: View, group: FeatureGroup, log_priors: Float[Tensor, "image row column"]
) -> list[Float[Tensor, "image _ _"]]:
    """Log priors, counts and empirical maps of a group's images as a view has them, given the whole images' priors."""
    if view.crop != WHOLE:
        sizes = data.stimuli.sizes.tolist()
        parts = [
            view.crop.log_prior_of(log_prior, image, tuple(sizes[image]), model.density_grid)
            for image, log_prior in zip(group.images, log_priors, strict=True)
        ]
        log_priors = torch.stack(parts)
    (counts,) = counts_of([group], view.crop.fixations_of(data), model.density_grid)
    maps = [log_priors, counts, _blurred(counts, data, group)]
    return [each.flip(2) for each in maps] if view.mirrored else maps


def _blurred(
    counts: Float[Tensor, "image row column"], data: Dataset, features: FeatureGroup
) -> Float[Tensor, "image row column"]:
    """Empirical maps: a Gaussian of one degree on every fixation, summing to one."""
    cell = features.size[1] / counts.shape[2]
    ppd = [data.stimuli[image].pixels_per_degree or ASSUMED_PIXELS_PER_DEGREE for image in features.images]
    blurred = gaussian_blur(counts, torch.tensor(ppd) / cell)
    return blurred / blurred.sum(dim=(1, 2), keepdim=True).clamp(min=1e-12)
