"""By which steps weights are learned."""

import pytest
import torch

from foveal.training.optimizers import OPTIMIZERS, SCHEDULES


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_finds_the_smallest_value(name, schedule):
    weight = torch.nn.Parameter(torch.tensor([3.0, -2.0]))
    optimizer = OPTIMIZERS[name]([weight], lr={"adagrad": 0.5}.get(name, 0.05), weight_decay=0.0)
    course = SCHEDULES[schedule](optimizer, 200)
    for _ in range(200):
        optimizer.zero_grad()
        (weight - torch.tensor([1.0, 0.5])).square().sum().backward()
        optimizer.step()
        course.step()
    torch.testing.assert_close(weight.detach(), torch.tensor([1.0, 0.5]), atol=0.05, rtol=0)


def test_nesterov_looks_ahead():
    """The first step is longer by the momentum: g + 0.9 g."""
    weight = torch.nn.Parameter(torch.tensor(1.0))
    weight.grad = torch.tensor(1.0)
    OPTIMIZERS["nesterov"]([weight], lr=0.1).step()
    assert float(weight.detach()) == pytest.approx(1 - 0.1 * 1.9)
