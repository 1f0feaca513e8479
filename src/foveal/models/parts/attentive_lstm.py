"""A recurrent network that looks at the same features again and again, each time at other places.

Cornia, Baraldi, Serra & Cucchiara 2018, "Predicting human eye fixations via an LSTM-based saliency attentive model",
*IEEE TIP* 27(10), section III-A; its cell is that of Shi et al. 2015, "Convolutional LSTM network" (NIPS).
"""

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn

from foveal.models.parts.first_numbers import begin_by


class AttentiveConvLSTM(nn.Module):
    r"""Equations 1 to 9, from $H_0 = C_0 = 0$; what comes out is the last $H$.

    $A_t = \mathrm{softmax}(V_a * \tanh(W_a * H_{t-1} + U_a * X + b_a))$ over all places, $\tilde X_t = A_t \odot X$,
    $I, F, O = \sigma(W * \tilde X_t + U * H_{t-1} + b)$, $G = \tanh(\ldots)$, $C_t = F \odot C_{t-1} + I \odot G$,
    $H_t = O \odot \tanh(C_t)$.

    Parameters
    ----------
    channels
        Number of features, of the input as of the state.
    steps
        How often it looks.
    """

    def __init__(self, channels: int, steps: int) -> None:
        super().__init__()
        self.steps = steps
        self.attend_input = nn.Conv2d(channels, channels, 3, padding=1)
        self.attend_state = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.attention = nn.Conv2d(channels, 1, 3, padding=1, bias=False)
        self.gates_of_input = nn.Conv2d(channels, 4 * channels, 3, padding=1)  # input, forget, output, candidate
        self.gates_of_state = nn.Conv2d(channels, 4 * channels, 3, padding=1, bias=False)
        begin_by(partial(nn.init.normal_, std=0.05), self)  # the published code's
        for orthogonal in (self.attend_input.weight, *self.gates_of_state.weight.chunk(4)):
            nn.init.orthogonal_(orthogonal.data)
        nn.init.zeros_(self.attention.weight)  # at first it looks everywhere alike

    def forward(self, features: Float[Tensor, "image feature h w"]) -> Float[Tensor, "image feature h w"]:
        """The state after the last step."""
        state = memory = torch.zeros_like(features)
        attended = self.attend_input(features)
        for _ in range(self.steps):
            logits = self.attention(torch.tanh(attended + self.attend_state(state)))
            weights = logits.flatten(2).softmax(dim=2).view_as(logits)
            gates = self.gates_of_input(weights * features) + self.gates_of_state(state)
            *sigmoids, candidate = gates.chunk(4, dim=1)
            write, keep, say = (gate.sigmoid() for gate in sigmoids)
            memory = keep * memory + write * candidate.tanh()
            state = say * memory.tanh()
        return state
