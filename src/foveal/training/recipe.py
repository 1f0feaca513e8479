"""How a deep model is trained, as a TOML file says it."""

import os
import tomllib
from dataclasses import asdict, dataclass, fields, replace
from importlib import resources
from pathlib import Path
from typing import Any

import tomli_w

from foveal.errors import FovealError, first_line
from foveal.files import write_atomically
from foveal.models.base import with_tuples
from foveal.training.losses import get_loss

_RECIPES = resources.files("foveal.training") / "recipes"
MODELS = ("foveal-s",)  # that a recipe can train
PRECISIONS = ("no", "bf16", "fp16")
FOLDS = 10  # image i of a data set belongs to fold i modulo so many


@dataclass(frozen=True)
class Phase:
    """Some epochs with one course of the learning rates, which fall along half a cosine.

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
    weight_decay
        Of AdamW.
    zooms
        By how much larger or smaller than usual the network sees the images in training, besides as usual.
    average
        Decay of the running mean of the weights, which is what is kept.
    patience
        End when the information gain on the held-out images has not risen for so many epochs; 0 never.
    precision
        "no" (float32), "bf16" or "fp16", as accelerate calls them.
    seed
        Of first weights, dropout and the order of images.
    temperature, prior_weight
        What the finished model is given for photographs of other kinds (see `training.transfer`); without the latter,
        the mean of the data sets' weights of the centre bias.
    teacher
        A mixture of models, trained before on the same images, whose densities this one learns as well (see
        `training.teacher`).
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
    weight_decay: float = 0.05
    zooms: tuple[float, ...] = ()
    average: float = 0.99
    patience: int = 0
    precision: str = "no"
    seed: int = 0
    temperature: float = 1.0
    prior_weight: float | None = None
    teacher: "Mixture | None" = None
    taught: float = 0.5

    def __post_init__(self) -> None:
        positive = {"batch_size": self.batch_size, "temperature": self.temperature, "phases": len(self.phases)}
        positive |= {"epochs of a phase": min((phase.epochs for phase in self.phases), default=1)}
        positive |= {"learning_rate": min((phase.learning_rate for phase in self.phases), default=1.0)}
        positive |= {"zooms": min(self.zooms, default=1.0)}
        wrong = [f"{name}: {value!r}" for name, value in positive.items() if not value > 0]
        wrong += [f"average: {self.average!r}"] * (not 0 <= self.average < 1)
        wrong += [f"taught: {self.taught!r}"] * (not 0 <= self.taught <= 1)
        choices = {"model": (self.model, MODELS), "precision": (self.precision, PRECISIONS)}
        wrong += [f"{name}: {value!r}" for name, (value, known) in choices.items() if value not in known]
        if self.held_out is not None and not 0 <= self.held_out < FOLDS:
            wrong.append(f"held_out: {self.held_out!r} (folds are 0 to {FOLDS - 1})")
        if not self.datasets or len(set(self.datasets)) < len(self.datasets):
            wrong.append(f"datasets: {', '.join(self.datasets) or 'none'}")
        if self.teacher is not None and self.teacher.examples != self.examples:
            wrong.append("teacher: one of other datasets or another held_out")
        if wrong:
            raise FovealError(f"a recipe cannot say {wrong[0]}")
        get_loss(self.loss)

    @property
    def epochs(self) -> int:
        """Of all phases."""
        return sum(phase.epochs for phase in self.phases)

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
        return cls._of(_read_toml(path), path)

    @classmethod
    def _of(cls, values: dict[str, Any], path: str | os.PathLike[str]) -> "Recipe":
        unknown = values.keys() - {field.name for field in fields(cls)}
        if unknown or "datasets" not in values:
            problem = f"unknown: {', '.join(sorted(unknown))}" if unknown else "datasets are missing"
            raise FovealError(f"{path}: no recipe ({problem})")
        kinds: dict[str, Any] = {
            field.name: int | float for field in fields(cls) if type(field.default) in (int, float)
        }
        kinds |= {"datasets": list, "zooms": list, "config": dict}
        for name in kinds.keys() & values.keys():
            if not isinstance(values[name], kinds[name]):
                raise FovealError(f"{path}: a recipe cannot say {name}: {values[name]!r}")
        try:
            values["datasets"] = tuple(values["datasets"])
            values["zooms"] = tuple(values.get("zooms", ()))
            if "config" in values:
                values["config"] = with_tuples(values["config"])
            if "phases" in values:
                values["phases"] = tuple(Phase(**phase) for phase in values["phases"])
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

    def write(self, path: str | os.PathLike[str]) -> None:
        """As a TOML file that `read` understands."""
        values = asdict(self, dict_factory=lambda items: {key: value for key, value in items if value is not None})
        with write_atomically(path) as temporary:
            temporary.write_text(tomli_w.dumps(values))


@dataclass(frozen=True)
class Mixture:
    """Several recipes, whose models become one (see `foveal-l`).

    Attributes
    ----------
    members
        By the names of their files.
    """

    members: dict[str, Recipe]

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
        values = _read_toml(path)
        if values.keys() != {"members"} or not isinstance(values["members"], list) or len(values["members"]) < 2:
            raise FovealError(f"{path}: a mixture says nothing but members, at least two")
        files = [Path(path).parent / str(name) for name in values["members"]]
        members = {file.stem: Recipe.read(file) for file in files}
        if len(members) < len(files):
            raise FovealError(f"{path}: two members of one name")
        if len({member.examples for member in members.values()}) > 1:
            raise FovealError(f"{path}: all members must have the same datasets and held_out")
        return cls(members)


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
    return Mixture.read(path) if "members" in _read_toml(path) else Recipe.read(path)


def published_recipes() -> list[str]:
    """Names of the models whose recipes come with the package."""
    return sorted(file.name.removesuffix(".toml") for file in _RECIPES.iterdir() if file.name.endswith(".toml"))


def _read_toml(path: str | os.PathLike[str]) -> dict[str, Any]:
    try:
        return tomllib.loads(Path(path).read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise FovealError(f"{path}: no recipe ({first_line(error)})") from None
