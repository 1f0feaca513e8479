"""`foveal`: the commands together, and how errors and exit statuses are told."""

import os
import signal
import sys
from importlib.metadata import version
from types import FrameType
from typing import Annotated

import typer

from foveal.cli import (
    attention,
    capture,
    catalogue,
    dissect,
    evaluate,
    import_recordings,
    layers,
    patches,
    paths,
    popout,
    predict,
    regions,
    serve,
    simulate,
    train,
    weights,
)
from foveal.cli.console import notes_said, say, take_any_character, tell
from foveal.errors import FovealError, first_line

CALL_WAS_WRONG = 2
INTERRUPTED, TERMINATED = 128 + signal.SIGINT, 128 + signal.SIGTERM  # as shells say it

app = typer.Typer(
    name="foveal",
    help="Predict where people look in photographs, and measure how well any model does.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("predict")(predict.predict)
app.command("models")(catalogue.models)
app.command("datasets")(catalogue.datasets)
app.command("attention")(attention.attention)
app.command("simulate")(simulate.simulate)
app.command("capture")(capture.capture)
app.command("serve")(serve.serve)
app.command("import")(import_recordings.import_recordings)
app.command("evaluate")(evaluate.evaluate)
app.command("benchmark")(evaluate.benchmark)
app.command("export")(evaluate.export)
app.command("train")(train.train)
app.command("patches")(patches.patches)
app.command("paths")(paths.paths)
app.command("layers")(layers.layers)
app.command("popout")(popout.popout)
app.command("regions")(regions.regions)
app.command("dissect")(dissect.dissect)
app.add_typer(weights.app, name="weights")


def _print_version(wanted: bool | None) -> None:
    if wanted:
        tell(f"foveal {version('foveal')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool | None,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit."),
    ] = None,
) -> None:
    pass


def main() -> None:
    """Run the command line.

    Exit status 0 if all was done, 1 if some inputs failed, 2 if the call was wrong, 130 if interrupted, 143 if so by
    SIGTERM.
    """
    # Threads that wait for each other by spinning, as OpenMP's do, stand in their own way as soon as a core is busy
    # with something else. It has to be said before torch is imported; whoever knows better has said it already.
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    take_any_character()
    is_terminated = False

    def terminate(_signal: int, _frame: FrameType | None) -> None:
        nonlocal is_terminated
        is_terminated = True
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough: what is done is being kept
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, terminate)
    with notes_said():
        try:
            app()
        except FovealError as error:
            say(f"error: {error}")
            sys.exit(CALL_WAS_WRONG)
        except OSError as error:  # a file or folder that this user may not read, say
            about = "" if error.filename is None else f"{os.fsdecode(error.filename)}: "
            say(f"error: {about}{first_line(error)}")
            sys.exit(CALL_WAS_WRONG)
        except SystemExit as ended:
            sys.exit(TERMINATED if is_terminated and ended.code == INTERRUPTED else ended.code)
        finally:
            signal.signal(signal.SIGTERM, before)


if __name__ == "__main__":
    main()
