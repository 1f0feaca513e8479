"""By which steps a recipe's weights are learned: optimisers and the courses of their learning rates, by name."""

from collections.abc import Callable
from functools import partial

from torch.optim import SGD, Adagrad, Adam, AdamW, Optimizer
from torch.optim.lr_scheduler import ConstantLR, CosineAnnealingLR, LRScheduler

OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "adamw": AdamW,
    "sgd": partial(SGD, momentum=0.9),
    "nesterov": partial(SGD, momentum=0.9, nesterov=True),
    "adam": Adam,
    "adagrad": Adagrad,
}
SCHEDULES: dict[str, Callable[[Optimizer, int], LRScheduler]] = {  # over a number of steps
    "cosine": CosineAnnealingLR,
    "constant": lambda optimizer, _: ConstantLR(optimizer, factor=1.0),
}
