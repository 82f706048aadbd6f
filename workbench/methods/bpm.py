"""The ball-proximal ("broximal") point method."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar

from torch import Tensor

from assumptions.guards import Number, require_positive
from problems.base import Problem
from workbench.methods.base import Method, Point, ones


@dataclass(frozen=True)
class BPM(Method):
    """x_next = argmin of f over the Euclidean ball B(x, radius).

    radius > 0: units of x; a float or (*batch, 1). ValueError otherwise.
    Source: Gruntkowska, Li, Rane, Richtarik (2025), The Ball-Proximal (="Broximal") Point Method,
    arXiv:2502.02002.
    """

    radius: Number
    needs: ClassVar[tuple[str, ...]] = ("brox",)
    source: ClassVar[str] = "arXiv:2502.02002"

    def __post_init__(self) -> None:
        """Guard the radius."""
        require_positive(radius=self.radius)
        self.check_shapes()

    def step(self, problem: Problem, state: Point, draw: SimpleNamespace) -> Point:
        """Deterministic: draw is empty. state.x: (*batch, d)."""
        del draw
        return Point(problem.brox(state.x, self.radius))  # pyright: ignore[reportAttributeAccessIssue]

    def x_error(self, problem: Problem, state: Point, new: Point) -> Tensor:
        """Of the one call."""
        return problem.oracle_error("brox", state.x, self.radius, new.x)

    def cost(self, problem: Problem, state: Point, draw: SimpleNamespace) -> Mapping[str, Tensor]:
        """One minimisation over a ball, counted as a proximal call."""
        del problem, draw
        return {"prox_calls": ones(state.x)}
