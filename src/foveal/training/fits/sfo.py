"""The sum of functions optimizer.

Sohl-Dickstein, Poole & Ganguli, "Fast large-scale optimization by unifying stochastic gradient and quasi-Newton
methods", ICML 2014 (arXiv:1311.2115): every subfunction (mini-batch) has a quadratic model of its own, made from the
gradients seen at its past visits. Each step goes to the minimum of the sum of all models, and brings one of them up to
date there.

Differs from the paper and its code in: a step that made matters worse is taken back by half, towards the place it came
from, and the next ones are not longer until they did well; when more subfunctions are taken in is decided by the plain
length of gradients, and at the latest after two visits to each.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float
from scipy.linalg import LinAlgError, eigh
from torch import Tensor
from torch.nn.utils import parameters_to_vector, vector_to_parameters

FIRST_ACTIVE = 2  # subfunctions at the start; more are taken in as their mean gradient drowns in its spread
HISTORY = 10  # visits that a model remembers
SUBSPACE = 3  # dimensions of the common space for each subfunction, before it is cleared …
SMALLEST_SUBSPACE = 300  # … but never less: a problem this small is never cleared
NEW_DIRECTION = 1e-6  # share of a vector outside the common space that is worth a dimension
SMALLEST_CURVATURE = 1e-8  # of a step along its direction, relative to its gradient's length
GROWTH = 2  # of the longest step that is allowed, after a good one
SHORTEST_REACH = 1e-6  # what is always allowed
FIRST_STEP = 0.1  # length of the very first step, when no curvature is known


@dataclass
class _Model:
    """A subfunction's quadratic model: where it was visited, and what was found; in the common space."""

    positions: list[Float[Tensor, " k"]] = field(default_factory=list)
    gradients: list[Float[Tensor, " k"]] = field(default_factory=list)
    value: float = 0.0
    hessian: Float[Tensor, "k k"] | None = None  # None until two visits showed a curvature

    def gradient_at(self, position: Float[Tensor, " k"], hessian: Float[Tensor, "k k"]) -> Float[Tensor, " k"]:
        return self.gradients[-1] + hessian @ (position - self.positions[-1])

    def value_at(self, position: Float[Tensor, " k"], hessian: Float[Tensor, "k k"]) -> float:
        step = position - self.positions[-1]
        return self.value + float(step @ (self.gradients[-1] + hessian @ step / 2))

    def map(self, change: Callable[[Tensor], Tensor]) -> None:
        """A copy in another common space."""
        self.positions = [change(vector) for vector in self.positions]
        self.gradients = [change(vector) for vector in self.gradients]

    def update_hessian(self) -> None:
        """BFGS over the remembered visits, the oldest first (section 3.3)."""
        steps = [b - a for a, b in zip(self.positions, self.positions[1:], strict=False)]
        changes = [b - a for a, b in zip(self.gradients, self.gradients[1:], strict=False)]
        pairs = [
            (step, change)
            for step, change in zip(steps, changes, strict=True)
            if float(step @ change) > SMALLEST_CURVATURE * float(step.norm() * change.norm())
        ]
        if not pairs:
            self.hessian = None
            return
        hessian = _smallest_curvature(*map(torch.stack, zip(*pairs, strict=True))) * torch.eye(
            len(pairs[0][0]), dtype=torch.float64
        )
        for step, change in pairs:
            turned = hessian @ step
            hessian = hessian + change.outer(change) / (change @ step) - turned.outer(turned) / (step @ turned)
        self.hessian = hessian


def _smallest_curvature(steps: Float[Tensor, "pair k"], changes: Float[Tensor, "pair k"]) -> float:
    """The smallest curvature that the visits show: what BFGS starts from in directions that it knows nothing about."""
    overlap = (steps @ steps.T).numpy()
    try:
        squared = eigh((changes @ changes.T).numpy(), overlap + 1e-10 * overlap.trace() * torch.eye(len(steps)).numpy())
        smallest = min((value for value in squared[0] if value > 0), default=0.0)
    except LinAlgError:
        smallest = 0.0
    # Never less than a hundredth of what the last step showed: nearly parallel steps say little but noise.
    last = float(steps[-1] @ changes[-1] / steps[-1].square().sum())
    return max(smallest**0.5, last / 100)


