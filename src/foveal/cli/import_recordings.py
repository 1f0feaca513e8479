"""`foveal import`."""

from pathlib import Path
from typing import Annotated

import typer

from foveal.cli.console import progress_bars, show, tell
from foveal.cli.options import Strict, numbers_listed, pair_of, tell_problems

POSITIVE = r"[1-9]\d{0,5}"


def import_recordings(
    recordings: Annotated[
        list[Path],
        typer.Argument(
            help="Files of EyeLink (.asc), Tobii, Gazepoint, Pupil Labs, SMI or BIDS.", metavar="RECORDING..."
        ),
    ],
    images: Annotated[Path, typer.Option(help="Folder of the pictures that were shown.")],
    out: Annotated[Path, typer.Option(help="Folder for the data set.")],
    screen: Annotated[
        str | None, typer.Option(help="WIDTHxHEIGHT of the screen in px; needed if the files do not say it.")
    ] = None,
    picture: Annotated[
        str | None, typer.Option(metavar="X,Y,W,H", help="Where pictures were on the screen, in px; else as files say.")
    ] = None,
    times: Annotated[
        Path | None,
        typer.Option(help="A table picture,start_ms,end_ms[,subject], from the beginning of the recording."),
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(help="ivt, idt, or tracker: its own fixations. By default its own if there are any, else ivt."),
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(help="Of ivt: degrees/s (20 by default). Of idt: degrees (1 by default).")
    ] = None,
    shortest: Annotated[float, typer.Option(help="Shortest fixation of ivt and idt, in ms.")] = 100.0,
    eye: Annotated[str, typer.Option(help="left, right, or mean of both.")] = "mean",
    units: Annotated[
        str | None, typer.Option(help="Of the positions, if files do not say them: px, fraction (0 to 1) or degree.")
    ] = None,
    ppd: Annotated[
        float | None, typer.Option(help="Pixels of the screen per degree of visual angle, if known.")
    ] = None,
    strict: Strict = False,
) -> None:
    """Turn recordings of eye trackers into a folder of pictures and fixations, which is a data set.

    Writes OUT/images, OUT/fixations.csv, OUT/dataset.toml, and the quality of each recording: OUT/recordings.csv and
    OUT/recordings.png.
    """
    from foveal.analysis.recordings import import_recordings as run

    size = None if screen is None else pair_of(screen, POSITIVE, "WIDTHxHEIGHT, such as 1920x1080", "--screen")
    with progress_bars() as report:
        imported = run(
            recordings,
            images,
            out,
            screen=size,
            picture=None if picture is None else _place(picture),
            times=times,
            method=method,
            eye=eye,
            units=units,
            pixels_per_degree=ppd,
            threshold=threshold,
            shortest=shortest,
            progress=report,
        )
    if imported.dataset is not None:
        shown = imported.quality.drop(columns=["recording"])
        show(list(shown.columns), [[_cell(value) for value in row] for row in shown.itertuples(index=False)])
        tell(*map(str, imported.files))
    tell_problems(imported.problems, strict=strict)


def _place(text: str) -> tuple[float, float, float, float]:
    numbers = numbers_listed(text, "--picture")
    if len(numbers) != 4 or not min(numbers[2:]) > 0:
        raise typer.BadParameter(f"X,Y,W,H in px, not {text!r}", param_hint="--picture")
    return numbers[0], numbers[1], numbers[2], numbers[3]


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:.3g}"
    return str(value)
