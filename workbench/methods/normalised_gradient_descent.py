"""Normalised gradient descent, in any norm."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar

from torch import Tensor

from assumptions import EUCLIDEAN, Norm
from assumptions.guards import Number, require_positive
from assumptions.norms import require_norm
from problems.base import Problem
from workbench.methods.base import Method, Point, ones


@dataclass(frozen=True)
class NormalisedGradientDescent(Method):
    """x_next = x - radius z, z a maximiser of <grad f(x), z> over the unit ball of the norm.

    Euclidean: x - radius grad f(x) / |grad f(x)|. It minimises the linear model of f over the ball of
    that radius; where the gradient is 0 it stays. radius > 0: units of x; a float or (*batch, 1).
    ValueError otherwise. Source: Shor (1985), Minimization Methods for Non-Differentiable Functions,
    section 2.1 (Euclidean).
    """

    radius: Number
    norm: Norm = EUCLIDEAN
    source: ClassVar[str] = "Shor (1985)"

    def __post_init__(self) -> None:
        """Guard the radius and the norm."""
        require_positive(radius=self.radius)
        require_norm(self.norm)
        self.check_shapes()

    def step(self, problem: Problem, state: Point, draw: SimpleNamespace) -> Point:
        """Deterministic: draw is empty. state.x: (*batch, d)."""
        del draw
        return Point(state.x - self.radius * self.norm.lmo_direction(problem.grad(state.x)))

    def cost(self, problem: Problem, state: Point, draw: SimpleNamespace) -> Mapping[str, Tensor]:
        """One full gradient: n_terms gradients of terms, and one linear minimisation."""
        del draw
        return {"grad_calls": problem.n_terms * ones(state.x), "lmo_calls": ones(state.x)}
