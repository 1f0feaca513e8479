"""`foveal regions`: the regions that people look at and models miss (Bylinskii et al., ECCV 2016)."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import torch

from foveal.analysis.region_choice import choose_regions
from foveal.analysis.region_findings import Findings, findings_of
from foveal.analysis.region_fixations import digest_of
from foveal.analysis.region_report import write_findings
from foveal.analysis.region_shares import Share, shares_of
from foveal.benchmarking.entries import Entry, Scorable, make_entries
from foveal.benchmarking.evaluation import images_to_score
from foveal.benchmarking.run import fingerprint
from foveal.benchmarking.scoring import MapsOfModel
from foveal.benchmarking.yardsticks import YARDSTICKS, Yardsticks
from foveal.datasets import load_dataset
from foveal.datasets.regions import write_regions
from foveal.errors import FovealError
from foveal.files import make_writable_folder
from foveal.gaze import Dataset
from foveal.gaze.found_regions import find_regions
from foveal.gaze.regions import Regions
from foveal.kept import KeptTable
from foveal.models import SaliencyModel
from foveal.paths import safe_file_name
from foveal.progress import Progress, Report

SECONDS_BETWEEN_SAVES = 20
KEY = ["image", "part", "number"]


@dataclass(frozen=True)
class RegionAnalysis:
    """What was found and written.

    Attributes
    ----------
    findings
        The tables.
    files
        All that was written.
    problems
        One line for each photograph that could not be read or predicted.
    """

    findings: Findings
    files: list[Path]
    problems: list[str]


def regions(
    models: Sequence[SaliencyModel | str] | SaliencyModel | str,
    dataset: Dataset | str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    regions: Regions | str | os.PathLike[str] | None = None,
    grid: tuple[int, int] | None = None,
    data_root: str | os.PathLike[str] | None = None,
    split: str | None = None,
    limit: int | None = None,
    device: str | torch.device = "cpu",
    progress: Report | None = None,
) -> RegionAnalysis:
    """Find out which regions models miss, what they over-predict, and whether they put regions in people's order.

    A region is missed if most of it lies in the top 5 % of people's map and not most of it in the model's top 5 %. The
    center bias of the data set, held out, is measured as models are: chance. Where regions have flags (gazed at, acted
    on, …), it is told how much of what a model lacks to the gold standard lies there, and what an oracle of the flag
    would bring.

    Writes into `out`: regions.csv, misses.csv, importance.csv, over_predictions.csv, information.csv, flags.csv; the
    pieces that each model over-predicts as regions to be labelled (over/*.csv); worst.*.png, the photographs where a
    model misses most; and report.html. What is measured is kept in measured/, so that a run that was interrupted goes
    on where it was.

    Parameters
    ----------
    models
        Models, their names, or files of weights.
    dataset
        A data set with fixations, its name, or the path of a folder.
    out
        Folder for all that is written.
    regions, grid
        See `foveal.analysis.region_choice.choose_regions`. Panels and given boxes are regions as well.
    data_root, split, limit, device
        As in `evaluate`.
    progress
        Called with what is being done, how much of it is done, and of how much.

    Raises
    ------
    FovealError
        If something cannot be loaded or written, or there are no regions to look at.
    """
    data = dataset if isinstance(dataset, Dataset) else load_dataset(dataset, data_root)
    given: list[Scorable] = [models] if isinstance(models, str | SaliencyModel) else list(models)
    if not given:
        raise FovealError("regions: no models are given")
    folder = make_writable_folder(out)
    report = Progress.of(progress)
    images = images_to_score(data, split, limit)
    part = data.select(images)
    chosen, what = choose_regions(part, regions, grid, report)
    yardsticks = Yardsticks(data)
    given += [name for name in YARDSTICKS if name not in given and yardsticks.why_not(name) is None]
    entries = make_entries(given, data, yardsticks, ["LL"], raw=False, device=device, images=images)

    problems = list(data.problems)
    computed_from = {"data": data.digest(), "measured": list(Share._fields)}
    measured = []
    for entry in entries:
        model = entry.maps.model if isinstance(entry.maps, MapsOfModel) else None
        path = folder / "measured" / f"{safe_file_name(entry.name)}.parquet"
        kept = KeptTable(path, {**computed_from, "model": fingerprint(entry.name, model)}, by=KEY)
        problems += _measure(entry, images.tolist(), data, chosen, kept, report)
        measured.append(kept.table[kept.table["image"].isin(part.stimuli.ids)].assign(model=entry.name))
    shares = pd.concat([table for table in measured if len(table)] or measured, ignore_index=True)
    if shares.empty:
        raise FovealError(f"{data.name}: no photograph could be measured ({problems[-1]})")
    findings = findings_of(shares, part, chosen, what)
    files = write_findings(findings, entries, data, folder)
    return RegionAnalysis(findings, files, list(dict.fromkeys(problems)))


def find(
    dataset: Dataset | str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    data_root: str | os.PathLike[str] | None = None,
    split: str | None = None,
    limit: int | None = None,
    progress: Report | None = None,
) -> Path:
    """Find the regions of a data set, and write `out`/found.csv, whose category, flags and note are to be filled in.

    `regions` reads the table back.

    Raises
    ------
    FovealError
        If the data set cannot be loaded, there is such a table already, which may have been labelled, or it cannot be
        written.
    """
    data = dataset if isinstance(dataset, Dataset) else load_dataset(dataset, data_root)
    path = make_writable_folder(out) / "found.csv"
    if path.exists():
        raise FovealError(f"{path}: is there already, and may have been labelled; move it away, or give another --out")
    write_regions(path, find_regions(data.select(images_to_score(data, split, limit)), progress=progress))
    return path


def _measure(
    entry: Entry, images: Sequence[int], data: Dataset, regions: Regions, kept: KeptTable, report: Progress
) -> list[str]:
    """Measure the photographs that a table lacks, or has with other regions; lines on those that cannot be."""
    places = {name: _places(regions, name) for name in (data.stimuli.ids[image] for image in images)}
    if len(kept.table):
        now = kept.table["image"].map(places)
        kept.table = kept.table[now.isna() | (now == kept.table["places"])]
    known = set(kept.table["image"])
    todo = [image for image in images if data.stimuli.ids[image] not in known]
    done = report.counting(entry.name, len(images), before=len(images) - len(todo))
    problems: list[str] = []
    shares: list[Share] = []
    saved, n_done = time.monotonic(), 0

    def save() -> None:
        if shares:
            rows = pd.DataFrame(shares)
            kept.add(rows.assign(places=rows["image"].map(places)))

    try:
        for of_image, lines in shares_of(entry, todo, data, regions) if todo else ():
            shares += of_image
            problems += lines
            n_done += len(lines) or 1
            done(n_done)
            if time.monotonic() - saved > SECONDS_BETWEEN_SAVES:
                save()
                shares, saved = [], time.monotonic()
    finally:  # also of an interruption
        save()
    return problems


def _places(regions: Regions, image: str) -> str:
    """A short text that changes with where the regions of a photograph are, whatever is in them."""
    return digest_of([replace(region, category="") for region in regions.for_image(image)])
