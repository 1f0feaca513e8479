"""A training run of a deep model: what is learned, by which steps, and its state on disk."""

import copy
import math
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from foveal.errors import FovealError, first_line
from foveal.files import new_file, write_atomically
from foveal.metrics.auc import auc
from foveal.metrics.fixation_batch import FixationBatch
from foveal.models.deep.foveal_s import FovealS
from foveal.models.parts.finalizer import normalize_log_density
from foveal.training.losses import weighted_loss
from foveal.training.optimizers import OPTIMIZERS, SCHEDULES
from foveal.training.recipe import Recipe
from foveal.training.runs.examples import Batch, ExampleGroup, Examples, joinable, share_of

CHECKPOINT = "checkpoint.pt"  # in a run's folder
RECIPE = "recipe.toml"  # is there when all else is
KEPT = frozenset({"recipe", "examples", "log"})  # of a run, what is asked before it goes on
OF_ANOTHER_RUN = "of another recipe or other images; choose another --out"

Tensors = tuple[Tensor, ...] | list[Tensor]


def running_mean(decay: float) -> Callable[[Tensors, Tensors, Tensor | int], None]:
    """What brings a mean of weights up to date, as `AveragedModel` takes it.

    At the start the mean is over fewer steps than `decay` says, or a short run would end with weights of its beginning:
    after n steps the decay is at most (1 + n) / (10 + n), as in TensorFlow's ExponentialMovingAverage.
    """

    @torch.no_grad()
    def update(averaged: Tensors, current: Tensors, steps: Tensor | int) -> None:
        n = int(steps)
        share = 1 - min(decay, (1 + n) / (10 + n))
        torch._foreach_lerp_(list(averaged), list(current), share)  # one call for hundreds, as in torch's own means

    return update


class InTraining(nn.Module):
    """A model, and for every data set how sharp its densities are and what its own center bias counts."""

    def __init__(self, model: FovealS, n_datasets: int) -> None:
        super().__init__()
        self.model = model
        self.log_sharpness = nn.Parameter(torch.zeros(n_datasets))
        self.prior_weights = nn.Parameter(torch.ones(n_datasets))

    def forward(self, batch: Batch) -> Float[Tensor, "image row column"]:
        """Log density over the cells of a batch's images."""
        saliency = self.model(batch.features, batch.size, batch.zoom)
        sharpness, prior_weight = self.log_sharpness[batch.dataset].exp(), self.prior_weights[batch.dataset]
        return normalize_log_density(sharpness * saliency + prior_weight * batch.log_prior)


@dataclass(frozen=True)
class _Pending:
    """State of an optimiser and its schedule, from this file."""

    optimizer: dict[str, Any]
    schedule: dict[str, Any]
    path: Path


