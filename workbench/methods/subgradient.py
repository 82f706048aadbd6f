"""The subgradient method."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar

from torch import Tensor

from assumptions.guards import Number, require_positive
from problems.base import Problem
from workbench.methods.base import Method, Point, ones


@dataclass(frozen=True)
class Subgradient(Method):
    """x_next = x - stepsize g, g the subgradient of f at x that the problem returns.

    stepsize > 0: units of squared x per unit of f; a float or (*batch, 1). ValueError otherwise.
    Source: Shor (1962); Nesterov, Introductory Lectures on Convex Optimization (2003), section 3.2.3.
    """

    stepsize: Number
    source: ClassVar[str] = "Shor (1962)"

    def __post_init__(self) -> None:
        """Guard the stepsize."""
        require_positive(stepsize=self.stepsize)
        self.check_shapes()

    def step(self, problem: Problem, state: Point, draw: SimpleNamespace) -> Point:
        """Deterministic: draw is empty. state.x: (*batch, d)."""
        del draw
        return Point(state.x - self.stepsize * problem.grad(state.x))

    def cost(self, problem: Problem, state: Point, draw: SimpleNamespace) -> Mapping[str, Tensor]:
        """One full subgradient."""
        del draw
        return {"grad_calls": problem.n_terms * ones(state.x)}
