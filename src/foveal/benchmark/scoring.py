"""The metrics of one model on every image of a data set, size group by size group."""

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from foveal.benchmark.observations import Forms, Observations, ObservedBatch
from foveal.benchmark.predictions import Predictions
from foveal.errors import FovealError, FovealNote
from foveal.gaze import Dataset, Fixations
from foveal.images import RGBImage
from foveal.metrics import Metric
from foveal.models import SaliencyMapModel, SaliencyModel
from foveal.models.base import together_or_apart
from foveal.models.baselines import CrossValidatedBaseline
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


def maps_of_model(model: SaliencyModel, dataset: Dataset, *, raw: bool) -> MapSource:
    """A model's log densities, or with `raw` its saliency maps as it computes them.

    Raises
    ------
    FovealError
        If a raw map is asked of a model that computes none.
    """
    if raw and not isinstance(model, SaliencyMapModel):
        raise FovealError(f"{model.name} computes a density, it has no raw map to score")

    def maps(images: Sequence[int]) -> Iterator[MapBatch]:
        for pixels, problems in computed_ahead(dataset.stimuli.read, _batches(dataset, images)):
            if problems:
                yield MapBatch([], None, problems=problems)

            def compute(some: list[int], pixels: dict[int, RGBImage] = pixels) -> Float[Tensor, "image height width"]:
                arrays = [pixels[image] for image in some]
                if raw and isinstance(model, SaliencyMapModel):
                    return model.saliency_map_of(arrays)
                return model.log_density_of(arrays, dataset.stimuli[some[0]].pixels_per_degree)

            for some, computed in together_or_apart(compute, list(pixels)):
                if isinstance(computed, FovealError):
                    yield MapBatch([], None, problems=[f"{dataset.stimuli.ids[some[0]]}: {computed}"])
                else:
                    yield MapBatch(some, computed)

    return maps


def maps_of_baseline(fitted: Callable[[], CrossValidatedBaseline]) -> MapSource:
    """A yardstick's held-out log densities, each judged on the fixations that it had no part in."""

    def maps(images: Sequence[int]) -> Iterator[MapBatch]:
        for image in images:
            views, parts = fitted().log_densities(image)
            yield MapBatch([image] * len(parts), views, parts)

    return maps


def maps_of_predictions(
    predictions: Predictions, dataset: Dataset, places: Mapping[str, str], *, log_density: bool
) -> MapSource:
    """Maps from files, each of its image's size; a note says how many of them are constant.

    Parameters
    ----------
    predictions
        The files.
    dataset
        Whose images they are of.
    places
        Which is of which image, by the images' ids.
    log_density
        Are they log densities?
    """
    ids = dataset.stimuli.ids
    constant: dict[str, bool] = {}  # of the images whose maps were read

    def read(batch: list[int]) -> MapBatch:
        images, maps, problems = [], [], []
        for image in batch:
            name = ids[image]
            if name not in places:
                continue
            height, width = dataset.stimuli.sizes[image].tolist()
            try:
                values = torch.from_numpy(
                    predictions.map_of(name, places[name], (height, width), log_density=log_density)
                )
            except FovealError as error:
                problems.append(str(error))
                continue
            constant[name] = bool((values == values[0, 0]).all())
            if tuple(values.shape) != (height, width):
                resize = resize_log_density if log_density else resize_maps
                values = resize(values[None], (height, width))[0]
            maps.append(values)
            images.append(image)
        return MapBatch(images, torch.stack(maps) if maps else None, problems=problems)

    def maps(images: Sequence[int]) -> Iterator[MapBatch]:
        missing = [ids[image] for image in images if ids[image] not in places]
        if missing:
            line = f"{predictions.path}: no map of {missing[0]}"
            yield MapBatch([], None, problems=[line + (f" and {len(missing) - 1} others" if len(missing) > 1 else "")])
        constant.clear()
        yield from computed_ahead(read, _batches(dataset, images))
        if flat := [name for name, is_constant in constant.items() if is_constant]:
            note = f"{len(flat)} of {len(constant)} maps of {predictions.path} are constant (first: {flat[0]})"
            warnings.warn(note, FovealNote, stacklevel=2)

    return maps


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
