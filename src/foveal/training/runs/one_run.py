"""One training of a network by a recipe, from data sets to a folder of weights, log and curve.

Whatever stops it, at most one epoch is lost: after each, all of its state is written, and `resume` goes on from there
to the same weights, to the last bit on one machine.
"""

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import InitProcessGroupKwargs

from foveal.errors import FovealError
from foveal.figures.learning import draw_learning_curve
from foveal.files import make_writable_folder, write_atomically
from foveal.gaze import Dataset
from foveal.gaze.folds import fitted_images, held_out_images
from foveal.gaze.recognition import as_text, perceptual_hashes
from foveal.models import save_model
from foveal.models.parts.precision import computes_in_bfloat16
from foveal.models.registry import trainings_of
from foveal.progress import Progress
from foveal.training.recipe import Recipe
from foveal.training.runs.checkpoint import CHECKPOINT, OF_ANOTHER_RUN, RECIPE, read_checkpoint
from foveal.training.runs.examples import digest_of
from foveal.training.runs.finish import finish
from foveal.training.runs.held_out import file_of_held_out, write_maps
from foveal.training.runs.prepare import prepare
from foveal.training.runs.run import Run
from foveal.training.runs.teacher import teach
from foveal.training.trained import Trained

LONGEST_WAIT = timedelta(days=1)
WORTH_A_CURVE = 10  # seconds of an epoch after which the curve is drawn, which takes one; else it is in the end
START = "start"  # what a training is called from which another one started


@dataclass(frozen=True)
class DeepTraining(Trained):
    """What a run did.

    Attributes
    ----------
    path
        The weights.
    log
        One row an epoch: epoch, number of its phase, mean loss (of the likelihood in nats per fixation), seconds, and
        if images are held out, how good it is on them (see `Run.judge`).
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
    workers: int = 0,
) -> DeepTraining:
    """Train as the recipe says; write `<out>/<model>.safetensors`, log.csv, curve.png, recipe.toml and checkpoint.pt.

    Of held-out images, the log densities are written as well: `<out>/held_out/<data set>.hdf5`, by names of images.
    `teachers` are the folders of runs whose densities are learned as well. With `resume`, the run that is in `out` goes
    on; one that is done is left as it is. So many other processes read ahead (`workers`).

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
    path, problems = folder / f"{recipe.model}.safetensors", [line for data in datasets for line in data.problems]
    finished = folder / RECIPE
    if state is not None:
        if state["examples"] != digest_of(datasets, [held_out_images(data, recipe.held_out) for data in datasets]):
            raise FovealError(f"{folder / CHECKPOINT}: {OF_ANOTHER_RUN}")
        if finished.is_file() and Recipe.read(finished).in_full == recipe.in_full:
            return DeepTraining(path, state["log"], tuple(problems))
    AcceleratorState._reset_state()  # an earlier run in this process may have had another precision
    waiting = InitProcessGroupKwargs(timeout=LONGEST_WAIT)  # others wait for what the main process computes for all
    accelerator = Accelerator(
        mixed_precision=_precision_of(recipe), cpu=not torch.cuda.is_available(), kwargs_handlers=[waiting]
    )
    run = prepare(recipe, datasets, recipe.views, accelerator, progress, workers=workers)
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
                if run.log[-1]["seconds"] > WORTH_A_CURVE:
                    _draw_curve(folder, run.log)
            progress(f"epoch {run.epoch}/{recipe.epochs}", run.n_steps, run.n_steps)  # not before it is kept
    run.take_best()
    if accelerator.is_main_process:
        _draw_curve(folder, run.log)
        model, log_densities = finish(run, datasets, problems, progress)
        for name, by_image in log_densities.items():
            write_maps(file_of_held_out(folder, name), by_image)
        save_model(model, path, _provenance(run, datasets))
        recipe.in_full.write(finished)
    accelerator.wait_for_everyone()  # who goes on may read what the main process wrote
    return DeepTraining(path, run.log, tuple(problems))


def _precision_of(recipe: Recipe) -> str:
    """As accelerate calls it, on this machine."""
    if recipe.precision != "auto":
        return recipe.precision
    is_fast = torch.cuda.is_bf16_supported() if torch.cuda.is_available() else computes_in_bfloat16()
    return "bf16" if is_fast else "no"


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


def _draw_curve(folder: Path, log: list[dict[str, int | float]]) -> None:
    with write_atomically(folder / "curve.png") as temporary:
        draw_learning_curve(log, temporary)


def _provenance(run: Run, datasets: Sequence[Dataset]) -> dict[str, Any]:
    """Where the weights come from; also where those come from that the training started from."""
    recipe, log = run.recipe, run.log
    kept = max(log, key=lambda row: row[run.criterion]) if recipe.patience else log[-1]
    fitted = [(data, fitted_images(data, recipe.held_out)) for data in datasets]
    config = asdict(run.averaged.model.config)  # whatever defaults become
    start = recipe.start_from and Path(recipe.start_from).name  # its place says nothing elsewhere
    provenance = {
        "recipe": asdict(replace(recipe.in_full, config=config, teacher=None)) | {"start_from": start},
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
    if recipe.start_from is None:
        return provenance
    earlier = {part or START: training for part, training in trainings_of(recipe.start_from).items()}
    return {"members": {**earlier, recipe.model: provenance}}
