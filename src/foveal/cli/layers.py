"""`foveal layers`."""

from pathlib import Path
from typing import Annotated

import typer

from foveal.cli.console import progress_bars, tell
from foveal.cli.options import DataRoot, DatasetName, Strict, listed, tell_problems


def layers(
    dataset: DatasetName,
    out: Annotated[Path, typer.Option(help="Folder for layers.csv and layers.png.")],
    backbone: Annotated[str, typer.Option(help="The network (see `foveal weights list`).")] = "alexnet",
    layers: Annotated[str, typer.Option(help="Only these layers together, separated by commas.")] = "",
    penalties: Annotated[str, typer.Option(help="Values of lambda, separated by commas.")] = "0.001",
    data_root: DataRoot = None,
    split: Annotated[str | None, typer.Option(help="What is fitted to (default: every second image).")] = None,
    strict: Strict = False,
) -> None:
    """Find out which layers of a network help to predict fixations; goes on where it stopped."""
    from foveal.analysis.layers import layers as run

    with progress_bars() as report:
        done = run(
            dataset,
            out,
            backbone=backbone,
            layers=listed(layers) or None,
            penalties=_numbers(penalties),
            data_root=data_root,
            split=split,
            progress=report,
        )
    shown = done.table.drop(columns="layers")
    table = shown.to_string(index=False, formatters={"penalty": "{:g}".format}, float_format="{:.4f}".format)
    tell(*table.split("\n"), *map(str, done.files))
    tell_problems(done.problems, strict=strict)


def _numbers(text: str) -> list[float]:
    try:
        return [float(value) for value in listed(text)]
    except ValueError:
        raise typer.BadParameter(f"numbers, not {text!r}", param_hint="--penalties") from None
