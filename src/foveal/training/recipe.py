"""How a deep model is trained, as a TOML file says it."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import asdict, fields, replace
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import tomli_w
from pydantic import AfterValidator, BeforeValidator, Field
from pydantic.dataclasses import dataclass

from foveal.errors import FovealError
from foveal.features.views import Crop, View
from foveal.files import parse_toml, read_toml, write_atomically
from foveal.gaze.folds import FOLDS
from foveal.models.config import with_tuples
from foveal.models.deep.network import BACKBONE, list_networks, network_class
from foveal.paths import check_name
from foveal.settings import (
    STRICT,
    Amount,
    Count,
    InOneLine,
    LessThanOne,
    Positive,
    Share,
    Whole,
    one_of,
)
from foveal.training.losses import get_loss
from foveal.training.optimizers import OPTIMIZERS, SCHEDULES

_RECIPES = resources.files("foveal.training") / "recipes"
PRECISIONS = ("no", "bf16", "fp16", "auto")
STEPS = ("supervised", "adversarial")

Tree = TypeVar("Tree", bound="RecipeTree")


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        raise ValueError("one is there twice")
    return names


def _absolute(start: str) -> str:
    return os.fspath(Path(start).resolve()) if _is_file(start) else start


def _is_file(model: str) -> bool:
    """Is it a file of weights, and no model's name?"""
    return model.endswith(".safetensors")


Bool = Annotated[bool, Field(description="true or false")]


@dataclass(frozen=True, config=STRICT)
class Phase(metaclass=InOneLine):
    """Some epochs with one course of the learning rates.

    Attributes
    ----------
    epochs
        How many.
    learning_rate
        Of the readout, at the start.
    backbone_learning_rate
        Of the network's trained layers; 0 leaves them as they are.
    learning_rates
        Of groups of the network's parameters, by their names, instead of these two.
    """

    epochs: Count
    learning_rate: Positive
    backbone_learning_rate: Amount = 0.0
    learning_rates: Annotated[dict[str, Amount], Field(description="a table of numbers from 0 on")] = Field(
        default_factory=dict
    )

    def rate_of(self, group: str) -> float:
        """Learning rate of a group of parameters, at the start."""
        otherwise = self.backbone_learning_rate if group == BACKBONE else self.learning_rate
        return self.learning_rates.get(group, otherwise)


class RecipeTree(ABC):
    """What a recipe and a mixture of several have in common: they hold recipes, a student its teachers' as well."""

    @property
    @abstractmethod
    def first(self) -> "Recipe":
        """The recipe itself, or the first of several."""

    @abstractmethod
    def each(self: Tree, change: "Callable[[Recipe], Recipe]") -> Tree:
        """A copy with all recipes changed, also those of teachers."""

    @property
    def examples(self) -> tuple[tuple[str, ...], int | None]:
        """Data sets and held-out fold, which all recipes share."""
        return self.first.datasets, self.first.held_out

    @property
    def unfinished(self: Tree) -> Tree:
        """What the course of the training depends on: without what the model is given at its end."""
        return self.each(
            lambda recipe: replace(recipe, loss=recipe.loss_in_short, temperature=1.0, prior_weight=None, seen_at=None)
        )

    def without_fold(self: Tree, fold: int) -> Tree:
        """A copy with a fold held out."""
        return self.each(lambda recipe: replace(recipe, held_out=fold))

    def of_datasets(self: Tree, names: tuple[str, ...]) -> Tree:
        """A copy with other data sets."""
        return self.each(lambda recipe: replace(recipe, datasets=names))


