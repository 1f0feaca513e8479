"""Networks that are trained and then dissected: to several depths (Setup II), and for two tasks (section 8).

He, Tavakoli, Borji, Mi & Pugeault, "Understanding and visualizing deep visual saliency models", CVPR 2019.
"""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from foveal.analysis.dissect import Dissection, dissect
from foveal.analysis.dissect_recipes import DATASETS, FIRST_TRAINED, depth_recipes
from foveal.analysis.page import PageSection
from foveal.analysis.scene_task import (
    HELD_OUT,
    LAST_LAYER,
    SceneTask,
    learn_scenes,
    mean_of_features,
    of_frequent_scenes,
)
from foveal.datasets import load_dataset
from foveal.errors import FovealError
from foveal.files import make_writable_folder
from foveal.gaze import Dataset
from foveal.gaze.folds import fitted_images
from foveal.models.registry import save_model
from foveal.progress import Progress, Report
from foveal.training.recipe import Recipe
from foveal.training.runs.checkpoint import CHECKPOINT
from foveal.training.runs.one_run import train_deep


def dissect_depths(
    dataset: Dataset | str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    depths: Sequence[str] = tuple(FIRST_TRAINED),
    data_root: str | os.PathLike[str] | None = None,
    progress: Report | None = None,
    **options: Any,
) -> Dissection:
    """Train the paper's network to several depths, each from scratch, and dissect all of them (Setup II).

    They learn from `DATASETS`, but for the one of the name of what is dissected. Their runs are in `out`/depths; called
    again, they go on where they were.

    Parameters
    ----------
    dataset, out, data_root, progress
        See `dissect`.
    depths
        Of `FIRST_TRAINED`; the first is what the others are compared with.
    options
        Of `dissect`.

    Raises
    ------
    FovealError
        If there is no such depth, or as of `dissect` and of training.
    """
    if unknown := [depth for depth in depths if depth not in FIRST_TRAINED]:
        raise FovealError(f"no depth {unknown[0]!r} (has {', '.join(FIRST_TRAINED)})")
    whole = dataset if isinstance(dataset, Dataset) else load_dataset(dataset, data_root)
    recipes = depth_recipes(tuple(name for name in DATASETS if name != whole.name))
    learned = [load_dataset(name, data_root).looked_at().readable() for name in recipes["0"].datasets]
    folder = make_writable_folder(out)
    report = Progress.of(progress)
    files = [
        _trained(recipes[depth], learned, folder / "depths" / depth, report.within(f"depth {depth}"))
        for depth in depths
    ]
    return dissect(whole, folder, networks=files, progress=progress, **options)


def dissect_tasks(
    dataset: Dataset | str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    data_root: str | os.PathLike[str] | None = None,
    progress: Report | None = None,
    **options: Any,
) -> Dissection:
    """Train one layer of a network for saliency and for scenes, on the same photographs, and dissect both (section 8).

    They are compared with the pretrained network, on the photographs that neither learned from: fold 0, and those of
    rare scenes. The table "attention" says whether people look where the features are high (Table 8).

    Parameters
    ----------
    dataset, out, data_root, progress
        See `dissect`. The data set says what kinds of scenes its photographs are of.
    options
        Of `dissect`.

    Raises
    ------
    FovealError
        As of `dissect`, `learn_scenes` and training.
    """
    whole = dataset if isinstance(dataset, Dataset) else load_dataset(dataset, data_root)
    if options.get("split"):
        raise FovealError("two tasks are dissected on the photographs that neither learned from: no split")
    data = of_frequent_scenes(whole)
    folder = make_writable_folder(out)
    report = Progress.of(progress)
    recipe = replace(depth_recipes((data.name,))["1"], held_out=HELD_OUT)
    saliency = _trained(recipe, [data.looked_at()], folder / "saliency", report.within("saliency"))
    scenes = learn_scenes(data, folder / "scenes", config=LAST_LAYER, progress=report.within("scenes"))
    pretrained = folder / "pretrained/dissection.safetensors"
    if not pretrained.is_file():
        make_writable_folder(pretrained.parent)
        save_model(mean_of_features(LAST_LAYER), pretrained)
    files = [pretrained, saliency, scenes.path]
    learned = data.positions[fitted_images(data, HELD_OUT)]
    others = whole.select(~np.isin(whole.positions, learned))
    done = dissect(others, folder, networks=files, sections=[_about(scenes)], progress=progress, **options)
    return replace(done, tables=done.tables | {"attention": scenes.attention})


def _trained(recipe: Recipe, data: Sequence[Dataset], folder: Path, report: Progress) -> Path:
    """The weights of a run, begun or gone on with."""
    return train_deep(recipe, data, folder, resume=(folder / CHECKPOINT).is_file(), progress=report).path


def _about(scenes: SceneTask) -> PageSection:
    return PageSection(
        "Do people look where scenes are told by?",
        [
            f"The network tells {len(scenes.scenes)} kinds of scenes. Of {len(scenes.told)} photographs that it was "
            f"not trained on, it is right about {scenes.accuracy:.0%}; on average over kinds, about "
            f"{scenes.balanced_accuracy:.0%}, where chance is {1 / len(scenes.scenes):.0%}.",
            "The NSS of the mean of the highest features, where the scene was told right and where it was not.",
        ],
        scenes.attention,
    )
