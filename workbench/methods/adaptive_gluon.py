"""Gluon with radii that follow the gradient."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar

from torch import Tensor

from assumptions.guards import Number
from problems.base import Problem
from workbench.methods.base import Method, Point
from workbench.methods.layer_gradients import (
    adaptive_length,
    require_offset_or_slope,
    require_orthogonaliser,
    step_cost,
)
from workbench.orthogonal import EXACT, Orthogonaliser, inexact_direction


@dataclass(frozen=True)
class AdaptiveGluon(Method):
    """X_i_next = X_i - t_i dir_i(grad_i f(X)) with t_i = g_i / (offset_i + slope_i g_i).

    g_i = |grad_i f(X)|_{i*}; dir_i(G_i) maximises <G_i, Z> over |Z|_i <= 1 in the norm of layer i. Where g_i
    = 0, or offset_i = slope_i = 0, the layer stays. With offset_i = L0_i and slope_i = L1_i it minimises
    -t g_i + (L0_i + L1_i g_i) t^2 / 2 over t.

    offset_i >= 0: units of f per squared unit of x; slope_i >= 0: one over a unit of x; not both 0 in
    every layer. Each a float or (*batch, layers). ValueError otherwise. orthogonaliser: as in ``Gluon``. With
    slope_i = 0 the step is g_i dir_i(grad_i f(X)) / offset_i, steepest descent in the norm of the layer.

    Cost: the full gradient, n_terms gradients of terms, and a linear minimisation for each layer.
    Source: Gluon, arXiv:2505.13416, Algorithm 1 with gradients known and its adaptive radius.
    """

    offset_i: Number
    slope_i: Number
    orthogonaliser: Orthogonaliser = EXACT
    free: ClassVar[tuple[str, ...]] = ("x",)
    options: ClassVar[tuple[str, ...]] = ("orthogonaliser",)
    source: ClassVar[str] = "arXiv:2505.13416"

    def __post_init__(self) -> None:
        """Guard the numbers and the orthogonaliser."""
        require_offset_or_slope(self.offset_i, self.slope_i)
        require_orthogonaliser(self.orthogonaliser)
        self.check_shapes()

    def step(self, problem: Problem, state: Point, draw: SimpleNamespace) -> Point:
        """Deterministic: draw is empty. state.x: (*batch, d)."""
        del draw
        layers, g = problem.layers, problem.grad(state.x)
        radius_i = self.radius_i(layers.dual_i(g))
        return Point(state.x - inexact_direction(layers, self.orthogonaliser, g, radius_i))

    def radius_i(self, dual_i: Tensor) -> Tensor:
        """t_i from g_i, as ``adaptive_length``. dual_i: (*batch, layers). Returns the same shape."""
        return adaptive_length(dual_i, self.offset_i, self.slope_i)

    def cost(self, problem: Problem, state: Point, draw: SimpleNamespace) -> Mapping[str, Tensor]:
        """The full gradient; every layer."""
        del draw
        return step_cost(problem, state.x, problem.n_terms)
