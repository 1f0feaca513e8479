"""`foveal dissect`: what the layers of a network answer to, and what training changes about it.

He, Tavakoli, Borji, Mi & Pugeault, "Understanding and visualizing deep visual saliency models", CVPR 2019.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from foveal.analysis.dissect_examples import examples_of
from foveal.analysis.dissect_output import by_category, output_table, rank_correlations
from foveal.analysis.dissect_report import Findings, OutputSaliency, write_findings
from foveal.analysis.dissect_tables import compared, held_out_values, summary_tables
from foveal.analysis.dissect_values import association_tables
from foveal.analysis.named_layers import NamedLayers, named_layers
from foveal.analysis.page import PageSection
from foveal.analysis.region_fixations import LookedAt, digest_of, looked_at
from foveal.benchmarking.results import short_names
from foveal.datasets import load_dataset
from foveal.datasets.regions import regions_of
from foveal.errors import FovealError
from foveal.files import make_writable_folder
from foveal.gaze import Dataset
from foveal.gaze.regions import CATEGORIES, Regions
from foveal.paths import safe_file_name
from foveal.progress import Progress, Report

# Of VGG-16 (section 4.2). What the paper calls conv4-1 is what is left above zero: only with it are its values found.
LAYERS = ("relu4_1", "relu4_2", "relu4_3", "relu5_1", "relu5_2", "relu5_3")
SIZE = 224, 224  # px at which the paper's network sees a photograph (section 4.2)


@dataclass(frozen=True, eq=False)
class Dissection:
    """What was found and written.

    Attributes
    ----------
    tables
        By name, as they are written: "top_ten", "held_out", "above_threshold", "top_maps", "improvements", "regions",
        "anova", "comparisons" (see `summary_tables`, `compared`).
    outputs
        Inner and output saliency by category, of each network that says a map, and its rank correlations.
    files
        Tables, figures and the report.
    problems
        One line for each network, photograph or region that was left out.
    """

    tables: dict[str, pd.DataFrame]
    outputs: dict[str, OutputSaliency]
    files: list[Path]
    problems: list[str]


def dissect(
    dataset: Dataset | str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    networks: Sequence[str | os.PathLike[str]] = ("vgg16",),
    layers: Sequence[str] | None = None,
    regions: Regions | str | os.PathLike[str] | None = None,
    size: tuple[int, int] = SIZE,
    data_root: str | os.PathLike[str] | None = None,
    split: str | None = None,
    limit: int | None = None,
    device: str = "cpu",
    sections: Sequence[PageSection] = (),
    progress: Report | None = None,
) -> Dissection:
    """Associate every map of some layers with every labelled region of a data set, and say by category what they are.

    Writes tables, figures and `out`/report.html. What was computed is kept in `out`/associations; called again, also
    with more photographs, layers or networks, it goes on with what is missing.

    Parameters
    ----------
    dataset
        A data set, its name, or the path of a folder. Its fixations are taken as they are (of OSIE, without the first
        of each scanpath, which was forced).
    out
        Folder for all that is written.
    networks
        Pretrained networks (`foveal weights list`), models that are built on one, and files of such models. The first
        is what the others are compared with.
    layers
        Names of layers, from the image up; by default the last two blocks of VGG-16. Of each network those that it has.
    regions
        Labelled regions, or a table of them; by default those that come with Foveal for the data set.
    size
        Height and width at which pretrained networks see a photograph. Models see it their own way.
    data_root
        Where the data sets of the catalogue lie.
    split, limit
        Only this part of the data set; of that only the first so many photographs.
    device
        Where to compute.
    sections
        More of the report, at its end.
    progress
        Called with what is being done, how much of it is done, and of how much.

    Raises
    ------
    FovealError
        If something cannot be loaded or written, no network is given, no network has any or one of the layers, or no
        region was looked at.
    """
    if not networks:
        raise FovealError("dissect: give a network at least")
    layers = layers or LAYERS
    whole = dataset if isinstance(dataset, Dataset) else load_dataset(dataset, data_root)
    labelled = regions if isinstance(regions, Regions) else regions_of(regions or whole.name)
    data = whole.split(split) if split else whole
    data = data.limit(limit) if limit else data
    folder = make_writable_folder(out)
    loaded, problems = _loaded(networks, layers, size, device)
    work, lines = looked_at(data, labelled)
    problems += lines
    report = Progress.of(progress)

    # Of the whole data set, so that more of it can be added.
    computed_from = {"data": whole.digest(), "regions": digest_of(labelled)}
    associations: dict[tuple[str, str], pd.DataFrame] = {}
    outputs: dict[str, OutputSaliency] = {}
    for name, network in loaded.items():
        its_folder = folder / "associations" / safe_file_name(name)
        its_layers = [layer for layer in layers if layer in network.layers]
        key = computed_from | {"seen": [network.seen_sizes(of_images) for of_images in sorted(whole.stimuli.by_size())]}
        tables, lines = association_tables(network, its_layers, data, work, its_folder, key, report)
        problems += lines
        associations |= {(name, layer): table for layer, table in tables.items()}
        if network.model is not None:
            outputs[name], lines = _output(network, name, data, work, tables[its_layers[-1]], its_folder, key, report)
            problems += lines
    tables = summary_tables(associations) | _tests(associations) | {"regions": _counts(work)}
    found = Findings(data, loaded, associations, tables, outputs, examples_of(data, labelled, associations))
    return Dissection(
        tables, outputs, write_findings(found, folder, sections), [*data.problems, *dict.fromkeys(problems)]
    )


def _loaded(
    networks: Sequence[str | os.PathLike[str]], layers: Sequence[str], size: tuple[int, int], device: str
) -> tuple[dict[str, NamedLayers], list[str]]:
    """The networks that can be looked into, by the names they are shown by, and a line for each other.

    Raises
    ------
    FovealError
        If none can, or no network has one of the layers.
    """
    shown = short_names([os.fspath(network) for network in networks])
    loaded: dict[str, NamedLayers] = {}
    problems: list[str] = []
    for given, name in shown.items():
        try:
            network = named_layers(given, size=size, device=device)
            if not set(layers) & set(network.layers):
                raise FovealError(f"{given}: none of the layers {', '.join(layers)} (has {', '.join(network.layers)})")
            loaded[name] = network
        except FovealError as error:
            problems.append(str(error))
    if not loaded:
        raise FovealError(problems[0])
    known = {layer for network in loaded.values() for layer in network.layers}
    if unknown := [layer for layer in layers if layer not in known]:
        has = "; ".join(f"{name}: {', '.join(network.layers)}" for name, network in loaded.items())
        raise FovealError(f"no layer {unknown[0]!r} in any of the networks ({has})")
    return loaded, problems


def _output(
    network: NamedLayers,
    name: str,
    data: Dataset,
    work: Sequence[LookedAt],
    associations: pd.DataFrame,
    folder: Path,
    key: Mapping[str, object],
    report: Progress,
) -> tuple[OutputSaliency, list[str]]:
    """What the network's answer is in the regions, beside what its highest layer is."""
    assert network.model is not None
    key = {**key, "weights": network.whole_digest}
    outputs, problems = output_table(network.model, name, data, work, folder / "output.parquet", key, report)
    by = by_category(outputs, associations)
    differences = compared((outputs["output"] - outputs["people"]).abs().to_numpy(float), outputs["category"])
    return OutputSaliency(by, rank_correlations(by), differences), problems


def _tests(associations: dict[tuple[str, str], pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Do categories differ, of every network and layer? By maps chosen on other images."""
    anova: list[pd.DataFrame] = []
    pairs: list[pd.DataFrame] = []
    for (network, layer), table in associations.items():
        found = compared(held_out_values(table), table["category"])
        for tables, one in ((anova, found.anova), (pairs, found.pairs)):
            one.insert(0, "network", network)
            one.insert(1, "layer", layer)
            tables.append(one)
    return {"anova": _joined(anova), "comparisons": _joined(pairs)}


def _joined(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """The rows of all tables; of none that has rows, the columns."""
    return pd.concat([table for table in tables if len(table)] or tables[:1], ignore_index=True)


def _counts(work: Sequence[LookedAt]) -> pd.DataFrame:
    """How many regions of each category there are, and how many fixations in them."""
    rows = [
        (region.category, int(count))
        for one in work
        for region, count in zip(one.regions, one.fixations.count, strict=True)
    ]
    table = pd.DataFrame(rows, columns=["category", "fixations"]).groupby("category")["fixations"].agg(["size", "sum"])
    table = table.rename(columns={"size": "regions", "sum": "fixations"})
    return table.loc[[category for category in CATEGORIES if category in table.index]].reset_index()
