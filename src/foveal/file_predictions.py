"""`foveal predict`: photographs in files and folders to files of predictions."""

import json
import math
import os
import stat
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from foveal import figures
from foveal.errors import FovealError, first_line
from foveal.figures.animation import encode_gif
from foveal.files import make_writable_folder, write_atomically
from foveal.gaze.given import described, listed, whole_number
from foveal.images import PIXELS_AT_ONCE, RGBImage, batches_of_one_kind, find_images, image_size, read_image
from foveal.models.base import SaliencyModel, check_pixels_per_degree, together_or_apart
from foveal.models.prediction import Prediction, check_outputs
from foveal.models.registry import DEFAULT_MODEL, model_that_predicts
from foveal.paths import path_of
from foveal.progress import Progress, Report
from foveal.threads import computed_ahead

ANIMATED_MS, FRAME_MS = 3000, 250  # until when an animation goes on, and by how much each frame is later
ANIMATED_SIDE = 1000  # px, longer side of an animation


@dataclass
class PredictionRun:
    """What became of the photographs that were given.

    Attributes
    ----------
    predictions
        One entry a photograph: "image", "width", "height", "peak" [x, y], and "files" by kind of output.
    failed
        One entry for each that could not be predicted: "image" and "error", one line.
    """

    model: str
    predictions: list[dict[str, Any]] = field(default_factory=list)
    failed: list[dict[str, str]] = field(default_factory=list)

    def fail(self, path: Path, line: str) -> None:
        """Note a photograph that cannot be predicted, and why, in a line that names it."""
        self.failed.append({"image": os.fspath(path), "error": line})


def predict_files(
    images: Sequence[str | os.PathLike[str]] | str | os.PathLike[str],
    model: SaliencyModel | str | os.PathLike[str] = DEFAULT_MODEL,
    *,
    out: str | os.PathLike[str] = "out",
    save: Sequence[str] = ("overlay", "density"),
    style: str = "heatmap",
    color_bar: bool = True,
    at: float | int | None = None,
    animate: bool = False,
    pixels_per_degree: float | None = None,
    device: str = "cpu",
    batch_size: int = 8,
    progress: Report | None = None,
) -> PredictionRun:
    """Predict photographs and write the results into a folder.

    Files are named after the photographs, `<out>/<stem>.overlay.png` and so on; a folder is searched with its
    sub-folders, which are kept below `out`. Where that does not tell two photographs apart, their results keep the
    ending in their names, or the name of the folder that was given. A photograph that cannot be read or predicted is
    noted, whatever stood in the way, and the others are done. What was done is listed in `out`/predictions.json, also
    after an interruption; each run writes it anew.

    Parameters
    ----------
    images
        Files and folders, or one of them.
    model
        A model, its name, or a file of weights.
    out, save
        Where to write, and what: "overlay", "overlay2x", "pdf", "svg", "density", "map" (see `Prediction.save`).
    style, color_bar
        How overlays are drawn (see `Prediction.save`).
    at
        Predict the fixations that begin so many ms after the picture came on (see `SaliencyModel.at`).
    animate
        Write `<stem>.gif` as well: overlays of the first three seconds, one after the other.
    pixels_per_degree
        Scale of the photographs, if known.
    device, batch_size
        Where to compute, and how many photographs of one size together at most.
    progress
        Called with "predict", the number of photographs done and of all.

    Raises
    ------
    FovealError
        If the call is wrong: no such model or output, nothing to predict, a folder that cannot be written to, or a
        model that does not say what is seen when.
    """
    save = check_outputs(save, style)
    batch_size = whole_number(batch_size, "batch size", 1)
    if isinstance(images, str | os.PathLike):
        images = [images]
    images = listed(images, "photographs")
    if wrong := [image for image in images if not isinstance(image, str | os.PathLike)]:
        raise FovealError(f"photographs: files and folders are needed, not {described(wrong[0])}")
    path_of(out, "out")
    check_pixels_per_degree(pixels_per_degree)
    model = model_that_predicts(model, device)
    moments = {time: model.at(time) for time in range(0, ANIMATED_MS + 1, FRAME_MS)} if animate else {}
    if at is not None:
        model = model.at(at)

    run = PredictionRun(model.name)
    names = output_names(images, Path(out), run)
    folder = make_writable_folder(out)
    order = {os.fspath(path): position for position, path in enumerate(names)}
    total, report = len(names) + len(run.failed), Progress.of(progress)
    try:
        for path, prediction in _predictions(model, list(names), run, pixels_per_degree, batch_size):
            try:
                prediction = replace(prediction, name=names[path])
                files = prediction.save(folder, save, style=style, color_bar=color_bar)
                if animate:
                    files["animation"] = folder / f"{prediction.name}.gif"
                    animation = _animation(prediction, moments, pixels_per_degree, style=style, color_bar=color_bar)
                    with write_atomically(files["animation"]) as temporary:
                        temporary.write_bytes(animation)
                run.predictions.append(_entry(prediction, path, files))
            except FovealError as error:
                run.fail(path, str(error))
            except Exception as error:  # whatever it is, it is this photograph's trouble
                run.fail(path, f"{path}: the results cannot be written ({first_line(error)})")
            report("predict", len(run.predictions) + len(run.failed), total)
            del prediction  # a large photograph is let go before the next is read
    finally:
        # Batches go by size; the list goes in the order in which the photographs were given.
        run.predictions.sort(key=lambda entry: order[entry["image"]])
        with write_atomically(folder / "predictions.json") as temporary:
            moment = {} if at is None else {"at_ms": at}
            listing = {"model": run.model, **moment, "predictions": run.predictions, "failed": run.failed}
            temporary.write_text(json.dumps(listing, indent=2) + "\n", encoding="utf-8")
    return run


