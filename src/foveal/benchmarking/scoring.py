"""The metrics of one model on every image of a data set, size group by size group."""

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from foveal.benchmarking.observations import Forms, Observations, ObservedBatch
from foveal.benchmarking.predictions import Predictions
from foveal.benchmarking.yardsticks import Yardsticks
from foveal.errors import FovealError, FovealNote
from foveal.gaze import Dataset, Fixations
from foveal.images import RGBImage
from foveal.metrics import Metric
from foveal.models import SaliencyMapModel, SaliencyModel
from foveal.models.base import together_or_apart
from foveal.models.parts.finalizer import resize_log_density, resize_maps
from foveal.threads import computed_ahead

BATCH_SIZE = 8

Scores: TypeAlias = dict[int, dict[str, float]]  # image → metric → value


@dataclass(frozen=True)
class MapBatch:
    """Maps of images of one size and scale.

    Attributes
    ----------
    images
        The image of each map; one that is judged observer by observer occurs once for each.
    maps
        Log densities, or raw maps.
    parts
        The fixations that each map is judged on; all of its image where this is None.
    problems
        One line for each image that should have been here.
    """

    images: list[int]
    maps: Float[Tensor, "view height width"] | None
    parts: list[Fixations] | None = None
    problems: list[str] = field(default_factory=list)


MapSource: TypeAlias = Callable[[Sequence[int]], Iterator[MapBatch]]


@dataclass(frozen=True)
class MapsOfModel:
    """A model's log densities, or with `raw` its saliency maps as it computes them.

    Raises
    ------
    FovealError
        If a raw map is asked of a model that computes none.
    """

    model: SaliencyModel
    dataset: Dataset
    raw: bool

    def __post_init__(self) -> None:
        if self.raw and not isinstance(self.model, SaliencyMapModel):
            raise FovealError(f"{self.model.name} computes a density, it has no raw map to score")

    def __call__(self, images: Sequence[int]) -> Iterator[MapBatch]:
        """The maps of some images; one that cannot be read or computed is a problem."""
        stimuli = self.dataset.stimuli
        for pixels, problems in computed_ahead(stimuli.read, _batches(self.dataset, images)):
            if problems:
                yield MapBatch([], None, problems=problems)
            for some, computed in together_or_apart(partial(self._compute, pixels), list(pixels)):
                if isinstance(computed, FovealError):
                    yield MapBatch([], None, problems=[f"{stimuli.ids[some[0]]}: {computed}"])
                else:
                    yield MapBatch(some, computed)

    def _compute(self, pixels: Mapping[int, RGBImage], images: list[int]) -> Float[Tensor, "image height width"]:
        arrays = [pixels[image] for image in images]
        if self.raw and isinstance(self.model, SaliencyMapModel):
            return self.model.saliency_map_of(arrays)
        return self.model.log_density_of(arrays, self.dataset.stimuli[images[0]].known_pixels_per_degree)


@dataclass(frozen=True)
class MapsOfYardstick:
    """The held-out log densities of "centerbias" or "gold", each judged on the fixations that it had no part in."""

    yardsticks: Yardsticks
    name: str

    def __call__(self, images: Sequence[int]) -> Iterator[MapBatch]:
        """The maps of some images, one image a batch; what gives them is fitted at the first."""
        for image in images:
            views, parts = self.yardsticks.fitted(self.name).log_densities(image)
            yield MapBatch([image] * len(parts), views, parts)

    def log_likelihood_per_image(self) -> Float[np.ndarray, " image"]:
        """LL of every image of the data set."""
        return self.yardsticks.fitted(self.name).log_likelihood_per_image


