"""Weak convexity: convex up to a quadratic."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from assumptions.base import Function
from assumptions.bregman import bregman
from assumptions.guards import require_nonnegative
from assumptions.inequality import OneConstant, Sides
from assumptions.norms import EUCLIDEAN
from assumptions.rounding import ROUNDINGS


@dataclass(frozen=True)
class WeaklyConvex(OneConstant):
    """f(x) + <g(x), y - x> <= f(y) + tau/2 |x - y|^2 for all x, y and the subgradient g(x) returned.

    tau: finite, >= 0, units of f per squared unit of x; ValueError otherwise. tau = 0 is convexity. The norm
    is Euclidean: then this says that f + tau/2 |.|^2 is convex, for |y|^2 - |x|^2 - <2 x, y - x> = |y - x|^2.
    """

    tau: float
    sense: ClassVar[Mapping[str, int]] = {"tau": -1}

    def __post_init__(self) -> None:
        """The constant as a float."""
        require_nonnegative(tau=self.tau)
        object.__setattr__(self, "tau", float(self.tau))

    def sides(self, problem: Function, *points: Tensor) -> Sides:
        """f(x) + <g(x), y - x> - f(y), cut at 0, and tau/2 |x - y|^2. x, y: (*batch, d)."""
        x, y = points
        gap, _, resolution = bregman(problem, x, y)
        rhs = self.tau / 2 * EUCLIDEAN.norm(x - y).square()
        return Sides((-gap).clamp(min=0), rhs, resolution + ROUNDINGS * rhs.detach())
