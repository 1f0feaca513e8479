"""What `foveal dissect` writes: tables, figures, and a page with both."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from foveal.analysis.dissect_examples import Example, draw_answers, draw_examples
from foveal.analysis.dissect_tables import THRESHOLD, TOP, Associations, Comparison
from foveal.analysis.named_layers import NamedLayers
from foveal.analysis.page import PageSection, write_page
from foveal.figures.dissection import draw_improvements, draw_inner_output, draw_matrix, words
from foveal.files import write_atomically
from foveal.gaze import Dataset

INTRO = (
    "Every activation map of a layer is compared with every labelled region of a photograph: the NSS of the map at the "
    "fixations inside the region (He et al., CVPR 2019, eq. 1). A value of 1 says that the map is one standard "
    "deviation above its mean where people looked in the region."
)
OVER_CHANCE = (
    "The best of hundreds of maps are partly best by chance, and most so for categories with few regions. Here the "
    "maps are chosen on every second photograph and measured on the others, which no map was chosen for."
)


@dataclass(frozen=True, eq=False)
class OutputSaliency:
    """Inner and output saliency of one network.

    Attributes
    ----------
    table
        By category; see `dissect_output.by_category`.
    correlations
        Spearman's correlation with inner saliency, and its p, of the columns output and difference.
    differences
        How the differences from people's map differ by category.
    """

    table: pd.DataFrame
    correlations: dict[str, tuple[float, float]]
    differences: Comparison


@dataclass(frozen=True, eq=False)
class Findings:
    """All that is known when the report is written.

    Attributes
    ----------
    data
        The data set.
    networks
        The networks, by the names that they are shown by; the first is what the others are compared with.
    associations
        Of every network and layer.
    tables
        See `summary_tables`; "regions" has the number of regions by category, "anova" and "comparisons" the tests.
    outputs
        By network, of those that say a map.
    examples
        Which maps and regions are shown.
    """

    data: Dataset
    networks: dict[str, NamedLayers]
    associations: Associations
    tables: dict[str, pd.DataFrame]
    outputs: dict[str, OutputSaliency]
    examples: Sequence[Example]


def write_findings(found: Findings, folder: Path, more: Sequence[PageSection] = ()) -> list[Path]:
    """Write tables as CSV, figures as PNG and report.html, with more sections at its end; the paths of all."""
    files = []
    outputs = [of_one.table.assign(network=name) for name, of_one in found.outputs.items()]
    inner = {"inner_output": pd.concat(outputs, ignore_index=True)} if outputs else {}
    for name, table in (found.tables | inner).items():
        files.append(folder / f"{name}.csv")
        with write_atomically(files[-1]) as temporary:
            table.to_csv(temporary, index=False)
    figures = _draw(found, folder)
    sections = [*_sections(found, figures), *more]
    write_page(folder / "report.html", "What the layers answer to", [INTRO, _about(found)], sections)
    return [*files, *figures.values(), folder / "report.html"]


def _draw(found: Findings, folder: Path) -> dict[str, Path]:
    files = {"top_ten": folder / "top_ten.png", "top_maps": folder / "top_maps.png"}
    with write_atomically(files["top_ten"]) as temporary:
        table = _labelled_rows(found.tables["top_ten"], len(found.networks))
        draw_matrix(table, temporary, f"mean NSS of the top {TOP} maps, by layer and category")
    with write_atomically(files["top_maps"]) as temporary:
        draw_examples(found.data, found.networks, found.examples, temporary)
    if "improvements" in found.tables:
        files["improvements"] = folder / "improvements.png"
        base = next(iter(found.networks))
        with write_atomically(files["improvements"]) as temporary:
            draw_improvements(
                _labelled_rows(_last_layers(found.tables["improvements"]), 2), temporary, f"against {base}"
            )
    for number, (name, of_one) in enumerate(found.outputs.items(), start=1):
        files[f"inner_output {name}"] = folder / f"inner_output_{number}.png"
        with write_atomically(files[f"inner_output {name}"]) as temporary:
            draw_inner_output(of_one.table, of_one.correlations, temporary, name)
        files[f"answers {name}"] = folder / f"answers_{number}.png"
        with write_atomically(files[f"answers {name}"]) as temporary:
            draw_answers(found.data, name, found.networks[name], found.examples, temporary)
    return files


def _sections(found: Findings, figures: dict[str, Path]) -> list[PageSection]:
    tables = {name: _in_words(table) for name, table in found.tables.items()}
    sections = [
        PageSection(
            f"Mean of the top {TOP} maps",
            [f"The mean NSS of the {TOP} maps of a layer that answer most to a category."],
            tables["top_ten"],
            pictures=[("The same as shades", figures["top_ten"])],
        ),
        PageSection("The same, of maps chosen on other photographs", [OVER_CHANCE], tables["held_out"]),
        PageSection(
            f"Number of maps above {THRESHOLD}",
            ["Maps whose mean NSS over the regions of a category is above the threshold."],
            tables["above_threshold"],
        ),
        PageSection(
            "Maps over photographs",
            [
                "For each category, the map that answers most to it, on the three photographs where it does so most. "
                "The region is outlined. Dark is where the map is not above its mean."
            ],
            pictures=[("Maps that answer most to a category", figures["top_maps"])],
        ),
    ]
    if "improvements" in tables:
        sentences = [f"Rise of the top {TOP} maps' mean NSS over {next(iter(found.networks))}, at the same layer."]
        if len(set(_seen(found).values())) > 1:
            sentences.append("The networks see photographs at different sizes, which changes their maps as well.")
        picture = ("At the highest layer that both have", figures["improvements"])
        sections.append(PageSection("What training changed", sentences, tables["improvements"], pictures=[picture]))
    sections.append(
        PageSection(
            "Do categories differ?",
            [
                "Analysis of variance over the categories, of each region's mean of the top "
                f"{TOP} maps of its category, chosen on other photographs. Regions of one photograph are taken as "
                "independent, so that p is too small rather than too large. comparisons.csv has Tukey's comparison of "
                "each two categories. The table below lists, for the highest layer of each network, from which "
                "categories each one differs (p < .05)."
            ],
            tables["anova"],
            digits={"F": 1, "p": 4},
        )
    )
    sections.append(PageSection("Which categories differ from which", (), different_from(found.tables["comparisons"])))
    sections += [_of_output(name, of_one, figures) for name, of_one in found.outputs.items()]
    return sections


def _of_output(name: str, of_one: OutputSaliency, figures: dict[str, Path]) -> PageSection:
    r, p = of_one.correlations["output"]
    r_difference, p_difference = of_one.correlations["difference"]
    anova = of_one.differences.anova
    sentences = [
        "Inner saliency is the mean of the top maps of the highest layer. Output is the mean NSS of the network's map "
        "in regions of the category (eq. 2), people the same of the map of all fixations, difference the mean absolute "
        "difference of the two (eq. 3).",
        f"Spearman's correlation of inner saliency with the output is {r:.2f} (p = {p:.2g}), with the difference "
        f"{r_difference:.2f} (p = {p_difference:.2g}).",
    ]
    if len(anova):
        sentences.append(f"The difference depends on the category: F = {anova.F[0]:.1f}, p = {anova.p[0]:.2g}.")
    pictures = [
        ("By category", figures[f"inner_output {name}"]),
        ("Photographs, people's map and the network's", figures[f"answers {name}"]),
    ]
    return PageSection(
        f"Inside and in the answer: {name}", sentences, _in_words(of_one.table, rows=True), pictures=pictures
    )


def different_from(comparisons: pd.DataFrame) -> pd.DataFrame:
    """For the highest layer of each network, from which categories each category differs (p < .05)."""
    rows = []
    for (network, layer), pairs in _last_layers(comparisons).groupby(["network", "layer"], sort=False):
        sure = pairs[pairs["p"] < 0.05]
        for category in dict.fromkeys([*pairs["a"], *pairs["b"]]):
            others = [*sure[sure["a"] == category]["b"], *sure[sure["b"] == category]["a"]]
            listed = ", ".join(map(words, others)) or "none"
            rows.append({"network": network, "layer": layer, "category": words(category), "differs from": listed})
    return pd.DataFrame(rows, columns=["network", "layer", "category", "differs from"])


def _last_layers(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the highest layer of each network."""
    if table.empty:
        return table
    return table[table["layer"] == table.groupby("network")["layer"].transform("last")]


