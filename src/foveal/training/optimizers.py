"""By which steps a recipe's weights are learned: optimisers and the courses of their learning rates, by name."""

from collections.abc import Callable
from functools import partial
from typing import Any

from torch.optim import SGD, AdamW, Optimizer
from torch.optim.lr_scheduler import ConstantLR, CosineAnnealingLR, LRScheduler

OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {"adamw": AdamW, "sgd": partial(SGD, momentum=0.9)}
SCHEDULES: dict[str, Callable[[Optimizer, int], LRScheduler]] = {
    "cosine": CosineAnnealingLR,
    "constant": lambda optimizer, _: ConstantLR(optimizer, factor=1.0),
}


def make_optimizer(name: str, groups: list[dict[str, Any]], weight_decay: float) -> Optimizer:
    """The optimiser of this name; each group of weights has its learning rate, and may have a decay of its own."""
    return OPTIMIZERS[name](groups, weight_decay=weight_decay)


def make_schedule(name: str, optimizer: Optimizer, n_steps: int) -> LRScheduler:
    """How its learning rates change over so many steps: half a cosine towards zero, or not at all."""
    return SCHEDULES[name](optimizer, n_steps)
