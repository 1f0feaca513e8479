"""A training run of a network: what is learned, by which steps, and its state on disk."""

import copy
import io
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from accelerate import Accelerator
from jaxtyping import Float
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from foveal.errors import FovealError
from foveal.files import new_file, write_atomically
from foveal.metrics.auc import auc
from foveal.metrics.distribution import correlation
from foveal.metrics.fixation_batch import FixationBatch
from foveal.metrics.nss import normalized_scanpath_saliency
from foveal.models.deep.network import READOUT, Network, ReadsFrozen, each_map
from foveal.training.losses import in_observed_units, log_density_of, weighted_loss
from foveal.training.optimizers import OPTIMIZERS, SCHEDULES
from foveal.training.recipe import Phase, Recipe
from foveal.training.runs.batch import Batch
from foveal.training.runs.checkpoint import of_this_version
from foveal.training.runs.examples import ExampleGroup, Examples
from foveal.training.runs.in_training import InTraining, running_mean
from foveal.training.runs.reading import Steps, read

CRITERION = {"logits": "IG", "map": "NSS"}  # which epoch is the best, by what a network says


@runtime_checkable
class Step(Protocol):
    """One kind of step of a run."""

    def learning_steps(self, first: int, total: int) -> int:
        """In how many of so many steps the network learns, of which the first one has this number in the run."""

    def begin(self, phase: Phase, first: int, total: int) -> None:
        """Make ready for a phase what the step has beside the network and its optimizer."""

    def __call__(self, number: int, parts: Sequence[tuple[Batch, float]]) -> dict[str, float]:
        """Learn from the images of the step of this number in the run; what they cost, by names of a log.

        The images come in parts, each of one size, with the weight of each image's loss. There is a "loss" if the
        network learned.
        """

    def state_dict(self) -> dict[str, Any]:
        """All that the step needs to go on; nothing where it has nothing of its own."""

    def load_state_dict(self, state: dict[str, Any], *, in_phase: bool) -> None:
        """Go on from such a state, in the middle of a phase or between two."""


@dataclass(frozen=True)
class _Pending:
    """State of what is made when a phase begins, from this file."""

    state: dict[str, Any]
    path: Path


