"""The file that a run goes on from."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from foveal.errors import FovealError, first_line
from foveal.training.recipe import Recipe

CHECKPOINT = "checkpoint.pt"  # in a run's folder
RECIPE = "recipe.toml"  # is there when all else is
KEPT = frozenset({"recipe", "examples", "log"})  # of a run, what is asked before it goes on
OF_ANOTHER_RUN = "of another recipe or other images; choose another --out"


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


@contextmanager
def of_this_version(path: Path) -> Iterator[None]:
    """Whatever goes wrong with what a checkpoint holds is one line that names it."""
    try:
        yield
    except Exception as error:
        raise FovealError(f"{path}: a checkpoint of another version of Foveal ({first_line(error)})") from error


def _is_log(log: Any) -> bool:
    """Is it rows of numbers, one an epoch?"""
    return isinstance(log, list) and all(
        isinstance(row, dict) and all(isinstance(value, int | float) for value in row.values()) for row in log
    )
