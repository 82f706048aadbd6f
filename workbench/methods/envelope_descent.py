"""Normalised gradient descent on the ball envelope."""

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
class EnvelopeDescent(Method):
    """x_next = x - radius z, z a maximiser of <grad N(x), z> over the unit ball; N the ball envelope of f.

    N(x) = min {f(z) : |z - x| <= radius}; its gradient is the multiplier's subgradient of the ball
    problem. radius > 0: units of x; a float or (*batch, 1). ValueError otherwise. Source: Gruntkowska,
    Li, Rane, Richtarik (2025), arXiv:2502.02002, where BPM is read as a gradient method on N.
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

    def step(self, problem: Problem, state: Point, draw: SimpleNamespace) -> Point:
        """Deterministic: draw is empty. state.x: (*batch, d)."""
        del draw
        grad = problem.brox_step(state.x, self.radius, self.norm).subgradient  # pyright: ignore[reportAttributeAccessIssue]
        return Point(state.x - self.radius * self.norm.lmo_direction(grad))

    def cost(self, problem: Problem, state: Point, draw: SimpleNamespace) -> Mapping[str, Tensor]:
        """One minimisation over a ball, counted as a proximal call, and one linear minimisation."""
        del problem, draw
        return {"prox_calls": ones(state.x), "lmo_calls": ones(state.x)}
