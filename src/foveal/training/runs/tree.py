"""`foveal train RECIPE.toml`: one run, and before it as many as there are folds if asked for."""

import math
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from accelerate import PartialState
from jaxtyping import Float

from foveal.datasets import load_dataset
from foveal.errors import FovealError, FovealNote
from foveal.gaze import Dataset, folds
from foveal.gaze.given import whole_number
from foveal.models import load_model, save_model
from foveal.models.deep.foveal_l import FovealL
from foveal.models.deep.network import Network
from foveal.models.parts.finalizer import resize_log_density
from foveal.models.registry import read_provenance
from foveal.progress import Progress, Report
from foveal.training.recipe import Mixture, Recipe, read_recipe
from foveal.training.runs.held_out import HELD_OUT, file_of_held_out, read_maps, write_maps
from foveal.training.runs.one_run import DeepTraining, state_of_run, train_deep
from foveal.training.runs.prepare import check

TEACHER, RUNS_OF_FOLDS = "teacher", "folds"  # folders of runs before the run itself


def train_by_recipe(
    recipe: Recipe | Mixture | str | os.PathLike[str],
    *,
    out: str | os.PathLike[str] = "out",
    data_root: str | os.PathLike[str] | None = None,
    cross_validated: bool = False,
    resume: bool = False,
    workers: int = 0,
    progress: Report | None = None,
) -> DeepTraining:
    """Train a deep model, or several that become one.

    Parameters
    ----------
    recipe
        The recipe, a TOML file of one, or the name of a published model.
    out
        Folder of what `train_deep` writes. The members of a mixture are trained in folders of their own below it, a
        teacher before its student, in `out`/teacher.
    data_root
        Where data sets lie; by default `$FOVEAL_DATA`.
    cross_validated
        Before, train as often as there are folds, each time without one (see `cross_validate`).
    resume
        Go on with what is in `out`.
    workers
        How many other processes read photographs or kept features ahead; the weights become the same.
    progress
        Is told what is done, and how far it is.

    Raises
    ------
    FovealError
        If the recipe or its data cannot be used; before the first network is trained, if what is in `out` is of another
        run, or of this one without `resume`.
    """
    if isinstance(recipe, Recipe | Mixture):
        check(recipe)
    else:
        path, recipe = recipe, read_recipe(recipe)
        try:
            check(recipe)
        except FovealError as error:
            raise FovealError(f"{path}: {error}") from None
    runs = _runs(recipe, Path(out), cross_validated)
    begun = [state_of_run(run, folder, resume) is not None for run, folder in runs]  # complains of what is not theirs
    if resume and not any(begun):
        warnings.warn(f"nothing to go on with in {out}: from the beginning", FovealNote, stacklevel=2)
    workers = whole_number(workers, "workers")
    return _train(recipe, Path(out), data_root, cross_validated, resume, workers, Progress.of(progress))


def _runs(recipe: Recipe | Mixture, out: Path, cross_validated: bool) -> Iterator[tuple[Recipe, Path]]:
    """All runs that a recipe asks for, with their folders."""
    if isinstance(recipe, Mixture):
        for name, member in recipe.members.items():
            yield from _runs(member, out / name, cross_validated)
        return
    if recipe.teacher is not None:
        yield from _runs(recipe.teacher, out / TEACHER, cross_validated)
    if cross_validated:
        if recipe.held_out is not None:
            raise FovealError("all folds are held out in turn: leave held_out out of the recipe")
        for fold in range(folds.FOLDS):
            yield recipe.without_fold(fold), out / RUNS_OF_FOLDS / str(fold)
    yield recipe, out


