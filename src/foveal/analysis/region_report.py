"""What `foveal regions` writes: tables, over-predicted pieces to be labelled, sheets, and a page."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from foveal.analysis.page import PageSection, write_page
from foveal.analysis.region_findings import Findings
from foveal.analysis.region_shares import OVER, densities_of
from foveal.analysis.region_tables import ALL, cells_of, united
from foveal.benchmarking.entries import Entry
from foveal.benchmarking.yardsticks import YARDSTICKS
from foveal.datasets.regions import write_regions
from foveal.figures.region_sheet import Outlined, region_sheet
from foveal.files import write_atomically
from foveal.gaze import Dataset
from foveal.gaze.found_regions import people_map
from foveal.gaze.regions import CATEGORIES, Region, Regions
from foveal.images import RGBImage, encode_png
from foveal.paths import safe_file_name

N_WORST = 6  # photographs of a sheet
LEAST_IN_TABLE = 10  # regions of a kind that the page speaks of
NAMES = {ALL: "all regions", **CATEGORIES}
INTERVAL = ("_low", "_high")


def write_findings(findings: Findings, entries: Sequence[Entry], data: Dataset, folder: Path) -> list[Path]:
    """Write all, and say where.

    Parameters
    ----------
    findings
        The tables.
    entries
        The models, for the maps of the photographs that are shown.
    data
        The whole data set, whose photographs the models count.
    folder
        Where to write.

    Raises
    ------
    FovealError
        If a file cannot be written.
    """
    tables = {
        "regions": findings.by_region,
        "misses": findings.misses,
        "importance": findings.importance,
        "over_predictions": findings.over_predictions,
        "information": findings.information,
        "flags": findings.flags,
    }
    files = []
    for name, table in tables.items():
        if len(table):
            files.append(folder / f"{name}.csv")
            with write_atomically(files[-1]) as temporary:
                table.to_csv(temporary, index=False)
    sheets: dict[str, RGBImage] = {}
    for entry in entries:
        if entry.name in YARDSTICKS or entry.name not in findings.models:
            continue
        files.append(folder / "over" / f"{safe_file_name(entry.name)}.csv")
        write_regions(files[-1], over_predicted(findings.shares, entry.name))
        rows = _worst(findings, entry, data)
        if rows:
            sheets[entry.name] = region_sheet(rows, entry.name)
            files.append(folder / f"worst.{safe_file_name(entry.name)}.png")
            with write_atomically(files[-1]) as temporary:
                temporary.write_bytes(encode_png(sheets[entry.name]))
    files.append(folder / "report.html")
    write_page(files[-1], f"Regions of {findings.data.name}", _intro(findings, entries), _sections(findings, sheets))
    return files


def over_predicted(shares: pd.DataFrame, model: str) -> Regions:
    """The pieces that a model over-predicts, as regions that somebody may label."""
    pieces = shares[(shares["model"] == model) & (shares["part"] == OVER)]
    return Regions(
        tuple(
            Region(image, number, np.asarray(corners, dtype=np.float64).reshape(-1, 2), n_fixations=n)
            for image, number, corners, n in pieces[["image", "number", "corners", "n_fixations"]].itertuples(
                index=False, name=None
            )
        )
    )


def _worst(findings: Findings, entry: Entry, data: Dataset) -> list[Outlined]:
    """The photographs where a model gives least of the mass that people give to the regions that it misses."""
    of_model = findings.by_region[findings.by_region["model"] == entry.name]
    missed = of_model[of_model["missed"]]
    sums = united(cells_of(findings.shares[findings.shares["model"] == entry.name], missed))
    lacking = (sums["fixations"] - sums["mass"]).nlargest(N_WORST)
    position = {name: number for number, name in enumerate(data.stimuli.ids)}
    densities = dict(densities_of(entry, [position[str(name)] for name in lacking.index], data))
    over = over_predicted(findings.shares, entry.name)
    rows = []
    for name, lack in lacking.items():
        image = position[str(name)]
        if image not in densities:
            continue
        stimulus = data.stimuli[image]
        people = people_map(data, image)
        numbers = set(missed.loc[missed["image"] == name, "number"])
        regions = findings.regions.for_image(stimulus.id)
        rows.append(
            Outlined(
                stimulus.image,
                [region.polygon for region in regions if region.number in numbers],
                [region.polygon for region in regions if region.number not in numbers],
                [piece.polygon for piece in over.for_image(stimulus.id)],
                np.log(np.maximum(people, np.finfo(np.float32).tiny)),
                np.log(np.maximum(densities[image], np.finfo(np.float64).tiny)),
                f"{stimulus.id}: missed are {_missed_words(regions, numbers)} (lack {lack:.0%} of the fixations)",
            )
        )
    return rows


def _missed_words(regions: Regions, numbers: set[int]) -> str:
    words = [region.note or NAMES.get(region.category, "") or f"region {region.number}" for region in regions]
    missed = Counter(word for word, region in zip(words, regions, strict=True) if region.number in numbers)
    return ", ".join(word if n == 1 else f"{n} x {word}" for word, n in missed.items())


def _intro(findings: Findings, entries: Sequence[Entry]) -> list[str]:
    n_images, n_regions = len(findings.data), len(findings.regions)
    lines = [
        f"{findings.data.name}: {n_regions} {findings.what} in {n_images} photographs. What people look at most is the "
        "top 5 % of their map, a Gaussian of one degree on every fixation. A region is missed if most of it lies "
        "there, and not most of it in the model's top 5 %. Intervals are 95 %, by bootstrap over photographs.",
        "centerbias and gold are made from the data set itself. The first sees no photograph. The second, other "
        "observers, has only a log-likelihood here, which is held out. It has seen the map that misses are judged by.",
    ]
    trained = [f"{entry.name} ({entry.n_trained_on})" for entry in entries if entry.n_trained_on]
    if trained:
        lines.append(f"Trained on photographs that are judged here, and on how many: {', '.join(trained)}.")
    return lines


def _sections(findings: Findings, sheets: dict[str, RGBImage]) -> list[PageSection]:
    wholes = findings.misses[findings.misses["what"] == ALL]
    overview = findings.information.merge(wholes.drop(columns=["what", "images"]), on="model", how="left")
    shown = ["model", *_with_interval("LL"), *_with_interval("missed"), "mass", "fixations"]
    sections = [
        PageSection(
            "Models",
            (
                "LL is in bit per fixation above the uniform density. missed is the share of the regions in people's "
                "top 5 %. mass and fixations are the mean share of a region: what the model gives it, and what people "
                "do.",
            ),
            overview[shown],
        )
    ]
    for heading, sentence, table, value, count in (
        (
            "Share of regions missed, by what is in them",
            "In brackets: number of regions.",
            findings.misses,
            "missed",
            "in_people_top",
        ),
        (
            "Order of the regions of a photograph",
            "Spearman's correlation of what the model gives to regions and what people do, in photographs that have "
            "three or more. uniform knows their sizes only. In brackets: number of photographs.",
            findings.importance,
            "order",
            "images",
        ),
        (
            "Order of the regions of a photograph, by density",
            "The same of mass and fixations per pixel. Sizes have no part in it.",
            findings.importance,
            "density_order",
            "images",
        ),
        (
            "Regions that are over-predicted",
            "Of the regions in the model's top 5 %, the share that is not in people's. In brackets: how many regions "
            "of a model there are, at most.",
            findings.misses,
            "over_predicted",
            "in_model_top",
        ),
    ):
        if table[value].fillna(0).any():
            sections.append(PageSection(heading, (sentence,), _wide(table, value, count)))
    sections.append(
        PageSection(
            "What is over-predicted",
            (
                "Pieces of the model's top 5 % that are mostly outside people's: how many a photograph, what share of "
                "the density lies in them, and what share of the fixations.",
            ),
            findings.over_predictions,
        )
    )
    if len(findings.flags):
        sections.append(
            PageSection(
                "What flags would bring",
                (
                    "deficit: of all that the model explains less than other observers do, the share that it lacks at "
                    "fixations in these regions. gain: bit per fixation that an oracle brings, which multiplies the "
                    "density in these regions by one factor, fitted to other photographs. beyond: what it brings to a "
                    "model that knows all regions already. All regions are where people look much; only this part is "
                    "due to the flag.",
                ),
                findings.flags.replace({"what": {ALL: NAMES[ALL]}}),
                digits={"gain": 3, "beyond": 3, "area": 3, "factor": 1},
            )
        )
    for model, sheet in sheets.items():
        caption = "The photographs where it gives least to what it misses"
        sections.append(PageSection(f"Worst photographs of {model}", (), pictures=((caption, sheet),)))
    return sections


def _wide(table: pd.DataFrame, value: str, count: str) -> pd.DataFrame:
    """A row a model, a column with its interval for each kind of region; values of few regions are left out."""
    rows: list[dict[str, Any]] = []
    numbers = {str(what): int(of_kind[count].max()) for what, of_kind in table.groupby("what", sort=False)}
    for model, of_model in table.groupby("model", sort=False):
        row: dict[str, Any] = {"model": model}
        of_what: dict[str, dict[Any, Any]] = {cells["what"]: cells for cells in of_model.to_dict("records")}
        for what, number in numbers.items():
            if what == ALL or number >= LEAST_IN_TABLE:
                cells = of_what.get(what, {})
                is_known = what == ALL or cells.get(count, 0) >= LEAST_IN_TABLE
                for end in ("", *INTERVAL):
                    name = f"{NAMES.get(what, what)} ({number}){end}"
                    row[name] = cells.get(value + end, np.nan) if is_known else np.nan
        rows.append(row)
    return pd.DataFrame(rows)


def _with_interval(column: str) -> list[str]:
    return [column, *(column + end for end in INTERVAL)]