class SFO(torch.optim.Optimizer):
    """Minimise a sum of subfunctions, with no step size to choose.

    `step` takes a closure that is called with the number of a subfunction, sets its gradient and returns its value.
    The very first value must be finite, as must its gradient; later ones that are not are stepped back from.

    Parameters
    ----------
    params
        What is optimised, all in one group.
    n_subfunctions
        How many subfunctions the sum has.
    """

    def __init__(self, params: Iterable[Tensor], n_subfunctions: int) -> None:
        super().__init__(params, {})
        self._params: list[Tensor] = self.param_groups[0]["params"]
        self._origin = self._vector()
        self._basis = torch.zeros(len(self._origin), 0, dtype=torch.float64)  # orthonormal columns: the common space
        self._models = [_Model() for _ in range(n_subfunctions)]
        self._n_active = min(FIRST_ACTIVE, n_subfunctions)
        self._position = torch.zeros(0, dtype=torch.float64)  # of the parameters, from the origin, in the common space
        self._before = self._position
        self._reach = math.inf  # a step is never longer
        self._visits = 0  # since the last subfunction was taken in

    def step(self, closure: Callable[[int], float]) -> float:  # type: ignore[override]
        """Visit one subfunction, and go to the minimum of the sum of all models."""
        number = self._next()
        model = self._models[number]
        value = float(closure(number))
        gradient = torch.cat([_gradient(parameter) for parameter in self._params])
        finite = math.isfinite(value) and bool(gradient.isfinite().all())
        bad = not finite or self._made_worse(model, value)
        if finite:
            self._take_in(gradient)
            model.value = value
            model.positions = [*model.positions[-HISTORY:], self._position]
            model.gradients = [*model.gradients[-HISTORY:], self._basis.T @ gradient]
            model.update_hessian()
        if bad:
            back = (self._before - self._position) / 2
            self._position = self._position + back
            self._reach = max(float(back.norm()), SHORTEST_REACH)
        else:
            self._reach *= GROWTH
            self._before, self._position = self._position, self._minimum()
        self._grow()
        if self._basis.shape[1] > max(SMALLEST_SUBSPACE, SUBSPACE * len(self._models)):
            self._collapse()
        vector = self._origin + self._basis @ self._position
        vector_to_parameters(vector.to(self._params[0]), self._params)
        return value

    def _vector(self) -> Float[Tensor, " parameter"]:
        return parameters_to_vector(self._params).detach().double().cpu().clone()

    def _next(self) -> int:
        """The active subfunction whose model was made farthest from here, by the sum's curvature; a new one first."""
        active = self._models[: self._n_active]
        for number, model in enumerate(active):
            if not model.positions:
                return number
        hessian = self._hessians()[1]
        steps = torch.stack([self._position - model.positions[-1] for model in active])
        return int(((steps @ hessian) * steps).sum(dim=1).argmax())

    def _visited(self) -> list[_Model]:
        return [model for model in self._models if model.positions]

    def _hessians(self) -> tuple[list[Float[Tensor, "k k"]], Float[Tensor, "k k"]]:
        """Curvature of each visited subfunction, and their sum; one without it yet has the others' mean."""
        models = self._visited()
        known = [model.hessian for model in models if model.hessian is not None]
        if known:
            default = torch.stack(known).mean(dim=0)
        else:
            steepest = float(torch.stack([model.gradients[-1].norm() for model in models]).mean()) or 1.0
            default = torch.eye(self._basis.shape[1], dtype=torch.float64) * steepest / FIRST_STEP
        hessians = [default if model.hessian is None else model.hessian for model in models]
        return hessians, torch.stack(hessians).sum(dim=0)

    def _minimum(self) -> Float[Tensor, " k"]:
        """Lowest point of the sum of the models (section 2), or on the way there as far as steps may go."""
        hessians, total = self._hessians()
        gradients = [
            model.gradient_at(self._position, hessian) for model, hessian in zip(self._visited(), hessians, strict=True)
        ]
        step = -torch.linalg.lstsq(total, torch.stack(gradients).sum(dim=0)[:, None]).solution[:, 0]
        return self._position + step * min(1.0, self._reach / max(float(step.norm()), 1e-300))

    def _made_worse(self, model: _Model, value: float) -> bool:
        """Did this subfunction come out so much above its model that the last step was for nothing?"""
        if not model.positions:
            return False
        models = self._visited()
        hessians, _ = self._hessians()
        hoped = sum(
            one.value_at(self._before, hessian) - one.value_at(self._position, hessian)
            for one, hessian in zip(models, hessians, strict=True)
        )
        own = hessians[[one is model for one in models].index(True)]
        surprise = value - model.value_at(self._position, own)
        return surprise * len(models) > max(hoped, 1e-12)

    def _grow(self) -> None:
        """Take in another subfunction when the active ones disagree about where to go (section 3.4)."""
        self._visits += 1
        models = self._visited()
        if self._n_active == len(self._models) or len(models) < self._n_active:
            return
        gradients = torch.stack([model.gradients[-1] for model in models])
        mean, n = gradients.mean(dim=0), len(models)
        error = ((gradients - mean).square().sum() / (n * (n - 1))).sqrt()
        if float(mean.norm()) < float(error) or self._visits > 2 * self._n_active:
            self._n_active += 1
            self._visits = 0

    def _take_in(self, vector: Float[Tensor, " parameter"]) -> None:
        """Enlarge the common space by a vector, unless it lies in it."""
        rest = vector
        for _ in range(2):  # once more, because the first time leaves rounding errors
            rest = rest - self._basis @ (self._basis.T @ rest)
        if float(rest.norm()) <= NEW_DIRECTION * float(vector.norm()):
            return
        self._basis = torch.cat([self._basis, (rest / rest.norm())[:, None]], dim=1)
        self._change(lambda coordinates: torch.cat([coordinates, coordinates.new_zeros(1)]))
        for model in self._visited():
            if model.hessian is not None:
                model.update_hessian()

    def _collapse(self) -> None:
        """Keep of the common space only what the last visits and the place span (section 3.1)."""
        models = self._visited()
        last = [vector for model in models for vector in (model.positions[-1], model.gradients[-1])]
        kept, _ = torch.linalg.qr(torch.stack([self._position, self._before, *last], dim=1))
        self._basis = self._basis @ kept
        self._change(lambda coordinates: kept.T @ coordinates)
        for model in models:
            model.update_hessian()

    def _change(self, change: Callable[[Tensor], Tensor]) -> None:
        """Bring all that lies in the common space into the new one."""
        self._position, self._before = change(self._position), change(self._before)
        for model in self._models:
            model.map(change)


def _gradient(parameter: Tensor) -> Float[Tensor, " entry"]:
    gradient: Any = parameter.grad
    return (
        torch.zeros(parameter.numel(), dtype=torch.float64) if gradient is None else gradient.flatten().double().cpu()
    )