@dataclass(frozen=True, config=STRICT)
class Recipe(RecipeTree, metaclass=InOneLine):
    """What a training run does.

    Attributes
    ----------
    datasets
        Names or folders.
    model
        A registered deep model.
    config
        What of the model's configuration differs from its defaults.
    held_out
        Fold of each data set (image i belongs to fold i modulo 10) that is left out and judged; None fits to all.
    loss
        A registered loss, or some with what each counts in their sum; None is the network's own.
    phases
        One after the other.
    batch_size
        Images a step. They may differ in size: gradients are summed.
    optimizer
        "adamw", "adam", "adagrad", or with a momentum of .9 "sgd" and "nesterov".
    schedule
        How the learning rates change in each phase: "cosine", half of one, towards zero; or "constant".
    weight_decay
        As the optimiser takes it. In a step, AdamW's shrinks the weights by its product with the learning rate; SGD's
        momentum makes it ten times that.
    mirrored
        Is an image shown mirrored every other time?
    zooms
        By how much larger or smaller than usual the network sees the images in training, besides as usual.
    crops
        Shares of an image's height and width of which a corner is shown as well (see `features.views.Crop`).
    viewing_distance
        Does a network that sees images at sizes in degrees know their pixels per degree ("known")? Or are all images
        taken to fill the typical field of view ("assumed")? Then a size in degrees costs nothing if the same share of
        the picture is among the others, and the two have the same weight.
    average
        Decay of the running mean of the weights, which is what is kept.
    patience
        End a phase when the information gain on the held-out images (of a map its NSS) has not risen in it for so many
        epochs, and keep the weights of the best epoch; 0 never.
    precision
        "no" (float32), "bf16" or "fp16", as accelerate calls them; "auto" is "bf16" where that is fast, else "no".
    seed
        What first weights, dropout and the order of images are drawn from.
    temperature, prior_weight
        What the finished model is given for photographs of other kinds (see `fits.numbers`); without the latter, the
        mean of the data sets' weights of the center bias.
    seen_at
        Sizes at which the finished foveal-s sees photographs, if they are others than those that it was trained at:
        `relative` and `absolute`, as in its configuration.
    teacher
        A mixture of models, trained before on the same images, whose densities this one learns as well (see
        `training.runs.teacher`).
    taught
        What they count: the loss is `taught` times the cross entropy with them and one minus it times `loss`.
    step
        How a step learns: "supervised", or "adversarial", with a second network that tells maps from those of people.
    start_from
        A file of weights or the name of a model to go on from, instead of a network that has not seen fixations. A
        file lies beside the recipe, unless its whole path is given.
    colors
        How strongly the brightness, contrast and saturation of photographs are changed by chance, from 0 to 1. Only of
        networks that are trained from pixels.
    batch_norms
        Are the means and deviations by which a backbone's layers divide those of its own training ("frozen"), or
        learned ("trained")?
    """

    datasets: Annotated[
        tuple[str, ...],
        Field(strict=False, min_length=1, description="a list of names, each once"),
        AfterValidator(_each_once),
    ]
    model: Annotated[str, BeforeValidator(one_of(list_networks))] = "foveal-s"
    config: Annotated[dict[str, Any] | None, Field(description="a table")] = None
    held_out: Annotated[int | None, Field(ge=0, lt=FOLDS, description=f"a fold, 0 to {FOLDS - 1}")] = None
    loss: Annotated[
        str | Annotated[dict[str, Positive], Field(min_length=1)] | None,
        Field(description="a loss, or a table of losses with their weights, above 0"),
    ] = None
    phases: Annotated[
        tuple[Phase, ...], Field(strict=False, min_length=1, description="at least one, each a table")
    ] = (Phase(6, 2e-3), Phase(4, 1e-3, 3e-4))
    batch_size: Count = 8
    optimizer: Annotated[str, BeforeValidator(one_of(OPTIMIZERS.keys))] = "adamw"
    schedule: Annotated[str, BeforeValidator(one_of(SCHEDULES.keys))] = "cosine"
    weight_decay: Amount = 0.05
    mirrored: Bool = True
    zooms: Annotated[
        tuple[Annotated[float, Field(ge=0.1, le=4)], ...], Field(strict=False, description="numbers from 0.1 to 4")
    ] = ()
    crops: Annotated[
        tuple[Annotated[float, Field(ge=0.1, lt=1)], ...],
        Field(strict=False, description="numbers from 0.1 to less than 1"),
    ] = ()
    viewing_distance: Annotated[Literal["known", "assumed"], Field(description="known or assumed")] = "known"
    average: LessThanOne = 0.99
    patience: Whole = 0
    precision: Annotated[str, BeforeValidator(one_of(lambda: PRECISIONS))] = "no"
    seed: Whole = 0
    temperature: Positive = 1.0
    prior_weight: Annotated[float | None, Field(description="a number")] = None
    seen_at: Annotated[
        dict[Literal["relative", "absolute"], tuple[Positive, ...]] | None,
        Field(strict=False, description="a table of relative and absolute, each a list of numbers above 0"),
    ] = None
    teacher: "Mixture | None" = None
    taught: Share = 0.5
    step: Annotated[str, BeforeValidator(one_of(lambda: STEPS))] = "supervised"
    start_from: Annotated[
        Annotated[str, AfterValidator(_absolute)] | None, Field(description="a file of weights, or the name of a model")
    ] = None
    colors: Share = 0.0
    batch_norms: Annotated[Literal["frozen", "trained"], Field(description="frozen or trained")] = "frozen"

    def __post_init__(self) -> None:
        for name in self.losses:
            get_loss(name)
        if self.patience and self.held_out is None:
            raise FovealError("patience needs images that are held out: say held_out")
        if self.teacher is not None and self.teacher.examples != self.examples:
            raise FovealError("teacher: one of other datasets or another held_out")

    @property
    def losses(self) -> dict[str, float]:
        """Registered losses, each with what it counts; the network's own, if the recipe says none."""
        if self.loss is None:
            return dict(network_class(self.model).losses)
        return {self.loss: 1.0} if isinstance(self.loss, str) else self.loss

    @property
    def in_full(self) -> "Recipe":
        """The recipe with the losses named that its network has of itself."""
        return replace(self, loss=self.loss_in_short)

    @property
    def loss_in_short(self) -> str | dict[str, float]:
        """The losses as a recipe says them that says them in the shortest way."""
        names = list(self.losses)
        return names[0] if self.losses == {names[0]: 1.0} else self.losses

    @property
    def epochs(self) -> int:
        """Number of epochs of all phases."""
        return sum(phase.epochs for phase in self.phases)

    @property
    def views(self) -> list[View]:
        """How the images are seen, by chance; the plain view first."""
        return [
            View(mirrored, zoom, Crop(share), self.viewing_distance == "known")
            for share in dict.fromkeys((1.0, *self.crops))
            for zoom in dict.fromkeys((1.0, *self.zooms))
            for mirrored in ((False, True) if self.mirrored else (False,))
        ]

    @property
    def first(self) -> "Recipe":
        """The recipe itself."""
        return self

    def each(self, change: "Callable[[Recipe], Recipe]") -> "Recipe":
        """The recipe and its teacher's, changed."""
        alone = change(replace(self, teacher=None))  # a teacher that is not yet changed would not fit
        return replace(alone, teacher=self.teacher and self.teacher.each(change))

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> "Recipe":
        """From a TOML file. A teacher is a table of recipes, or the name of a file beside it.

        Raises
        ------
        FovealError
            If it cannot be read, or says something that no recipe says.
        """
        return cls._of(read_toml(path, "no recipe"), path)

    @classmethod
    def of_toml(cls, text: str, path: str | os.PathLike[str]) -> "Recipe":
        """From what `to_toml` said, which was found in a file.

        Raises
        ------
        FovealError
            If it is no recipe.
        """
        return cls._of(parse_toml(text, path, "no recipe"), path)

    @classmethod
    def _of(cls, values: Any, path: str | os.PathLike[str]) -> "Recipe":
        try:
            if not isinstance(values, dict):
                raise FovealError(f"{values!r} (needs a table)")
            values, beside = values.copy(), Path(path).parent
            if isinstance(values.get("config"), dict):
                values["config"] = with_tuples(values["config"])
            if isinstance(values.get("phases"), list):
                values["phases"] = [_phase(phase, number) for number, phase in enumerate(values["phases"], 1)]
            if isinstance(values.get("start_from"), str) and _is_file(values["start_from"]):
                values["start_from"] = os.fspath(beside / values["start_from"])
            if isinstance(values.get("teacher"), str):
                values["teacher"] = Mixture.read(beside / values["teacher"])
            elif "teacher" in values:
                values["teacher"] = cls._teacher(values["teacher"], path)
            return cls(**values)
        except FovealError as error:
            raise FovealError(f"{path}: {str(error).removeprefix(f'{path}: ')}") from None

    @classmethod
    def _teacher(cls, given: Any, path: str | os.PathLike[str]) -> "Mixture":
        """What `to_toml` said of a teacher."""
        members = given.get("members") if isinstance(given, dict) else None
        if not isinstance(members, dict):
            raise FovealError(f"teacher: {given!r} (needs the file of a mixture, or a table of members)")
        return Mixture({name: cls._of(member, path) for name, member in members.items()})

    def to_toml(self) -> str:
        """What a file says that `read` understands."""
        values = asdict(self, dict_factory=lambda items: {key: value for key, value in items if value is not None})
        return tomli_w.dumps(values)

    def write(self, path: str | os.PathLike[str]) -> None:
        """As a file that `read` understands."""
        with write_atomically(path) as temporary:
            temporary.write_text(self.to_toml())


