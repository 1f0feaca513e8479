"""A training run before its first step: the model as the recipe says, its examples, their features."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor

from foveal.errors import FovealError, first_line
from foveal.gaze import Dataset
from foveal.models.baselines import CenterBias
from foveal.models.deep.foveal_s import FovealConfig, FovealS
from foveal.models.parts.backbones import Backbone
from foveal.progress import Progress
from foveal.training.deep_run import Run
from foveal.training.examples import Examples
from foveal.training.readout_problem import moments
from foveal.training.recipe import FOLDS, Recipe

SMALLEST_DEVIATION = 1e-4  # of a feature, which is divided by it
STANDARDISED_ON = 64  # images, whose features say the mean and deviation of every tap


def prepare(
    recipe: Recipe, datasets: Sequence[Dataset], zooms: Sequence[float], accelerator: Accelerator, progress: Progress
) -> Run:
    """A run at its beginning, whose features are kept for all views of the images.

    Raises
    ------
    FovealError
        If the model cannot be as the recipe says, or the backbone's weights are not installed.
    """
    torch.manual_seed(recipe.seed)
    model = FovealS(config_of(recipe))
    model.backbone.load_pretrained()
    with accelerator.main_process_first():  # which computes the features for all
        examples = Examples(model, datasets, lambda data: held_out_images(data, recipe.held_out), zooms, progress)
    model.log_prior = (
        torch.stack([CenterBias.of(density).log_grid.exp() for density in examples.densities]).mean(0).log()
    )
    standardise(model, examples, recipe.batch_size)
    return Run(recipe, model, examples, accelerator)


def config_of(recipe: Recipe) -> FovealConfig:
    """What the recipe's model is made of.

    Raises
    ------
    FovealError
        If it cannot be made so.
    """
    try:
        config = FovealConfig.of(recipe.config or {})
        if len(config.taps) != len(config.channels):
            raise FovealError(f"{len(config.taps)} taps, but {len(config.channels)} numbers of channels")
        Backbone(config.backbone, pretrained=False, until=config.taps[-1]).check_layers(
            [*config.taps, config.first_trained or config.taps[-1]]
        )
        if not config.scales or min(config.scales) <= 0:
            raise FovealError(f"scales: {config.scales}")
    except (TypeError, FovealError) as error:
        raise FovealError(f"config of {recipe.model}: {first_line(error)}") from None
    return config


def held_out_images(data: Dataset, fold: int | None) -> np.ndarray:
    """Image i of a data set belongs to fold i modulo 10."""
    return np.array([], dtype=int) if fold is None else np.arange(fold, len(data), FOLDS)


@torch.no_grad()
def standardise(model: FovealS, examples: Examples, batch_size: int) -> None:
    """Make the taps' features of mean zero and unit deviation over some of the fitted images."""

    def chosen() -> Iterator[dict[str, Tensor]]:
        seen = 0
        for step in examples.steps(batch_size, torch.Generator().manual_seed(0)):
            for group, rows in step:
                seen += len(rows)
                yield group.batch(rows, list(model.taps)).features
            if seen >= STANDARDISED_ON:
                return

    for name, (mean, deviation) in moments(chosen()).items():
        model.taps[name].mean = mean.float()
        model.taps[name].std = deviation.clamp(min=SMALLEST_DEVIATION).float()
