"""Learning from models that were trained before: what they say of the student's examples.

Hinton, Vinyals & Dean 2015, "Distilling the knowledge in a neural network" (NIPS workshop).
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from foveal.errors import FovealError
from foveal.gaze import Dataset
from foveal.models.parts.finalizer import resize_log_density
from foveal.progress import Progress
from foveal.training.recipe import Recipe
from foveal.training.runs.checkpoint import CHECKPOINT, RECIPE, read_checkpoint
from foveal.training.runs.prepare import prepare
from foveal.training.runs.run import Run

AT_ONCE = 2  # images: small maps stay in the processor's cache


def teach(run: Run, teachers: Sequence[Path], datasets: Sequence[Dataset], progress: Progress) -> None:
    """Give a run's examples the mean of the densities that the teachers (folders of their runs) have of them.

    The teachers see each image in the view in which the student sees it, and of the images of each data set they say
    what they say in training, with its sharpness and its weight of the center bias.

    Raises
    ------
    FovealError
        If a teacher's checkpoint cannot be read, or it was trained on other images.
    """
    total = [[torch.zeros_like(group.counts) for group in groups] for groups in run.examples.groups]
    for number, folder in enumerate(teachers):
        recipe, checkpoint = Recipe.read(folder / RECIPE), folder / CHECKPOINT
        state = read_checkpoint(checkpoint, recipe)
        if state["examples"] != run.examples.digest:
            raise FovealError(f"{folder}: trained on other images than its student")
        report = progress.within(f"teacher {number + 1}/{len(teachers)}")
        teacher = prepare(recipe, datasets, run.recipe.views, run.accelerator, report)
        teacher.load(state, checkpoint)
        teacher.take_best()
        for groups, sums in zip(teacher.examples.groups, total, strict=True):
            for group, density in zip(groups, sums, strict=True):
                for rows in torch.arange(len(density)).split(AT_ONCE):
                    log_density = teacher.said_by_average(group, rows.tolist())
                    whole = resize_log_density(log_density, (density.shape[1], density.shape[2]))
                    density[rows] += whole.exp() / len(teachers)
        progress("teachers", number + 1, len(teachers))
    run.examples.groups = [
        [replace(group, taught=density) for group, density in zip(groups, sums, strict=True)]
        for groups, sums in zip(run.examples.groups, total, strict=True)
    ]