@dataclass(frozen=True, config=STRICT)
class Mixture(RecipeTree, metaclass=InOneLine):
    """Several recipes, whose models become one (see `foveal-l`).

    Attributes
    ----------
    members
        By the names of their files.
    """

    members: dict[str, Recipe]

    def __post_init__(self) -> None:
        if len(self.members) < 2:
            raise FovealError("a mixture has at least two members")
        for name in self.members:
            check_name(name)  # of its folder
        if len({member.examples for member in self.members.values()}) > 1:
            raise FovealError("all members must have the same datasets and held_out")

    @property
    def first(self) -> Recipe:
        """The first member."""
        return next(iter(self.members.values()))

    def each(self, change: Callable[[Recipe], Recipe]) -> "Mixture":
        """The mixture of all members, changed."""
        return Mixture({name: member.each(change) for name, member in self.members.items()})

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> "Mixture":
        """From a TOML file that names the recipes of its members, which lie beside it.

        Raises
        ------
        FovealError
            If it or one of them cannot be read, there are not two, or they are of other data or folds.
        """
        values = read_toml(path, "no recipe")
        if values.keys() != {"members"} or not isinstance(values["members"], list):
            raise FovealError(f"{path}: a mixture says nothing but members, a list")
        files = [Path(path).parent / str(name) for name in values["members"]]
        members = {file.stem: Recipe.read(file) for file in files}
        if len(members) < len(files):
            raise FovealError(f"{path}: two members of one name")
        try:
            return cls(members)
        except FovealError as error:
            raise FovealError(f"{path}: {error}") from None