class Run:
    """The state of a run: network, its running mean, optimizer, how far it is."""

    def __init__(
        self,
        recipe: Recipe,
        model: Network,
        examples: Examples,
        accelerator: Accelerator,
        *,
        kind_of_step: "Callable[[Run], Step]",
        workers: int = 0,
    ) -> None:
        self.recipe, self.examples, self.accelerator, self.workers = recipe, examples, accelerator, workers
        self.says, self.criterion = model.says, CRITERION[model.says]
        self.loss = weighted_loss(recipe.losses)
        self.frozen_layers: tuple[str, ...] | None = None  # what is kept, if it is
        if isinstance(model, ReadsFrozen) and model.keeps_features:
            self.frozen_layers = model.frozen_layers
        self.model = InTraining(model, len(examples.densities)).to(accelerator.device)
        self.groups = model.parameter_groups(batch_norms=recipe.batch_norms == "trained")
        self.groups[READOUT] = [*self.model.of_datasets(), *self.groups.get(READOUT, [])]
        self._kept_up = {id(weight) for weight in [*model.without_decay(), *self.model.of_datasets()]}
        self.average = AveragedModel(self.model, multi_avg_fn=running_mean(recipe.average))
        self.step = kind_of_step(self)
        self.n_begun = 0  # phases
        self.log: list[dict[str, int | float]] = []  # a row an epoch
        self.best: dict[str, Any] | None = None  # running mean of the best epoch, of a recipe that is patient
        self._pending: _Pending | None = None

    @property
    def epoch(self) -> int:
        """How many are done."""
        return len(self.log)

    @property
    def n_steps(self) -> int:
        """Steps of an epoch."""
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

    @property
    def layers(self) -> tuple[str, ...] | None:
        """Those whose kept features are used: all, as long as the network is as it was."""
        begun = self.recipe.phases[: self.n_begun]
        below = [group for group in self.groups if group != READOUT]
        return None if all(phase.rate_of(group) == 0 for phase in begun for group in below) else self.frozen_layers

    def begin(self, number: int) -> None:
        """Make the optimizer of a phase, at the point of its course that `epoch` says."""
        phase = self.recipe.phases[number]
        groups: list[dict[str, Any]] = []
        for name, weights in self.groups.items():
            rate = phase.rate_of(name)
            for weight in weights:
                weight.requires_grad_(rate > 0)
            if rate > 0:
                # Only what multiplies features decays towards zero: no bias, no width of a blur, no weight of a prior.
                decaying = [weight for weight in weights if weight.ndim > 1 and id(weight) not in self._kept_up]
                others = [weight for weight in weights if weight.ndim <= 1 or id(weight) in self._kept_up]
                groups += [{"params": decaying, "lr": rate}] * bool(decaying)
                groups += [{"params": others, "lr": rate, "weight_decay": 0.0}] * bool(others)
        optimizer = OPTIMIZERS[self.recipe.optimizer](groups, weight_decay=self.recipe.weight_decay)
        self.n_begun = number + 1
        self.optimizer = self.accelerator.prepare_optimizer(optimizer)
        self.prepared = self.accelerator.prepare_model(self.model)
        first, total = self.n_steps * sum(row["phase"] <= number for row in self.log), self.n_steps * phase.epochs
        self.schedule = SCHEDULES[self.recipe.schedule](optimizer, self.step.learning_steps(first, total))
        self.step.begin(phase, first, total)
        if self._pending is not None:
            with of_this_version(self._pending.path):
                self.optimizer.load_state_dict(self._pending.state["optimizer"])
                self.schedule.load_state_dict(self._pending.state["schedule"])
            self._pending = None

    def is_done(self, number: int) -> bool:
        """Is a phase over, or has it not become better on held-out images for as long as the recipe is patient?"""
        rows = [row for row in self.log if row["phase"] == number + 1]
        if len(rows) >= self.recipe.phases[number].epochs:
            return True
        patience = self.recipe.patience
        if not 0 < patience < len(rows):
            return False
        gains = [row[self.criterion] for row in rows]
        return max(gains[-patience:]) <= max(gains[:-patience])

    def take_best(self) -> None:
        """Go back to the weights of the best epoch, of a recipe that is patient."""
        if self.best is not None:
            self.average.load_state_dict(self.best)

    def one_epoch(self, report: Callable[[int, int], None]) -> None:
        """Go over all fitted images once, then judge the held-out ones."""
        start = time.perf_counter()
        seed = self.recipe.seed * 100_003 + self.epoch
        torch.manual_seed(seed)  # of dropout; the same when the run is resumed
        self.model.train()
        of_process = self.accelerator.process_index, self.accelerator.num_processes
        images = list(self.examples.steps(self.recipe.batch_size, torch.Generator().manual_seed(seed)))
        costs: dict[str, list[float]] = {}
        for number, parts in enumerate(read(Steps(images, self.layers, seed, *of_process), self.workers)):
            report(number, self.n_steps)
            on_device = [(batch.to(self.accelerator.device), weight) for batch, weight in parts]
            of_step = self.step(self.epoch * self.n_steps + number, on_device)
            for name, cost in of_step.items():
                costs.setdefault(name, []).append(cost)
            if "loss" in of_step:
                self.average.update_parameters(self.model)
        means = {name: self._over_processes(sum(values)) / len(values) for name, values in costs.items()}
        for name, mean in means.items():
            if not math.isfinite(mean):
                what = "loss" if name == "loss" else f"loss of the {name}"
                raise FovealError(
                    f"epoch {self.epoch + 1}: the {what} is {mean}; try a smaller learning_rate, and another --out"
                )
        row = {"epoch": self.epoch + 1, "phase": self.n_begun, **means, **self.judge()}
        earlier = max((before[self.criterion] for before in self.log if self.criterion in before), default=-math.inf)
        if self.recipe.patience and row[self.criterion] > earlier:
            self.best = copy.deepcopy(self.average.state_dict())
        self.log.append(row | {"seconds": time.perf_counter() - start})

    def _over_processes(self, value: float) -> float:
        return float(self.accelerator.reduce(torch.tensor(value, device=self.accelerator.device)))

    def said_of(self, batch: Batch) -> Float[Tensor, "image *map row column"]:
        """What the network in training says of some images (see `InTraining`)."""
        with self.accelerator.autocast():
            return self.prepared(batch).float()

    def loss_of(self, said: Float[Tensor, "image *map row column"], batch: Batch) -> Float[Tensor, ""]:
        """What it costs to say this of some images, where people looked and a teacher is known: their sum.

        Each of several maps of an image costs what it would cost alone; log densities, as the components of a mixture,
        their mean.
        """
        maps = each_map(said)
        share = 1 / len(maps) if self.says == "logits" else 1
        losses = [self.loss(one, batch.observed, self.says).sum() for one in maps]
        loss = share * torch.stack(losses).sum() + len(said) * self.model.model.penalty()
        if batch.taught is None:
            return loss
        log_densities = [one if self.says == "logits" else log_density_of(one) for one in maps]
        cross_entropy = -share * torch.stack([(batch.taught * one).sum() for one in log_densities]).sum()
        return (1 - self.recipe.taught) * loss + self.recipe.taught * cross_entropy

    def map_of(self, said: Float[Tensor, "image *map row column"], batch: Batch) -> Float[Tensor, "image row column"]:
        """The network's answer, as a map beside that of people."""
        answer = each_map(said)[-1]
        return answer if self.says == "map" else in_observed_units(answer, batch.observed)

    def held_out_parts(self) -> Iterator[tuple[ExampleGroup, list[int], Float[Tensor, "image row column"]]]:
        """The running mean's answers for some held-out images of a group after the others."""
        for group, rows in self.examples.judged(self.recipe.batch_size):
            yield group, rows, self.said_by_average(group, rows)

    @torch.inference_mode()
    def said_by_average(self, group: ExampleGroup, rows: list[int]) -> Float[Tensor, "image row column"]:
        """The running mean's answers for some images of a group."""
        return each_map(self.averaged(group.batch(rows, self.layers).to(self.accelerator.device)))[-1].cpu()

    def judge(self) -> dict[str, float]:
        """How good the running mean is on the held-out images, a mean over them on the cells, if there are some.

        AUC, and for a density IG, the information gain in bit per fixation above the data set's center bias, for a map
        NSS and CC.
        """
        scores: dict[str, list[float]] = {}
        for group, rows, said in self.held_out_parts():
            counts = group.counts[rows]
            fixations = FixationBatch.of_counts(counts)
            if self.says == "logits":
                gain = (counts * (said - group.log_priors[rows])).sum(dim=(1, 2))
                of_part = {"IG": gain / counts.sum(dim=(1, 2)) / math.log(2), "AUC": auc(said, fixations)}
            else:
                of_part = {
                    "NSS": normalized_scanpath_saliency(said, fixations),
                    "CC": correlation(said, group.densities[rows]),
                    "AUC": auc(said, fixations),
                }
            for name, values in of_part.items():
                scores.setdefault(name, []).extend(values.tolist())
        return {name: float(np.mean(values)) for name, values in scores.items()}

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
            "step": self.step.state_dict(),
        }
        if self.accelerator.scaler is not None:  # of float16
            state["scaler"] = self.accelerator.scaler.state_dict()
        # PyTorch writes thousands of small pieces.
        with write_atomically(path) as temporary, new_file(temporary) as raw, io.BufferedWriter(raw, 2**20) as file:
            torch.save(state, file)

    def load(self, state: dict[str, Any], path: Path) -> None:
        """Go on from what `read_checkpoint` found in a file, of a run on the same examples.

        Raises
        ------
        FovealError
            If another version wrote it.
        """
        with of_this_version(path):
            self.log, self.best = list(state["log"]), state["best"]
            self.n_begun = int(self.log[-1]["phase"])
            self.model.load_state_dict(state["model"])
            self.average.load_state_dict(state["average"])
            if self.accelerator.scaler is not None:
                self.accelerator.scaler.load_state_dict(state["scaler"])
            in_phase = not self.is_done(self.n_begun - 1)  # one that is over needs its optimizer no more
            self.step.load_state_dict(state.get("step", {}), in_phase=in_phase)
            if in_phase:
                self._pending = _Pending(state, path)
