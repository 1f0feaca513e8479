"""`foveal simulate`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from foveal.cli.console import SOME_INPUTS_FAILED, progress_bars, say, tell
from foveal.cli.options import Device


def simulate(
    images: Annotated[list[Path], typer.Argument(help="Photographs, or folders of them.", metavar="IMAGE|DIR...")],
    model: Annotated[
        str,
        typer.Option(help="foveal-path, saccade-statistics, inhibition-of-return, static, or a .safetensors file."),
    ] = "foveal-path",
    n: Annotated[int, typer.Option("--n", min=1, help="Fixations of each path.")] = 10,
    viewers: Annotated[int, typer.Option(min=1, help="Paths on each photograph.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same paths.")] = 0,
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("out"),
    ppd: Annotated[float | None, typer.Option(help="Pixels per degree of visual angle, if known.")] = None,
    device: Device = "cpu",
) -> None:
    """Simulate viewers of photographs: whole scanpaths, each fixation drawn given those before it.

    Writes OUT/paths.csv (image, viewer, order, x, y in px) and OUT/<stem>.paths.png (numbered paths).
    """
    from foveal.analysis.simulated_paths import simulate_files
    from foveal.models.scanpaths import load_scanpath_model

    with progress_bars() as report:
        run = simulate_files(
            images,
            load_scanpath_model(model, device),
            out=out,
            n=n,
            viewers=viewers,
            seed=seed,
            pixels_per_degree=ppd,
            progress=report,
        )
    for failure in run.failed:
        say(f"error: {failure['error']}")
    for entry in run.predictions:
        tell(*entry["files"].values())
    if run.predictions:
        tell(os.fspath(out / "paths.csv"))
    if run.failed:
        raise typer.Exit(SOME_INPUTS_FAILED)
