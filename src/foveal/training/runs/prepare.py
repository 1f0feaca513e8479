"""A training run before its first step: the network as the recipe says, its examples, what it starts from."""

from collections.abc import Iterator, Sequence
from dataclasses import fields

import torch
from accelerate import Accelerator
from torch import nn

from foveal.errors import FovealError, first_line
from foveal.features.views import View
from foveal.gaze import Dataset
from foveal.gaze.folds import held_out_images
from foveal.models import load_model
from foveal.models.deep.foveal_s import FovealS
from foveal.models.deep.network import DensityNetwork, Network, Seen, network_class
from foveal.models.parts.prior import prior_of
from foveal.progress import Progress
from foveal.settings import unknown
from foveal.training.recipe import Mixture, Recipe
from foveal.training.runs.examples import Examples
from foveal.training.runs.run import Run
from foveal.training.runs.steps import STEPS

BEGUN_FROM = 64  # images, of which a network sees what depends on the data


def prepare(
    recipe: Recipe,
    datasets: Sequence[Dataset],
    views: Sequence[View],
    accelerator: Accelerator,
    progress: Progress,
    *,
    workers: int = 0,
) -> Run:
    """A run at its beginning, whose images are shown in these views, the first of them plain.

    So many other processes read ahead (`workers`).

    Raises
    ------
    FovealError
        If the network cannot be as the recipe says, or what it starts from is not there.
    """
    torch.manual_seed(recipe.seed)
    model = started(recipe).to(accelerator.device)
    unseen = [held_out_images(data, recipe.held_out) for data in datasets]
    with accelerator.main_process_first():  # which computes the features for all
        examples = Examples(
            model,
            datasets,
            unseen,
            views,
            progress,
            recipe.colors,
            with_pictures=recipe.step == "adversarial",
            autocast=accelerator.autocast,
        )
    if isinstance(model, DensityNetwork):
        model.log_prior = log_prior_of(examples)
    if recipe.start_from is None:
        model.begin_from(_some_seen(examples, recipe.batch_size))
    return Run(recipe, model, examples, accelerator, kind_of_step=STEPS[recipe.step], workers=workers)


def check(recipe: Recipe | Mixture) -> None:
    """Make sure that all networks of a recipe, its teacher's as well, can be made: before hours go into the first.

    Raises
    ------
    FovealError
        If one cannot be as its recipe says, or what it starts from is not there.
    """
    if isinstance(recipe, Mixture):
        for member in recipe.members.values():
            check(member)
        return
    model = started(recipe)
    if recipe.seen_at is not None:
        if not isinstance(model, FovealS):
            raise FovealError(f"seen_at: {recipe.model} has no sizes to choose")
        try:
            model.at_sizes(**recipe.seen_at)
        except FovealError as error:
            raise FovealError(f"seen_at: {error}") from None
    if recipe.teacher is not None:
        for member in recipe.teacher.members.values():
            if network_class(member.model).says == "map":
                raise FovealError(f"teacher: {member.model} says maps; only a network that says logits can teach")
        check(recipe.teacher)


def started(recipe: Recipe) -> Network:
    """The recipe's network with the weights from which its training starts.

    Raises
    ------
    FovealError
        If it cannot be made so, its backbone's weights are not installed, or the file to start from is of another
        network.
    """
    model = network_of(recipe)
    if recipe.start_from is None:
        model.load_pretrained()
        return model
    earlier = load_model(recipe.start_from)
    if earlier.name != model.name:
        raise FovealError(f"start_from: {recipe.start_from} is {earlier.name}, not {model.name}")
    try:
        model.load_state_dict(earlier.state_dict())
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise FovealError(f"start_from: {recipe.start_from}: its weights do not fit config ({reason})") from None
    return model


def network_of(recipe: Recipe) -> Network:
    """The recipe's network with first weights by chance.

    Raises
    ------
    FovealError
        If it cannot be made so.
    """
    cls, values = network_class(recipe.model), recipe.config or {}
    known = [field.name for field in fields(cls.Config)]
    try:
        for name in values:
            if name not in known:
                raise unknown(name, known)
        model = cls(cls.Config(**values).completed())
    except (TypeError, ValueError, RuntimeError, FovealError) as error:
        raise FovealError(f"config of {recipe.model}: {first_line(error)}") from None
    _check_fit(recipe, model)
    return model


def _check_fit(recipe: Recipe, model: Network) -> None:
    """Complain of what the recipe says that its network does not have."""
    groups = model.parameter_groups()
    for number, phase in enumerate(recipe.phases, start=1):
        for group in phase.learning_rates:
            if group not in groups:
                raise FovealError(f"phase {number}: learning_rates: {unknown(group, groups)}")
    if recipe.batch_norms == "trained" and not any(isinstance(part, nn.BatchNorm2d) for part in model.modules()):
        raise FovealError(f"batch_norms: {model.name} has none")
    if model.keeps_features:
        of_pixels = {"colors": recipe.colors > 0, "step": recipe.step == "adversarial"}
        for name, is_said in of_pixels.items():
            if is_said:
                raise FovealError(f"{name}: for networks that are trained from pixels, and {model.name} is not")


def log_prior_of(examples: Examples) -> torch.Tensor:
    """The logarithm of the mean center bias of the fitted images of all data sets."""
    return torch.stack([prior_of(density).exp() for density in examples.densities]).mean(0).log()


def _some_seen(examples: Examples, batch_size: int) -> Iterator[Seen]:
    """What the network sees of some of the fitted images."""
    n_seen = 0
    for step in examples.steps(batch_size, torch.Generator().manual_seed(0)):
        for group, rows in step:
            n_seen += len(rows)
            yield group.batch(rows).to(torch.device("cpu")).seen
        if n_seen >= BEGUN_FROM:
            return
