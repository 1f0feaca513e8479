"""The sum of functions optimizer against solutions that are known."""

import pytest
import torch
from torch.nn import functional as F

from foveal.training.fits import sfo
from foveal.training.fits.sfo import SFO


def quadratics(n_parameters: int, n: int) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    generator = torch.Generator().manual_seed(0)
    roots = [torch.randn(n_parameters, n_parameters, generator=generator, dtype=torch.float64) for _ in range(n)]
    curvatures = [root @ root.T / n_parameters + 0.1 * torch.eye(n_parameters) for root in roots]
    return curvatures, [torch.randn(n_parameters, generator=generator, dtype=torch.float64) for _ in range(n)]


def minimise(n_parameters: int, n: int, visits: int) -> float:
    """How far above the minimum, as a share of the way from the start."""
    curvatures, slopes = quadratics(n_parameters, n)
    x = torch.zeros(n_parameters, dtype=torch.float64, requires_grad=True)
    optimizer = SFO([x], n)

    def value_of(number: int) -> torch.Tensor:
        return x @ curvatures[number] @ x / 2 - slopes[number] @ x

    def closure(number: int) -> float:
        optimizer.zero_grad()
        value = value_of(number)
        value.backward()
        return float(value.detach())

    for _ in range(visits):
        optimizer.step(closure)
    total, slope = torch.stack(curvatures).sum(dim=0), torch.stack(slopes).sum(dim=0)
    lowest = -float(slope @ torch.linalg.solve(total, slope)) / 2
    reached = sum(float(value_of(number).detach()) for number in range(n))
    return (reached - lowest) / -lowest


def test_the_minimum_of_quadratics_is_reached():
    assert minimise(20, 6, visits=20 * 6) < 1e-6


def test_a_common_space_smaller_than_the_problem_still_gets_there(monkeypatch):
    monkeypatch.setattr(sfo, "SMALLEST_SUBSPACE", 0)
    assert minimise(60, 6, visits=60 * 6) < 1e-2


def test_logistic_regression_as_well_as_lbfgs():
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(2000, 50, generator=generator) * torch.logspace(-1, 1, 50)
    y = (torch.rand(2000, generator=generator) < torch.sigmoid(x @ torch.randn(50, generator=generator))).float()
    n = 10

    def cost(weight: torch.Tensor, part: slice, share: float) -> torch.Tensor:
        loss = F.binary_cross_entropy_with_logits(x[part] @ weight, y[part], reduction="sum") / len(y)
        return loss + 1e-3 * share * weight.square().sum()

    weight = torch.zeros(50, requires_grad=True)
    optimizer = SFO([weight], n)

    def closure(number: int) -> float:
        optimizer.zero_grad()
        value = cost(weight, slice(number, None, n), 1 / n)
        value.backward()
        return float(value.detach())

    for _ in range(60 * n):
        optimizer.step(closure)

    other = torch.zeros(50, requires_grad=True)
    lbfgs = torch.optim.LBFGS([other], max_iter=300, line_search_fn="strong_wolfe")

    def full() -> torch.Tensor:
        lbfgs.zero_grad()
        value = cost(other, slice(None), 1.0)
        value.backward()
        return value

    lbfgs.step(full)
    best = float(cost(other, slice(None), 1.0).detach())
    assert float(cost(weight, slice(None), 1.0).detach()) == pytest.approx(best, rel=5e-3)


def test_a_value_that_is_not_finite_is_walked_back_from():
    """log has no value below zero: the first step lands there, and the search comes back."""
    x = torch.tensor([0.05], requires_grad=True)
    optimizer = SFO([x], 1)

    def closure(_: int) -> float:
        optimizer.zero_grad()
        value = x.square().sum() * 5 - x.log().sum()
        value.backward()
        return float(value.detach())

    for _ in range(60):
        optimizer.step(closure)
    assert float(x.detach()) == pytest.approx(10**-0.5, rel=1e-3)


def test_a_model_whose_curvature_is_lost_has_none():
    """Visits that show no curvature any more, in a space that has grown: nothing of the old size is left."""
    model = sfo._Model()
    for at, slope in ((0.0, 0.0), (1.0, 2.0)):
        model.positions.append(torch.tensor([at, 0.0], dtype=torch.float64))
        model.gradients.append(torch.tensor([slope, 0.0], dtype=torch.float64))
    model.update_hessian()
    assert model.hessian is not None
    model.map(lambda vector: torch.cat([0 * vector, vector.new_zeros(1)]))
    model.update_hessian()
    assert model.hessian is None


def test_more_are_taken_in_when_gradients_disagree():
    optimizer = SFO([torch.zeros(3, requires_grad=True)], 5)
    optimizer._basis = torch.eye(3, dtype=torch.float64)
    for gradient in ([1.0, 0, 0], [1.001, 0, 0]):
        model = optimizer._models[0 if not optimizer._models[0].gradients else 1]
        model.positions = [torch.zeros(3, dtype=torch.float64)]
        model.gradients = [torch.tensor(gradient, dtype=torch.float64)]
    optimizer._grow()
    assert optimizer._n_active == 2
    optimizer._models[1].gradients = [torch.tensor([-0.9, 0, 0], dtype=torch.float64)]
    optimizer._grow()
    assert optimizer._n_active == 3


def test_a_bad_visit_where_no_step_was_made_does_not_stop_it():
    x = torch.tensor([1.0], requires_grad=True)
    optimizer = SFO([x], 1)
    seen = []

    def closure(_: int) -> float:
        optimizer.zero_grad()
        value = (x - 3).square().sum()
        value.backward()
        seen.append(float(x.detach()))
        return float("nan") if len(seen) == 1 else float(value.detach())

    for _ in range(60):
        optimizer.step(closure)
    assert float(x.detach()) == pytest.approx(3, abs=1e-2)
