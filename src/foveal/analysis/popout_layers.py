"""How far the targets of search arrays stand out in the activation maps of a network (He et al. 2019, Table 5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from foveal.analysis.association import standardized
from foveal.analysis.named_layers import NamedLayers, named_layers
from foveal.datasets.search_arrays import SearchArray, SearchArraySettings, make_search_array
from foveal.errors import FovealError
from foveal.kept import KeptTable
from foveal.metrics.bootstrap import bootstrap_interval
from foveal.models.base import stacked, together_or_apart
from foveal.models.parts.geometry import Axis, Grid, interpolation
from foveal.progress import Progress

TOP = 10  # maps of a layer, whose mean is taken (section 4.3)
# Height and width at which a pretrained network sees an array: its shape, and about the paper's area, 224 x 224 px.
SIZE = 192, 256
NONLINEAR = "relu"  # begins the names of the layers of VGG and AlexNet whose values the next layer sees
TOGETHER = 4  # arrays; their maps stay small
KEPT_AFTER = 24  # arrays: an interrupted run computes no more than these again


@dataclass(frozen=True)
class LayerScores:
    """NMM of every activation map of a network.

    Attributes
    ----------
    network
        What it is called.
    first_trained
        The lowest layer that was trained for saliency; "" none.
    by_layer
        NMM of each array in each map.
    """

    network: str
    first_trained: str
    by_layer: Mapping[str, Float[np.ndarray, "array feature"]]


def load_networks(
    names: Sequence[str], layers: Sequence[str], device: str | torch.device
) -> tuple[list[tuple[NamedLayers, tuple[str, ...]]], list[str]]:
    """Networks, each with its layers to be scored, and a line for each that cannot be had.

    Each is a name of an installed backbone, or a model that is built on one: its name, or a file that `foveal train`
    wrote. By default, the layers are what the next layer sees: values after a nonlinearity, or else whole blocks.
    """
    networks, problems = [], []
    for name in names:
        try:
            network = named_layers(name, size=SIZE, device=str(device))
            chosen = tuple(layers) or _default_layers(network.layers)
            network.grids(SIZE, chosen)  # an unknown layer is an error
            networks.append((network, chosen))
        except FovealError as error:
            problems.append(str(error))
    return networks, problems


def score_layers(
    network: NamedLayers,
    layers: Sequence[str],
    arrays: Sequence[SearchArraySettings],
    kept: KeptTable,
    report: Progress,
    problems: list[str],
) -> LayerScores:
    """NMM of all arrays in all maps of some layers, of which those that are kept are not computed again.

    Parameters
    ----------
    network, layers
        What is looked into.
    arrays
        All of one size and background.
    kept
        Columns network, weights, layer, array and NMM, a list of a number a map.
    report
        Told of the arrays.
    problems
        Gets a line for each array that fails.
    """
    weights = network.whole_digest
    kept.forget((kept.table["network"] == network.name) & (kept.table["weights"] != weights))
    mine = kept.table[kept.table["network"] == network.name]
    known = set(zip(mine["array"], mine["layer"], strict=True))
    left = [of for of in arrays if any((of.name, layer) not in known for layer in layers)]
    count = report.counting(f"layers of {network.name}", len(arrays), before=len(arrays) - len(left))
    count(0)
    for start in range(0, len(left), KEPT_AFTER):
        rows: list[dict[str, Any]] = []
        several = left[start : start + KEPT_AFTER]
        for first in range(0, len(several), TOGETHER):
            drawn = [make_search_array(of) for of in several[first : first + TOGETHER]]
            for some, result in together_or_apart(partial(_scores, network, layers), drawn):
                if isinstance(result, FovealError):
                    problems.append(f"{network.name}: {some[0].settings.name}: {result}")
                else:
                    rows += [row for row in result if (row["array"], row["layer"]) not in known]
            count(start + first + len(drawn))
        if rows:
            kept.add(pd.DataFrame(rows).assign(network=network.name, weights=weights))
    mine = kept.table[(kept.table["network"] == network.name) & kept.table["array"].isin([of.name for of in arrays])]
    by_layer = {layer: np.array(mine[mine["layer"] == layer]["NMM"].tolist()) for layer in layers}
    first_trained = getattr(network.model.config, "first_trained", "") if network.model else ""
    return LayerScores(network.name, first_trained, {layer: v for layer, v in by_layer.items() if len(v)})


@torch.inference_mode()
def _scores(network: NamedLayers, layers: Sequence[str], arrays: Sequence[SearchArray]) -> list[dict[str, Any]]:
    """A row for each layer and array, with NMM of its maps."""
    images = stacked([array.image for array in arrays]).to(network.device)
    maps, grids = network.maps(images, layers), network.grids(arrays[0].settings.size, layers)
    return [
        {
            "layer": layer,
            "array": array.settings.name,
            "NMM": nmm_of_maps(maps[layer][i], grids[layer], array.target).tolist(),
        }
        for layer in layers
        for i, array in enumerate(arrays)
    ]


def nmm_of_maps(
    maps: Float[Tensor, "feature h w"], grid: Grid, target: Bool[np.ndarray, "height width"]
) -> Float[Tensor, " feature"]:
    """NMM of maps that lie on a grid, as if each were brought to the px of the array first.

    That is linear, so it is enough to bring the mask to the grid: five hundred maps of the array's size are never made.
    A constant map has 0.

    Raises
    ------
    FovealError
        If the mask is empty.
    """
    if not target.any():
        raise FovealError("NMM: the mask is empty")
    maps = maps.double()
    height, width = target.shape
    rows, columns = interpolation(grid.rows, Axis(height), maps), interpolation(grid.columns, Axis(width), maps)
    mask = torch.from_numpy(target).to(maps)
    return (standardized(maps, rows, columns) * (rows.T @ mask @ columns)).sum(dim=(1, 2)) / mask.sum()


def table_of_layers(every: Sequence[LayerScores]) -> pd.DataFrame:
    """Mean NMM of the ten best maps of every layer, with its interval over arrays, and the best map's number.

    The best maps are those of highest mean over all arrays. They stay the same in all resamples of the interval, which
    does not say how much of their lead is chance.
    """
    rows: list[dict[str, Any]] = []
    for scores in every:
        for layer, values in scores.by_layer.items():
            means = values.mean(axis=0)
            of_best = values[:, np.argsort(means, kind="stable")[-TOP:]].mean(axis=1)
            low, high = bootstrap_interval(lambda drawn: drawn.mean(axis=-1), of_best)
            rows.append(
                {
                    "network": scores.network,
                    "first_trained": scores.first_trained or "none",
                    "layer": layer,
                    "maps": values.shape[1],
                    "arrays": len(values),
                    "NMM": of_best.mean(),
                    "NMM_low": low,
                    "NMM_high": high,
                    "best_map": int(means.argmax()),
                }
            )
    return pd.DataFrame(rows)


def _default_layers(layers: Sequence[str]) -> tuple[str, ...]:
    nonlinear = [layer for layer in layers if layer.startswith(NONLINEAR)]
    return tuple(nonlinear or [layer for layer in layers if "." not in layer])
