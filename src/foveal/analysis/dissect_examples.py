"""Maps over photographs: which map answers most to a category, and where it does."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float

from foveal.analysis.dissect_output import output_of
from foveal.analysis.dissect_tables import Associations, map_means
from foveal.analysis.named_layers import NamedLayers
from foveal.figures.dissection import heated, outlined, picture_rows, words
from foveal.gaze import Dataset
from foveal.gaze.found_regions import people_map
from foveal.gaze.regions import CATEGORIES, Regions
from foveal.images import RGBImage, encode_png
from foveal.models.base import to_tensor
from foveal.models.parts.geometry import Axis, Grid, resample

SHOWN = 3  # photographs of a category
MOST_NETWORKS = 3  # whose maps are shown beside each other


class Example(NamedTuple):
    """A map that answers to a category.

    Attributes
    ----------
    category, layer, number
        The category, the layer and the number of the map in it.
    means
        Its mean association with the category, by the name of the network.
    places
        Photographs (positions) and the polygons of the regions in which it answers most.
    """

    category: str
    layer: str
    number: int
    means: Mapping[str, float]
    places: list[tuple[int, Float[np.ndarray, "corner 2"]]]


def examples_of(data: Dataset, regions: Regions, associations: Associations) -> list[Example]:
    """For each category, the map that answers most to it.

    Of one network, it is looked for in all layers; of several, in the highest layer of the last one, as what training
    made of it, and the map of the same number is shown of the others.
    """
    networks = list(dict.fromkeys(network for network, _ in associations))
    layers = [layer for network, layer in associations if network == networks[-1]]
    candidates = layers if len(networks) == 1 else layers[-1:]
    by_layer = {layer: map_means(associations[networks[-1], layer]) for layer in candidates}
    polygons = {(region.image, region.number): region.polygon for region in regions}
    position = {name: number for number, name in enumerate(data.stimuli.ids)}
    found: list[Example] = []
    for category in CATEGORIES:
        values = {
            layer: of_layer.loc[category].to_numpy(float)
            for layer, of_layer in by_layer.items()
            if category in of_layer.index
        }
        if not values:
            continue
        layer = max(values, key=lambda name: values[name].max())
        number = int(values[layer].argmax())
        means = {
            network: map_means(associations[network, layer]).loc[category].to_numpy(float)[number].item()
            for network in networks
            if (network, layer) in associations
        }
        table = associations[networks[-1], layer]
        of_category = table[table["category"] == category].sort_values(str(number), ascending=False, kind="stable")
        places = of_category.drop_duplicates("image")[:SHOWN]
        found.append(
            Example(
                category,
                layer,
                number,
                means,
                [
                    (position[image], polygons[image, region])
                    for image, region in zip(places["image"], places["region"], strict=True)
                ],
            )
        )
    return found


def draw_examples(data: Dataset, networks: Mapping[str, NamedLayers], examples: Sequence[Example], path: Path) -> None:
    """Write a sheet: a row a category; each photograph beside the map of every network over it."""
    rows = []
    for example in examples:
        shown = [name for name in networks if name in example.means]
        shown = [*shown[: MOST_NETWORKS - 1], shown[-1]] if len(shown) > MOST_NETWORKS else shown
        label = f"{words(example.category)}: {example.layer}, map {example.number}: "
        label += ", ".join(f"{name} {example.means[name]:.2f}" for name in shown)
        groups = []
        for image, polygon in example.places:
            photograph = data.stimuli[image].image
            maps = [map_of(networks[name], photograph, example.layer, example.number) for name in shown]
            groups.append([outlined(photograph, polygon), *(heated(photograph, one) for one in maps)])
        rows.append((label, groups))
    path.write_bytes(encode_png(picture_rows(rows)))


@torch.inference_mode()
def map_of(network: NamedLayers, photograph: RGBImage, layer: str, number: int) -> Float[np.ndarray, "height width"]:
    """One activation map, resized to its photograph."""
    shown = to_tensor([photograph]).to(network.device)
    height, width = photograph.shape[:2]
    grid = network.grids((shown.shape[2], shown.shape[3]), [layer])[layer]
    grid = grid.scaled(height / shown.shape[2], width / shown.shape[3])
    values = network.maps(shown, [layer])[layer][0, number]
    return resample(values, grid, Grid(Axis(height), Axis(width))).cpu().numpy()


def draw_answers(data: Dataset, name: str, network: NamedLayers, examples: Sequence[Example], path: Path) -> None:
    """Write a sheet: photographs, people's map and a network's, of the categories that it answers to most (Fig. 7)."""
    assert network.model is not None
    ranked = sorted(examples, key=lambda example: -max(example.means.values()))[:SHOWN]
    rows = []
    for example in ranked:
        image, polygon = example.places[0]
        stimulus = data.stimuli[image]
        photograph = stimulus.image
        answer = output_of(network.model, photograph, stimulus.pixels_per_degree).numpy()
        pictures = [outlined(photograph, polygon), heated(photograph, people_map(data, image))]
        rows.append(
            (
                f"{words(example.category)}: photograph, people, {name}",
                [[*pictures, heated(photograph, answer)]],
            )
        )
    path.write_bytes(encode_png(picture_rows(rows)))
