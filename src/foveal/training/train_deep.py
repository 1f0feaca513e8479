"""One training of a deep model by a recipe, from data sets to a folder of weights, log and curve.

Whatever stops it, at most one epoch is lost: after each, all of its state is written, and `resume` goes on from there
to the same weights, to the last bit on one machine.
"""

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from torch import Tensor

from foveal.errors import FovealError, first_line
from foveal.figures.learning import draw_learning_curve
from foveal.files import make_writable_folder, write_atomically
from foveal.gaze import Dataset
from foveal.models import save_model
from foveal.models.baselines import CenterBias
from foveal.models.deep.foveal_s import FovealConfig, FovealS
from foveal.models.parts.backbones import Backbone
from foveal.models.parts.pretrained import read_weights
from foveal.progress import Progress
from foveal.training.deep_run import Run
from foveal.training.examples import Examples
from foveal.training.readout_problem import moments
from foveal.training.recipe import FOLDS, Recipe

HELD_OUT = "held_out"  # folder of the densities of held-out images
SMALLEST_DEVIATION = 1e-4  # of a feature, which is divided by it
STANDARDISED_ON = 64  # images, whose features say the mean and deviation of every tap


@dataclass(frozen=True)
class DeepTraining:
    """What a run did.

    Attributes
    ----------
    path
        The weights.
    log
        One row an epoch: epoch, loss, information gain on held-out images (bit per fixation, NaN without), seconds.
    """

    path: Path
    log: list[dict[str, int | float]]


def train_deep(
    recipe: Recipe, datasets: Sequence[Dataset], out: Path, *, resume: bool, progress: Progress
) -> DeepTraining:
    """Train as the recipe says; write `out`/<model>.safetensors, log.csv, curve.png, recipe.toml and checkpoint.pt.

    Of held-out images, the log densities are written as well: `out`/held_out/<data set>.hdf5, by names of images.

    Raises
    ------
    FovealError
        If there is nothing to fit to, the backbone's weights are not installed, or what is in `out` is of another run.
    """
    folder = make_writable_folder(out)
    if len({data.name for data in datasets}) < len(datasets):
        raise FovealError("two of the data sets have the same name")
    AcceleratorState._reset_state()  # an earlier run in this process may have had another precision
    accelerator = Accelerator(mixed_precision=recipe.precision, cpu=not torch.cuda.is_available())
    torch.manual_seed(recipe.seed)
    model = FovealS(_config_of(recipe))
    model.backbone.steps.load_state_dict(read_weights(model.config.backbone))
    with accelerator.main_process_first():  # which computes the features for all
        examples = Examples(
            model, datasets, lambda data: held_out_images(data, recipe.held_out), recipe.zooms, progress
        )
    if not examples.fitted:
        raise FovealError("there is no image to fit to")
    model.log_prior = (
        torch.stack([CenterBias.of(density).log_grid.exp() for density in examples.densities]).mean(0).log()
    )
    standardise(model, examples, recipe.batch_size)
    run = Run(recipe, model, examples, accelerator)
    checkpoint = folder / "checkpoint.pt"
    if resume and checkpoint.is_file():
        run.load(checkpoint)
    finished = folder / "recipe.toml"  # is there when all else is
    finished.unlink(missing_ok=True)
    for number, phase in enumerate(recipe.phases):
        if run.epoch >= sum(p.epochs for p in recipe.phases[: number + 1]):
            continue
        run.begin(number)
        while not run.is_done(phase):
            run.one_epoch(lambda done, total: progress(f"epoch {run.epoch + 1}/{recipe.epochs}", done, total))
            if accelerator.is_main_process:
                run.save(checkpoint)
                _write_log(folder, run.log)
    path = folder / f"{model.name}.safetensors"
    if accelerator.is_main_process:
        _write_held_out(folder, datasets, run)
        save_model(run.result(), path, _provenance(recipe, datasets, run.log), half_precision=True)
        recipe.write(finished)
    return DeepTraining(path, run.log)


def _config_of(recipe: Recipe) -> FovealConfig:
    try:
        config = FovealConfig.of(recipe.config or {})
        Backbone(config.backbone, pretrained=False).check_layers(
            [*config.taps, config.first_trained or config.taps[-1]]
        )
        if len(config.taps) != len(config.channels):
            raise FovealError(f"{len(config.taps)} taps, but {len(config.channels)} numbers of channels")
    except (TypeError, FovealError) as error:
        raise FovealError(f"config of {recipe.model}: {first_line(error)}") from None
    return config


def held_out_images(data: Dataset, fold: int | None) -> np.ndarray:
    """Image i of a data set belongs to fold i modulo 10."""
    return np.array([], dtype=int) if fold is None else np.arange(fold, len(data), FOLDS)


@torch.no_grad()
def standardise(model: FovealS, examples: Examples, batch_size: int) -> None:
    """Make the taps' features of mean zero and unit deviation over some of the fitted images."""

    def chosen() -> Iterator[dict[str, Tensor]]:
        seen = 0
        for step in examples.steps(batch_size, torch.Generator().manual_seed(0)):
            for group, rows in step:
                seen += len(rows)
                yield group.batch(rows, model.config.taps).features
            if seen >= STANDARDISED_ON:
                return

    for name, (mean, deviation) in moments(chosen()).items():
        model.taps[name].mean = mean.float()
        model.taps[name].std = deviation.clamp(min=SMALLEST_DEVIATION).float()


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
        write_maps(folder / HELD_OUT / f"{name}.hdf5", by_image)


def write_maps(path: Path, maps: Mapping[str, np.ndarray]) -> None:
    """One array an image, called like it."""
    with write_atomically(path) as temporary, h5py.File(temporary, "w") as file:
        for name, values in maps.items():
            file.create_dataset(name, data=values)


def read_maps(path: Path) -> dict[str, np.ndarray]:
    """What `write_maps` wrote."""
    maps: dict[str, np.ndarray] = {}

    def keep(name: str, entry: h5py.Dataset | h5py.Group) -> None:
        if isinstance(entry, h5py.Dataset):  # a name with a slash makes a group
            maps[name] = np.asarray(entry)

    with h5py.File(path) as file:
        file.visititems(keep)
    return maps


def _provenance(recipe: Recipe, datasets: Sequence[Dataset], log: list[dict[str, int | float]]) -> dict[str, Any]:
    return {
        "recipe": asdict(recipe),
        "datasets": [{"name": data.name, "licence": data.licence, "images": len(data)} for data in datasets],
        "last_epoch": {key: value for key, value in log[-1].items() if not math.isnan(value)} if log else {},
        "version": version("foveal"),
    }
