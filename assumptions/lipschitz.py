"""Lipschitz continuity, through subgradients."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from assumptions.base import Function
from assumptions.guards import require_positive
from assumptions.inequality import Inequality, Sides
from assumptions.norms import EUCLIDEAN, Norm, norm_option, require_norm
from assumptions.rounding import ROUNDINGS


@dataclass(frozen=True)
class Lipschitz(Inequality):
    """|g(x)|_* <= G for all x and the subgradient g(x) that the problem returns.

    G: finite, > 0, units of f per unit of x. ValueError otherwise. norm: the norm of x; subgradients
    are measured in its dual. For convex f, bounding every subgradient is the same as
    |f(x) - f(y)| <= G |x - y| for all x, y: f(x) - f(y) <= <g(x), x - y> <= |g(x)|_* |x - y|, and
    conversely t |g(x)|_* = <g(x), t z> <= f(x + t z) - f(x) <= G t for the unit z that attains |g(x)|_*.
    """

    G: float
    norm: Norm = EUCLIDEAN
    sense: ClassVar[Mapping[str, int]] = {"G": -1}
    arity: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """The constant as a float."""
        require_positive(G=self.G)
        require_norm(self.norm)
        object.__setattr__(self, "G", float(self.G))

    def sides(self, problem: Function, *points: Tensor) -> Sides:
        """|g(x)|_* and G. x: (*batch, d)."""
        (x,) = points
        lhs = self.norm.dual(problem.grad(x))
        rhs = lhs.new_full(lhs.shape, self.G)
        return Sides(lhs, rhs, ROUNDINGS * (lhs.detach() + rhs))

    @classmethod
    def estimate(cls, problem: Function, *points: Tensor, **options: Any) -> dict[str, float]:
        """G_seen = max of |g(x)|_*. points: x, (*batch, d). norm: Norm = EUCLIDEAN."""
        norm = norm_option(options)
        (x,) = points
        return {"G_seen": float(norm.dual(problem.grad(x)).max())}
