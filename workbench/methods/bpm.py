"""The ball-proximal ("broximal") point method."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Norm
from assumptions.guards import Number, require_positive
from assumptions.norms import require_norm
from problems.base import Problem
from workbench.methods.ball_quantities import BALL_QUANTITIES
from workbench.methods.base import Method, Point, ones
from workbench.quantity import Quantity


class BallPoint(NamedTuple):
    """An iterate, the multiplier's subgradient at it and the KKT residual of the step that led to it.

    x, subgradient: (*batch, d). residual: (*batch,).
    """

    x: Tensor
    subgradient: Tensor
    residual: Tensor


@dataclass(frozen=True)
class BPM(Method):
    """x_next = argmin of f over the ball {z : |z - x| <= radius}.

    radius > 0: units of x; a float or (*batch, 1). norm: of the ball; Euclidean by default. ValueError
    otherwise. Where several points minimise (in a ball that is not strictly convex), one of them.
    Source: Gruntkowska, Li, Rane, Richtarik (2025), The Ball-Proximal (="Broximal") Point Method,
    arXiv:2502.02002; any norm: Gruntkowska, Richtarik (2025), arXiv:2510.00823.
    """

    radius: Number
    norm: Norm = EUCLIDEAN
    needs: ClassVar[tuple[str, ...]] = ("brox",)
    quantities: ClassVar[Mapping[str, Quantity | Callable[..., Tensor]]] = BALL_QUANTITIES
    source: ClassVar[str] = "arXiv:2502.02002"

    def __post_init__(self) -> None:
        """Guard the radius and the norm."""
        require_positive(radius=self.radius)
        require_norm(self.norm)
        self.check_shapes()

    def init(self, problem: Problem, x0: Tensor, draw: SimpleNamespace) -> Point | BallPoint:
        """The start; no multiplier yet. x0: (*batch, d)."""
        del draw
        if not problem.offers("brox_step"):
            return Point(x0)
        return BallPoint(x0, torch.zeros_like(x0), torch.zeros_like(x0[..., 0]))

    def step(self, problem: Problem, state: Point | BallPoint, draw: SimpleNamespace) -> Point | BallPoint:
        """Deterministic: draw is empty. state.x: (*batch, d)."""
        del draw
        if problem.offers("brox_step"):
            solved = problem.brox_step(state.x, self.radius, self.norm)  # pyright: ignore[reportAttributeAccessIssue]
            return BallPoint(solved.point, solved.subgradient, solved.residual)
        return Point(problem.brox(state.x, self.radius))  # pyright: ignore[reportAttributeAccessIssue]

    def x_error(self, problem: Problem, state: Point | BallPoint, new: Point | BallPoint) -> Tensor:
        """Of the one call."""
        return problem.oracle_error("brox", state.x, self.radius, new.x)

    def cost(self, problem: Problem, state: Point | BallPoint, draw: SimpleNamespace) -> Mapping[str, Tensor]:
        """One minimisation over a ball, counted as a proximal call."""
        del problem, draw
        return {"prox_calls": ones(state.x)}
