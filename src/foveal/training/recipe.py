"""How a deep model is trained, as a TOML file says it."""

import difflib
import math
import os
from dataclasses import asdict, dataclass, fields, replace
from importlib import resources
from pathlib import Path
from typing import Any

import tomli_w

from foveal.errors import FovealError, first_line
from foveal.features.views import Crop, View
from foveal.files import parse_toml, read_toml, write_atomically
from foveal.gaze.folds import FOLDS
from foveal.models.config import with_tuples
from foveal.paths import check_name
from foveal.training.losses import get_loss
from foveal.training.optimizers import OPTIMIZERS, SCHEDULES

_RECIPES = resources.files("foveal.training") / "recipes"
MODELS = ("foveal-s",)  # that a recipe can train
PRECISIONS = ("no", "bf16", "fp16")


def is_whole(value: Any, least: int) -> bool:
    """Is it a whole number, and not too small?"""
    return type(value) is int and value >= least  # True is no number


def is_number(value: Any, least: float = -math.inf) -> bool:
    """Is it a finite number, and not too small?"""
    return type(value) in (int, float) and math.isfinite(value) and value >= least


def check_values(settings: Any, needed: dict[str, tuple[bool, str]]) -> None:
    """Complain of the first attribute that is not right: for each, is it, and what is needed?

    Raises
    ------
    FovealError
        If there is one.
    """
    for name, (is_right, need) in needed.items():
        if not is_right:
            value = getattr(settings, name)
            raise FovealError(f"{name}: {list(value) if isinstance(value, tuple) else value!r} (needs {need})")


@dataclass(frozen=True)
class Phase:
    """Some epochs with one course of the learning rates.

    Attributes
    ----------
    epochs
        How many.
    learning_rate
        Of the readout, at the start.
    backbone_learning_rate
        Of the network's trained layers; 0 leaves them as they are.
    """

    epochs: int
    learning_rate: float
    backbone_learning_rate: float = 0.0

    def __post_init__(self) -> None:
        needed = {
            "epochs": (is_whole(self.epochs, 1), "a whole number from 1 on"),
            "learning_rate": (is_number(self.learning_rate) and self.learning_rate > 0, "a number above 0"),
            "backbone_learning_rate": (is_number(self.backbone_learning_rate, 0.0), "a number from 0 on"),
        }
        check_values(self, needed)


