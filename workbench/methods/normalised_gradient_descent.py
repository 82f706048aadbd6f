"""Normalised gradient descent, in any norm."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar

import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Norm, Smooth
from assumptions.base import EPS
from assumptions.guards import Number, require_positive
from assumptions.norms import require_norm
from assumptions.rounding import gradient_rounding
from problems.arguments import column
from problems.base import Problem
from workbench.methods.base import Method, Point, ones


def turned(problem: Problem, x: Tensor, g: Tensor, radius: Number) -> Tensor:
    """Error of radius g / |g|: 2 radius (error of the gradient g at x) / |g|, at most 2 radius; (*batch,).

    The gradient is off by its own rounding and L times that of x, which is a sum of numbers of the size of
    x and the radius. Where f is certified smooth; 0 elsewhere, for the gradients on both sides of a kink do
    not say what rounding does to one of them.
    """
    smooth = [c.assumption.L for c in problem.certified if isinstance(c.assumption, Smooth)]
    if not smooth:
        return torch.zeros_like(x[..., 0])
    length, t = g.norm(dim=-1), column(radius, x).squeeze(-1)
    error = gradient_rounding(problem, x) + min(smooth) * 8 * EPS * (x.norm(dim=-1) + t)
    return 2 * t * (error / torch.where(length > 0, length, torch.inf)).clamp(max=1.0)


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

    def x_error(self, problem: Problem, state: Point, new: Point) -> Tensor:
        """The direction is known as well as the gradient: see ``turned``, (*batch,)."""
        del new
        return turned(problem, state.x, problem.grad(state.x), self.radius)

    def cost(self, problem: Problem, state: Point, draw: SimpleNamespace) -> Mapping[str, Tensor]:
        """One full gradient: n_terms gradients of terms, and one linear minimisation."""
        del draw
        return {"grad_calls": problem.n_terms * ones(state.x), "lmo_calls": ones(state.x)}
