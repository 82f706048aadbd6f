"""Normalised gradient descent on the ball envelope."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar

import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Norm
from assumptions.guards import Number, require_positive
from assumptions.norms import require_norm
from problems.base import Problem
from workbench.methods.base import Method, ones
from workbench.methods.bpm import BallPoint
from workbench.methods.normalised_gradient_descent import turned


@dataclass(frozen=True)
class EnvelopeDescent(Method):
    """x_next = x - radius z, z a maximiser of <grad N(x), z> over the unit ball; N the ball envelope of f.

    N(x) = min {f(z) : |z - x| <= radius}; its gradient is the multiplier's subgradient of the ball
    problem. radius > 0: units of x; a float or (*batch, 1). norm: of the ball. ValueError otherwise. Source:
    Gruntkowska, Li, Rane, Richtarik (2025), arXiv:2502.02002, where BPM is read as a gradient method on N.
    """

    radius: Number
    norm: Norm = EUCLIDEAN
    needs: ClassVar[tuple[str, ...]] = ("brox", "brox_step")
    source: ClassVar[str] = "arXiv:2502.02002"

    def __post_init__(self) -> None:
        """Guard the radius and the norm."""
        require_positive(radius=self.radius)
        require_norm(self.norm)
        self.check_shapes()

    def init(self, problem: Problem, x0: Tensor, draw: SimpleNamespace) -> BallPoint:
        """The start; no gradient of the envelope yet. x0: (*batch, d)."""
        del problem, draw
        return BallPoint(x0, torch.zeros_like(x0), torch.zeros_like(x0[..., 0]))

    def step(self, problem: Problem, state: BallPoint, draw: SimpleNamespace) -> BallPoint:
        """Deterministic: draw is empty. state.x: (*batch, d)."""
        del draw
        solved = problem.brox_step(state.x, self.radius, self.norm)  # pyright: ignore[reportAttributeAccessIssue]
        way = self.radius * self.norm.lmo_direction(solved.subgradient)
        return BallPoint(state.x - way, solved.subgradient, solved.residual)

    def x_error(self, problem: Problem, state: BallPoint, new: BallPoint) -> Tensor:
        """Of the one call, and of the direction of its subgradient, (*batch,)."""
        stated = problem.oracle_error("brox", state.x, self.radius, new.x)
        return stated + turned(problem, new.x, new.subgradient, self.radius)

    def cost(self, problem: Problem, state: BallPoint, draw: SimpleNamespace) -> Mapping[str, Tensor]:
        """One minimisation over a ball, counted as a proximal call, and one linear minimisation."""
        del problem, draw
        return {"prox_calls": ones(state.x), "lmo_calls": ones(state.x)}
