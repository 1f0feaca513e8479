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

from foveal.analysis.popout_scores import digest_of
from foveal.datasets.search_arrays import SearchArray, SearchArraySettings, make_search_array
from foveal.errors import FovealError
from foveal.kept import KeptTable
from foveal.metrics.bootstrap import bootstrap_interval
from foveal.models import list_models, load_model
from foveal.models.backbones.backbone import Backbone
from foveal.models.base import stacked, together_or_apart
from foveal.models.deep.encoder import AreaEncoder, Encoder
from foveal.models.parts.geometry import Axis, Grid, interpolation
from foveal.progress import Progress

TOP = 10  # maps of a layer, whose mean is taken (section 4.3)
AREA = 224 * 224  # px at which a backbone sees an array: that of the paper's images
NONLINEAR = "relu"  # begins the names of the layers of VGG and AlexNet whose values the next layer sees


class BackboneEncoder(AreaEncoder):
    """A backbone by itself, which sees images in their own shape, with as many px as the paper's."""

    STRIDE = 16
    area = AREA

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.read_from(backbone, (backbone.layers[-1],), "")


@dataclass(frozen=True)
class Network:
    """A network and the layers of it that are scored.

    Attributes
    ----------
    encoder
        The network, with how it sees images.
    layers
        From the image up.
    """

    encoder: Encoder
    layers: tuple[str, ...]

    @torch.inference_mode()
    def maps(self, array: SearchArray) -> dict[str, tuple[Float[Tensor, "feature _ _"], Grid]]:
        """The activation maps of each layer, and where they lie in the array."""
        image = stacked([array.image]).to(self.encoder.encoder.mean.device)
        maps = self.encoder.encoder(self.encoder.fitted(image), self.layers)
        grids = self.encoder.grids(array.settings.size, self.layers)
        return {layer: (maps[layer][0], grids[layer]) for layer in self.layers}


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
) -> tuple[dict[str, Network], list[str]]:
    """Networks by what they are called, and a line for each that cannot be had.

    Each is a name of an installed backbone, or a model of one encoder: its name, or a file that `foveal train` wrote.
    """
    networks, problems = {}, []
    for name in names:
        try:
            encoder = _encoder(name).eval().to(device)
            chosen = tuple(layers) or _default_layers(encoder.encoder)
            encoder.encoder.check_layers(chosen)
            networks[name] = Network(encoder, chosen)
        except FovealError as error:
            problems.append(str(error))
    return networks, problems


def score_layers(
    name: str,
    network: Network,
    arrays: Sequence[SearchArraySettings],
    kept: KeptTable,
    report: Progress,
    problems: list[str],
) -> LayerScores:
    """NMM of all arrays in all maps, of which those that are kept are not computed again."""
    weights = digest_of(network.encoder)
    key = {"network": name, "weights": weights}
    report(f"layers of {name}", 0, len(arrays))
    for number, settings in enumerate(arrays, start=1):
        known = kept.table[_is(kept.table, {**key, "array": settings.name})]["layer"]
        if missing := [layer for layer in network.layers if layer not in set(known)]:
            array = make_search_array(settings)
            for _, found in together_or_apart(
                partial(_nmm_by_layer, Network(network.encoder, tuple(missing))), [array]
            ):
                if isinstance(found, FovealError):
                    problems.append(f"{name}: {settings.name}: {found}")
                else:
                    rows = [{**key, "layer": layer, "array": settings.name, "NMM": nmm} for layer, nmm in found.items()]
                    kept.add(pd.DataFrame(rows))
        report(f"layers of {name}", number, len(arrays))
    mine = kept.table[_is(kept.table, key) & kept.table["array"].isin([of.name for of in arrays])]
    by_layer = {layer: np.array(mine[mine["layer"] == layer]["NMM"].tolist()) for layer in network.layers}
    return LayerScores(name, network.encoder.first_trained, {layer: v for layer, v in by_layer.items() if len(v)})


def _nmm_by_layer(network: Network, arrays: Sequence[SearchArray]) -> dict[str, list[float]]:
    """NMM of one array in every map of each layer."""
    (array,) = arrays
    return {
        layer: nmm_of_maps(maps, grid, array.target).tolist() for layer, (maps, grid) in network.maps(array).items()
    }


def nmm_of_maps(
    maps: Float[Tensor, "feature h w"], grid: Grid, target: Bool[np.ndarray, "height width"]
) -> Float[Tensor, " feature"]:
    """NMM of maps that lie on a grid, as if each were brought to the px of the array first.

    That is linear, so it is enough to bring the mask, and products of the interpolation with itself, to the grid: five
    hundred maps of the array's size are never made. A constant map has 0.

    Raises
    ------
    FovealError
        If the mask is empty.
    """
    if not target.any():
        raise FovealError("NMM: the mask is empty")
    height, width = target.shape
    maps = maps.double()
    varies = maps.amax(dim=(1, 2)) > maps.amin(dim=(1, 2))
    rows, columns = interpolation(grid.rows, Axis(height), maps), interpolation(grid.columns, Axis(width), maps)
    maps = maps - maps.mean(dim=(1, 2), keepdim=True)  # of numbers near zero, squares are exact
    mean = torch.einsum("h,fhw,w->f", rows.mean(dim=0), maps, columns.mean(dim=0))
    of_rows, of_columns = rows.T @ rows / height, columns.T @ columns / width
    variance = (maps * (of_rows @ maps @ of_columns)).sum(dim=(1, 2)) - mean**2
    mask = torch.from_numpy(target).to(maps)
    inside = (maps * (rows.T @ mask @ columns)).sum(dim=(1, 2)) / mask.sum()
    return torch.where(varies, (inside - mean) / variance.where(varies, 1.0).sqrt(), 0.0)


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


def _encoder(name: str) -> Encoder:
    """The encoder of a model, or a backbone."""
    if name not in list_models() and not name.endswith(".safetensors"):
        return BackboneEncoder(Backbone(name))
    model = load_model(name)
    if not isinstance(model, Encoder):
        raise FovealError(f"{name}: it has no layers of one encoder to be scored (`foveal weights list`: backbones)")
    return model


def _default_layers(backbone: Backbone) -> tuple[str, ...]:
    """What the next layer sees: values after a nonlinearity, or else whole blocks."""
    nonlinear = [layer for layer in backbone.layers if layer.startswith(NONLINEAR)]
    return tuple(nonlinear or [layer for layer in backbone.layers if "." not in layer])


def _is(table: pd.DataFrame, key: Mapping[str, str]) -> "pd.Series[bool]":
    """Which rows have these values."""
    chosen = pd.Series(True, index=table.index)
    for column, value in key.items():
        chosen &= table[column] == value
    return chosen
