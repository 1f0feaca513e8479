"""`foveal predict`: photographs in files and folders to files of predictions."""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from foveal.errors import FovealError
from foveal.files import make_writable_folder, write_atomically
from foveal.images import RGBImage, find_images, image_size, read_image
from foveal.models.base import SaliencyModel
from foveal.models.prediction import Prediction, check_outputs
from foveal.models.registry import DEFAULT_MODEL, load_model
from foveal.threads import computed_ahead

PIXELS_AT_ONCE = 16_000_000  # of a batch, which bounds memory whatever the batch size

Progress = Callable[[int, int], None]  # photographs done, photographs in all


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

    def fail(self, path: Path, error: FovealError) -> None:
        """Note a photograph that cannot be predicted."""
        self.failed.append({"image": os.fspath(path), "error": str(error)})


def predict_files(
    images: Sequence[str | os.PathLike[str]],
    model: SaliencyModel | str | os.PathLike[str] = DEFAULT_MODEL,
    *,
    out: str | os.PathLike[str] = "out",
    save: Sequence[str] = ("overlay", "density"),
    pixels_per_degree: float | None = None,
    device: str = "cpu",
    batch_size: int = 8,
    progress: Progress | None = None,
) -> PredictionRun:
    """Predict photographs and write the results into a folder.

    Files are named after the photographs, `out`/<stem>.overlay.png and so on; a folder is searched with its
    sub-folders, which are kept below `out`. Photographs of one folder that differ only in their ending keep it in the
    names of their results. A photograph that cannot be read is noted and the others are done. What was done is listed
    in `out`/predictions.json, also after an interruption.

    Parameters
    ----------
    images
        Files and folders.
    model
        A model, its name, or a file of weights.
    out, save
        Where to write, and what: "overlay", "density", "map" (see `Prediction.save`).
    pixels_per_degree
        Scale of the photographs, if known.
    device, batch_size
        Where to compute, and how many photographs of one size together at most.
    progress
        Called with the number of photographs done and of all.

    Raises
    ------
    FovealError
        If the call is wrong: no such model or output, nothing to predict, or a folder that cannot be written to.
    """
    check_outputs(save)
    if batch_size < 1:
        raise FovealError(f"batch size: at least 1, not {batch_size}")
    if pixels_per_degree is not None and not pixels_per_degree > 0:
        raise FovealError(f"pixels per degree: a positive number, not {pixels_per_degree:g}")
    if not isinstance(model, SaliencyModel):
        model = load_model(model, device)
    if model.card.needs_fixations:
        raise FovealError(f"{model.name} is made from fixations on the image itself; it can be evaluated, not predict")

    run = PredictionRun(model.name)
    names = _output_names(images, run)
    if not names:
        reasons = "; ".join(failure["error"] for failure in run.failed)
        raise FovealError(reasons or f"{', '.join(map(str, images))}: no picture in it")
    folder = make_writable_folder(out)
    order = {os.fspath(path): position for position, path in enumerate(names)}
    total = len(names) + len(run.failed)
    try:
        for prediction, path in _predictions(model, list(names), run, pixels_per_degree, batch_size):
            named = Prediction(prediction.image, prediction.log_density, prediction.model, names[path])
            run.predictions.append(_entry(named, path, named.save(folder, save)))
            if progress is not None:
                progress(len(run.predictions) + len(run.failed), total)
    finally:
        # Batches go by size; the list goes in the order in which the photographs were given.
        run.predictions.sort(key=lambda entry: order[entry["image"]])
        with write_atomically(folder / "predictions.json") as temporary:
            temporary.write_text(
                json.dumps({"model": run.model, "predictions": run.predictions, "failed": run.failed}, indent=2),
                encoding="utf-8",
            )
    if progress is not None:
        progress(total, total)
    return run


def _entry(prediction: Prediction, path: Path, files: dict[str, Path]) -> dict[str, Any]:
    height, width = prediction.log_density.shape
    return {
        "image": os.fspath(path),
        "width": width,
        "height": height,
        "peak": list(prediction.peak),
        "files": {output: os.fspath(file) for output, file in files.items()},
    }


def _output_names(images: Sequence[str | os.PathLike[str]], run: PredictionRun) -> dict[Path, str]:
    """The photographs to predict, each once, and what their results are called below the output folder."""
    stems: dict[Path, Path] = {}
    for given in map(Path, images):
        if given.is_dir():
            stems |= {path: path.relative_to(given) for path in find_images(given) if path not in stems}
        elif given.is_file():
            stems.setdefault(given, Path(given.name))
        else:
            run.fail(given, FovealError(f"{given}: no such file or folder"))
    shared = Counter(relative.with_suffix("") for relative in stems.values())
    names: dict[Path, str] = {}
    taken: dict[str, Path] = {}
    for path, relative in stems.items():
        stem = relative.with_suffix("")
        name = (relative if shared[stem] > 1 else stem).as_posix()
        if name in taken:
            run.fail(
                path, FovealError(f"{path}: its results would have the names of {taken[name]}'s; predict it apart")
            )
        else:
            taken[name] = path
            names[path] = name
    return names


def _predictions(
    model: SaliencyModel, paths: list[Path], run: PredictionRun, pixels_per_degree: float | None, batch_size: int
) -> Iterator[tuple[Prediction, Path]]:
    """Predictions in batches of one size, photographs read ahead; those that cannot be read go to `run.failed`."""
    by_size: dict[tuple[int, int], list[Path]] = {}
    for path in paths:
        try:
            by_size.setdefault(image_size(path), []).append(path)
        except FovealError as error:
            run.fail(path, error)
    batches = []
    for (height, width), group in by_size.items():
        n = max(1, min(batch_size, PIXELS_AT_ONCE // (height * width)))
        batches += [group[start : start + n] for start in range(0, len(group), n)]

    def read(batch: list[Path]) -> list[tuple[Path, RGBImage | FovealError]]:
        return [(path, _read_or_error(path)) for path in batch]

    for batch in computed_ahead(read, batches):
        good = [(path, image) for path, image in batch if not isinstance(image, FovealError)]
        for path, outcome in batch:
            if isinstance(outcome, FovealError):
                run.fail(path, outcome)
        if good:
            some_paths, pixels = zip(*good, strict=True)
            predictions = model.predict_batch(pixels, [path.stem for path in some_paths], pixels_per_degree)
            yield from zip(predictions, some_paths, strict=True)


def _read_or_error(path: Path) -> RGBImage | FovealError:
    try:
        return read_image(path)
    except FovealError as error:
        return error
