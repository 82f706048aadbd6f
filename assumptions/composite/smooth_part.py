"""Smoothness of the part that is used through its gradient."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from assumptions.base import Function
from assumptions.composite.inequality import PartsInequality, smooth_change
from assumptions.guards import require_nonnegative
from assumptions.inequality import OneConstant, Sides
from assumptions.norms import EUCLIDEAN


@dataclass(frozen=True)
class SmoothPart(OneConstant, PartsInequality):
    """|grad f(x) - grad f(y)| <= L_f |x - y| for all x, y, f the smooth part of f + g + sum_j h_j. Euclidean.

    L_f: finite, >= 0, units of f per squared unit of x; 0 of an affine f, and where there is none. ValueError
    otherwise.
    """

    L_f: float
    sense: ClassVar[Mapping[str, int]] = {"L_f": -1}

    def __post_init__(self) -> None:
        """The constant as a float."""
        require_nonnegative(L_f=self.L_f)
        object.__setattr__(self, "L_f", float(self.L_f))

    def sides(self, problem: Function, *points: Tensor) -> Sides:
        """|grad f(x) - grad f(y)| and L_f |x - y|. x, y: (*batch, d)."""
        x, y = points
        change, rounding = smooth_change(problem, x, y, self.L_f)
        return Sides(EUCLIDEAN.norm(change), self.L_f * EUCLIDEAN.norm(x - y), rounding)
