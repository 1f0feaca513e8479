"""`foveal train RECIPE.toml`: the loop that trains a deep model, on one processor or many.

Whatever stops it, at most one epoch is lost: after each, all of its state is written, and `resume` goes on from there
to the same weights, to the last bit on one machine.
"""

import csv
import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from torch.optim.swa_utils import AveragedModel

from foveal.datasets import load_dataset
from foveal.errors import FovealError, first_line
from foveal.figures.learning import draw_learning_curve
from foveal.files import make_writable_folder, write_atomically
from foveal.gaze import Dataset
from foveal.models import save_model
from foveal.models.baselines import CenterBias
from foveal.models.deep.foveal_s import FovealConfig, FovealS
from foveal.models.parts.pretrained import read_weights
from foveal.progress import Progress, to_nobody
from foveal.training.examples import ExampleGroup, Examples
from foveal.training.losses import get_loss
from foveal.training.recipe import Phase, Recipe

STANDARDISED_ON = 64  # images, whose features say the mean and deviation of every tap

Tensors = tuple[torch.Tensor, ...] | list[torch.Tensor]


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

    Raises
    ------
    FovealError
        If there is nothing to fit to, the backbone's weights are not installed, or what is in `out` is of another run.
    """
    folder = make_writable_folder(out)
    accelerator = Accelerator(mixed_precision=recipe.precision, cpu=not torch.cuda.is_available())
    torch.manual_seed(recipe.seed)
    model = FovealS(_config_of(recipe))
    model.backbone.steps.load_state_dict(read_weights(model.config.backbone))
    examples = Examples(model, datasets, lambda data: held_out_images(data, recipe.held_out), progress)
    if not examples.fitted:
        raise FovealError("there is no image to fit to")
    model.log_prior = (
        torch.stack([CenterBias.of(density).log_grid.exp() for density in examples.densities]).mean(0).log()
    )
    standardise(model, examples, recipe.batch_size)
    run = _Run(recipe, model, examples, accelerator)
    checkpoint = folder / "checkpoint.pt"
    if resume and checkpoint.is_file():
        run.load(checkpoint)
    recipe.write(folder / "recipe.toml")
    for phase_number, phase in enumerate(recipe.phases):
        if run.epoch >= sum(p.epochs for p in recipe.phases[: phase_number + 1]):
            continue
        run.begin(phase, sum(p.epochs for p in recipe.phases[:phase_number]))
        while not run.is_done(phase):
            run.one_epoch(lambda done, total: progress(f"epoch {run.epoch + 1}/{recipe.epochs}", done, total))
            if accelerator.is_main_process:
                run.save(checkpoint)
                _write_log(folder, run.log)
    path = folder / f"{model.name}.safetensors"
    if accelerator.is_main_process:
        save_model(run.averaged_model, path, _provenance(recipe, datasets, run.log))
    return DeepTraining(path, run.log)


def _config_of(recipe: Recipe) -> FovealConfig:
    try:
        config = FovealConfig.of(recipe.config or {})
    except TypeError as error:
        raise FovealError(f"config of {recipe.model}: {first_line(error)}") from None
    assert isinstance(config, FovealConfig)  # `of` makes its own class
    return config


def train_by_recipe(
    recipe: Recipe | str | os.PathLike[str],
    *,
    out: str | os.PathLike[str] = "out",
    data_root: str | os.PathLike[str] | None = None,
    resume: bool = False,
    progress: Progress | None = None,
) -> DeepTraining:
    """Train a deep model as a recipe, or a TOML file of one, says; see `train_deep`.

    Raises
    ------
    FovealError
        If the recipe or its data cannot be used.
    """
    recipe = recipe if isinstance(recipe, Recipe) else Recipe.read(recipe)
    datasets = []
    for name in recipe.datasets:
        data = load_dataset(name, data_root)
        datasets.append(data.select(np.unique(data.fixations.image)))
    return train_deep(recipe, datasets, Path(out), resume=resume, progress=progress or to_nobody)


def held_out_images(data: Dataset, fold: int | None) -> np.ndarray:
    """Image i of a data set belongs to fold i modulo 10."""
    return np.array([], dtype=int) if fold is None else np.arange(fold, len(data), 10)


@torch.no_grad()
def standardise(model: FovealS, examples: Examples, batch_size: int) -> None:
    """Make the taps' features of mean zero and unit deviation over some of the fitted images."""
    sums: dict[str, list[torch.Tensor]] = {}
    seen = 0
    for step in examples.steps(batch_size, torch.Generator().manual_seed(0)):
        for group, rows in step:
            features = model.all_features(group.batch(rows, torch.device("cpu")).features)
            seen += len(rows)
            for name, maps in features.items():
                double = maps.double()
                parts = [
                    double.sum(dim=(0, 2, 3)),
                    double.square().sum(dim=(0, 2, 3)),
                    torch.tensor(maps[:, 0].numel()),
                ]
                sums[name] = [a + b for a, b in zip(sums[name], parts, strict=True)] if name in sums else parts
        if seen >= STANDARDISED_ON:
            break
    for name, (total, squares, n) in sums.items():
        mean = total / n
        deviation = (squares / n - mean.square()).clamp(min=1e-8).sqrt()
        model.taps[name].mean = mean.float()
        model.taps[name].std = deviation.float()


