"""First numbers of layers that nobody has trained."""

from collections.abc import Callable

from torch import Tensor, nn


def begin_by(rule: Callable[[Tensor], object], layers: nn.Module) -> None:
    """Draw matrices and filters by a rule of `torch.nn.init`, and make biases zero."""
    for weight in layers.parameters():
        if weight.ndim > 1:
            rule(weight)
        else:
            nn.init.zeros_(weight)
