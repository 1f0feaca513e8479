"""`foveal patches`: what the strongest features of a model respond to (DeepGaze I, section 2.4, Figs. 6 and 7)."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, UInt8

from foveal.datasets import load_dataset
from foveal.errors import FovealError
from foveal.features.cache import FeatureCache, FeatureGroup
from foveal.figures.sheets import context_sheet, patch_sheet
from foveal.files import make_writable_folder, write_atomically
from foveal.gaze import Dataset
from foveal.images import RGBImage, encode_png
from foveal.models import SaliencyModel, list_models, load_model
from foveal.models.catalogue import class_of
from foveal.models.feature_source import WeighedFeatures
from foveal.progress import Report

N_FEATURES = 10
N_PATCHES = 9
IN_CONTEXT = 4  # features and patches of each that are shown in their images
COLUMNS = ["rank", "layer", "feature", "weight", "image", "x", "y", "response"]


@dataclass(frozen=True)
class Patches:
    """What was found and written.

    Attributes
    ----------
    table
        For each of the strongest features its layer, number and weight, and for each of its patches the image, the
        place of the strongest response (px) and the response in standard deviations.
    files
        The two sheets and the table.
    problems
        One line for each image that could not be read.
    """

    table: pd.DataFrame
    files: list[Path]
    problems: list[str]


def patches(
    model: WeighedFeatures | SaliencyModel | str | os.PathLike[str],
    dataset: Dataset | str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    data_root: str | os.PathLike[str] | None = None,
    split: str | None = None,
    progress: Report | None = None,
) -> Patches:
    """Show the patches of a data set that drive the strongest features of a model most.

    The ten features of largest |w| are taken, where all have unit deviation; for each, the nine images with the highest
    response (the lowest where the weight is negative), and in each image the place of that response. A patch is all of
    the image that the response can see. Writes `out`/patches.png, `out`/context.png (the first four patches of the
    first four features in their images, beside the feature's response) and `out`/patches.csv.

    Parameters
    ----------
    model
        One that says how much each of its features counts (`WeighedFeatures`), its name, or the path of a file that
        `foveal train` wrote.
    dataset
        A data set, its name, or the path of a folder.
    out
        Folder for the sheets and the table.
    data_root
        Where the data sets of the catalogue lie.
    split
        The named part of the data set that is looked through; by default all of it.
    progress
        Called with what is being done, how much of it is done, and of how much.

    Raises
    ------
    FovealError
        If the model does not say how much its features count, or something cannot be loaded or written.
    """
    loaded = model if isinstance(model, WeighedFeatures | SaliencyModel) else load_model(model)
    if not isinstance(loaded, WeighedFeatures):
        known = [name for name in list_models() if hasattr(class_of(name), "feature_weights")]
        raise FovealError(f"{loaded.name} is no readout of features (known: {', '.join(known)})")
    folder = make_writable_folder(out)
    data = dataset if isinstance(dataset, Dataset) else load_dataset(dataset, data_root)
    if split:
        data = data.split(split)
    groups = FeatureCache(loaded, data).groups(progress)
    weights, deviations = loaded.feature_weights(), loaded.feature_deviations()
    names = [(layer, number) for layer, of_layer in weights.items() for number in range(len(of_layer))]
    weight = torch.cat(list(weights.values())).cpu().numpy()
    strongest = np.argsort(-np.abs(weight), kind="stable")[:N_FEATURES].tolist()

    found = []
    for feature in strongest:
        layer, number = names[feature]
        places = _strongest_places(groups, layer, number, 1 if weight[feature] >= 0 else -1)
        found.append(_Feature(layer, number, float(weight[feature]), float(deviations[layer][number]), places))
    return Patches(_table(found, data), _draw(loaded, data, groups, found, folder), list(data.problems))


class _Place(NamedTuple):
    """Where a feature responds: position of the image, px, value."""

    image: int
    x: float
    y: float
    response: float


class _Feature(NamedTuple):
    """One of the strongest features, and where it responds most."""

    layer: str
    number: int
    weight: float
    std: float
    places: list[_Place]


def _table(found: list[_Feature], data: Dataset) -> pd.DataFrame:
    rows = [
        (rank, f.layer, f.number, f.weight, data.stimuli.ids[at.image], at.x, at.y, at.response / f.std)
        for rank, f in enumerate(found)
        for at in f.places
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _strongest_places(groups: list[FeatureGroup], layer: str, number: int, sign: int) -> list[_Place]:
    """A feature's strongest responses, one an image, the strongest first."""
    found = []
    for group in groups:
        responses = group.feature(layer, number) * sign
        within = responses.reshape(len(responses), -1)
        grid = group.grids[layer]
        for image, place, value in zip(group.images, within.argmax(axis=1), within.max(axis=1), strict=True):
            row, column = (int(i) for i in np.unravel_index(int(place), responses.shape[1:]))
            x, y = (axis.first + axis.step * i for axis, i in ((grid.columns, column), (grid.rows, row)))
            found.append(_Place(image, x, y, sign * float(value)))
    return sorted(found, key=lambda place: -sign * place.response)[:N_PATCHES]


def _draw(
    model: WeighedFeatures, data: Dataset, groups: list[FeatureGroup], found: list[_Feature], folder: Path
) -> list[Path]:
    highest = max(abs(feature.weight) for feature in found) or 1.0
    blocks, contexts = [], []
    for rank, feature in enumerate(found):
        seen = []
        for at in feature.places:
            image = data.stimuli[at.image].image
            seen.append((at, image, model.field_of_view(feature.layer, image.shape[:2])))
        label = f"{feature.layer} {feature.number}: {feature.weight / highest:+.2f}"
        blocks.append((label, [_cut(image, at.x, at.y, side) for at, image, side in seen]))
        if rank < IN_CONTEXT:
            shown = [
                (image, (at.x, at.y), side, _response(groups, at.image, feature, image.shape[:2]))
                for at, image, side in seen[:IN_CONTEXT]
            ]
            contexts.append((label, shown))
    files = [folder / "patches.png", folder / "context.png", folder / "patches.csv"]
    for path, sheet in zip(files, (patch_sheet(blocks), context_sheet(contexts)), strict=False):
        with write_atomically(path) as temporary:
            temporary.write_bytes(encode_png(sheet))
    with write_atomically(files[2]) as temporary:
        _table(found, data).to_csv(temporary, index=False)
    return files


def _cut(image: RGBImage, x: float, y: float, side: int) -> UInt8[np.ndarray, "side side 3"]:
    """The square of this side around a place; gray beyond the image."""
    half = side // 2
    padded = cv2.copyMakeBorder(image, side, side, side, side, cv2.BORDER_CONSTANT, value=(128, 128, 128))
    column = int(np.clip(round(x) + side, half, padded.shape[1] - half - 1))
    row = int(np.clip(round(y) + side, half, padded.shape[0] - half - 1))
    return padded[row - half : row + half + 1, column - half : column + half + 1]


def _response(
    groups: list[FeatureGroup], image: int, feature: _Feature, size: tuple[int, int]
) -> Float[np.ndarray, "height width"]:
    """A feature's response at every pixel of a photograph of this (height, width)."""
    group = next(group for group in groups if image in group.images)
    grid = group.grids[feature.layer]
    response = group.feature(feature.layer, feature.number)[group.images.index(image)]
    rows = (np.arange(size[0]) - grid.rows.first) / grid.rows.step
    columns = (np.arange(size[1]) - grid.columns.first) / grid.columns.step
    at = np.meshgrid(columns.astype(np.float32), rows.astype(np.float32))
    return cv2.remap(response, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
