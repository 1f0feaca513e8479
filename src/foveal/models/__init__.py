"""Models: image to log density.

The names below are imported when first used: to list models takes no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from foveal.models.base import SaliencyMapModel, SaliencyModel
    from foveal.models.catalogue import ModelCard, list_models, model_cards, ready_models, register_model
    from foveal.models.prediction import Prediction
    from foveal.models.registry import (
        DEFAULT_MODEL,
        load_model,
        provenance_of,
        read_provenance,
        save_model,
        trained_on,
    )

_HOME = {
    "DEFAULT_MODEL": "foveal.models.registry",
    "ModelCard": "foveal.models.catalogue",
    "Prediction": "foveal.models.prediction",
    "SaliencyMapModel": "foveal.models.base",
    "SaliencyModel": "foveal.models.base",
    "list_models": "foveal.models.catalogue",
    "load_model": "foveal.models.registry",
    "model_cards": "foveal.models.catalogue",
    "provenance_of": "foveal.models.registry",
    "ready_models": "foveal.models.catalogue",
    "read_provenance": "foveal.models.registry",
    "register_model": "foveal.models.catalogue",
    "save_model": "foveal.models.registry",
    "trained_on": "foveal.models.registry",
}

__all__ = [
    "DEFAULT_MODEL",
    "ModelCard",
    "Prediction",
    "SaliencyMapModel",
    "SaliencyModel",
    "list_models",
    "load_model",
    "model_cards",
    "provenance_of",
    "read_provenance",
    "ready_models",
    "register_model",
    "save_model",
    "trained_on",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'foveal.models' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
