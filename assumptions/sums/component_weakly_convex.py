"""Weak convexity of every term."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from assumptions.guards import require_nonnegative
from assumptions.inequality import OneConstant
from assumptions.sums.terms import TermInequality
from assumptions.weakly_convex import WeaklyConvex


@dataclass(frozen=True)
class ComponentWeaklyConvex(OneConstant, TermInequality):
    """f_j(x) + <g_j(x), y - x> <= f_j(y) + tau_component/2 |x - y|^2 for all x, y and all terms j.

    That is: f_j + tau_component/2 |.|^2 is convex for every j; see ``WeaklyConvex``.

    tau_component: finite, >= 0, units of f per squared unit of x. ValueError otherwise.
    """

    tau_component: float
    sense: ClassVar[Mapping[str, int]] = {"tau_component": -1}

    def __post_init__(self) -> None:
        """The constant as a float."""
        require_nonnegative(tau_component=self.tau_component)
        object.__setattr__(self, "tau_component", float(self.tau_component))

    def of_one(self) -> WeaklyConvex:
        """Weak convexity with the same constant."""
        return WeaklyConvex(self.tau_component)