def running_mean(decay: float) -> Callable[[Tensors, Tensors, torch.Tensor | int], None]:
    """What brings a mean of weights up to date, as `AveragedModel` takes it.

    At the start the mean is over fewer steps than `decay` says, or a short run would end with weights of its beginning:
    after n steps the decay is at most (1 + n) / (10 + n), as in TensorFlow's ExponentialMovingAverage.
    """

    @torch.no_grad()
    def update(averaged: Tensors, current: Tensors, steps: torch.Tensor | int) -> None:
        n = int(steps)
        share = 1 - min(decay, (1 + n) / (10 + n))
        for mean, weight in zip(averaged, current, strict=True):
            if mean.is_floating_point():
                mean.lerp_(weight, share)
            else:
                mean.copy_(weight)

    return update


class _Run:
    """The state of a run: model, its running mean, optimiser, how far it is."""

    def __init__(self, recipe: Recipe, model: FovealS, examples: Examples, accelerator: Accelerator) -> None:
        self.recipe, self.examples, self.accelerator = recipe, examples, accelerator
        self.loss = get_loss(recipe.loss)
        self.trained_backbone = model.backbone.unfreeze(model.config.first_trained)
        ids = {id(parameter) for parameter in model.backbone.parameters()}
        self.readout = [parameter for parameter in model.parameters() if id(parameter) not in ids]
        self.model = model.to(accelerator.device)
        self.average = AveragedModel(self.model, multi_avg_fn=running_mean(recipe.average))
        self.epoch = 0
        self.log: list[dict[str, int | float]] = []
        self._pending: dict[str, Any] | None = None  # state of an optimiser that is made when its phase begins

    @property
    def averaged_model(self) -> FovealS:
        """The running mean of the weights."""
        module = self.average.module
        assert isinstance(module, FovealS)
        return module.eval()

    def begin(self, phase: Phase, epochs_before: int) -> None:
        """Make the phase's optimiser, at the point of its course that `epoch` says."""
        trains_backbone = phase.backbone_learning_rate > 0
        for weight in self.trained_backbone:
            weight.requires_grad_(trains_backbone)
        groups = [{"params": self.readout, "lr": phase.learning_rate}]
        if trains_backbone:
            groups.append({"params": self.trained_backbone, "lr": phase.backbone_learning_rate})
        optimizer = torch.optim.AdamW(groups, weight_decay=self.recipe.weight_decay)
        self.first_epoch = epochs_before
        steps = phase.epochs * math.ceil(len(self.examples.fitted) / self.recipe.batch_size)
        self.optimizer = self.accelerator.prepare_optimizer(optimizer)
        self.prepared = self.accelerator.prepare_model(self.model)
        self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        if self._pending is not None:
            self.optimizer.load_state_dict(self._pending["optimizer"])
            self.schedule.load_state_dict(self._pending["schedule"])
            self._pending = None

    def is_done(self, phase: Phase) -> bool:
        """Is the phase over, or has the information gain not risen for as long as the recipe is patient?"""
        if self.epoch - self.first_epoch >= phase.epochs:
            return True
        gains = [row["IG"] for row in self.log]
        patience = self.recipe.patience
        return 0 < patience < len(gains) and max(gains[-patience:]) <= max(gains[:-patience])

    def one_epoch(self, report: Callable[[int, int], None]) -> None:
        """Go over all fitted images once, then judge the held-out ones."""
        start = time.perf_counter()
        seed = self.recipe.seed * 100_003 + self.epoch
        torch.manual_seed(seed)  # of dropout; the same when the run is resumed
        self.model.train()
        total, n_steps = 0.0, math.ceil(len(self.examples.fitted) / self.recipe.batch_size)
        mine = self.accelerator.process_index
        for number, step in enumerate(self.examples.steps(self.recipe.batch_size, torch.Generator().manual_seed(seed))):
            report(number, n_steps)
            n_images = sum(len(rows) for _, rows in step)
            for group, rows in step:
                own = rows[mine :: self.accelerator.num_processes]
                if own:
                    # Processes' gradients are averaged, so that each counts its images as if there were no others.
                    value = self._loss_of(group, own) * (self.accelerator.num_processes / n_images)
                    self.accelerator.backward(value)
                    total += float(value.detach()) / self.accelerator.num_processes
            self.optimizer.step()
            self.schedule.step()
            self.optimizer.zero_grad()
            self.average.update_parameters(self.model)
        report(n_steps, n_steps)
        self.epoch += 1
        gain = self.information_gain()
        row = {"epoch": self.epoch, "loss": total / n_steps, "IG": gain, "seconds": time.perf_counter() - start}
        self.log.append(row)

    def _loss_of(self, group: ExampleGroup, rows: list[int]) -> torch.Tensor:
        batch = group.batch(rows, self.accelerator.device)
        with self.accelerator.autocast():
            log_density = self.prepared(batch.features, batch.size, batch.log_prior)
        return self.loss(log_density.float(), batch.observed).sum()

    @torch.inference_mode()
    def information_gain(self) -> float:
        """Of the running mean on the held-out images, bit per fixation above their data set's centre bias."""
        gains = []
        for group, rows in self.examples.judged(self.recipe.batch_size):
            batch = group.batch(rows, self.accelerator.device)
            log_density = self.averaged_model(batch.features, batch.size, batch.log_prior)
            gain = (batch.observed.counts * (log_density - batch.log_prior)).sum(dim=(1, 2))
            gains += (gain / batch.observed.counts.sum(dim=(1, 2)) / math.log(2)).tolist()
        return float(np.mean(gains)) if gains else math.nan

    def save(self, path: Path) -> None:
        """All that a run needs to go on, written whole."""
        state = {
            "recipe": repr(self.recipe),
            "images": (len(self.examples.fitted), len(self.examples.held_out)),
            "epoch": self.epoch,
            "log": self.log,
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
        }
        with write_atomically(path) as temporary:
            torch.save(state, temporary)

    def load(self, path: Path) -> None:
        """Go on from a checkpoint.

        Raises
        ------
        FovealError
            If it is of another recipe or other images.
        """
        state = torch.load(path, weights_only=True, map_location=self.accelerator.device)
        images = (len(self.examples.fitted), len(self.examples.held_out))
        if state["recipe"] != repr(self.recipe) or tuple(state["images"]) != images:
            raise FovealError(f"{path}: of another recipe or other images; choose another --out, or leave out --resume")
        self.epoch, self.log = state["epoch"], state["log"]
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        ends = np.cumsum([phase.epochs for phase in self.recipe.phases]).tolist()
        if self.epoch not in ends:  # a phase that is over needs its optimiser no more
            self._pending = {"optimizer": state["optimizer"], "schedule": state["schedule"]}


def _write_log(folder: Path, log: list[dict[str, int | float]]) -> None:
    with write_atomically(folder / "log.csv") as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(log[0]))
        writer.writeheader()
        writer.writerows(log)
    with write_atomically(folder / "curve.png") as temporary:
        draw_learning_curve(log, temporary)


def _provenance(recipe: Recipe, datasets: Sequence[Dataset], log: list[dict[str, int | float]]) -> dict[str, Any]:
    return {
        "recipe": asdict(recipe),
        "datasets": [{"name": data.name, "licence": data.licence, "images": len(data)} for data in datasets],
        "last_epoch": {key: value for key, value in log[-1].items() if not math.isnan(value)} if log else {},
        "version": version("foveal"),
    }