@dataclass(frozen=True)
class MapsOfPredictions:
    """Maps from files, each of its image's size.

    Attributes
    ----------
    predictions
        The files.
    dataset
        Whose images they are of.
    places
        Which is of which image, by the images' ids.
    are_log_densities
        Or any other maps.
    """

    predictions: Predictions
    dataset: Dataset
    places: Mapping[str, str]
    are_log_densities: bool

    def __call__(self, images: Sequence[int]) -> Iterator[MapBatch]:
        """The maps of some images; a note says in the end how many of them are constant."""
        ids, path = self.dataset.stimuli.ids, self.predictions.path
        missing = [ids[image] for image in images if ids[image] not in self.places]
        if missing:
            line = f"{path}: no map of {missing[0]}"
            yield MapBatch([], None, problems=[line + (f" and {len(missing) - 1} others" if len(missing) > 1 else "")])
        is_constant: dict[str, bool] = {}
        for batch, of_batch in computed_ahead(self._read, _batches(self.dataset, images)):
            is_constant |= of_batch
            yield batch
        if flat := [name for name, constant in is_constant.items() if constant]:
            note = f"{len(flat)} of {len(is_constant)} maps of {path} are constant (first: {flat[0]})"
            warnings.warn(note, FovealNote, stacklevel=2)

    def _read(self, batch: list[int]) -> tuple[MapBatch, dict[str, bool]]:
        """The maps of some images, and which of those that were read are constant."""
        images, maps, problems = [], [], []
        is_constant: dict[str, bool] = {}
        for image in batch:
            name = self.dataset.stimuli.ids[image]
            if name not in self.places:
                continue
            height, width = self.dataset.stimuli.sizes[image].tolist()
            try:
                read = self.predictions.map_of(
                    name, self.places[name], (height, width), log_density=self.are_log_densities
                )
            except FovealError as error:
                problems.append(str(error))
                continue
            values = torch.from_numpy(read)
            is_constant[name] = bool((values == values[0, 0]).all())
            if tuple(values.shape) != (height, width):
                resize = resize_log_density if self.are_log_densities else resize_maps
                values = resize(values[None], (height, width))[0]
            maps.append(values)
            images.append(image)
        return MapBatch(images, torch.stack(maps) if maps else None, problems=problems), is_constant


def _batches(dataset: Dataset, images: Sequence[int]) -> Iterable[list[int]]:
    batches = dataset.stimuli.select(images).batches(BATCH_SIZE)
    return ([images[position] for position in batch] for batch in batches)


def score(
    source: MapSource, images: Sequence[int], metrics: Sequence[Metric], observations: Observations, *, raw: bool
) -> Iterator[tuple[Scores, list[str]]]:
    """Scores of a batch of images after the other, and a line for each image that cannot be scored.

    An image that is judged observer by observer has the mean over its fixations.
    """
    for batch in source(images):
        scores: Scores = {}
        batch = _without_bad_maps(batch, observations.dataset)
        if batch.maps is not None:
            observed = ObservedBatch(observations, batch.images, batch.parts, batch.maps.device)
            values = map_values(batch.maps, observed, metrics, raw=raw)
            count = torch.tensor([len(part) for part in observed.parts], dtype=torch.float64)
            for image in dict.fromkeys(batch.images):
                views = torch.tensor([number == image for number in batch.images])
                share = count[views] / count[views].sum()
                scores[image] = {name: float((column[views] * share).sum()) for name, column in values.items()}
        yield scores, batch.problems


def _without_bad_maps(batch: MapBatch, dataset: Dataset) -> MapBatch:
    """The batch without images of which a map holds NaN or infinite values; they become problems."""
    if batch.maps is None or torch.isfinite(batch.maps.sum()):
        return batch
    finite = torch.isfinite(batch.maps).flatten(1).all(dim=1).tolist()
    bad = {image for image, good in zip(batch.images, finite, strict=True) if not good}
    kept = [view for view, image in enumerate(batch.images) if image not in bad]
    lines = [f"{dataset.stimuli.ids[image]}: the prediction holds NaN or infinite values" for image in sorted(bad)]
    return MapBatch(
        [batch.images[view] for view in kept],
        batch.maps[kept] if kept else None,
        None if batch.parts is None else [batch.parts[view] for view in kept],
        [*batch.problems, *lines],
    )


def map_values(
    maps: Float[Tensor, "view height width"], observed: ObservedBatch, metrics: Sequence[Metric], *, raw: bool
) -> dict[str, Float[Tensor, " view"]]:
    """Every metric of every map, in float64 on the CPU. A raw map is scored as it is, whatever the metric."""
    forms = Forms(maps, observed, raw=raw)
    values = {}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*is constant", FovealNote)  # uniform's maps are, one note an image
        for metric in metrics:
            needed = (getattr(observed, need) for need in metric.needs)
            given: dict[str, Any] = {"seed": observed.observations.seed} if metric.draws else {}
            if metric.equalizes:
                given["equalize"] = not raw
            if not (metric.equalizes and raw):  # what ranks are told by is not wanted then
                given |= {name: getattr(forms, name) for name in metric.shares}
            values[metric.name] = metric.function(forms.of(metric.uses), *needed, **given).cpu().double()
    return values
