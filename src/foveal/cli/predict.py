"""`foveal predict`."""

from pathlib import Path
from typing import Annotated

import typer

from foveal.cli.console import SOME_INPUTS_FAILED, progress_bars, say, tell
from foveal.cli.options import Device, listed, milliseconds_of


def predict(
    images: Annotated[list[Path], typer.Argument(help="Photographs, or folders of them.", metavar="IMAGE|DIR...")],
    model: Annotated[str, typer.Option(help="A name that `foveal models` lists, or a .safetensors file.")] = "foveal-s",
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("out"),
    save: Annotated[str, typer.Option(help="Any of overlay,pdf,svg,density,map.")] = "overlay,density",
    style: Annotated[
        str, typer.Option(help="Of the overlay: heatmap, contours, fog or hotspots; a + joins them: heatmap+contours.")
    ] = "heatmap",
    color_bar: Annotated[
        bool, typer.Option("--color-bar/--no-color-bar", help="A strip below the overlay that says what it means.")
    ] = True,
    at: Annotated[str | None, typer.Option(help="When people look: 500ms or 1s after the picture came on.")] = None,
    animate: Annotated[bool, typer.Option("--animate", help="Write OUT/<stem>.gif: 0 to 3 s, as people look.")] = False,
    ppd: Annotated[float | None, typer.Option(help="Pixels per degree of visual angle, if known.")] = None,
    device: Device = "cpu",
    batch_size: Annotated[int, typer.Option(help="Photographs of one size computed together.")] = 8,
) -> None:
    """Predict where people look in photographs.

    Writes OUT/<stem>.overlay.png, OUT/<stem>.density.npy (natural log of the density, float32, the photograph's size),
    if --save says so OUT/<stem>.map.png (16 bit), OUT/<stem>.overlay.pdf and .svg (lines as vectors), with --animate
    OUT/<stem>.gif, and OUT/predictions.json.
    """
    from foveal.file_predictions import predict_files
    from foveal.models.parts.sizes import TYPICAL_FIELD

    with progress_bars() as report:
        run = predict_files(
            images,
            model,
            out=out,
            save=listed(save),
            style=style,
            color_bar=color_bar,
            at=milliseconds_of(at, "--at") if at is not None else None,
            animate=animate,
            pixels_per_degree=ppd,
            device=device,
            batch_size=batch_size,
            progress=report,
        )
    for failure in run.failed:
        say(f"error: {failure['error']}")
    for entry in run.predictions:
        tell(*entry["files"].values())
    if any(entry.get("pixels_per_degree_assumed") for entry in run.predictions):
        say(f"viewing distance not known: each picture is taken to fill {TYPICAL_FIELD} (--ppd says another scale)")
    if run.failed:
        say(f"{len(run.failed)} of {len(run.failed) + len(run.predictions)} inputs failed")
        raise typer.Exit(SOME_INPUTS_FAILED)
