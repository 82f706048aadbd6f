"""Proximal gradient methods for f + g: plain and accelerated (FISTA)."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar

from torch import Tensor

from assumptions.guards import Number, require_positive
from problems.base import Problem
from workbench.methods.base import Method, Point, ones
from workbench.methods.nesterov import Pair, require_beta


def forward_backward(problem: Problem, x: Tensor, stepsize: Number) -> Tensor:
    """prox of stepsize g at x - stepsize grad f(x). Shapes (*batch, d)."""
    parts = problem.parts
    assert parts is not None
    return parts.prox(x - stepsize * parts.smooth_grad(x), stepsize)


def has_terms(problem: Problem) -> str:
    """Why a method for f + g does not fit a problem; "" if it does."""
    parts = problem.parts
    n = 0 if parts is None else parts.n
    return f"beside f and g it has {n} terms with proximal steps of their own" if n else ""


def forward_backward_cost(problem: Problem, x: Tensor) -> Mapping[str, Tensor]:
    """A full gradient of f and a proximal step on g."""
    return {"grad_calls": problem.n_terms * ones(x), "prox_calls": ones(x)}


@dataclass(frozen=True)
class ProximalGradient(Method):
    """x_next = prox of stepsize g at x - stepsize grad f(x), for F = f + g.

    stepsize > 0: units of squared x per unit of f; a float or (*batch, 1). ValueError otherwise.
    Source: Lions and Mercier (1979); Beck and Teboulle (2009), ISTA.
    """

    stepsize: Number
    needs: ClassVar[tuple[str, ...]] = ("parts",)
    free: ClassVar[tuple[str, ...]] = ("x",)
    source: ClassVar[str] = "Lions and Mercier (1979)"

    def __post_init__(self) -> None:
        """Guard the stepsize."""
        require_positive(stepsize=self.stepsize)
        self.check_shapes()

    @classmethod
    def unfit(cls, problem: Problem) -> str:
        """Terms beside f and g have no place in it."""
        return has_terms(problem)

    def step(self, problem: Problem, state: Point, draw: SimpleNamespace) -> Point:
        """Deterministic: draw is empty. state.x: (*batch, d)."""
        del draw
        return Point(forward_backward(problem, state.x, self.stepsize))

    def cost(self, problem: Problem, state: Point, draw: SimpleNamespace) -> Mapping[str, Tensor]:
        """One gradient, one proximal step."""
        del draw
        return forward_backward_cost(problem, state.x)


@dataclass(frozen=True)
class AcceleratedProximalGradient(Method):
    """x_next = prox of stepsize g at y - stepsize grad f(y), y_next = x_next + beta (x_next - x); y_0 = x_0.

    FISTA; beta is k / (k + 3) at step k. beta = 0: the proximal gradient method.

    stepsize > 0: units of squared x per unit of f; 0 <= beta < 1; each a float or (*batch, 1). ValueError
    otherwise. Source: Beck and Teboulle (2009), A Fast Iterative Shrinkage-Thresholding Algorithm.
    """

    stepsize: Number
    beta: Number
    needs: ClassVar[tuple[str, ...]] = ("parts",)
    free: ClassVar[tuple[str, ...]] = ("x", "y")
    source: ClassVar[str] = "Beck and Teboulle (2009)"

    def __post_init__(self) -> None:
        """Guard the numbers."""
        require_positive(stepsize=self.stepsize)
        require_beta(self.beta)
        self.check_shapes()

    @classmethod
    def unfit(cls, problem: Problem) -> str:
        """Terms beside f and g have no place in it."""
        return has_terms(problem)

    def init(self, problem: Problem, x0: Tensor, draw: SimpleNamespace) -> Pair:
        """Both points at the start. x0: (*batch, d)."""
        del problem, draw
        return Pair(x0, x0.clone())

    def step(self, problem: Problem, state: Pair, draw: SimpleNamespace) -> Pair:
        """Deterministic: draw is empty. state.x: (*batch, d)."""
        del draw
        x_next = forward_backward(problem, state.y, self.stepsize)
        return Pair(x_next, x_next + self.beta * (x_next - state.x))

    def cost(self, problem: Problem, state: Pair, draw: SimpleNamespace) -> Mapping[str, Tensor]:
        """One gradient, one proximal step."""
        del draw
        return forward_backward_cost(problem, state.x)
