"""`foveal train RECIPE.toml`: one run, and before it as many as there are folds if asked for."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np

from foveal.datasets import load_dataset
from foveal.errors import FovealError
from foveal.gaze import Dataset
from foveal.progress import Progress, to_nobody
from foveal.training.recipe import FOLDS, Recipe
from foveal.training.train_deep import HELD_OUT, DeepTraining, train_deep, write_maps


def train_by_recipe(
    recipe: Recipe | str | os.PathLike[str],
    *,
    out: str | os.PathLike[str] = "out",
    data_root: str | os.PathLike[str] | None = None,
    cross_validated: bool = False,
    resume: bool = False,
    progress: Progress | None = None,
) -> DeepTraining:
    """Train a deep model as a recipe, or a TOML file of one, says; see `train_deep`, and `cross_validate`.

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
    progress = progress or to_nobody
    if cross_validated:
        cross_validate(recipe, datasets, Path(out), resume=resume, progress=progress)
    return train_deep(recipe, datasets, Path(out), resume=resume, progress=progress)


def cross_validate(
    recipe: Recipe, datasets: Sequence[Dataset], out: Path, *, resume: bool, progress: Progress
) -> dict[str, Path]:
    """Train as often as there are folds, each time without one; write what they say of the images that they saw not.

    Each fold is a run of its own, in `out`/folds. Together their densities are `out`/held_out/<data set>.hdf5, which
    `foveal evaluate --predictions` scores. With `resume`, folds that are done are not done again.

    Raises
    ------
    FovealError
        As of `train_deep`, or if the recipe holds a fold out itself.
    """
    if recipe.held_out is not None:
        raise FovealError("all folds are held out in turn: leave held_out out of the recipe")
    together: dict[str, dict[str, np.ndarray]] = {data.name: {} for data in datasets}
    for fold in range(FOLDS):

        def report(what: str, done: int, total: int, fold: int = fold) -> None:
            progress(f"fold {fold + 1}/{FOLDS}: {what}", done, total)

        folder = out / "folds" / str(fold)
        of_fold = replace(recipe, held_out=fold)
        if not (resume and _is_done(folder, of_fold)):
            train_deep(of_fold, datasets, folder, resume=resume, progress=report)
        for data in datasets:
            with h5py.File(folder / HELD_OUT / f"{data.name}.hdf5") as file:
                together[data.name] |= {name: np.asarray(file[name]) for name in data.stimuli.ids if name in file}
    paths = {name: out / HELD_OUT / f"{name}.hdf5" for name in together}
    for name, path in paths.items():
        write_maps(path, together[name])
    return paths


def _is_done(folder: Path, recipe: Recipe) -> bool:
    """Was a model trained here by this recipe?"""
    path = folder / "recipe.toml"  # written when all else is
    return path.is_file() and Recipe.read(path) == recipe