class Run:
    """The state of a run: model, its running mean, optimiser, how far it is."""

    def __init__(self, recipe: Recipe, model: FovealS, examples: Examples, accelerator: Accelerator) -> None:
        self.recipe, self.examples, self.accelerator = recipe, examples, accelerator
        self.loss = weighted_loss(recipe.losses)
        self.frozen_layers = model.frozen_layers
        self.trained_backbone = model.backbone.unfreeze(model.config.first_trained)
        self.model = InTraining(model, len(examples.densities)).to(accelerator.device)
        ids = {id(parameter) for parameter in model.backbone.parameters()}
        self.readout = [parameter for parameter in self.model.parameters() if id(parameter) not in ids]
        self.average = AveragedModel(self.model, multi_avg_fn=running_mean(recipe.average))
        self.n_begun = 0  # phases
        self.log: list[dict[str, int | float]] = []  # a row an epoch
        self.best: dict[str, Any] | None = None  # running mean of the best epoch, of a recipe that is patient
        self._pending: _Pending | None = None  # state of an optimiser that is made when its phase begins

    @property
    def epoch(self) -> int:
        """How many are done."""
        return len(self.log)

    @property
    def n_steps(self) -> int:
        """Of an epoch."""
        return math.ceil(len(self.examples.fitted) / self.recipe.batch_size)

    @property
    def is_over(self) -> bool:
        """Are all phases done?"""
        return all(self.is_done(number) for number in range(len(self.recipe.phases)))

    @property
    def averaged(self) -> InTraining:
        """The running mean of the weights."""
        module = self.average.module
        assert isinstance(module, InTraining)
        return module.eval()

    def result(self) -> FovealS:
        """The model with the running mean of the weights, as the recipe finishes it."""
        model = copy.deepcopy(self.averaged.model)
        weight = self.recipe.prior_weight
        model.prior_weight = self.averaged.prior_weights.detach().mean() if weight is None else torch.tensor(weight)
        # The readout takes up the mean sharpness, so that a temperature of 1 is as in training.
        with torch.no_grad():
            for parameter in model.readout[-1].parameters():
                parameter.mul_(self.averaged.log_sharpness.mean().exp())
        model.temperature = torch.tensor(self.recipe.temperature)
        return model

    @property
    def layers(self) -> tuple[str, ...] | None:
        """Those whose kept features are used: all, as long as the network is as it was."""
        as_it_was = all(phase.backbone_learning_rate == 0 for phase in self.recipe.phases[: self.n_begun])
        return None if as_it_was else self.frozen_layers

    def begin(self, number: int) -> None:
        """Make the optimiser of a phase, at the point of its course that `epoch` says."""
        phase = self.recipe.phases[number]
        trains_backbone = phase.backbone_learning_rate > 0
        for weight in self.trained_backbone:
            weight.requires_grad_(trains_backbone)
        # Only what multiplies features decays towards zero: no bias, no width of a blur, no weight of a prior.
        matrices = [weight for weight in self.readout if weight.ndim > 1]
        scalars = [weight for weight in self.readout if weight.ndim <= 1]
        groups: list[dict[str, Any]] = [
            {"params": matrices, "lr": phase.learning_rate},
            {"params": scalars, "lr": phase.learning_rate, "weight_decay": 0.0},
        ]
        if trains_backbone:
            groups.append({"params": self.trained_backbone, "lr": phase.backbone_learning_rate})
        optimizer = OPTIMIZERS[self.recipe.optimizer](groups, weight_decay=self.recipe.weight_decay)
        self.n_begun = number + 1
        self.optimizer = self.accelerator.prepare_optimizer(optimizer)
        self.prepared = self.accelerator.prepare_model(self.model)
        self.schedule = SCHEDULES[self.recipe.schedule](optimizer, phase.epochs * self.n_steps)
        if self._pending is not None:
            with _of_this_version(self._pending.path):
                self.optimizer.load_state_dict(self._pending.optimizer)
                self.schedule.load_state_dict(self._pending.schedule)
            self._pending = None

    def is_done(self, number: int) -> bool:
        """Is a phase over, or has the information gain not risen in it for as long as the recipe is patient?"""
        rows = [row for row in self.log if row["phase"] == number + 1]
        if len(rows) >= self.recipe.phases[number].epochs:
            return True
        patience = self.recipe.patience
        if not 0 < patience < len(rows):
            return False
        gains = [row["IG"] for row in rows]
        return max(gains[-patience:]) <= max(gains[:-patience])

    def take_best(self) -> None:
        """Of a recipe that is patient, go back to the weights of the best epoch."""
        if self.best is not None:
            self.average.load_state_dict(self.best)

    def one_epoch(self, report: Callable[[int, int], None]) -> None:
        """Go over all fitted images once, then judge the held-out ones."""
        start = time.perf_counter()
        seed = self.recipe.seed * 100_003 + self.epoch
        torch.manual_seed(seed)  # of dropout; the same when the run is resumed
        self.model.train()
        total = 0.0
        for number, step in enumerate(self.examples.steps(self.recipe.batch_size, torch.Generator().manual_seed(seed))):
            report(number, self.n_steps)
            n_images = sum(len(rows) for _, rows in step)
            for parts in joinable(step):
                own = share_of(parts, self.accelerator.process_index, self.accelerator.num_processes)
                # Processes' gradients are averaged, so that each counts its images as if there were no others. One
                # without a part in a batch goes along with an image that does not count: all wait for each other.
                weight = self.accelerator.num_processes / n_images if own else 0.0
                value = self._loss_of(own or [(parts[0][0], parts[0][1][:1])]) * weight
                self.accelerator.backward(value)
                total += float(value.detach()) / self.accelerator.num_processes
            self.optimizer.step()
            self.schedule.step()
            self.optimizer.zero_grad()
            self.average.update_parameters(self.model)
        total = float(self.accelerator.reduce(torch.tensor(total, device=self.accelerator.device)))
        if not math.isfinite(total):
            raise FovealError(
                f"epoch {self.epoch + 1}: the loss is {total}; try a smaller learning_rate, and another --out"
            )
        row = {"epoch": self.epoch + 1, "phase": self.n_begun, "loss": total / self.n_steps, **self.judge()}
        if self.recipe.patience and row["IG"] > max((before["IG"] for before in self.log), default=-math.inf):
            self.best = copy.deepcopy(self.average.state_dict())
        self.log.append(row | {"seconds": time.perf_counter() - start})

    def _loss_of(self, parts: Sequence[tuple[ExampleGroup, list[int]]]) -> Tensor:
        batch = Batch.joined([group.batch(rows, self.layers, self.accelerator.device) for group, rows in parts])
        with self.accelerator.autocast():
            log_density = self.prepared(batch).float()
        loss = self.loss(log_density, batch.observed).sum()
        if batch.taught is None:
            return loss
        cross_entropy = -(batch.taught * log_density).sum()
        return (1 - self.recipe.taught) * loss + self.recipe.taught * cross_entropy

    def held_out_densities(self) -> Iterator[tuple[ExampleGroup, list[int], Float[Tensor, "image row column"]]]:
        """Of the running mean, for some held-out images of a group after the others."""
        for group, rows in self.examples.judged(self.recipe.batch_size):
            yield group, rows, self.log_densities(group, rows)

    @torch.inference_mode()
    def log_densities(self, group: ExampleGroup, rows: list[int]) -> Float[Tensor, "image row column"]:
        """Of the running mean, for some images of a group."""
        return self.averaged(group.batch(rows, self.layers, self.accelerator.device)).cpu()

    def judge(self) -> dict[str, float]:
        """How good the running mean is on the held-out images, a mean over them on the cells, if there are some.

        IG is the information gain, bit per fixation above their data set's center bias; AUC that of the density.
        """
        gains, areas = [], []
        for group, rows, log_density in self.held_out_densities():
            counts = group.counts[rows]
            gain = (counts * (log_density - group.log_priors[rows])).sum(dim=(1, 2))
            gains += (gain / counts.sum(dim=(1, 2)) / math.log(2)).tolist()
            areas += auc(log_density, FixationBatch.of_counts(counts)).tolist()
        return {"IG": float(np.mean(gains)), "AUC": float(np.mean(areas))} if gains else {}

    def save(self, path: Path) -> None:
        """All that a run needs to go on, written whole."""
        state = {
            "recipe": self.recipe.unfinished.to_toml(),
            "examples": self.examples.digest,
            "log": self.log,
            "best": self.best,
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
        }
        if self.accelerator.scaler is not None:  # of float16
            state["scaler"] = self.accelerator.scaler.state_dict()
        with write_atomically(path) as temporary, new_file(temporary) as file:
            torch.save(state, file)

    def load(self, state: dict[str, Any], path: Path) -> None:
        """Go on from what `read_checkpoint` found in a file, of a run on the same examples.

        Raises
        ------
        FovealError
            If another version wrote it.
        """
        with _of_this_version(path):
            self.log, self.best = list(state["log"]), state["best"]
            self.n_begun = int(self.log[-1]["phase"])
            self.model.load_state_dict(state["model"])
            self.average.load_state_dict(state["average"])
            if self.accelerator.scaler is not None:
                self.accelerator.scaler.load_state_dict(state["scaler"])
            if not self.is_done(self.n_begun - 1):  # a phase that is over needs its optimiser no more
                self._pending = _Pending(state["optimizer"], state["schedule"], path)


