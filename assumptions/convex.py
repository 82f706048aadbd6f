"""Convexity."""

from dataclasses import dataclass

import torch
from torch import Tensor

from assumptions.base import Function
from assumptions.bregman import bregman
from assumptions.inequality import Inequality, Sides


@dataclass(frozen=True)
class Convex(Inequality):
    """f(x) + <g(x), y - x> <= f(y) for all x, y and the subgradient g(x) that the problem returns.

    No constants. Written as a ratio, lhs = size - (f(y) - f(x) - <g(x), y - x>) and rhs = size with
    size = |f(x) - f(y)| + |<g(x), y - x>|, so that both are >= 0 and lhs <= rhs says the same.
    """

    def sides(self, problem: Function, *points: Tensor) -> Sides:
        """Both sides at x, y, each (*batch, d). Returns (*batch,) each."""
        x, y = points
        gap, size, resolution = bregman(problem, x, y)
        # f(y) = inf satisfies the inequality, where inf - inf would not say so
        return Sides(torch.where(gap == torch.inf, 0.0, size - gap), size, resolution)
