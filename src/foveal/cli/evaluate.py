"""`foveal evaluate`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from foveal.cli.console import SOME_INPUTS_FAILED, progress_bars, say, show


def evaluate(
    model: Annotated[str, typer.Option(help="Names of models or .safetensors files, separated by commas.")],
    dataset: Annotated[str, typer.Option(help="A name that `foveal datasets` lists, or a folder of your own.")],
    data_root: Annotated[Path | None, typer.Option(help="Where data sets lie (default: $FOVEAL_DATA).")] = None,
    metrics: Annotated[str, typer.Option(help="all, or names separated by commas: LL,IG,AUC,...")] = "all",
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many images.")] = None,
    split: Annotated[str | None, typer.Option(help="Only this part of the data set.")] = None,
    raw: Annotated[bool, typer.Option("--raw", help="Score saliency maps as computed, not calibrated.")] = False,
    device: Annotated[str, typer.Option(help="Where to compute: cpu, cuda, ...")] = "cpu",
    json: Annotated[Path | None, typer.Option(help="Write the table to this file.")] = None,
) -> None:
    """Score models against real fixations: means over images and 95 % bootstrap intervals."""
    from foveal.benchmark import evaluate as run
    from foveal.benchmark import write_json
    from foveal.files import make_writable_folder

    if json is not None:
        make_writable_folder(json.parent)  # before the work, not after it

    chosen = "all" if metrics == "all" else [name.strip() for name in metrics.split(",") if name.strip()]
    with progress_bars() as report:
        results = run(
            [name.strip() for name in model.split(",") if name.strip()],
            dataset,
            chosen,
            data_root=data_root,
            split=split,
            limit=limit,
            raw=raw,
            device=device,
            progress=report,
        )
    table = Table("model", "metric", "value", "95 % interval", "images", title=str(results["dataset"].iloc[0]))
    before = ""
    for row in results.to_dict(orient="records"):
        # Adding zero to the rounded number makes a zero of a minus zero.
        value, low, high = (f"{round(row[key], 4) + 0:.4f}" for key in ("value", "ci_low", "ci_high"))
        if table.rows and row["model"] != before:
            table.add_section()
        before = row["model"]
        table.add_row(row["model"], row["metric"], value, f"{low} … {high}", str(row["n_images"]))
    show(table)
    if json is not None:
        write_json(results, json)
    for problem in results.problems:
        say(f"error: {problem}")
    if results.problems:
        raise typer.Exit(SOME_INPUTS_FAILED)
