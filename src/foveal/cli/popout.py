"""`foveal popout`."""

from pathlib import Path
from typing import Annotated

import typer

from foveal.cli.console import progress_bars, tell
from foveal.cli.options import Device, Strict, listed, tell_problems


def popout(
    out: Annotated[Path, typer.Option(help="Folder for tables, pictures and report.html.")],
    models: Annotated[
        str | None, typer.Option(help="Names or files, separated by commas (default: all ready).")
    ] = None,
    networks: Annotated[str, typer.Option(help="Backbones or networks whose layers are scored: vgg16,...")] = "",
    weights: Annotated[
        str, typer.Option(help="Files of one network trained to several depths: a.safetensors,...")
    ] = "",
    layers: Annotated[str, typer.Option(help="Only these layers, separated by commas.")] = "",
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many arrays.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the arrays.")] = 0,
    device: Device = "cpu",
    strict: Strict = False,
) -> None:
    """Find out whether models see what pops out of search arrays; goes on where it stopped."""
    from foveal.analysis.popout import popout as run
    from foveal.analysis.popout_tables import ALL

    with progress_bars(as_lines=True) as report:
        done = run(
            None if models is None else listed(models),
            out,
            networks=listed(networks),
            weights=listed(weights),
            layers=listed(layers),
            limit=limit,
            seed=seed,
            device=device,
            progress=report,
        )
    by_model = done.by_feature
    if len(by_model):
        by_model = by_model[by_model["feature"] == ALL].drop(columns="feature")
    for table in (by_model, done.by_layer):
        if len(table):
            tell(*table.to_string(index=False, float_format="{:.2f}".format).split("\n"))
    tell(*map(str, done.files))
    tell_problems(done.problems, strict=strict)
