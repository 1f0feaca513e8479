"""The attentive recurrent network, step by step and gate by gate, by the equations of its paper."""

import torch
from torch.nn.functional import conv2d

from foveal.models.parts.attentive_lstm import AttentiveConvLSTM


def test_it_is_what_the_equations_say():
    torch.manual_seed(0)
    channels, steps = 3, 3
    part = AttentiveConvLSTM(channels, steps)
    torch.nn.init.normal_(part.attention.weight)
    features = torch.randn(2, channels, 5, 6)
    state = memory = torch.zeros_like(features)
    weights, biases, recurrent = (
        tensor.chunk(4) for tensor in (part.gates_of_input.weight, part.gates_of_input.bias, part.gates_of_state.weight)
    )
    for _ in range(steps):
        inner = conv2d(features, part.attend_input.weight, part.attend_input.bias, padding=1)
        inner = torch.tanh(inner + conv2d(state, part.attend_state.weight, padding=1))
        attention = conv2d(inner, part.attention.weight, padding=1)[:, 0].exp()
        seen = torch.stack([each / each.sum() for each in attention])[:, None] * features
        write, keep, say, new = (
            conv2d(seen, weights[n], biases[n], padding=1) + conv2d(state, recurrent[n], padding=1) for n in range(4)
        )
        memory = torch.sigmoid(keep) * memory + torch.sigmoid(write) * torch.tanh(new)
        state = torch.sigmoid(say) * torch.tanh(memory)
    torch.testing.assert_close(part(features), state, rtol=1e-5, atol=1e-6)


def test_at_first_it_looks_everywhere_alike():
    torch.manual_seed(0)
    part = AttentiveConvLSTM(2, 1)
    features = torch.randn(1, 2, 4, 4)
    gates = conv2d(features / 16, part.gates_of_input.weight, part.gates_of_input.bias, padding=1)
    write, _, say, new = gates.chunk(4, dim=1)
    torch.testing.assert_close(part(features), say.sigmoid() * (write.sigmoid() * new.tanh()).tanh())
