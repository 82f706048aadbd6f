"""Convexity of every term."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from assumptions.base import Function
from assumptions.convex import Convex
from assumptions.sums.terms import TermInequality


@dataclass(frozen=True)
class ComponentConvex(TermInequality):
    """Every term is convex: f_j(x) + <g_j(x), y - x> <= f_j(y) for all x, y and all j. No constants."""

    def of_one(self) -> Convex:
        """Convexity."""
        return Convex()

    @classmethod
    def estimate(cls, problem: Function, *points: Tensor, **options: Any) -> dict[str, float]:
        """Nothing to estimate: there are no constants."""
        del problem, points, options
        return {}