def _animation(
    prediction: Prediction, moments: Mapping[int, SaliencyModel], pixels_per_degree: float | None, **drawing: Any
) -> bytes:
    """Overlays of one photograph at some times, in ms, as a GIF that runs as fast as people look."""
    frames = []
    for time, model in moments.items():
        log_density = model.predict(prediction.image, pixels_per_degree).log_density
        picture = figures.overlay(prediction.image, log_density, largest_side=ANIMATED_SIDE, **drawing)
        frames.append((f"{time / 1000:.2f} s", picture))
    return encode_gif(frames, FRAME_MS)


def _entry(prediction: Prediction, path: Path, files: dict[str, Path]) -> dict[str, Any]:
    height, width = prediction.log_density.shape
    return {
        "image": os.fspath(path),
        "width": width,
        "height": height,
        "peak": list(prediction.peak),
        **_scale_of(prediction),
        "files": {output: os.fspath(file) for output, file in files.items()},
    }


def _scale_of(prediction: Prediction) -> dict[str, Any]:
    """At what scale the photograph was taken to be seen, of a model that depends on it."""
    scale = prediction.scale
    if scale is None:
        return {}
    return {"pixels_per_degree": round(scale.pixels_per_degree, 2), "pixels_per_degree_assumed": scale.is_assumed}


def output_names(images: Sequence[str | os.PathLike[str]], out: Path, run: PredictionRun) -> dict[Path, str]:
    """The photographs to predict, each once, and what their results are called below the output folder.

    What cannot be predicted is noted in the run.

    Raises
    ------
    FovealError
        If there is no photograph.
    """
    candidates: dict[Path, tuple[Path, Path, Path]] = {}  # resolved → (as given, its folder, relative to that)
    for given in map(Path, images):
        try:
            is_folder = stat.S_ISDIR(given.stat().st_mode)
        except FileNotFoundError:
            run.fail(given, f"{given}: no such file or folder")
            continue
        except (OSError, ValueError) as error:
            run.fail(given, f"{given}: cannot be read ({first_line(error)})")
            continue
        found, left_out = find_images(given) if is_folder else ([given], [])
        for line in left_out:
            run.fail(given, line)
        # Not the overlays of the last run, where `out` lies inside the folder.
        found = [path for path in found if not is_folder or not _real(path).is_relative_to(_real(out))]
        if not found and not left_out:
            run.fail(given, f"{given}: no picture in it")
        folder = given if is_folder else given.parent
        for path in found:
            candidates.setdefault(_real(path), (path, _real(folder), path.relative_to(folder)))
    # The shortest name that tells a photograph from all others: its stem, with the ending, with its folder, with both.
    whole = {path: relative for path, _, relative in candidates.values()}
    in_folder = {path: Path(folder.name) / relative for path, folder, relative in candidates.values()}
    forms = [_without_endings(whole), whole, _without_endings(in_folder), in_folder]
    counts = [Counter(form.values()) for form in forms]
    names: dict[Path, str] = {}
    taken: set[Path] = set()
    for path in whole:
        for form, count in zip(forms, counts, strict=True):
            if count[form[path]] == 1 and form[path] not in taken:
                taken.add(form[path])
                names[path] = form[path].as_posix()
                break
        else:
            run.fail(path, f"{path}: another photograph has the same name; use another --out for it")
    if not names:
        first, *others = [failure["error"] for failure in run.failed] or ["no photographs given"]
        raise FovealError(f"{first}; {len(others)} others as well" if others else first)
    return names


def _without_endings(names: dict[Path, Path]) -> dict[Path, Path]:
    return {path: name.with_suffix("") for path, name in names.items()}


def _real(path: Path) -> Path:
    """Where a path leads, also if that is in a circle."""
    return Path(os.path.realpath(path))


def _predictions(
    model: SaliencyModel, paths: list[Path], run: PredictionRun, pixels_per_degree: float | None, batch_size: int
) -> Iterator[tuple[Path, Prediction]]:
    """Predictions in batches of one size, photographs read ahead; those that cannot be had go to `run.failed`."""
    sizes: dict[Path, tuple[int, int]] = {}
    for path in paths:
        try:
            sizes[path] = image_size(path)
        except FovealError as error:
            run.fail(path, str(error))
    readable = list(sizes)
    batches = [[readable[i] for i in batch] for batch in batches_of_one_kind(list(sizes.values()), batch_size)]
    small = [batch for batch in batches if math.prod(sizes[batch[0]]) <= PIXELS_AT_ONCE]
    large = [batch for batch in batches if math.prod(sizes[batch[0]]) > PIXELS_AT_ONCE]

    def read(batch: list[Path]) -> list[tuple[Path, RGBImage | FovealError]]:
        return [(path, _read_or_error(path)) for path in batch]

    def predict(batch: list[tuple[Path, RGBImage | FovealError]]) -> Iterator[tuple[Path, Prediction]]:
        good = {path: image for path, image in batch if not isinstance(image, FovealError)}
        for path, outcome in batch:
            if isinstance(outcome, FovealError):
                run.fail(path, str(outcome))

        def compute(some: list[Path]) -> list[Prediction]:
            return model.predict_batch([good[path] for path in some], [path.stem for path in some], pixels_per_degree)

        for some, predictions in together_or_apart(compute, list(good)):
            if isinstance(predictions, FovealError):
                run.fail(some[0], f"{some[0]}: {predictions}")
            else:
                yield from zip(some, predictions, strict=True)

    for read_batch in computed_ahead(read, small):
        yield from predict(read_batch)
    for batch in large:  # not read ahead: one of them at a time is enough for the memory
        yield from predict(read(batch))


def _read_or_error(path: Path) -> RGBImage | FovealError:
    try:
        return read_image(path)
    except FovealError as error:
        return error
