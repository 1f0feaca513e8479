"""What is done in a step of a training, by name: minimize a loss, or play a game against another network."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.optimizer import AcceleratedOptimizer
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F
from torch.optim.lr_scheduler import LRScheduler

from foveal.models.parts.discriminator import Discriminator
from foveal.training.optimizers import OPTIMIZERS, SCHEDULES
from foveal.training.recipe import Phase
from foveal.training.runs.batch import Batch
from foveal.training.runs.photographs import PICTURE
from foveal.training.runs.run import Run, Step


class Supervised:
    """Make the loss of the network smaller: the gradients of all parts of a step are summed."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def learning_steps(self, first: int, total: int) -> int:
        """In all."""
        return total

    def begin(self, phase: Phase, first: int, total: int) -> None:
        """There is nothing to make ready."""

    def __call__(self, number: int, parts: Sequence[tuple[Batch, float]]) -> dict[str, float]:
        """See `Step`."""
        return {"loss": descend(self.loss_of, parts, self.run.optimizer, self.run.schedule, self.run.accelerator)}

    def loss_of(self, batch: Batch) -> Float[Tensor, ""]:
        """The sum over the images of a batch."""
        return self.run.loss_of(self.run.said_of(batch), batch)

    def state_dict(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    def load_state_dict(self, state: dict[str, Any], *, in_phase: bool) -> None:
        """Nothing."""


class Adversarial(Supervised):
    r"""A game of two networks (SalGAN, Pan et al. 2017, arXiv:1701.01081, sections 3 and 4.2).

    A discriminator D tells the maps of people from those of the network, given the image. The network's loss is that of
    the recipe (in the paper .05 times the binary cross entropy) minus $\log D(I, \hat S)$. The two learn in turn, a
    step each, with optimizers of the same kind.
    """

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.discriminator = Discriminator().to(run.accelerator.device)
        self._pending: dict[str, Any] | None = None  # state of an optimizer that is made when its phase begins

    def learning_steps(self, first: int, total: int) -> int:
        """In every second one: those of even number."""
        return (first + total + 1) // 2 - (first + 1) // 2

    def begin(self, phase: Phase, first: int, total: int) -> None:
        """Make the discriminator's optimizer."""
        run = self.run
        self.discriminator.requires_grad_(True)
        optimizer = OPTIMIZERS[run.recipe.optimizer](
            self.discriminator.parameters(), lr=phase.learning_rate, weight_decay=run.recipe.weight_decay
        )
        self.optimizer = run.accelerator.prepare_optimizer(optimizer)
        self.prepared = run.accelerator.prepare_model(self.discriminator)
        n_steps = total - self.learning_steps(first, total)
        self.schedule = SCHEDULES[run.recipe.schedule](optimizer, max(1, n_steps))
        if self._pending is not None:
            self.optimizer.load_state_dict(self._pending["optimizer"])
            self.schedule.load_state_dict(self._pending["schedule"])
            self._pending = None

    def __call__(self, number: int, parts: Sequence[tuple[Batch, float]]) -> dict[str, float]:
        """Let the network learn in steps of even number, the discriminator in the others."""
        learns = number % 2 == 1
        self.discriminator.requires_grad_(learns)
        return self._of_discriminator(parts) if learns else super().__call__(number, parts)

    def loss_of(self, batch: Batch) -> Float[Tensor, ""]:
        """The recipe's loss, and what it costs to be told from people."""
        said = self.run.said_of(batch)
        return self.run.loss_of(said, batch) + self._cost(batch, self.run.map_of(said, batch), is_people=True)

    def _of_discriminator(self, parts: Sequence[tuple[Batch, float]]) -> dict[str, float]:
        cost = descend(self._cost_of_telling, parts, self.optimizer, self.schedule, self.run.accelerator)
        return {"discriminator": cost}

    def _cost_of_telling(self, batch: Batch) -> Float[Tensor, ""]:
        """What it costs to tell the network's maps from people's."""
        with torch.no_grad():
            of_network = self.run.map_of(self.run.said_of(batch), batch)
        of_people = batch.observed.map
        return self._cost(batch, of_people, is_people=True) + self._cost(batch, of_network, is_people=False)

    def _cost(self, batch: Batch, maps: Float[Tensor, "image row column"], *, is_people: bool) -> Float[Tensor, ""]:
        """Cross entropy of the discriminator's answers with the given one, summed over the images."""
        logits = self.prepared(batch.seen[PICTURE], maps)
        target = torch.full_like(logits, float(is_people))
        return F.binary_cross_entropy_with_logits(logits, target, reduction="sum")

    def state_dict(self) -> dict[str, Any]:
        """The discriminator, its optimizer and its schedule."""
        return {
            "discriminator": self.discriminator.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any], *, in_phase: bool) -> None:
        """Go on with them; between two phases, with the discriminator alone."""
        self.discriminator.load_state_dict(state["discriminator"])
        self._pending = state if in_phase else None


def descend(
    cost_of: Callable[[Batch], Float[Tensor, ""]],
    parts: Sequence[tuple[Batch, float]],
    optimizer: AcceleratedOptimizer,
    schedule: LRScheduler,
    accelerator: Accelerator,
) -> float:
    """Make the sum of the costs of all parts smaller by one step; what it was, this process's share of it."""
    total = 0.0
    for batch, weight in parts:
        value = cost_of(batch) * weight
        accelerator.backward(value)
        total += float(value.detach()) / accelerator.num_processes
    optimizer.step()
    schedule.step()
    optimizer.zero_grad()
    return total


STEPS: dict[str, Callable[[Run], Step]] = {"supervised": Supervised, "adversarial": Adversarial}
