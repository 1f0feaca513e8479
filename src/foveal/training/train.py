"""`foveal.train`: the one door to all training, by a recipe or of a model by a data set."""

import os
from collections.abc import Sequence

from foveal.errors import FovealError
from foveal.gaze import Dataset
from foveal.gaze.folds import FOLDS
from foveal.progress import Report
from foveal.training.fits.fit_model import TrainingReport, fit_model
from foveal.training.fits.options import flag
from foveal.training.recipe import Mixture, Recipe, published_recipes
from foveal.training.runs.one_run import DeepTraining
from foveal.training.runs.tree import train_by_recipe
from foveal.training.scanpaths import ScanpathTraining, is_scanpath_model, train_scanpath_model

Source = str | os.PathLike[str]


def train(
    what: Source | Recipe | Mixture,
    dataset: Source | Dataset | None = None,
    *,
    out: Source = "out",
    data_root: Source | None = None,
    folds: int | None = None,
    resume: bool = False,
    split: str | None = None,
    seed: int | None = None,
    left_out: str | None = None,
    backbone: str | None = None,
    layers: Sequence[str] | None = None,
    penalty: float | None = None,
    optimizer: str | None = None,
    sizes: Sequence[float] | None = None,
    workers: int = 0,
    progress: Report | None = None,
) -> TrainingReport | DeepTraining | ScanpathTraining:
    """Train a deep model by a recipe, or fit a model to the fixations of a data set; write weights into a folder.

    What is written, `<out>/<model>.safetensors`, is read by `load_model`. Without a data set, a network is trained from
    the beginning, as its recipe says, in hours (`runs.tree.train_by_recipe`).

    With a data set, a model is fitted in minutes. Of a model that computes a saliency map, the calibration is fitted,
    after what it makes the map of, if that is learned: from fixations (`icf`, `judd`, `lds`, `edn`, `iseel`), from
    labelled faces (`faces`), or from the photographs alone (`aim`, `sun`, `dva`; folds share these). Of `centerbias`,
    the density; of `deepgaze1`, the readout, on features that are computed once and kept; of `foveal-s` and `foveal-l`,
    the center bias and the few numbers of a data set (`fits.numbers`), while their networks stay as they are.

    Models of scanpaths (`foveal-path`, `saccade-statistics`, `inhibition-of-return`) are fitted in minutes as well: to
    the data set, or without one to OSIE and EyeCrowd (see `training.scanpaths`).

    Parameters
    ----------
    what
        A recipe, a TOML file of one, or the name of a model that has a recipe; with a data set, the name of a trainable
        model, or a file of its weights.
    dataset
        A data set, its name, or the path of a folder.
    out
        Folder for what is written.
    data_root
        Where the data sets of the catalogue lie; by default `$FOVEAL_DATA`.
    folds
        Fit as many times again, each time to all images but one part, to measure the likelihood of images that were
        not fitted. By default 5, where a fit takes minutes at most: of calibrations, of `foveal-s` and of `foveal-l`. A
        recipe has 10 (see `runs.tree.cross_validate`), and by default none is held out but what it says itself.
    resume
        Go on with what is in `out`: of recipes, and of folds of `deepgaze1`.
    split
        Only this named part of the data set.
    seed
        Of what is learned from first values or samples by chance (by default 0): of `deepgaze1`, filters, readouts of
        local features, faces, and `lds`.
    left_out
        What the folds leave out: "images" (the default), or of `deepgaze1` one of the "subjects" in turn.
    backbone, layers
        Of `deepgaze1`: another network than AlexNet, other layers than conv5.
    penalty
        Of `deepgaze1`: λ, what sparsity of the weights is worth, by default .001.
    optimizer
        Of `deepgaze1`: "lbfgs" (the default), "sfo" (the paper's) or "adam".
    sizes
        Of `foveal-s` and `foveal-l`: shares of the usual side at which they see the pictures as well, from .25 to 2.
        How much each counts is fitted with the other numbers. The model becomes slower.
    workers
        Of recipes: how many other processes read photographs or kept features ahead. The weights become the same.
    progress
        Called with what is being done, how much of it is done, and of how much.

    Raises
    ------
    FovealError
        If the model cannot be trained, the data set not be used for it, or an option is given that does not go with
        these. Before anything is trained, if what is in `out` is of another run, or of this one without `resume`.
    """
    of_fits = {
        "backbone": backbone,
        "layers": layers,
        "penalty": penalty,
        "optimizer": optimizer,
        "sizes": sizes,
        "seed": seed,
        "folds": folds,
        "left_out": left_out,
        "resume": resume or None,
        "workers": workers or None,
    }
    options = {name: value for name, value in of_fits.items() if value is not None}
    if is_scanpath_model(what):
        if split is not None or (others := options.keys() - {"seed"}):
            raise FovealError(
                f"{flag('split' if split is not None else min(others))}: not with {what}, which takes --seed"
            )
        return train_scanpath_model(what, dataset, out=out, data_root=data_root, seed=seed or 0, progress=progress)
    if is_recipe(what, dataset):
        for name, value in {"dataset": dataset, "split": split, **options}.items():
            if value is not None and name not in ("folds", "resume", "workers"):
                raise FovealError(f"{flag(name)}: not with a recipe, which says it itself")
        if folds not in (None, FOLDS):
            raise FovealError(f"{flag('folds')}: a recipe has {FOLDS} folds")
        return train_by_recipe(
            what,
            out=out,
            data_root=data_root,
            cross_validated=folds is not None,
            resume=resume,
            workers=workers,
            progress=progress,
        )
    assert not isinstance(what, Recipe | Mixture)
    if dataset is None:
        raise FovealError(f"{flag('dataset')}: needed, unless a recipe is given")
    return fit_model(what, dataset, options, out=out, data_root=data_root, split=split, progress=progress)


def is_recipe(what: Source | Recipe | Mixture, dataset: Source | Dataset | None = None) -> bool:
    """Is it by a recipe that `train` trains, given these two?"""
    if isinstance(what, Recipe | Mixture):
        return True
    return isinstance(what, str | os.PathLike) and (
        os.fspath(what).endswith(".toml") or (dataset is None and os.fspath(what) in published_recipes())
    )
