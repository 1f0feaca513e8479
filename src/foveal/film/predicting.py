"""`foveal predict` of a film: an overlay film, and tables second by second."""

import json
import os
from dataclasses import dataclass
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path

from foveal.benchmarking.run import fingerprint
from foveal.datasets.picture_regions import read_picture_regions
from foveal.errors import FovealError
from foveal.figures.styles import styles_of
from foveal.files import make_writable_folder
from foveal.film.parts import Parts
from foveal.film.pyav import pyav
from foveal.film.reading import BreaksOffError, Film
from foveal.film.smoothing import RATE, SMOOTHING, Density, FilmDensity
from foveal.film.tables import SecondBySecond, SmallRegion
from foveal.film.writing import encoder
from foveal.gaze.given import positive_number, real_number
from foveal.images import RGBImage
from foveal.models.base import SaliencyModel, check_pixels_per_degree
from foveal.models.registry import DEFAULT_MODEL, model_that_predicts
from foveal.paths import path_of
from foveal.progress import Progress, Report

SLOWEST = 1.0  # predictions a second: the frames between two of them are held in memory


@dataclass(frozen=True)
class FilmPrediction:
    """What became of a film.

    Attributes
    ----------
    film, model
        The file, and the name of the model.
    n_frames, n_predictions
        Number of frames, and of those that the model was asked about.
    cuts
        When a new shot begins, in s.
    files
        What was written: "overlay", "seconds", "regions".
    """

    film: Path
    model: str
    n_frames: int
    n_predictions: int
    cuts: tuple[float, ...]
    files: dict[str, Path]


def predict_film(
    film: str | os.PathLike[str],
    model: SaliencyModel | str | os.PathLike[str] = DEFAULT_MODEL,
    *,
    out: str | os.PathLike[str] = "out",
    draw: bool = True,
    style: str = "heatmap",
    regions: str | os.PathLike[str] | None = None,
    rate: float = RATE,
    smoothing: float = SMOOTHING,
    pixels_per_degree: float | None = None,
    device: str = "cpu",
    progress: Report | None = None,
) -> FilmPrediction:
    """Predict where people look in a film, moment by moment.

    The model sees single frames, at most 960 px on the longer side. Their densities are smoothed over time, and
    interpolated between predictions. At a cut, the smoothing begins anew.

    Ten seconds of film at a time are kept in `<out>/<stem>.unfinished`. After an interruption, the same call goes on
    from there.

    Parameters
    ----------
    film
        The file.
    model
        A model, its name, or a file of weights.
    out
        Folder for `<stem>.overlay.mp4`, `<stem>.seconds.csv` and `<stem>.regions.csv`.
    draw, style
        Write the overlay film? In this style (see `overlay`).
    regions
        A file of regions, as `read_picture_regions` reads it, in px of the film; they stay where they are.
    rate
        Predictions a second at most, 1 or more; each cut has one more.
    smoothing
        Time constant of the smoothing in ms; 0 for none.
    pixels_per_degree
        Scale of the film, if known.
    device
        Where to compute.
    progress
        Called with the film's name, the number of frames done and about how many there are.

    Raises
    ------
    FovealError
        If the call is wrong, the film cannot be read, or the results cannot be written. Of a film that breaks off
        before its end, the results up to there are written before.
    """
    path = path_of(film, "film")
    styles_of(style)
    check_pixels_per_degree(pixels_per_degree)
    if positive_number(rate, "rate") < SLOWEST:
        raise FovealError(f"rate: {rate:g} (at least {SLOWEST:g} prediction a second is needed)")
    if real_number(smoothing, "smoothing") < 0:
        raise FovealError(f"smoothing: {smoothing:g} (a time in ms, or 0 for none, is needed)")
    source = Film.open(path)
    small_regions = (
        [SmallRegion.of(region, source.size, source.small) for region in read_picture_regions(regions, path)]
        if regions is not None
        else []
    )
    loaded = model_that_predicts(model, device)
    folder = make_writable_folder(out)
    status = path.stat()
    computed_from = {
        "film": [path.name, status.st_size, status.st_mtime_ns],
        "model": fingerprint(loaded.name, loaded),
        "drawn": [draw, style, encoder()],
        "regions": None if regions is None else Path(regions).read_text(encoding="utf-8", errors="replace"),
        "settings": [rate, smoothing, pixels_per_degree],
        "versions": [version("foveal"), pyav().__version__],
    }
    scale = source.small[1] / source.size[1]

    def density_of(picture: RGBImage) -> Density:
        log_density = loaded.log_density_of([picture], pixels_per_degree and pixels_per_degree * scale)
        return log_density[0].exp().cpu().numpy()

    density = FilmDensity(density_of, Fraction(str(rate)), smoothing)
    seconds = SecondBySecond(source.size, small_regions)
    kept = Parts(folder / f"{path.stem}.unfinished", source, style if draw else None, json.dumps(computed_from))
    broken_off = None
    with kept:
        try:
            _go_through(source, density, seconds, kept, Progress.of(progress))
        except BreaksOffError as error:
            broken_off = error
        for moment in density.rest():
            kept.add(moment, seconds)
        kept.end_part(seconds)
    files = kept.joined(folder / path.stem, ["seconds"] if regions is None else ["seconds", "regions"])
    if broken_off:
        raise broken_off
    cuts = tuple(density.cuts.found)
    return FilmPrediction(path, loaded.name, kept.n_frames, density.n_predictions, cuts, files)


def _go_through(film: Film, density: FilmDensity, seconds: SecondBySecond, kept: Parts, report: Progress) -> None:
    """Predict, from where an earlier run has come to."""
    kept.restore(density)
    for frame in film.frames(kept.n_frames):
        begins_part = frame.time >= kept.ends_at
        for moment in density.take(frame, predicted=begins_part):
            kept.add(moment, seconds)
        if begins_part:
            kept.end_part(seconds)
            kept.save(density)
        report(film.path.name, frame.number + 1, max(film.expected_frames, frame.number + 1))
