"""`foveal simulate`: photographs in files to scanpaths of simulated viewers, as a table and as pictures."""

import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from foveal.errors import FovealError
from foveal.figures import plot_fixations
from foveal.file_predictions import PredictionRun, output_names
from foveal.files import make_writable_folder, write_atomically
from foveal.gaze import Fixations
from foveal.images import RGBImage, read_image
from foveal.models.scanpaths import ScanpathModel
from foveal.progress import Progress, Report

SIDE = 8.0  # inches of a picture's longer side
DOTS = 150  # an inch


def simulate_files(
    images: Sequence[str | os.PathLike[str]],
    model: ScanpathModel,
    *,
    out: str | os.PathLike[str] = "out",
    n: int = 10,
    viewers: int = 5,
    seed: int = 0,
    pixels_per_degree: float | None = None,
    progress: Report | None = None,
) -> PredictionRun:
    """Sample scanpaths on photographs; write `<out>/paths.csv`, and `<out>/<stem>.paths.png` of each photograph.

    The table has the columns image, viewer, order (both from 0), x and y (px). The pictures have numbered paths, each
    viewer's in a color. A photograph that cannot be read is noted, and the others are done.

    Parameters
    ----------
    images
        Files and folders.
    model
        A model of scanpaths.
    out
        Folder for what is written.
    n, viewers, seed, pixels_per_degree
        As `ScanpathModel.sample` takes them.
    progress
        Called with "simulate", the number of photographs done and of all.

    Raises
    ------
    FovealError
        If there is nothing to do, a number is not right, or the folder cannot be written to.
    """
    run = PredictionRun(model.name)
    names, folder = output_names(images, Path(out), run), make_writable_folder(out)
    report, tables = Progress.of(progress), []
    for number, (path, name) in enumerate(names.items(), start=1):
        try:
            photograph = read_image(path)
        except FovealError as error:
            run.fail(path, str(error))
            continue
        paths = model.sample(photograph, n, seed, viewers=viewers, pixels_per_degree=pixels_per_degree)
        columns = {"viewer": paths.subject, "order": paths.order, "x": paths.x, "y": paths.y}
        tables.append(pd.DataFrame({"image": os.fspath(path)} | columns))
        picture = folder / f"{name}.paths.png"
        _draw(paths, photograph, picture)
        run.predictions.append({"image": os.fspath(path), "files": {"paths": os.fspath(picture)}})
        report("simulate", number, len(names))
    if tables:
        with write_atomically(folder / "paths.csv") as temporary:
            pd.concat(tables).to_csv(temporary, index=False)
    return run


def _draw(paths: Fixations, photograph: RGBImage, file: Path) -> None:
    """Numbered paths over their photograph."""
    from matplotlib.figure import Figure  # no display is needed

    height, width = photograph.shape[:2]
    side = SIDE / max(height, width)
    figure = Figure(figsize=(side * width, side * height))
    plot_fixations(paths, photograph, ax=figure.add_axes((0, 0, 1, 1)), scanpath=True)
    file.parent.mkdir(parents=True, exist_ok=True)
    with write_atomically(file) as temporary:
        figure.savefig(temporary, format="png", dpi=DOTS)