def read_recipe(path: str | os.PathLike[str]) -> Recipe | Mixture:
    """A recipe, or a mixture of several: a file, or of a published model by its name.

    Raises
    ------
    FovealError
        If it is neither.
    """
    if path in published_recipes():
        with resources.as_file(_RECIPES) as folder:
            return read_recipe(folder / f"{path}.toml")
    return Mixture.read(path) if "members" in read_toml(path, "no recipe") else Recipe.read(path)


def published_recipes() -> list[str]:
    """Names of the models whose recipes come with the package."""
    return sorted(file.name.removesuffix(".toml") for file in _RECIPES.iterdir() if file.name.endswith(".toml"))


def _phase(table: Any, number: int) -> Phase:
    """What a recipe says of one of its phases."""
    try:
        if not isinstance(table, dict):
            raise FovealError(f"{table!r} (needs a table)")
        of_phases, of_recipes = ({field.name for field in fields(kind)} for kind in (Phase, Recipe))
        misplaced = [name for name in table if name in of_recipes - of_phases]
        if misplaced:  # TOML takes what follows a table's header for the table's
            raise FovealError(f"{misplaced[0]} is not a phase's: say it above the first [[phases]]")
        return Phase(**table)
    except FovealError as error:
        raise FovealError(f"phase {number}: {error}") from None
