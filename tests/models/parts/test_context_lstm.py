"""The LSTM along rows and columns: cell by cell, and against PyTorch's where there is no scene."""

import pytest
import torch
from torch import nn

from foveal.models.parts.context_lstm import ContextLSTM, RowLSTM

HIDDEN, CONTEXT = 4, 3


def slow_row(part, row, scene):
    """States of one row (features, places) that is read from its left end."""
    state = memory = torch.zeros(HIDDEN)
    states = []
    for place in range(row.shape[1]):
        gates = part.of_input.weight @ row[:, place] + part.of_input.bias + part.of_state.weight @ state
        if place == 0:
            gates = gates + part.of_scene.weight @ scene
        write, forget, say, candidate = gates.view(4, HIDDEN)
        forget = 1 / (1 + torch.exp(-(forget + 1)))
        memory = forget * memory + torch.tanh(candidate) / (1 + torch.exp(-write))
        state = torch.tanh(memory) / (1 + torch.exp(-say))
        states.append(state)
    return torch.stack(states, dim=1)


def slow_rows(part, maps, scenes):
    """States of all rows from both ends."""
    found = torch.zeros(len(maps), 2 * HIDDEN, *maps.shape[2:])
    for image, scene in enumerate(scenes):
        for row in range(maps.shape[2]):
            values = maps[image, :, row]
            found[image, :HIDDEN, row] = slow_row(part, values, scene)
            found[image, HIDDEN:, row] = slow_row(part, values.flip(1), scene).flip(1)
    return found


def example(size=(3, 5)):
    torch.manual_seed(0)
    return torch.randn(2, 6, *size), torch.randn(2, CONTEXT)


@pytest.mark.parametrize("size", [(3, 5), (1, 1), (4, 1)])
def test_rows_cell_by_cell(size):
    features, scene = example(size)
    part = RowLSTM(6, HIDDEN, CONTEXT)
    nn.init.normal_(part.of_input.bias)
    torch.testing.assert_close(part(features, scene), slow_rows(part, features, scene), rtol=1e-5, atol=1e-6)


def test_columns_after_rows():
    features, scene = example()
    part = ContextLSTM(6, HIDDEN, CONTEXT)
    rows = slow_rows(part.rows, features, scene)
    columns = slow_rows(part.columns, rows.transpose(2, 3), scene).transpose(2, 3)
    torch.testing.assert_close(part(features, scene), columns, rtol=1e-5, atol=1e-6)


def test_without_a_scene_it_is_pytorchs():
    """Of two directions that share their weights; PyTorch has gates in another order, and a second bias."""
    features, scene = example()
    part = RowLSTM(6, HIDDEN, CONTEXT)
    nn.init.normal_(part.of_input.bias)
    lstm = nn.LSTM(6, HIDDEN, batch_first=True, bidirectional=True)

    def in_its_order(weight):
        write, forget, say, candidate = weight.detach().chunk(4)
        return torch.cat([write, forget, candidate, say])

    for end in ("", "_reverse"):
        state = {"weight_ih": part.of_input.weight, "bias_ih": part.of_input.bias, "weight_hh": part.of_state.weight}
        for name, weight in state.items():
            getattr(lstm, f"{name}_l0{end}").data = in_its_order(weight)
        getattr(lstm, f"bias_hh_l0{end}").data = torch.tensor([0.0, 1.0, 0.0, 0.0]).repeat_interleave(HIDDEN)
    rows = features.movedim(1, 3).flatten(0, 1)
    expected = lstm(rows)[0].unflatten(0, (2, 3)).movedim(3, 1)
    torch.testing.assert_close(part(features, torch.zeros_like(scene)), expected, rtol=1e-5, atol=1e-6)


def test_each_place_knows_of_all_others():
    features, scene = example()
    features.requires_grad_(True)
    said = ContextLSTM(6, HIDDEN, CONTEXT)(features, scene)
    for row in range(3):
        for column in range(5):
            (found,) = torch.autograd.grad(said[0, :, row, column].sum(), features, retain_graph=True)
            assert found[0].abs().sum(dim=0).min() > 0
            assert not found[1].any()


def test_its_first_weights():
    part = RowLSTM(50, 20, 10)
    for layer in (part.of_input, part.of_state, part.of_scene):
        assert 0.19 < layer.weight.abs().max() <= 0.2
    assert not part.of_input.bias.any()
