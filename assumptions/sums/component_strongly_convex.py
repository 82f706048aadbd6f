"""Strong convexity of every term."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from assumptions.guards import require_positive
from assumptions.inequality import OneConstant
from assumptions.norms import EUCLIDEAN, Norm, require_norm
from assumptions.strongly_convex import StronglyConvex
from assumptions.sums.terms import TermInequality


@dataclass(frozen=True)
class ComponentStronglyConvex(OneConstant, TermInequality):
    """f_j(x) + <g_j(x), y - x> + mu_component/2 |x - y|^2 <= f_j(y) for all x, y and all terms j.

    mu_component: finite, > 0, units of f per squared unit of x. ValueError otherwise. norm: the norm of
    x - y. The estimate is rounding where some term is not convex.
    """

    mu_component: float
    norm: Norm = EUCLIDEAN
    sense: ClassVar[Mapping[str, int]] = {"mu_component": 1}

    def __post_init__(self) -> None:
        """The constant as a float."""
        require_positive(mu_component=self.mu_component)
        require_norm(self.norm)
        object.__setattr__(self, "mu_component", float(self.mu_component))

    def of_one(self) -> StronglyConvex:
        """Strong convexity with the same constant."""
        return StronglyConvex(self.mu_component, self.norm)
