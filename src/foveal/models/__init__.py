"""Models: image to log density."""

from foveal.models.base import ModelCard, SaliencyMapModel, SaliencyModel
from foveal.models.prediction import Prediction
from foveal.models.registry import (
    DEFAULT_MODEL,
    list_models,
    load_model,
    model_cards,
    provenance_of,
    read_provenance,
    register_model,
    save_model,
    trained_on,
)

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
    "register_model",
    "save_model",
    "trained_on",
]
