"""`foveal predict`."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foveal.cli.console import SOME_INPUTS_FAILED, progress_bars, say, tell
from foveal.cli.options import Device, listed, milliseconds_of
from foveal.errors import FovealError

if TYPE_CHECKING:
    from foveal.file_predictions import PredictionRun


def predict(
    images: Annotated[
        list[Path], typer.Argument(help="Photographs, folders of them, and films.", metavar="IMAGE|DIR|FILM...")
    ],
    model: Annotated[str, typer.Option(help="A name that `foveal models` lists, or a .safetensors file.")] = "foveal-s",
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("out"),
    save: Annotated[str, typer.Option(help="Any of overlay,overlay2x,pdf,svg,density,map.")] = "overlay,density",
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
    rate: Annotated[
        float, typer.Option(help="Of films: predictions a second at most; between, it is interpolated.")
    ] = 5,
    smoothing: Annotated[float, typer.Option(help="Of films: time constant of the smoothing in ms; 0 for none.")] = 200,
    regions: Annotated[
        Path | None, typer.Option(help="Of films: regions whose shares are told; a table, or COCO's or labelme's JSON.")
    ] = None,
) -> None:
    """Predict where people look in photographs and films.

    Writes OUT/<stem>.overlay.png, OUT/<stem>.density.npy (natural log of the density, float32, the photograph's size),
    if --save says so OUT/<stem>.map.png (16 bit), OUT/<stem>.overlay@2x.png (twice as many px on each side),
    OUT/<stem>.overlay.pdf and .svg (lines as vectors), with --animate OUT/<stem>.gif, and OUT/predictions.json.

    Of a film: OUT/<stem>.overlay.mp4, if --save has overlay, OUT/<stem>.seconds.csv, and with --regions
    OUT/<stem>.regions.csv. A run that was interrupted goes on where it was.
    """
    from foveal.file_predictions import predict_files
    from foveal.film.reading import is_film
    from foveal.models.prediction import check_outputs
    from foveal.models.registry import load_model

    films = [path for path in images if is_film(path) and not path.is_dir()]
    photographs = [path for path in images if path not in films]
    if regions and not films:
        raise typer.BadParameter("is of films; `foveal attention` is for photographs", param_hint="--regions")
    if len({path.stem for path in films}) < len(films):
        raise typer.BadParameter("two films have the same name; predict them apart, each with its own --out")
    if films and (at is not None or animate):
        raise typer.BadParameter("is of photographs; leave the films out", param_hint="--at, --animate")
    milliseconds = milliseconds_of(at, "--at") if at is not None else None
    loaded = load_model(model, device) if films else model
    errors: list[str] = []
    n_done = 0

    def fail(line: str) -> None:
        errors.append(line)
        say(f"error: {line}")

    if photographs:
        try:
            with progress_bars() as report:
                run = predict_files(
                    photographs,
                    loaded,
                    out=out,
                    save=listed(save),
                    style=style,
                    color_bar=color_bar,
                    at=milliseconds,
                    animate=animate,
                    pixels_per_degree=ppd,
                    device=device,
                    batch_size=batch_size,
                    progress=report,
                )
        except FovealError as error:
            if not films:
                raise
            fail(str(error))
        else:
            _tell_photographs(run, fail)
            n_done += len(run.predictions)
    if films:
        from foveal.film.predicting import predict_film  # with pandas, which photographs do without

        check_outputs(listed(save), style)
    for film in films:
        try:
            with progress_bars() as report:
                found = predict_film(
                    film,
                    loaded,
                    out=out,
                    draw="overlay" in listed(save),
                    style=style,
                    regions=regions,
                    rate=rate,
                    smoothing=smoothing,
                    pixels_per_degree=ppd,
                    progress=report,
                )
        except FovealError as error:
            fail(str(error))
        else:
            n_done += 1
            tell(*map(str, found.files.values()))
            cuts = f"{len(found.cuts)} cut{'s' * (len(found.cuts) != 1)}"
            say(f"{film}: {found.n_frames} frames, {found.n_predictions} of them predicted, {cuts}")
    if errors:
        say(f"{len(errors)} of {len(errors) + n_done} inputs failed")
        raise typer.Exit(SOME_INPUTS_FAILED)


def _tell_photographs(run: "PredictionRun", fail: Callable[[str], None]) -> None:
    from foveal.models.parts.sizes import TYPICAL_FIELD

    for failure in run.failed:
        fail(failure["error"])
    for entry in run.predictions:
        tell(*entry["files"].values())
    if any(entry.get("pixels_per_degree_assumed") for entry in run.predictions):
        say(f"viewing distance not known: each picture is taken to fill {TYPICAL_FIELD} (--ppd says another scale)")
