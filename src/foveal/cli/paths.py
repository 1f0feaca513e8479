"""`foveal paths`."""

from pathlib import Path
from typing import Annotated

import typer

from foveal.cli.console import progress_bars, show
from foveal.cli.options import DataRoot, DatasetName, Limit, Split, Strict, tell_problems


def paths(
    dataset: DatasetName,
    metrics: Annotated[str, typer.Option(help="all, or names separated by commas: ScanMatch,DTW,...")] = "all",
    data_root: DataRoot = None,
    limit: Limit = None,
    split: Split = None,
    strict: Strict = False,
    json: Annotated[Path | None, typer.Option(help="Write the table to this file.")] = None,
) -> None:
    """Tell how alike the scanpaths of different people are: means over pairs, then images, and 95 % intervals."""
    from foveal.analysis.path_agreement import path_agreement
    from foveal.datasets import load_dataset
    from foveal.files import make_writable_folder, write_atomically
    from foveal.metrics.paths import get_path_metrics

    get_path_metrics(metrics)  # what is wrong with the call is said before the work
    if json is not None:
        make_writable_folder(json.parent)
    data = load_dataset(dataset, data_root)
    data = data if split is None else data.split(split)
    data = data if limit is None else data.limit(limit)
    with progress_bars() as report:
        table = path_agreement(data, metrics, progress=report).table
    if json is not None:
        with write_atomically(json) as temporary:
            table.to_json(temporary, orient="records", indent=2)
    rows = []
    for row in table.to_dict(orient="records"):
        value, low, high, other = (f"{row[key]:.3f}" for key in ("value", "ci_low", "ci_high", "other_pictures"))
        rows.append([row["metric"], value, f"{low} … {high}", other, row["unit"]])
    columns = ["metric", "people", "95 % interval", "on other pictures", "unit"]
    show(columns, rows, title=f"{data.name}, {table['n_images'].max()} images")
    tell_problems(data.problems, strict=strict)
