"""`foveal patches`."""

from pathlib import Path
from typing import Annotated

import typer

from foveal.cli.console import progress_bars, tell
from foveal.cli.options import DataRoot, DatasetName, Split, Strict, tell_problems


def patches(
    dataset: DatasetName,
    out: Annotated[Path, typer.Option(help="Folder for patches.png, context.png and patches.csv.")],
    model: Annotated[str, typer.Option(help="A readout of features, such as deepgaze1, or a file.")] = "deepgaze1",
    data_root: DataRoot = None,
    split: Split = None,
    strict: Strict = False,
) -> None:
    """Show the patches that drive the strongest features of a model most."""
    from foveal.analysis.patches import patches as run

    with progress_bars() as report:
        done = run(model, dataset, out, data_root=data_root, split=split, progress=report)
    tell(*map(str, done.files))
    tell_problems(done.problems, strict=strict)
