"""Gradient descent."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar

from torch import Tensor

from assumptions.guards import Number, require_positive
from problems.base import Problem
from workbench.methods.base import Method, Point, ones


@dataclass(frozen=True)
class GradientDescent(Method):
    """x_next = x - stepsize grad f(x).

    stepsize > 0: units of squared x per unit of f; a float or (*batch, 1). ValueError otherwise.
    Source: Cauchy (1847).
    """

    stepsize: Number
    source: ClassVar[str] = "Cauchy (1847)"

    def __post_init__(self) -> None:
        """Guard the stepsize."""
        require_positive(stepsize=self.stepsize)
        self.check_shapes()

    def step(self, problem: Problem, state: Point, draw: SimpleNamespace) -> Point:
        """Deterministic: draw is empty. state.x: (*batch, d)."""
        del draw
        return Point(state.x - self.stepsize * problem.grad(state.x))

    def cost(self, problem: Problem, state: Point, draw: SimpleNamespace) -> Mapping[str, Tensor]:
        """One full gradient: n_terms gradients of terms."""
        del draw
        return {"grad_calls": problem.n_terms * ones(state.x)}
