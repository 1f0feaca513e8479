"""Pictures and report.html of `foveal popout`."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from foveal.analysis.page import PageSection, write_page
from foveal.analysis.popout_scores import BATCH_SIZE, OVER_EMPTY, ModelMaps
from foveal.analysis.popout_tables import ALL, SCORED
from foveal.benchmarking.results import short_names
from foveal.datasets.search_arrays import SearchArray, SearchArraySettings, make_search_array
from foveal.datasets.search_features import FEATURES
from foveal.errors import FovealError
from foveal.figures.layer_curves import draw_layers
from foveal.figures.psychometric import draw_curves
from foveal.figures.sheets import framed, map_sheet
from foveal.files import write_atomically
from foveal.images import encode_png
from foveal.models import load_model
from foveal.models.base import together_or_apart

PICTURES = "curves_found.png", "curves_NMM.png", "examples.png", "layers.png"
SHOWN_MODELS = 5  # on the sheet of examples, from the best to the worst

INTRO = (
    "Each search array has one target among distractors. NMM says how many standard deviations a model's map is above "
    "its mean on the target (He et al., CVPR 2019, eq. 4). An array counts as found if the map is higher on the target "
    "than on every other item. The small numbers are 95 % bootstrap intervals over arrays.",
    "A model that computes a saliency map is scored by it. A model that computes a density is scored by the density, "
    "which has a center bias, and by the density divided by what it says of the array without items, which has none. "
    "The latter is called / empty.",
)


def write_popout_page(
    folder: Path,
    models: pd.DataFrame,
    curves: pd.DataFrame,
    asymmetries: pd.DataFrame,
    by_layer: pd.DataFrame,
    arrays: Sequence[SearchArraySettings],
    device: str | torch.device,
    problems: list[str],
) -> list[Path]:
    """Draw the pictures, and write them and the tables into the report; the paths of all."""
    written: list[Path] = []
    sections: list[PageSection] = []
    if len(models):
        lines = _lines(models)
        sections.append(_by_model(models, lines))
        sections.append(_by_feature(models, lines))
        written += _draw_curves(folder, curves, lines)
        sections.append(_section_of_curves(written))
        if len(asymmetries):
            sections.append(_section_of_asymmetries(asymmetries, lines))
        written.append(_draw_examples(folder, models, arrays, device))
        sections.append(
            PageSection(
                "Examples",
                [
                    "The first array of each feature with its target framed, and the maps of models from the best to "
                    "the worst, each from its lowest (black) to its highest value (yellow). White: the model failed."
                ],
                pictures=[("Arrays, and maps of models", written[-1])],
            )
        )
    if len(by_layer):
        written.append(folder / "layers.png")
        with write_atomically(written[-1]) as temporary:
            draw_layers(by_layer, temporary)
        sections.append(
            PageSection(
                "Layers of networks",
                [
                    "NMM of the ten activation maps of a layer that are best over all arrays that pop out (Table 5). "
                    "First_trained is the lowest layer that was trained for saliency (Table 6)."
                ],
                by_layer,
                pictures=[("NMM by layer", written[-1])],
            )
        )
    if problems:
        sections.append(PageSection("What could not be scored", problems))
    write_page(folder / "report.html", "Foveal popout", INTRO, sections)
    return [*written, folder / "report.html"]


def _lines(models: pd.DataFrame) -> dict[tuple[str, str], str]:
    """What each model and map is called in the report, the best first."""
    short = short_names(list(dict.fromkeys(models["model"])))
    keys = dict.fromkeys(models[SCORED].itertuples(index=False, name=None))
    return {(model, kind): short[model] + (" / empty" if kind == OVER_EMPTY else "") for model, kind in keys}


def _named(table: pd.DataFrame, lines: dict[tuple[str, str], str]) -> pd.DataFrame:
    """A table with a column `line` in the place of model and map."""
    names = [lines[key] for key in table[SCORED].itertuples(index=False, name=None)]
    return table.drop(columns=SCORED).assign(line=names)


def _by_model(models: pd.DataFrame, lines: dict[tuple[str, str], str]) -> PageSection:
    overall = models[models["feature"] == ALL]
    overall = overall if len(overall) else models
    table = _named(overall, lines).assign(map=overall["map"]).rename(columns={"line": "model"})
    order = ["model", "map", "arrays", *(name + end for name in ("NMM", "found") for end in ("", "_low", "_high"))]
    sentences = ["Means over the arrays whose target differs in one feature (Table 4). Found: the share of arrays."]
    return PageSection("Models", sentences, table[order])


def _by_feature(models: pd.DataFrame, lines: dict[tuple[str, str], str]) -> PageSection:
    named = _named(models, lines)
    features = [name for name in FEATURES if name in set(named["feature"])]
    values = {
        value: named.pivot_table(value, "line", "feature").loc[list(lines.values()), features]
        for value in ("NMM", "NMM_low", "NMM_high")
    }
    columns = {
        feature + value.removeprefix("NMM"): table[feature] for feature in features for value, table in values.items()
    }
    table = pd.DataFrame(columns).rename_axis("model").reset_index()
    sentences = ["Mean NMM of the arrays of each feature. A conjunction of two features does not pop out for people."]
    return PageSection("Features", sentences, table)


def _draw_curves(folder: Path, curves: pd.DataFrame, lines: dict[tuple[str, str], str]) -> list[Path]:
    named = _named(curves, lines)
    place = {line: number for number, line in enumerate(lines.values())}
    named = named.sort_values("line", key=lambda column: column.map(place), kind="stable")
    paths = []
    for value in ("found", "NMM"):
        paths.append(folder / f"curves_{value}.png")
        with write_atomically(paths[-1]) as temporary:
            draw_curves(named, value, temporary)
    return paths


def _section_of_curves(paths: Sequence[Path]) -> PageSection:
    sentences = [
        "By the difference between target and distractors, and by the number of items. Bars are intervals over arrays. "
        "Dotted lines are chance. For people, a target that pops out is found as well among many items."
    ]
    return PageSection(
        "Psychometric curves", sentences, pictures=list(zip(("Share of arrays found", "NMM"), paths, strict=True))
    )


def _section_of_asymmetries(asymmetries: pd.DataFrame, lines: dict[tuple[str, str], str]) -> PageSection:
    named = _named(asymmetries, lines)
    columns: dict[str, pd.Series] = {}
    for feature in dict.fromkeys(named["feature"]):
        part = named[named["feature"] == feature].set_index("line").reindex(list(lines.values()))
        columns |= {feature + end: part[f"NMM_difference{end}"] for end in ("", "_low", "_high")}
    table = pd.DataFrame(columns).rename_axis("model").reset_index()
    sentences = [
        "NMM of a target that has what the distractors lack, minus NMM where the roles are swapped: a tilted bar among "
        "upright ones against the reverse; likewise large among small, curved among straight, a plus among L's, a ring "
        "with a gap among whole ones. For people, tilt, curvature and the gap are found more easily than what lacks "
        "them (Treisman & Gormican 1988; Treisman & Souther 1985): above zero is as people are."
    ]
    return PageSection("Asymmetries", sentences, table)


def _draw_examples(
    folder: Path, models: pd.DataFrame, arrays: Sequence[SearchArraySettings], device: str | torch.device
) -> Path:
    """A sheet with an array of each feature and the maps of some models; one that fails is left white.

    Its line was told when it was scored.
    """
    lines = _lines(models)
    keys = list(lines)
    chosen = [keys[i] for i in np.unique(np.linspace(0, len(keys) - 1, SHOWN_MODELS).round().astype(int))]
    first = {of.feature: of for of in reversed(arrays) if not of.swapped}
    drawn = [make_search_array(first[feature]) for feature in FEATURES if feature in first]
    columns = [_maps_of(ModelMaps(load_model(name, device)), kind, drawn) for name, kind in chosen]
    rows = [(framed(array.image, array.target), maps) for array, *maps in zip(drawn, *columns, strict=True)]
    path = folder / "examples.png"
    with write_atomically(path) as temporary:
        temporary.write_bytes(encode_png(map_sheet(["array", *(lines[key] for key in chosen)], rows)))
    return path


def _maps_of(maps: ModelMaps, kind: str, arrays: Sequence[SearchArray]) -> list[np.ndarray | None]:
    """One map of each array, None of those that fail."""
    found: list[np.ndarray | None] = []
    for start in range(0, len(arrays), BATCH_SIZE):
        for some, result in together_or_apart(maps.of, list(arrays[start : start + BATCH_SIZE])):
            found += [None] * len(some) if isinstance(result, FovealError) else list(result[kind].cpu().numpy())
    return found
