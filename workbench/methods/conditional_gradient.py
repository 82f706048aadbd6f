"""The conditional gradient method (Frank-Wolfe)."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar

from torch import Tensor

from assumptions.guards import Number, require_positive
from problems.base import Problem
from workbench.methods.base import Method, Point, ones
from workbench.methods.proximal_gradient import has_terms


@dataclass(frozen=True)
class ConditionalGradient(Method):
    """x_next = x + weight (s - x), s = argmin <grad f(x), z> over the set C, for f + the indicator of C.

    weight: in (0, 1], without unit; a float or (*batch, 1); 2 / (k + 2) at step k. ValueError otherwise.
    Starts in C stay there. Source: Frank and Wolfe (1956); Jaggi (2013).
    """

    weight: Number
    needs: ClassVar[tuple[str, ...]] = ("parts", "lmo")
    free: ClassVar[tuple[str, ...]] = ("x",)
    source: ClassVar[str] = "Frank and Wolfe (1956)"

    def __post_init__(self) -> None:
        """Guard the weight."""
        require_positive(weight=self.weight)
        inside = self.weight <= 1
        if not bool(inside.all() if isinstance(inside, Tensor) else inside):
            raise ValueError(f"weight must be in (0, 1], got {self.weight!r}")
        self.check_shapes()

    @classmethod
    def unfit(cls, problem: Problem) -> str:
        """Terms beside f and the indicator have no place in it."""
        return has_terms(problem)

    def step(self, problem: Problem, state: Point, draw: SimpleNamespace) -> Point:
        """Deterministic: draw is empty. state.x: (*batch, d)."""
        del draw
        x, parts = state.x, problem.parts
        assert parts is not None
        vertex = problem.lmo(parts.smooth_grad(x))  # pyright: ignore[reportAttributeAccessIssue]
        return Point((1 - self.weight) * x + self.weight * vertex)

    def cost(self, problem: Problem, state: Point, draw: SimpleNamespace) -> Mapping[str, Tensor]:
        """One gradient, one linear minimisation."""
        del draw
        return {"grad_calls": problem.n_terms * ones(state.x), "lmo_calls": ones(state.x)}
