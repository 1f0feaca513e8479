"""The metrics of one model on every image of a data set, size group by size group."""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from jaxtyping import Float
from torch import Tensor

from foveal.errors import FovealError
from foveal.gaze import Dataset
from foveal.metrics import FixationBatch, Metric
from foveal.models import SaliencyMapModel, SaliencyModel
from foveal.models.baselines import CrossValidatedBaseline
from foveal.threads import computed_ahead

BATCH_SIZE = 8

Scores: TypeAlias = dict[int, dict[str, float]]  # image → metric → value
Problems: TypeAlias = list[str]


def score_baseline(
    baseline: CrossValidatedBaseline, metrics: Sequence[Metric], images: Sequence[int]
) -> Iterator[tuple[Scores, Problems]]:
    """Scores of one image after the other.

    Each held-out density is scored on the fixations that it judges; an image's score is the mean over its fixations.
    The likelihood is `baseline.log_likelihoods`; maps are rendered only for other metrics.
    """
    log_likelihood = baseline.log_likelihood_per_image
    metrics = [metric for metric in metrics if metric.name != "LL"]
    for image in images:
        if not metrics:
            yield {image: {"LL": float(log_likelihood[image])}}, []
            continue
        maps, parts = baseline.log_densities(image)
        fixations = FixationBatch.stack(parts)
        share = (fixations.count / len(fixations.image)).double()
        views = _values(maps, fixations, metrics, raw=False)
        scores = {name: float((values * share).sum()) for name, values in views.items()}
        yield {image: scores | {"LL": float(log_likelihood[image])}}, []


def score_model(
    model: SaliencyModel, dataset: Dataset, metrics: Sequence[Metric], images: Sequence[int], *, raw: bool
) -> Iterator[tuple[Scores, Problems]]:
    """Scores of a batch of images after the other, and a line for each image that cannot be read.

    With `raw`, the saliency map is scored as the model computes it.

    Raises
    ------
    FovealError
        If a raw map is asked of a model that computes none.
    """
    if raw and not isinstance(model, SaliencyMapModel):
        raise FovealError(f"{model.name} computes a density, it has no raw map to score")
    wanted = set(images)
    batches = [[image for image in batch if image in wanted] for batch in dataset.stimuli.batches(BATCH_SIZE)]

    for pixels, problems in computed_ahead(dataset.stimuli.read, [batch for batch in batches if batch]):
        scores: Scores = {}
        if pixels:
            arrays = list(pixels.values())
            if raw and isinstance(model, SaliencyMapModel):
                maps = model.saliency_map_of(arrays)
            else:
                maps = model.log_density_of(arrays, dataset.stimuli[next(iter(pixels))].pixels_per_degree)
            fixations = FixationBatch.stack([dataset.fixations.for_image(image) for image in pixels])
            values = _values(maps, fixations.to(maps.device), metrics, raw=raw)
            for row, image in enumerate(pixels):
                scores[image] = {name: float(column[row]) for name, column in values.items()}
        yield scores, problems


def _values(
    maps: Float[Tensor, "view height width"], fixations: FixationBatch, metrics: Sequence[Metric], *, raw: bool
) -> dict[str, Float[Tensor, " view"]]:
    """Every metric of every map, in float64 on the CPU."""
    inputs = {"log_density": maps}
    if any(metric.uses == "density" for metric in metrics):
        inputs["density"] = maps if raw else maps.exp()
    return {metric.name: metric.function(inputs[metric.uses], fixations).double().cpu() for metric in metrics}
