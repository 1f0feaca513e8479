"""From features to a log density: weights, blur, center bias, softmax."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

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
        return [self._single(partial(torch.select, dim=0, index=number)) for number in range(len(self.weight))]

    def mean(self) -> "LinearReadout":
        """The readout whose parameters are the means over a stack."""
        return self._single(partial(torch.mean, dim=0))

    def _single(self, reduce: Callable[[Tensor], Tensor]) -> "LinearReadout":
        readout = LinearReadout(self.channels)
        state = {name: tensor if name == "std" else reduce(tensor) for name, tensor in self.state_dict().items()}
        readout.load_state_dict(state)
        return readout

    def saliency(
        self, features: Mapping[str, Float[Tensor, "image feature h w"]], grids: Mapping[str, Grid], target: Grid
    ) -> Float[Tensor, "*stack image height width"]:
        """The blurred sum, on the target's grid (of square cells)."""
        scaled = (self.weight / self.std).split(list(self.channels.values()), dim=-1)
        combined: dict[Grid, Tensor] = {}
        for layer, weight in zip(self.channels, scaled, strict=True):
            maps = features[layer]
            # Image by image, because a product over all would first copy the features.
            stack = weight.reshape(-1, maps.shape[1]).expand(len(maps), -1, -1)
            weighted = torch.bmm(stack, maps.flatten(2)).movedim(1, 0)
            weighted = weighted.reshape(*weight.shape[:-1], len(maps), *maps.shape[2:])
            grid = grids[layer]
            combined[grid] = combined[grid] + weighted if grid in combined else weighted
        on_target = [resample(maps, grid, target) for grid, maps in combined.items()]
        total = on_target[0] if len(on_target) == 1 else torch.stack(on_target).sum(dim=0)
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
