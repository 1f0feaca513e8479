"""Recurrent networks that read a map along its rows and columns, and know in what scene they are.

Liu & Han, "A deep spatial contextual long-term recurrent convolutional network for saliency detection", *IEEE TIP*
27(7), 2018 (arXiv:1610.01708); its cell is that of Hochreiter & Schmidhuber 1997.
"""

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn

from foveal.models.parts.first_numbers import begin_by

FIRST_WEIGHTS = 0.2  # of the published code: from minus to plus so much
KEPT = 1.0  # what the published code adds to the forget gate


class RowLSTM(nn.Module):
    r"""One LSTM, with one set of weights, that reads each row of a map from its left and from its right end.

    $i, f, o = \sigma(W x_t + U h_{t-1} + b)$, $g = \tanh(\ldots)$, with 1 added within $f$;
    $c_t = f c_{t-1} + i g$, $h_t = o \tanh(c_t)$, from $h_0 = c_0 = 0$. At the first step of a row only, a vector of
    the scene has a say in all four: $V s$.

    Parameters
    ----------
    channels
        Number of features that come in.
    hidden
        Number of features of each direction.
    context
        Length of the vector of the scene.
    """

    def __init__(self, channels: int, hidden: int, context: int) -> None:
        super().__init__()
        self.of_input = nn.Linear(channels, 4 * hidden)  # input, forget, output, candidate
        self.of_state = nn.Linear(hidden, 4 * hidden, bias=False)
        self.of_scene = nn.Linear(context, 4 * hidden, bias=False)
        begin_by(partial(nn.init.uniform_, a=-FIRST_WEIGHTS, b=FIRST_WEIGHTS), self)

    def forward(
        self, features: Float[Tensor, "image feature h w"], scene: Float[Tensor, "image context"]
    ) -> Float[Tensor, "image both h w"]:
        """States of the way from left to right, then those of the way back, each where it was read."""
        of_input = self.of_input(features.movedim(1, 3))
        steps = torch.stack([of_input, of_input.flip(2)]).unbind(3)  # each: direction, image, row, gate
        state = memory = torch.zeros_like(steps[0][..., : self.of_state.in_features])
        states = []
        for number, gates in enumerate(steps):
            gates = gates + (self.of_state(state) if number else self.of_scene(scene)[:, None])
            write, keep, say, candidate = gates.chunk(4, dim=-1)
            memory = (keep + KEPT).sigmoid() * memory + write.sigmoid() * candidate.tanh()
            state = say.sigmoid() * memory.tanh()
            states.append(state)
        to_right, to_left = torch.stack(states, dim=3)
        return torch.cat([to_right, to_left.flip(2)], dim=3).movedim(3, 1)


class ContextLSTM(nn.Module):
    """Rows, then the columns of what was read there: each place knows of the whole map, and of the scene (DSCLSTM).

    Parameters
    ----------
    channels
        Number of features that come in.
    hidden
        Number of features of each direction; twice as many come out.
    context
        Length of the vector of the scene.
    """

    def __init__(self, channels: int, hidden: int, context: int) -> None:
        super().__init__()
        self.rows = RowLSTM(channels, hidden, context)
        self.columns = RowLSTM(2 * hidden, hidden, context)

    def forward(
        self, features: Float[Tensor, "image feature h w"], scene: Float[Tensor, "image context"]
    ) -> Float[Tensor, "image both h w"]:
        """States of the columns, downwards and upwards."""
        said: Tensor = self.columns(self.rows(features, scene).mT, scene).mT
        return said
