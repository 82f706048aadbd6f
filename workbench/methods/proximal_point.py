"""The proximal point method."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar

from torch import Tensor

from assumptions.guards import Number, require_positive
from problems.base import Problem
from workbench.methods.base import Method, Point, ones


@dataclass(frozen=True)
class ProximalPoint(Method):
    """x_next = argmin_z f(z) + |z - x|^2 / (2 stepsize).

    stepsize > 0: units of squared x per unit of f; a float or (*batch, 1). ValueError otherwise.
    Source: Martinet (1970), Rockafellar (1976).
    """

    stepsize: Number
    needs: ClassVar[tuple[str, ...]] = ("prox",)
    source: ClassVar[str] = "Rockafellar (1976)"

    def __post_init__(self) -> None:
        """Guard the stepsize."""
        require_positive(stepsize=self.stepsize)
        self.check_shapes()

    def step(self, problem: Problem, state: Point, draw: SimpleNamespace) -> Point:
        """Deterministic: draw is empty. state.x: (*batch, d)."""
        del draw
        return Point(problem.prox(state.x, self.stepsize))  # pyright: ignore[reportAttributeAccessIssue]

    def x_error(self, problem: Problem, state: Point, new: Point) -> Tensor:
        """Of the one call."""
        return problem.oracle_error("prox", state.x, self.stepsize, new.x)

    def cost(self, problem: Problem, state: Point, draw: SimpleNamespace) -> Mapping[str, Tensor]:
        """One proximal step on f."""
        del problem, draw
        return {"prox_calls": ones(state.x)}
