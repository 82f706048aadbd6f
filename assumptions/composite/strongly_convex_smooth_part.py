"""Strong convexity of the part that is used through its gradient."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from assumptions.base import Function
from assumptions.composite.inequality import PartsInequality, smooth_change
from assumptions.guards import require_nonnegative
from assumptions.inequality import OneConstant, Sides
from assumptions.norms import EUCLIDEAN
from assumptions.rounding import ROUNDINGS


@dataclass(frozen=True)
class StronglyConvexSmoothPart(OneConstant, PartsInequality):
    """mu_f |x - y|^2 <= <grad f(x) - grad f(y), x - y> for all x, y, f the smooth part of f + g + sum_j h_j.

    mu_f: finite, >= 0, units of f per squared unit of x; 0 says that f is convex. ValueError otherwise.
    Where the right side is negative, its size is added to the left, so that both are >= 0.
    """

    mu_f: float
    sense: ClassVar[Mapping[str, int]] = {"mu_f": 1}

    def __post_init__(self) -> None:
        """The constant as a float."""
        require_nonnegative(mu_f=self.mu_f)
        object.__setattr__(self, "mu_f", float(self.mu_f))

    def sides(self, problem: Function, *points: Tensor) -> Sides:
        """Both sides. x, y: (*batch, d)."""
        x, y = points
        change, rounding = smooth_change(problem, x, y)
        inner, distance = (change * (x - y)).sum(dim=-1), EUCLIDEAN.norm(x - y)
        lhs = self.mu_f * distance.square()
        with torch.no_grad():
            products = (change * (x - y)).abs().sum(dim=-1)
            resolution = rounding * distance + ROUNDINGS * (products + lhs)
        return Sides(lhs + (-inner).clamp(min=0), inner.clamp(min=0), resolution)
