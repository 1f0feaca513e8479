"""From features to a log density: weights, blur, centre bias, softmax."""

from collections.abc import Mapping, Sequence

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
    stacked
        Hold so many readouts, which look at the same features together; all tensors have a dimension more.
    """

    std: Float[Tensor, " feature"]

    def __init__(self, channels: Mapping[str, int], stacked: int | None = None) -> None:
        super().__init__()
        self.channels = dict(channels)
        n_features = sum(self.channels.values())
        stack = () if stacked is None else (stacked,)
        self.weight = nn.Parameter(torch.zeros(*stack, n_features))
        self.log_sigma = nn.Parameter(torch.full(stack, 3.0))  # of the blur, in px of the image
        self.prior_weight = nn.Parameter(torch.ones(stack))
        self.register_buffer("std", torch.ones(n_features))

    @classmethod
    def stack(cls, readouts: Sequence["LinearReadout"]) -> "LinearReadout":
        """Several readouts of the same features as one stack."""
        stack = cls(readouts[0].channels, len(readouts))
        states = [readout.state_dict() for readout in readouts]
        joined = {name: torch.stack([state[name] for state in states]) for name in states[0]}
        stack.load_state_dict(joined | {"std": readouts[0].std})
        return stack

    def unstacked(self) -> list["LinearReadout"]:
        """The readouts of a stack, one by one."""
        each = [LinearReadout(self.channels) for _ in self.weight]
        for number, readout in enumerate(each):
            state = {name: tensor if name == "std" else tensor[number] for name, tensor in self.state_dict().items()}
            readout.load_state_dict(state)
        return each

    def saliency(
        self, features: Mapping[str, Float[Tensor, "image feature h w"]], grids: Mapping[str, Grid], target: Grid
    ) -> Float[Tensor, "*stack image height width"]:
        """The blurred sum, on the target's grid (of square cells)."""
        scaled = (self.weight / self.std).split(list(self.channels.values()), dim=-1)
        total: Tensor | None = None
        for layer, weight in zip(self.channels, scaled, strict=True):
            maps = features[layer]
            combined = (weight.reshape(-1, maps.shape[1]) @ maps.flatten(2)).movedim(1, 0)
            combined = combined.reshape(*weight.shape[:-1], len(maps), *maps.shape[2:])
            on_target = resample(combined, grids[layer], target)
            total = on_target if total is None else total + on_target
        assert total is not None  # there is a layer
        return gaussian_blur(total, self.log_sigma.exp()[..., None] / target.rows.step)

    def forward(
        self,
        features: Mapping[str, Float[Tensor, "image feature h w"]],
        grids: Mapping[str, Grid],
        target: Grid,
        log_prior: Float[Tensor, "*#stack #image height width"],
    ) -> Float[Tensor, "*stack image height width"]:
        """Log densities over the cells of the target grid."""
        weighted_prior = self.prior_weight[..., None, None, None] * log_prior
        output = self.saliency(features, grids, target) + weighted_prior
        return output - output.logsumexp(dim=(-2, -1), keepdim=True)
