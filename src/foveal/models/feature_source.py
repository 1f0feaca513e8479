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
