"""What a model is that reads features of a network which stay as they are, so that they can be computed once."""

from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from foveal.models.parts.geometry import Grid


@runtime_checkable
class FeatureSource(Protocol):
    """A model that looks at features of a network which stay as they are."""

    @property
    def device(self) -> torch.device:
        """Where it computes."""

    @property
    def features_depend_on(self) -> dict[str, Any]:
        """What is chosen about the features, "backbone" among it; what JSON can hold."""

    def features(self, images: Float[Tensor, "image 3 height width"]) -> dict[str, Float[Tensor, "image _ _ _"]]:
        """Features of some layers."""

    def grids(self, size: tuple[int, int]) -> dict[str, Grid]:
        """Where these features lie in images of this (height, width)."""


@runtime_checkable
class WeighedFeatures(FeatureSource, Protocol):
    """A model that looks at features of a network, and says how much each of them counts."""

    def feature_weights(self) -> dict[str, Float[Tensor, " feature"]]:
        """By layer, what a rise of each feature by a standard deviation adds to the saliency where it is."""

    def feature_deviations(self) -> dict[str, Float[Tensor, " feature"]]:
        """By layer, the standard deviation of each feature over the images that the model was trained on."""

    def field_of_view(self, layer: str, size: tuple[int, int]) -> int:
        """Side, in px, of the part of an image of this (height, width) that one value of a layer can see."""
