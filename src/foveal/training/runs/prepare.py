"""A training run before its first step: the model as the recipe says, its examples, their features."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
from accelerate import Accelerator
from torch import Tensor

from foveal.errors import FovealError, first_line
from foveal.features.moments import moments
from foveal.features.views import View
from foveal.gaze import Dataset
from foveal.gaze.folds import held_out_images
from foveal.models.backbones.backbone import Backbone
from foveal.models.baselines import CenterBias
from foveal.models.deep.foveal_s import SMALLEST_SIDE, FovealConfig, FovealS
from foveal.progress import Report as Progress
from foveal.training.recipe import Mixture, Recipe, check_names, check_values, is_number, is_whole
from foveal.training.runs.examples import Examples
from foveal.training.runs.run import Run

SMALLEST_DEVIATION = 1e-4  # of a feature, which is divided by it
STANDARDISED_ON = 64  # images, whose features say the mean and deviation of every tap


def prepare(
    recipe: Recipe, datasets: Sequence[Dataset], views: Sequence[View], accelerator: Accelerator, progress: Progress
) -> Run:
    """A run at its beginning, whose features are kept for these views of the images, the first of them plain.

    Raises
    ------
    FovealError
        If the model cannot be as the recipe says, or the backbone's weights are not installed.
    """
    torch.manual_seed(recipe.seed)
    model = FovealS(config_of(recipe))
    model.backbone.load_pretrained()
    model.to(accelerator.device)
    with accelerator.main_process_first():  # which computes the features for all
        examples = Examples(model, datasets, lambda data: held_out_images(data, recipe.held_out), views, progress)
    model.log_prior = (
        torch.stack([CenterBias.of(density).log_grid.exp() for density in examples.densities]).mean(0).log()
    )
    standardise(model, examples, recipe.batch_size)
    return Run(recipe, model, examples, accelerator)


def check(recipe: Recipe | Mixture) -> None:
    """Make sure that all networks of a recipe, its teacher's as well, can be made: before hours go into the first.

    Raises
    ------
    FovealError
        If one cannot be as its recipe says, or its backbone's weights are not installed.
    """
    if isinstance(recipe, Mixture):
        for member in recipe.members.values():
            check(member)
        return
    FovealS(config_of(recipe)).backbone.load_pretrained()
    if recipe.teacher is not None:
        check(recipe.teacher)


def config_of(recipe: Recipe) -> FovealConfig:
    """What the recipe's model is made of; the taps' numbers of channels are those that the network has.

    Raises
    ------
    FovealError
        If it cannot be made so.
    """
    try:
        check_names(recipe.config or {}, FovealConfig)
        config = FovealConfig.of(recipe.config or {})
        count = "a whole number from 1 on"
        needed = {name: (is_whole(getattr(config, name), 1), count) for name in ("width", "hidden")}
        smallest = SMALLEST_SIDE**2
        needed["working_area"] = is_whole(config.working_area, smallest), f"a whole number from {smallest} on"
        needed["dropout"] = is_number(config.dropout, 0.0) and config.dropout < 1, "a number from 0 to less than 1"
        right_scales = isinstance(config.scales, tuple) and all(is_number(s) and s > 0 for s in config.scales)
        needed["scales"] = right_scales and len(config.scales) > 0, "a list of numbers above 0"
        needed["taps"] = isinstance(config.taps, tuple) and len(config.taps) > 0, "a list of layers"
        check_values(config, needed)
        backbone = Backbone(config.backbone, pretrained=False, until=config.taps[-1])
        backbone.check_layers([*config.taps, config.first_trained or config.taps[-1]])
        channels = tuple(backbone.channels(tap) for tap in config.taps)
        if "channels" in (recipe.config or {}) and config.channels != channels:
            raise FovealError(f"channels: {list(config.channels)} (the taps have {list(channels)})")
    except (TypeError, FovealError) as error:
        raise FovealError(f"config of {recipe.model}: {first_line(error)}") from None
    return replace(config, channels=channels)


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
