"""Networks without numbers, where all of them are read from a file in any case."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.overrides import TorchFunctionMode


class _NoFirstValues(TorchFunctionMode):
    """Leaves out what `torch.nn.init` does."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = kwargs or {}
        if getattr(func, "__module__", None) == "torch.nn.init":
            return args[0] if args else given["tensor"]
        return func(*args, **given)


@contextmanager
def without_numbers() -> Iterator[None]:
    """Make modules of which only the shapes are there, on torch's device "meta".

    It takes no memory, however large they are, and draws no random first values, which saves their time and leaves
    the random state of who calls as it is.

    >>> with without_numbers():
    ...     layer = torch.nn.Linear(10**6, 10**6)
    >>> layer.weight.is_meta
    True
    """
    with torch.device("meta"), _NoFirstValues():
        yield
