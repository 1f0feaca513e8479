"""Fit the readout of DeepGaze I, or several on the same features, by maximum likelihood."""

import math
from collections.abc import Callable
from functools import partial
from typing import Literal

import torch

from foveal.models.parts.readout import LinearReadout
from foveal.training.fits.readout_problem import SPARSITY, ReadoutProblem, objective, sparsity
from foveal.training.fits.sfo import SFO

STEPS = 150  # of L-BFGS; the others pass over the data as often
HISTORY = 20  # steps that L-BFGS remembers
TOLERANCE = 1e-7
START = 0.01  # deviation of the first weights
START_SIGMA = 35.0  # px: one degree of visual angle in MIT1003
MINIBATCHES = 16  # of SFO and Adam, about
LEARNING_RATE = 0.03  # of Adam, at the start; falls along a cosine

OptimizerName = Literal["lbfgs", "sfo", "adam"]
Report = Callable[[int, float], None]


def fit_readout(
    readout: LinearReadout,
    problem: ReadoutProblem,
    *,
    penalty: float = SPARSITY,
    optimizer: OptimizerName = "lbfgs",
    steps: int = STEPS,
    tolerance: float = TOLERANCE,
    seed: int = 0,
    report: Report | None = None,
) -> None:
    """Fit weights, blur and the weight of the center bias.

    Parameters
    ----------
    readout
        Changed in place.
    problem
        What to fit to; with several problems the readout is a stack of as many.
    penalty
        λ.
    optimizer
        "lbfgs" goes over all images at each step; "sfo", the paper's, and "adam" over some images at a time.
    steps
        Of L-BFGS, at most, with up to two passes over all images each; of the others, passes.
    tolerance
        Of L-BFGS: a step that gains less, in nats (of several problems on average), or moves no parameter by more, is
        the last.
    seed
        Of the first weights, and of the order of Adam's batches.
    report
        Called with the number of passes over all images and the cost there (of SFO and Adam, the sum of what each batch
        cost when it was last seen).
    """
    with torch.no_grad():
        generator = torch.Generator().manual_seed(seed)
        readout.weight.copy_(START * torch.randn(readout.weight.shape[-1], generator=generator))
        readout.log_sigma.fill_(math.log(START_SIGMA))
        readout.prior_weight.fill_(1.0)
    told = report or _to_nobody
    if optimizer == "lbfgs":
        _by_lbfgs(readout, problem, penalty, steps, tolerance, told)
    elif optimizer == "sfo":
        _by_sfo(readout, problem, penalty, steps, told)
    elif optimizer == "adam":
        _by_adam(readout, problem, penalty, steps, told, torch.Generator().manual_seed(seed))


def _to_nobody(passes: int, cost: float) -> None:
    """Report to nobody."""


def _by_lbfgs(
    readout: LinearReadout, problem: ReadoutProblem, penalty: float, steps: int, tolerance: float, report: Report
) -> None:
    optimizer = torch.optim.LBFGS(
        readout.parameters(),
        max_iter=steps,
        max_eval=2 * steps,
        history_size=HISTORY,
        tolerance_change=tolerance,
        tolerance_grad=0.0,
        line_search_fn="strong_wolfe",
    )
    passes = 0

    def closure() -> float:
        nonlocal passes
        optimizer.zero_grad()
        cost, passes = objective(readout, problem, penalty), passes + 1
        report(passes, cost)
        return cost

    optimizer.step(closure)


def _batch_costs(readout: LinearReadout, problem: ReadoutProblem, penalty: float) -> list[Callable[[], float]]:
    """Functions that sum to the objective, one for some of the images each; each leaves its gradient."""
    n_fixations = problem.n_fixations
    chunks = list(problem.chunks(math.ceil(sum(len(group.images) for group in problem.groups) / MINIBATCHES)))

    def cost_of(number: int) -> float:
        readout.zero_grad()
        cost = chunks[number].cost(readout, n_fixations) + penalty / len(chunks) * sparsity(readout.weight).mean()
        cost.backward()
        return float(cost.detach())

    return [partial(cost_of, number) for number in range(len(chunks))]


def _by_sfo(readout: LinearReadout, problem: ReadoutProblem, penalty: float, passes: int, report: Report) -> None:
    costs = _batch_costs(readout, problem, penalty)
    optimizer = SFO(readout.parameters(), len(costs))
    last_seen = {}

    def closure(number: int) -> float:
        last_seen[number] = costs[number]()
        return last_seen[number]

    for visit in range(1, passes * len(costs) + 1):
        optimizer.step(closure)
        if visit % len(costs) == 0:
            report(visit // len(costs), sum(last_seen.values()))


def _by_adam(
    readout: LinearReadout, problem: ReadoutProblem, penalty: float, passes: int, report: Report, order: torch.Generator
) -> None:
    costs = _batch_costs(readout, problem, penalty)
    optimizer = torch.optim.Adam(readout.parameters(), lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, passes * len(costs))
    for number in range(1, passes + 1):
        total = 0.0
        for batch in torch.randperm(len(costs), generator=order).tolist():
            total += costs[batch]()
            optimizer.step()
            schedule.step()
        report(number, total)
