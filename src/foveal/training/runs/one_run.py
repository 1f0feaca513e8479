"""One training of a deep model by a recipe, from data sets to a folder of weights, log and curve.

Whatever stops it, at most one epoch is lost: after each, all of its state is written, and `resume` goes on from there
to the same weights, to the last bit on one machine.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState

from foveal.datasets.foreign import UnreadableFileError, hdf5_arrays, hdf5_headers
from foveal.errors import FovealError, first_line
from foveal.figures.learning import draw_learning_curve
from foveal.files import make_writable_folder, new_file, write_atomically
from foveal.gaze import Dataset
from foveal.gaze.folds import held_out_images
from foveal.gaze.recognition import as_text, perceptual_hashes
from foveal.models import save_model
from foveal.paths import safe_file_name
from foveal.progress import Progress
from foveal.training.recipe import Recipe
from foveal.training.runs.examples import digest_of
from foveal.training.runs.prepare import config_of, prepare
from foveal.training.runs.run import CHECKPOINT, OF_ANOTHER_RUN, RECIPE, Run, read_checkpoint
from foveal.training.runs.teacher import teach
from foveal.training.trained import Trained

HELD_OUT = "held_out"  # folder of the densities of held-out images


@dataclass(frozen=True)
class DeepTraining(Trained):
    """What a run did.

    Attributes
    ----------
    path
        The weights.
    log
        One row an epoch: epoch, number of its phase, mean loss (of the likelihood in nats per fixation), seconds, and
        if images are held out, IG (bit per fixation) and AUC on them.
    problems
        One line for each thing in the data that could not be used.
    """

    path: Path
    log: list[dict[str, int | float]]
    problems: tuple[str, ...] = ()


def train_deep(
    recipe: Recipe,
    datasets: Sequence[Dataset],
    out: Path,
    *,
    teachers: Sequence[Path] = (),
    resume: bool,
    progress: Progress,
) -> DeepTraining:
    """Train as the recipe says; write `<out>/<model>.safetensors`, log.csv, curve.png, recipe.toml and checkpoint.pt.

    Of held-out images, the log densities are written as well: `<out>/held_out/<data set>.hdf5`, by names of images.
    `teachers` are the folders of runs whose densities are learned as well. With `resume`, the run that is in `out` goes
    on; one that is done is left as it is.

    Raises
    ------
    FovealError
        If there is nothing to fit to or to judge, the backbone's weights are not installed, the precision is not to be
        had here, the loss is no longer finite, or what is in `out` is of another run, or of this one without `resume`.
    """
    folder = make_writable_folder(out)
    state = state_of_run(recipe, folder, resume)
    if recipe.precision == "fp16" and not torch.cuda.is_available():
        raise FovealError("precision: fp16 needs a GPU (bf16 does not)")
    if len({data.name for data in datasets}) < len(datasets):
        raise FovealError("two of the data sets have the same name")
    path, problems = folder / f"{recipe.model}.safetensors", tuple(line for data in datasets for line in data.problems)
    finished = folder / RECIPE
    if state is not None:
        if state["examples"] != digest_of(datasets, [held_out_images(data, recipe.held_out) for data in datasets]):
            raise FovealError(f"{folder / CHECKPOINT}: {OF_ANOTHER_RUN}")
        if finished.is_file() and Recipe.read(finished) == recipe:
            return DeepTraining(path, state["log"], problems)
    AcceleratorState._reset_state()  # an earlier run in this process may have had another precision
    accelerator = Accelerator(mixed_precision=recipe.precision, cpu=not torch.cuda.is_available())
    run = prepare(recipe, datasets, recipe.views, accelerator, progress)
    if not run.examples.fitted:
        raise FovealError("there is no image to fit to")
    if recipe.held_out is not None and not run.examples.held_out:
        raise FovealError(f"there is no image in fold {recipe.held_out}, which is held out")
    if state is not None:
        run.load(state, folder / CHECKPOINT)
    if teachers and not run.is_over:  # what is over has nothing to learn
        teach(run, teachers, datasets, progress)
    if accelerator.is_main_process:
        finished.unlink(missing_ok=True)
    for number in range(len(recipe.phases)):
        if run.is_done(number):
            continue
        run.begin(number)
        while not run.is_done(number):
            run.one_epoch(lambda done, total: progress(f"epoch {run.epoch + 1}/{recipe.epochs}", done, total))
            if accelerator.is_main_process:
                _write_log(folder, run.log)
                run.save(folder / CHECKPOINT)
            progress(f"epoch {run.epoch}/{recipe.epochs}", run.n_steps, run.n_steps)  # not before it is kept
    run.take_best()
    if accelerator.is_main_process:
        _write_held_out(folder, datasets, run)
        save_model(run.result(), path, _provenance(recipe, datasets, run.log))
        recipe.write(finished)
    accelerator.wait_for_everyone()  # who goes on may read what the main process wrote
    return DeepTraining(path, run.log, problems)


def state_of_run(recipe: Recipe, folder: Path, resume: bool) -> dict[str, Any] | None:
    """How far the run of a recipe is in a folder; None where it may begin.

    Raises
    ------
    FovealError
        If the run that is there is of another recipe, or of this one and is not to be resumed, or cannot be read.
    """
    checkpoint = folder / CHECKPOINT
    if not checkpoint.is_file():
        return None
    if not resume:
        raise FovealError(f"{folder}: holds a run already; go on with --resume, or choose another --out")
    return read_checkpoint(checkpoint, recipe)


def _write_log(folder: Path, log: list[dict[str, int | float]]) -> None:
    with write_atomically(folder / "log.csv") as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(log[0]))
        writer.writeheader()
        writer.writerows(log)
    with write_atomically(folder / "curve.png") as temporary:
        draw_learning_curve(log, temporary)


def _write_held_out(folder: Path, datasets: Sequence[Dataset], run: Run) -> None:
    """`folder`/held_out/<data set>.hdf5: log densities of the held-out images, on the cells, called like the images."""
    log_densities: dict[str, dict[str, np.ndarray]] = {}
    for group, rows, some in run.held_out_densities():
        data = datasets[group.dataset]
        names = [data.stimuli.ids[group.features.images[row]] for row in rows]
        log_densities.setdefault(data.name, {}).update(zip(names, some.numpy(), strict=True))
    for name, by_image in log_densities.items():
        write_maps(file_of_held_out(folder, name), by_image)


def file_of_held_out(folder: Path, dataset: str) -> Path:
    """Where a run keeps its densities of the held-out images of a data set."""
    return folder / HELD_OUT / f"{safe_file_name(dataset)}.hdf5"


def write_maps(path: Path, maps: Mapping[str, np.ndarray]) -> None:
    """One array an image, called like it."""
    with write_atomically(path) as temporary, new_file(temporary) as raw, h5py.File(raw, "w") as file:
        for name, values in maps.items():
            file.create_dataset(name, data=values)


def read_maps(path: Path) -> dict[str, np.ndarray]:
    """What `write_maps` wrote.

    Raises
    ------
    FovealError
        If it is not there, or cannot be read.
    """
    try:
        return hdf5_arrays(path, hdf5_headers(path))
    except (OSError, UnreadableFileError) as error:
        raise FovealError(f"{path}: the maps cannot be read ({first_line(error)})") from error


def _provenance(recipe: Recipe, datasets: Sequence[Dataset], log: list[dict[str, int | float]]) -> dict[str, Any]:
    kept = max(log, key=lambda row: row["IG"]) if recipe.patience else log[-1]
    fitted = [(data, np.setdiff1d(np.arange(len(data)), held_out_images(data, recipe.held_out))) for data in datasets]
    return {
        "recipe": asdict(replace(recipe, config=asdict(config_of(recipe)), teacher=None)),  # whatever defaults become
        "teachers": list(recipe.teacher.members) if recipe.teacher else [],
        "datasets": [
            {
                "name": data.name,
                "licence": data.licence,
                "images": len(images),
                "photographs": as_text(perceptual_hashes(data.stimuli, images.tolist())),
            }
            for data, images in fitted
        ],
        "last_epoch": {key: value for key, value in kept.items() if key not in ("seconds", "phase")},
        "version": version("foveal"),
    }
