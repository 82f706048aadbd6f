"""The proximal point method with the stepsize at which it moves by a given length."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar

from torch import Tensor

from assumptions.guards import Number, require_positive
from problems.arguments import column
from problems.base import Problem
from problems.brox_from_prox import brox_from_prox
from workbench.methods.base import Method, Point, ones


@dataclass(frozen=True)
class AdaptiveProximalPoint(Method):
    """x_next = prox(x, stepsize) with the stepsize for which |x_next - x| = radius.

    Found by a search over the stepsize that calls nothing but prox; where a minimiser is within reach,
    x_next is the nearest one. SolverError where prox(x, stepsize) - x does not resolve the radius, below
    some thousand roundings of |x|, or no stepsize moves that far. radius > 0: units of x; a float or
    (*batch, 1). ValueError otherwise. Source: the reading of BPM as a proximal point method in
    Gruntkowska, Li, Rane, Richtarik (2025), arXiv:2502.02002.
    """

    radius: Number
    needs: ClassVar[tuple[str, ...]] = ("prox", "nearest_star")
    source: ClassVar[str] = "arXiv:2502.02002"

    def __post_init__(self) -> None:
        """Guard the radius."""
        require_positive(radius=self.radius)
        self.check_shapes()

    @classmethod
    def unfit(cls, problem: Problem) -> str:
        """The stepsize is searched to the last bits, which an inexact prox does not have."""
        return "its prox is not exact" if problem.oracle_errors.get("prox") else ""

    def step(self, problem: Problem, state: Point, draw: SimpleNamespace) -> Point:
        """Deterministic: draw is empty. state.x: (*batch, d)."""
        del draw
        x, t = state.x, column(self.radius, state.x)
        nearest = problem.nearest_star(x)  # pyright: ignore[reportAttributeAccessIssue]
        return Point(brox_from_prox(problem.prox, x, t, nearest).point)  # pyright: ignore[reportAttributeAccessIssue]

    def cost(self, problem: Problem, state: Point, draw: SimpleNamespace) -> Mapping[str, Tensor]:
        """One proximal step; the search for its stepsize is not counted."""
        del problem, draw
        return {"prox_calls": ones(state.x)}
