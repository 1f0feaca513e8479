"""The association of every activation map with every region of a data set, kept on disk as it is computed."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float

from foveal.analysis.association import associations
from foveal.analysis.named_layers import NamedLayers
from foveal.analysis.region_fixations import LookedAt
from foveal.gaze import Dataset
from foveal.images import RGBImage, batches_of_one_kind
from foveal.kept import KeptTable
from foveal.models.base import to_tensor
from foveal.paths import safe_file_name
from foveal.progress import Progress
from foveal.threads import computed_ahead

PLACE = ["image", "region", "category"]  # columns that say which region; each other is a map, called by its number
TOGETHER = 4  # images; their maps stay small
KEPT_AFTER = 48  # images: an interrupted run computes no more than these again


def association_tables(
    network: NamedLayers,
    layers: Sequence[str],
    data: Dataset,
    work: Sequence[LookedAt],
    folder: Path,
    computed_from: Mapping[str, Any],
    progress: Progress,
) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """One table a layer: a row a region, with the association (eq. 1) of every map of the layer, float32.

    Parameters
    ----------
    network, layers
        What is looked into.
    data, work
        The photographs, and the regions in them.
    folder
        Holds a file a layer; photographs that stand in it are not computed again.
    computed_from
        All that the values depend on but for the network.
    progress
        Told of the photographs.

    Returns
    -------
    The tables, and a line for each photograph that could not be read.
    """
    key = {**computed_from, "weights": network.digest}
    kept = {
        layer: KeptTable(folder / f"{safe_file_name(layer)}.parquet", key | {"layer": layer}, PLACE[:2])
        for layer in layers
    }
    known = {layer: set(table.table["image"]) for layer, table in kept.items()}
    missing: dict[tuple[str, ...], list[LookedAt]] = defaultdict(list)  # by the layers that lack them
    for one in work:
        missing[tuple(layer for layer in layers if data.stimuli.ids[one.image] not in known[layer])].append(one)
    report = progress.counting(f"{network.name}: images", len(work), before=len(missing.pop((), [])))
    problems: list[str] = []
    done = 0
    for lacking, images in missing.items():
        for start in range(0, len(images), KEPT_AFTER):
            rows: dict[str, list[pd.DataFrame]] = {layer: [] for layer in lacking}
            for batch, pictures, lines in _read(data, images[start : start + KEPT_AFTER]):
                problems += lines
                for layer, tables in _of_batch(network, lacking, batch, pictures, data).items():
                    rows[layer] += tables
                done += len(batch) + len(lines)
                report(done)
            for layer, tables in rows.items():
                if tables:
                    kept[layer].add(pd.concat(tables, ignore_index=True))
    wanted = {data.stimuli.ids[one.image] for one in work}
    return {layer: table.table[table.table["image"].isin(wanted)] for layer, table in kept.items()}, problems


def _read(data: Dataset, work: Sequence[LookedAt]) -> Iterator[tuple[list[LookedAt], list[RGBImage], list[str]]]:
    """Photographs of one size together, those that can be read, and a line for each other."""
    kinds = [tuple(data.stimuli.sizes[one.image].tolist()) for one in work]
    batches = [[work[i] for i in some] for some in batches_of_one_kind(kinds, TOGETHER)]

    def read(batch: list[LookedAt]) -> tuple[list[LookedAt], list[RGBImage], list[str]]:
        images, lines = data.stimuli.read([one.image for one in batch])
        readable = [one for one in batch if one.image in images]
        return readable, [images[one.image] for one in readable], lines

    return computed_ahead(read, batches)


@torch.inference_mode()
def _of_batch(
    network: NamedLayers, layers: Sequence[str], batch: Sequence[LookedAt], images: Sequence[RGBImage], data: Dataset
) -> dict[str, list[pd.DataFrame]]:
    """Rows of all regions of some photographs of one size."""
    if not batch:
        return {}
    height, width = images[0].shape[:2]
    shown = to_tensor(images).to(network.device)  # of large photographs, smaller ones
    scale = height / shown.shape[2], width / shown.shape[3]
    maps, grids = network.maps(shown, layers), network.grids((shown.shape[2], shown.shape[3]), layers)
    rows: dict[str, list[pd.DataFrame]] = {}
    for layer in layers:
        grid = grids[layer].scaled(*scale)
        values = [
            associations(of_image, grid, (height, width), one.fixations.to(of_image.device)).cpu().numpy()
            for one, of_image in zip(batch, maps[layer], strict=True)
        ]
        rows[layer] = [
            _rows(one, data.stimuli.ids[one.image], of_one) for one, of_one in zip(batch, values, strict=True)
        ]
    return rows


def _rows(one: LookedAt, image: str, values: Float[np.ndarray, "region map"]) -> pd.DataFrame:
    table = pd.DataFrame(values.astype(np.float32), columns=[str(number) for number in range(values.shape[1])])
    table.insert(0, "image", image)
    table.insert(1, "region", [region.number for region in one.regions])
    table.insert(2, "category", [region.category for region in one.regions])
    return table


def maps_of(table: pd.DataFrame) -> Float[np.ndarray, "region map"]:
    """The values of a table of associations, without the columns that say which region."""
    return table.drop(columns=PLACE).to_numpy(np.float32)
