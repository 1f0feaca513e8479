"""The catalogue: which models there are, what is known of each, and which class it is."""

import ast
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, TypeVar

from foveal.discovery import import_entry_points, sources
from foveal.registry import Registry

if TYPE_CHECKING:
    from foveal.models.base import SaliencyModel

Model = TypeVar("Model", bound="type[SaliencyModel]")

_MODELS = Registry["type[SaliencyModel]"]("model")


@dataclass(frozen=True)
class ModelCard:
    """What one should know before using a model.

    Attributes
    ----------
    name, family, year
        Its registered name; "baseline", "classical" or "deep"; when it was published.
    paper
        The citation.
    trainable
        Can `foveal train` fit it (or its calibration) to a data set?
    weights
        Where its numbers come from: "none" needed, in the "package", or "package + alexnet", where `foveal weights` has
        to install the second once; "recipe" where `foveal train` makes them first, "data set" where it needs one.
    licence
        Of the weights, or of the code where there are none.
    needs_fixations
        Is it made from the fixations of the very data set that it is scored on, and so cannot predict a photograph?
    """

    name: str
    family: str
    year: int
    paper: str
    trainable: bool
    weights: str
    licence: str
    needs_fixations: bool

    @property
    def made_by(self) -> str | None:
        """The command that makes its weights, of a model that comes without."""
        given = {"recipe": "", "data set": " --dataset osie"}.get(self.weights)
        return None if given is None else f"foveal train {self.name}{given}"


def register_model(
    name: str,
    *,
    family: str,
    year: int,
    paper: str,
    trainable: bool = False,
    weights: str = "none",
    licence: str = "Apache-2.0",
    needs_fixations: bool = False,
) -> Callable[[Model], Model]:
    """Give a model class its name and its card (see `ModelCard` for the fields).

    Raises
    ------
    FovealError
        If another class has the name.
    """

    def register(cls: Model) -> Model:
        _MODELS.add(name, cls, of=cls)
        cls.card = ModelCard(name, family, year, paper, trainable, weights, licence, needs_fixations)
        return cls

    return register


def list_models() -> list[str]:
    """Names of all models that can be loaded by it: baselines first, then by year."""
    return [card.name for card in model_cards()]


def ready_models() -> list[str]:
    """Names of all models that can be used at once: those that `foveal train` has to make first are left out."""
    return [card.name for card in model_cards() if card.made_by is None]


def model_cards() -> list[ModelCard]:
    """The cards of all models, in the order of `list_models`; none of ours is imported for it."""
    cards = {name: card for name, (card, _) in _in_sources().items()}
    cards |= {cls.card.name: cls.card for cls in _MODELS.values()}
    return sorted(cards.values(), key=lambda card: (card.family != "baseline", card.year, card.name))


def class_of(name: str) -> "type[SaliencyModel] | None":
    """The class of a model, whose module is imported now if it was not before; None if no model has this name."""
    ours = _in_sources()
    if name not in _MODELS and name in ours:
        import_module(ours[name][1])
    return _MODELS.get(name) if name in _MODELS else None


@cache
def _in_sources() -> dict[str, tuple[ModelCard, str]]:
    """Card and module of every model of this package, by name, read from the source; others' models are imported.

    To import all of ours takes torch and seconds. What calls `register_model` with more than plain texts and numbers,
    or has no source here, is imported as well.
    """
    found: dict[str, tuple[ModelCard, str]] = {}
    for module, source in sources("foveal.models", "register_model"):
        try:
            found |= {card.name: (card, module) for card in _cards(source)}
        except ValueError:
            import_module(module)
    import_entry_points("foveal.models")
    return found


def _cards(source: str | None) -> list[ModelCard]:
    """What `register_model` would make of its arguments, wherever a source calls it.

    Raises
    ------
    ValueError
        If they are more than plain texts and numbers, or there is no source.
    """
    if source is None:
        raise ValueError
    cards = []
    for call in ast.walk(ast.parse(source)):
        if isinstance(call, ast.Call) and "register_model" in (
            getattr(call.func, "id", ""),
            getattr(call.func, "attr", ""),
        ):
            positional = [ast.literal_eval(value) for value in call.args]
            named = {argument.arg or "": ast.literal_eval(argument.value) for argument in call.keywords}
            arguments = inspect.signature(register_model).bind(*positional, **named)
            arguments.apply_defaults()
            cards.append(ModelCard(**arguments.arguments))
    return cards
