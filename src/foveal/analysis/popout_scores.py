"""How far the target of every search array stands out in the maps of a model."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor

from foveal.datasets.search_arrays import SearchArray, SearchArraySettings, empty_array, make_search_array
from foveal.errors import FovealError, FovealNote
from foveal.metrics.nmm import normalized_means_of_items
from foveal.models.base import SaliencyMapModel, SaliencyModel, together_or_apart

BATCH_SIZE = 8
RAW, DENSITY, OVER_EMPTY = "raw map", "density", "density over that of the empty array"  # what is scored

Maps = Mapping[str, Float[Tensor, "image height width"]]


@dataclass(frozen=True)
class ModelMaps:
    """The maps of a model that are scored, each by what it is.

    Of a model that computes a saliency map, that is the map before calibration: as the paper's models, it has not been
    given a center bias. Any other model says a density, which NSS is computed from as well. A density has a center bias
    that has nothing to do with the array. So it is scored a second time, divided by the density that the same model
    says of the array without items.
    """

    model: SaliencyModel

    def of(self, arrays: Sequence[SearchArray]) -> Maps:
        """The maps of arrays of one size and background."""
        images = [array.image for array in arrays]
        if isinstance(self.model, SaliencyMapModel):
            return {RAW: self.model.saliency_map_of(images)}
        log_densities = self.model.log_density_of(images)
        of_empty = self.model.log_density_of([empty_array(arrays[0].settings)])
        return {DENSITY: _exponential(log_densities), OVER_EMPTY: _exponential(log_densities - of_empty)}


def score_arrays(
    model: SaliencyModel, arrays: Sequence[SearchArraySettings]
) -> Iterator[tuple[pd.DataFrame, list[str]]]:
    """Scores of a batch of arrays after the other, and a line for each array that the model has no map of.

    Yields
    ------
    A row for each map of each array: map, array, NMM of the target, that of the highest distractor (NaN where there is
    none), found (1 if no other item has as high an NMM as the target, else 0); and the lines.
    """
    maps = ModelMaps(model)
    for start in range(0, len(arrays), BATCH_SIZE):
        drawn = [make_search_array(settings) for settings in arrays[start : start + BATCH_SIZE]]
        rows: list[dict[str, Any]] = []
        problems = []
        for some, result in together_or_apart(partial(_scores, maps), drawn):
            if isinstance(result, FovealError):
                problems.append(f"{some[0].settings.name}: {result}")
            else:
                rows += result
        yield pd.DataFrame(rows), problems


def items_of(arrays: Sequence[SearchArray], device: torch.device) -> Int[Tensor, "image height width"]:
    """The items' numbers at every pixel of arrays of one size."""
    return torch.from_numpy(np.stack([array.items for array in arrays])).to(device)


def _scores(maps: ModelMaps, arrays: list[SearchArray]) -> list[dict[str, Any]]:
    rows = []
    for kind, of_kind in maps.of(arrays).items():
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*is constant", FovealNote)  # uniform's maps are, one note a batch
            values = normalized_means_of_items(of_kind, items_of(arrays, of_kind.device)).cpu().numpy()
        for array, (target, *distractors) in zip(arrays, values.astype(np.float64), strict=True):
            present = [value for value in distractors if not np.isnan(value)]
            highest = max(present, default=np.nan)
            rows.append(
                {
                    "map": kind,
                    "array": array.settings.name,
                    "NMM": target,
                    "highest_distractor": highest,
                    "found": float(not target <= highest),
                }
            )
    return rows


def _exponential(logs: Float[Tensor, "image height width"]) -> Float[Tensor, "image height width"]:
    """Up to a factor, which a z-score does not see."""
    return (logs - logs.amax(dim=(1, 2), keepdim=True)).exp()