@dataclass(frozen=True)
class Recipe:
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
        A registered loss.
    phases
        One after the other.
    batch_size
        Images a step. They may differ in size: gradients are summed.
    optimizer
        "adamw", or "sgd" with a momentum of .9.
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
    average
        Decay of the running mean of the weights, which is what is kept.
    patience
        End a phase when the information gain on the held-out images has not risen in it for so many epochs, and keep
        the weights of the best epoch; 0 never.
    precision
        "no" (float32), "bf16" or "fp16", as accelerate calls them.
    seed
        Of first weights, dropout and the order of images.
    temperature, prior_weight
        What the finished model is given for photographs of other kinds (see `fits.transfer`); without the latter, the
        mean of the data sets' weights of the center bias.
    teacher
        A mixture of models, trained before on the same images, whose densities this one learns as well (see
        `training.runs.teacher`).
    taught
        What they count: the loss is `taught` times the cross entropy with them and one minus it times `loss`.
    """

    datasets: tuple[str, ...]
    model: str = "foveal-s"
    config: dict[str, Any] | None = None
    held_out: int | None = None
    loss: str = "log-likelihood"
    phases: tuple[Phase, ...] = (Phase(6, 2e-3), Phase(4, 1e-3, 3e-4))
    batch_size: int = 8
    optimizer: str = "adamw"
    schedule: str = "cosine"
    weight_decay: float = 0.05
    mirrored: bool = True
    zooms: tuple[float, ...] = ()
    crops: tuple[float, ...] = ()
    average: float = 0.99
    patience: int = 0
    precision: str = "no"
    seed: int = 0
    temperature: float = 1.0
    prior_weight: float | None = None
    teacher: "Mixture | None" = None
    taught: float = 0.5

    def __post_init__(self) -> None:
        fold = self.held_out
        names = self.datasets
        different = all(isinstance(name, str) for name in names) and len(set(names)) == len(names) > 0
        needed = {
            "datasets": (different, "a list of names, each once"),
            "model": (self.model in MODELS, " or ".join(MODELS)),
            "config": (self.config is None or isinstance(self.config, dict), "a table"),
            "held_out": (fold is None or (is_whole(fold, 0) and fold < FOLDS), f"a fold, 0 to {FOLDS - 1}"),
            "phases": (len(self.phases) > 0, "at least one"),
            "batch_size": (is_whole(self.batch_size, 1), "a whole number from 1 on"),
            # Of a list or a table, a dictionary could not say whether it has it.
            "optimizer": (self.optimizer in tuple(OPTIMIZERS), f"one of {', '.join(OPTIMIZERS)}"),
            "schedule": (self.schedule in tuple(SCHEDULES), f"one of {', '.join(SCHEDULES)}"),
            "weight_decay": (is_number(self.weight_decay, 0.0), "a number from 0 on"),
            "mirrored": (isinstance(self.mirrored, bool), "true or false"),
            "zooms": (all(is_number(zoom, 0.1) and zoom <= 4 for zoom in self.zooms), "numbers from 0.1 to 4"),
            "crops": (all(is_number(crop, 0.1) and crop < 1 for crop in self.crops), "numbers from 0.1 to less than 1"),
            "average": (is_number(self.average, 0.0) and self.average < 1, "a number from 0 to less than 1"),
            "patience": (is_whole(self.patience, 0), "a whole number"),
            "precision": (self.precision in PRECISIONS, f"one of {', '.join(PRECISIONS)}"),
            "seed": (is_whole(self.seed, 0), "a whole number"),
            "temperature": (is_number(self.temperature) and self.temperature > 0, "a number above 0"),
            "prior_weight": (self.prior_weight is None or is_number(self.prior_weight), "a number"),
            "taught": (is_number(self.taught, 0.0) and self.taught <= 1, "a number from 0 to 1"),
        }
        check_values(self, needed)
        if self.patience and fold is None:
            raise FovealError("patience needs images that are held out: say held_out")
        if self.teacher is not None and self.teacher.examples != self.examples:
            raise FovealError("teacher: one of other datasets or another held_out")
        get_loss(self.loss)

    @property
    def epochs(self) -> int:
        """Of all phases."""
        return sum(phase.epochs for phase in self.phases)

    @property
    def views(self) -> list[View]:
        """How the images are seen, by chance; the plain view first."""
        return [
            View(mirrored, zoom, Crop(share))
            for share in dict.fromkeys((1.0, *self.crops))
            for zoom in dict.fromkeys((1.0, *self.zooms))
            for mirrored in ((False, True) if self.mirrored else (False,))
        ]

    @property
    def examples(self) -> tuple[tuple[str, ...], int | None]:
        """Data sets and held-out fold."""
        return self.datasets, self.held_out

    @property
    def unfinished(self) -> "Recipe":
        """What the course of the training depends on: without what the model is given at its end."""
        return replace(self, temperature=1.0, prior_weight=None, teacher=self.teacher and self.teacher.unfinished)

    def without_fold(self, fold: int) -> "Recipe":
        """The same, and the same of the teacher, with a fold held out."""
        teacher = self.teacher and self.teacher.without_fold(fold)
        return replace(self, held_out=fold, teacher=teacher)

    def of_datasets(self, names: tuple[str, ...]) -> "Recipe":
        """The same, and the same of the teacher, of other data sets."""
        return replace(self, datasets=names, teacher=self.teacher and self.teacher.of_datasets(names))

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
    def _of(cls, values: dict[str, Any], path: str | os.PathLike[str]) -> "Recipe":
        try:
            check_names(values, cls)
            if "datasets" not in values:
                raise FovealError("datasets are missing")
            for name in ("datasets", "zooms", "crops", "phases"):
                if not isinstance(values.get(name, []), list):
                    raise FovealError(f"{name}: {values[name]!r} (needs a list)")
            values = with_tuples(values)
            if "config" in values and isinstance(values["config"], dict):
                values["config"] = with_tuples(values["config"])
            if "phases" in values:
                values["phases"] = tuple(_phase(phase, number) for number, phase in enumerate(values["phases"], 1))
            if isinstance(values.get("teacher"), str):
                values["teacher"] = Mixture.read(Path(path).parent / values["teacher"])
            elif "teacher" in values:
                members = values["teacher"]["members"].items()
                values["teacher"] = Mixture({name: cls._of(member, path) for name, member in members})
            return cls(**values)
        except (TypeError, AttributeError, KeyError) as error:
            raise FovealError(f"{path}: no recipe ({first_line(error)})") from None
        except FovealError as error:
            raise FovealError(f"{path}: {str(error).removeprefix(f'{path}: ')}") from None

    def to_toml(self) -> str:
        """What a file says that `read` understands."""
        values = asdict(self, dict_factory=lambda items: {key: value for key, value in items if value is not None})
        return tomli_w.dumps(values)

    def write(self, path: str | os.PathLike[str]) -> None:
        """As a file that `read` understands."""
        with write_atomically(path) as temporary:
            temporary.write_text(self.to_toml())


@dataclass(frozen=True)
class Mixture:
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
    def examples(self) -> tuple[tuple[str, ...], int | None]:
        """Data sets and held-out fold of all members."""
        return next(iter(self.members.values())).examples

    @property
    def unfinished(self) -> "Mixture":
        """Of unfinished recipes."""
        return Mixture({name: member.unfinished for name, member in self.members.items()})

    def without_fold(self, fold: int) -> "Mixture":
        """The same with a fold held out."""
        return Mixture({name: member.without_fold(fold) for name, member in self.members.items()})

    def of_datasets(self, names: tuple[str, ...]) -> "Mixture":
        """The same of other data sets."""
        return Mixture({name: member.of_datasets(names) for name, member in self.members.items()})

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
        misplaced = [field.name for field in fields(Recipe) if isinstance(table, dict) and field.name in table]
        if misplaced:  # TOML takes what follows a table's header for the table's
            raise FovealError(f"{misplaced[0]} is not a phase's: say it above the first [[phases]]")
        check_names(table, Phase)
        if missing := {"epochs", "learning_rate"} - table.keys():
            raise FovealError(f"{min(missing)} is missing")
        return Phase(**table)
    except FovealError as error:
        raise FovealError(f"phase {number}: {error}") from None


def check_names(table: Any, kind: type) -> None:
    """Complain of what a table says that its dataclass does not know.

    Raises
    ------
    FovealError
        If it is no table, or says such a thing.
    """
    if not isinstance(table, dict):
        raise FovealError(f"{table!r} (needs a table)")
    known = [field.name for field in fields(kind)]
    for name in table.keys() - known:
        near = difflib.get_close_matches(name, known, n=1)
        raise FovealError(f"unknown: {name} ({f'did you mean {near[0]}? ' if near else ''}known: {', '.join(known)})")
