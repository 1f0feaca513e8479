"""`foveal regions`."""

from pathlib import Path
from typing import Annotated

import typer

from foveal.cli.console import progress_bars, show, tell
from foveal.cli.options import DataRoot, DatasetName, Device, Limit, Split, Strict, listed, pair_of, tell_problems


def regions(
    dataset: DatasetName,
    out: Annotated[Path, typer.Option(help="Folder for tables, sheets and report.html.")],
    models: Annotated[
        str | None, typer.Option(help="Names of models or .safetensors files, by commas (default: foveal-s).")
    ] = None,
    regions: Annotated[
        str | None,
        typer.Option(help="A .csv table, found, or heads (default: those labelled in the data set, else found)."),
    ] = None,
    grid: Annotated[str | None, typer.Option(help="The cells of a grid instead, such as 3x3: across x down.")] = None,
    find: Annotated[bool, typer.Option("--find", help="Only find regions, and write a table to be labelled.")] = False,
    data_root: DataRoot = None,
    split: Split = None,
    limit: Limit = None,
    device: Device = "cpu",
    strict: Strict = False,
) -> None:
    """Show which regions models miss, and whether they put regions in people's order; goes on where it stopped."""
    from foveal.analysis.region_report import LEAST_IN_TABLE
    from foveal.analysis.region_tables import ALL
    from foveal.analysis.regions import find as run_find
    from foveal.analysis.regions import regions as run

    not_for_find = {"--models": models, "--regions": regions, "--grid": grid}
    if find and (given := [option for option, value in not_for_find.items() if value is not None]):
        raise typer.BadParameter(f"looks at fixations only; leave out {', '.join(given)}", param_hint="--find")
    with progress_bars() as report:
        if find:
            path = run_find(dataset, out, data_root=data_root, split=split, limit=limit, progress=report)
            tell(str(path))
            return
        done = run(
            listed(models or DEFAULT),
            dataset,
            out,
            regions=regions,
            grid=pair_of(grid, r"[1-9]\d{0,3}", "ACROSSxDOWN, such as 3x3", "--grid") if grid else None,
            data_root=data_root,
            split=split,
            limit=limit,
            device=device,
            progress=report,
        )
    found = done.findings
    rows = [
        (row["model"], row["what"], str(row[COUNT]), *(f"{row[name]:.2f}" for name in COLUMNS))
        for row in found.misses.to_dict("records")
        if row["what"] == ALL or row[COUNT] >= LEAST_IN_TABLE
    ]
    sections = [[row for row in rows if row[0] == model] for model in dict.fromkeys(row[0] for row in rows)]
    show(("model", "what", "regions", *COLUMNS), *sections, title=f"{found.data.name}, {len(found.data)} images")
    tell(*map(str, done.files))
    tell_problems(done.problems, strict=strict)


DEFAULT = "foveal-s"
COUNT, COLUMNS = "in_people_top", ("missed", "missed_low", "missed_high", "mass", "fixations")