@contextmanager
def _of_this_version(path: Path) -> Iterator[None]:
    """Whatever goes wrong with what a checkpoint holds is one line that names it."""
    try:
        yield
    except Exception as error:
        raise FovealError(f"{path}: a checkpoint of another version of Foveal ({first_line(error)})") from error


def read_checkpoint(path: Path, recipe: Recipe) -> dict[str, Any]:
    """What `Run.save` wrote of a run of this recipe, on the CPU.

    Raises
    ------
    FovealError
        If it cannot be read, or is of another recipe.
    """
    try:
        with zipfile.ZipFile(path) as parts:  # which torch does not compare with their sums
            if damaged := parts.testzip():
                raise ValueError(f"{damaged} is damaged")
        state = torch.load(path, weights_only=True, map_location="cpu")
    except Exception as error:  # what is damaged can break the reading anywhere
        raise FovealError(f"{path}: no checkpoint ({first_line(error)})") from None
    if not isinstance(state, dict) or not set(state) >= KEPT or not _is_log(state["log"]):
        raise FovealError(f"{path}: no checkpoint of a run")
    # What a recipe did not say when it was written, because no recipe could, has today's defaults.
    if Recipe.of_toml(str(state["recipe"]), path) != recipe.unfinished:
        raise FovealError(f"{path}: {OF_ANOTHER_RUN}")
    return state


def _is_log(log: Any) -> bool:
    """Is it rows of numbers, one an epoch?"""
    return isinstance(log, list) and all(
        isinstance(row, dict) and all(isinstance(value, int | float) for value in row.values()) for row in log
    )
