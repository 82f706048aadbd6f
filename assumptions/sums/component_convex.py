"""Convexity of every term."""

from dataclasses import dataclass

from assumptions.convex import Convex
from assumptions.sums.terms import TermInequality


@dataclass(frozen=True)
class ComponentConvex(TermInequality):
    """Every term is convex: f_j(x) + <g_j(x), y - x> <= f_j(y) for all x, y and all j. No constants."""

    def of_one(self) -> Convex:
        """Convexity."""
        return Convex()
