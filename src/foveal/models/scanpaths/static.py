"""The baseline of all scanpath models: where somebody looked before does not matter."""

import torch
from jaxtyping import Float
from torch import Tensor

from foveal.models.scanpaths.base import Offsets, ScanpathModel


class Static(ScanpathModel):
    """Any saliency model as it is."""

    name = "static"

    def change(
        self,
        saliency: Float[Tensor, "path row column"],
        offsets: Offsets,
    ) -> Float[Tensor, "path row column"]:
        """Nothing."""
        return torch.zeros_like(saliency)