def _labelled_rows(table: pd.DataFrame, n_networks: int) -> pd.DataFrame:
    """Network and layer as one label, the network only where there are several."""
    labels = [
        f"{n} {layer}" if n_networks > 1 else layer for n, layer in zip(table["network"], table["layer"], strict=True)
    ]
    return table.drop(columns=["network", "layer"]).set_axis(labels, axis=0)


def _in_words(table: pd.DataFrame, *, rows: bool = False) -> pd.DataFrame:
    """Categories as a person reads them, in the heads of the columns or in the rows."""
    if rows:
        return table.assign(category=table["category"].map(words))
    return table.rename(columns=words)


def _about(found: Findings) -> str:
    n_regions = int(found.tables["regions"]["regions"].sum())
    n_images = next(iter(found.associations.values()))["image"].nunique()
    seen = "; ".join(f"{name} sees the first at {sizes} px" for name, sizes in _seen(found).items())
    return f"{found.data.name}: {n_regions} regions of {n_images} photographs. {seen}."


def _seen(found: Findings) -> dict[str, str]:
    """Width and height at which each network sees the first photograph."""
    sizes = {name: network.seen_sizes(found.data.stimuli[0].size) for name, network in found.networks.items()}
    return {name: ", ".join(f"{width} x {height}" for height, width in of_one) for name, of_one in sizes.items()}
