"""What models have in common that weigh local features by what was learned from fixations."""

from abc import abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor, nn

from foveal.models.base import SaliencyMapModel
from foveal.models.config import ModelConfig
from foveal.models.parts.finalizer import resize_maps

CONSTANT = 1e-4  # deviation of a feature that does not vary over the images it was learned from


class PixelReadoutModel(SaliencyMapModel):
    """A saliency map that is a function of the features of each place alone, the same for all places.

    Fresh, the function is of random weights; `foveal train` learns it.
    """

    map_is_fitted = True
    mean: Float[Tensor, " feature"]
    std: Float[Tensor, " feature"]

    def __init__(self, config: ModelConfig | None, n_features: int, readout: nn.Module) -> None:
        super().__init__(config)
        self.readout = readout  # of maps of features, by 1x1 convolutions
        self.register_buffer("mean", torch.zeros(n_features))
        self.register_buffer("std", torch.ones(n_features))

    @abstractmethod
    def features(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image feature h w"]:
        """What is known of each place, on a grid of cells of equal size over the image."""

    def standardise(self, mean: Float[Tensor, " feature"], std: Float[Tensor, " feature"]) -> None:
        """Take the features' mean and deviation over images; one that does not vary stays without effect."""
        self.mean, self.std = mean, torch.where(std > CONSTANT, std, 1.0)

    def read_out(self, features: Float[Tensor, "image feature h w"]) -> Float[Tensor, "image h w"]:
        """Saliency on the features' grid."""
        standardised = (features - self.mean[:, None, None]) / self.std[:, None, None]
        saliency: Tensor = self.readout(standardised)
        return saliency[:, 0]

    def saliency_map(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image height width"]:
        """The readout, at the images' size."""
        return resize_maps(self.read_out(self.features(images)), (images.shape[2], images.shape[3]))
