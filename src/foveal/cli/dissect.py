"""`foveal dissect`."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from foveal.cli.console import progress_bars, show, tell
from foveal.cli.options import DataRoot, DatasetName, Device, Limit, Split, Strict, listed, pair_of, tell_problems


def dissect(
    dataset: DatasetName,
    out: Annotated[Path, typer.Option(help="Folder for tables, figures and report.html.")],
    network: Annotated[
        str,
        typer.Option(
            help="Pretrained networks, models or .safetensors files, separated by commas; the first is the base "
            "(default: vgg16)."
        ),
    ] = "",
    depths: Annotated[
        str,
        typer.Option(
            help="Instead: train VGG-16 for saliency to these depths, 0 to 6 layers or all, separated by commas."
        ),
    ] = "",
    tasks: Annotated[
        bool, typer.Option("--tasks", help="Instead: train VGG-16 for saliency and for kinds of scenes.")
    ] = False,
    layers: Annotated[
        str, typer.Option(help="Names of layers, separated by commas, from the image up (default: relu4_1 to relu5_3).")
    ] = "",
    regions: Annotated[Path | None, typer.Option(help="A table of labelled regions (default: the data set's).")] = None,
    size: Annotated[
        str, typer.Option(help="WIDTHxHEIGHT at which pretrained networks see a photograph; models have their own.")
    ] = "224x224",
    data_root: DataRoot = None,
    split: Split = None,
    limit: Limit = None,
    device: Device = "cpu",
    strict: Strict = False,
) -> None:
    """Say what the layers of a network answer to, by category of region; goes on where it stopped."""
    from foveal.analysis.dissect import Dissection, dissect
    from foveal.analysis.dissect_trained import dissect_depths, dissect_tasks
    from foveal.figures.dissection import words

    if bool(network) + bool(depths) + tasks > 1:
        raise typer.BadParameter("give one of --network, --depths and --tasks")
    run: Callable[..., Dissection] = partial(dissect, networks=listed(network) or ["vgg16"])
    if depths:
        run = partial(dissect_depths, depths=listed(depths))
    elif tasks:
        run = dissect_tasks
    width, height = pair_of(size, r"[1-9]\d*", "WIDTHxHEIGHT, such as 224x224", "--size")
    with progress_bars() as report:
        done = run(
            dataset,
            out,
            layers=listed(layers) or None,
            regions=regions,
            size=(height, width),
            data_root=data_root,
            split=split,
            limit=limit,
            device=device,
            progress=report,
        )
    table = done.tables["top_ten"]
    rows = [[*map(str, row[:2]), *(f"{value:.2f}" for value in row[2:])] for row in table.itertuples(index=False)]
    show([words(name) for name in table.columns], rows, title="mean NSS of the top ten maps")
    tell(f"report: {done.files[-1]}")
    tell_problems(done.problems, strict=strict)