def _train(
    recipe: Recipe | Mixture,
    out: Path,
    data_root: str | os.PathLike[str] | None,
    cross_validated: bool,
    resume: bool,
    workers: int,
    progress: Progress,
) -> DeepTraining:
    if isinstance(recipe, Mixture):
        log: list[dict[str, int | float]] = []
        paths: dict[str, Path] = {}
        problems: dict[str, None] = {}  # each once: the members' data are the same
        for name, member in recipe.members.items():
            done = _train(member, out / name, data_root, cross_validated, resume, workers, progress.within(name))
            log += done.log
            paths[name] = done.path
            problems |= dict.fromkeys(done.problems)
        return DeepTraining(_mix(out, paths), log, tuple(problems))
    if recipe.teacher is not None:
        _train(recipe.teacher, out / TEACHER, data_root, cross_validated, resume, workers, progress)
    datasets = [load_dataset(name, data_root).looked_at().readable() for name in recipe.datasets]
    if cross_validated:
        cross_validate(recipe, datasets, out, resume=resume, workers=workers, progress=progress)
    teachers = _teachers(recipe, out)
    return train_deep(recipe, datasets, out, teachers=teachers, resume=resume, workers=workers, progress=progress)


def _teachers(recipe: Recipe, out: Path, fold: int | None = None) -> list[Path]:
    """Folders of the runs of the teacher's members, all in all or of one fold."""
    runs = [out / TEACHER / name for name in (recipe.teacher.members if recipe.teacher else ())]
    return runs if fold is None else [run / RUNS_OF_FOLDS / str(fold) for run in runs]


def _mix(out: Path, paths: Mapping[str, Path]) -> Path:
    """One model of those in these files, and the mean of their densities of held-out images."""
    path = out / "foveal-l.safetensors"
    if PartialState().is_main_process:
        _write_mixture(path, paths)
    PartialState().wait_for_everyone()
    return path


def _write_mixture(mixture: Path, paths: Mapping[str, Path]) -> None:
    members = []
    for path in paths.values():
        member = load_model(path)
        assert isinstance(member, Network)  # a recipe trains nothing else
        members.append(member)
    folders = [path.parent / HELD_OUT for path in paths.values()]
    for file in folders[0].glob("*.hdf5"):
        parts = [read_maps(folder / file.name) for folder in folders]
        means = {image: mixed([part[image] for part in parts]) for image in parts[0]}
        write_maps(mixture.parent / HELD_OUT / file.name, means)
    provenance = {"members": {name: read_provenance(path) for name, path in paths.items()}}
    save_model(FovealL.of(members), mixture, provenance)


def mixed(log_densities: Sequence[Float[np.ndarray, "_ _"]]) -> Float[np.ndarray, "row column"]:
    """Log of the mean of some densities, on the finest of their grids."""
    rows, columns = max(one.shape for one in log_densities)
    same = [resize_log_density(torch.from_numpy(one)[None], (rows, columns)) for one in log_densities]
    return (torch.cat(same).logsumexp(dim=0) - math.log(len(same))).numpy()


def cross_validate(
    recipe: Recipe, datasets: Sequence[Dataset], out: Path, *, resume: bool, workers: int = 0, progress: Progress
) -> dict[str, Path]:
    """Train as often as there are folds, each time without one; write what they say of the images that they saw not.

    Each fold is a run of its own, in `<out>/folds`. Together their densities are `<out>/held_out/<data set>.hdf5`,
    which `foveal evaluate --predictions` scores. With `resume`, folds that are done are not done again.

    Raises
    ------
    FovealError
        As of `train_deep`, or if a data set has fewer images than there are folds.
    """
    if small := [data.name for data in datasets if len(data) < folds.FOLDS]:
        raise FovealError(f"{small[0]}: fewer images than folds ({folds.FOLDS})")
    together: dict[str, dict[str, np.ndarray]] = {data.name: {} for data in datasets}
    for fold in range(folds.FOLDS):
        report = progress.within(f"fold {fold + 1}/{folds.FOLDS}")
        folder = out / RUNS_OF_FOLDS / str(fold)
        of_fold = recipe.without_fold(fold)
        teachers = _teachers(recipe, out, fold)
        train_deep(of_fold, datasets, folder, teachers=teachers, resume=resume, workers=workers, progress=report)
        for data in datasets:
            together[data.name] |= read_maps(file_of_held_out(folder, data.name))
    paths = {name: file_of_held_out(out, name) for name in together}
    if PartialState().is_main_process:
        for name, path in paths.items():
            write_maps(path, together[name])
    PartialState().wait_for_everyone()
    return paths
