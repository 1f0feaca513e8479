"""From features to a log density: weights, blur, centre bias, softmax."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from foveal.gaze.maps import gaussian_blur
from foveal.models.parts.geometry import Grid, resample


class LinearReadout(nn.Module):
    r"""$o(x) = (\sum_k w_k r_k * G_\sigma)(x) + \alpha \log c(x)$, $\log p = o - \log\sum e^o$ (DeepGaze I, section 1).

    The features $r_k$ of all layers, each of unit standard deviation over the data set, are combined on their own grids
    and then brought to one: both steps are linear, so that their order does not matter, and this one is the faster.

    Parameters
    ----------
    channels
        Number of features of each layer.
    """

    std: Float[Tensor, " feature"]

    def __init__(self, channels: Mapping[str, int]) -> None:
        super().__init__()
        self.channels = dict(channels)
        n_features = sum(self.channels.values())
        self.weight = nn.Parameter(torch.zeros(n_features))
        self.log_sigma = nn.Parameter(torch.tensor(3.0))  # of the blur, in px of the image
        self.prior_weight = nn.Parameter(torch.tensor(1.0))
        self.register_buffer("std", torch.ones(n_features))

    def saliency(
        self, features: Mapping[str, Float[Tensor, "image feature h w"]], grids: Mapping[str, Grid], target: Grid
    ) -> Float[Tensor, "image height width"]:
        """The blurred sum, on the target's grid (of square cells)."""
        scaled = (self.weight / self.std).split(list(self.channels.values()))
        total: Tensor | None = None
        for layer, weight in zip(self.channels, scaled, strict=True):
            combined = torch.einsum("c,nchw->nhw", weight, features[layer])
            on_target = resample(combined, grids[layer], target)
            total = on_target if total is None else total + on_target
        assert total is not None  # there is a layer
        return gaussian_blur(total, self.log_sigma.exp() / target.rows.step)

    def forward(
        self,
        features: Mapping[str, Float[Tensor, "image feature h w"]],
        grids: Mapping[str, Grid],
        target: Grid,
        log_prior: Float[Tensor, "#image height width"],
    ) -> Float[Tensor, "image height width"]:
        """Log densities over the cells of the target grid."""
        output = self.saliency(features, grids, target) + self.prior_weight * log_prior
        return output - output.logsumexp(dim=(1, 2), keepdim=True)
