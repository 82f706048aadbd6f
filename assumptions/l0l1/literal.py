"""(L0, L1)-smoothness at all distances, with the gradient at one end alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from assumptions.base import Function, Sides
from assumptions.l0l1.form import L0L1Form, Samples, anchored_samples, anchored_sides
from assumptions.norms import EUCLIDEAN, Norm


@dataclass(frozen=True)
class LiteralL0L1(L0L1Form):
    """|grad f(x) - grad f(y)|_* <= (L0_literal + L1_literal |grad f(x)|_*) |x - y| for all x, y.

    Constants: finite, >= 0. ValueError otherwise. norm: that of x - y; gradients are measured in its dual.
    Much stronger than it looks: with x fixed, the gradient at y grows at most like |x - y|, so s^4, exp and
    cosh lack it for all constants. With L1_literal = 0, or both 0: smooth, or affine.
    """

    L0_literal: float
    L1_literal: float
    norm: Norm = EUCLIDEAN
    sense: ClassVar[Mapping[str, int]] = {"L0_literal": -1, "L1_literal": -1}

    def sides(self, problem: Function, *points: Tensor) -> Sides:
        """Both sides. x, y: (*batch, d)."""
        x, y = points
        return anchored_sides(self, problem, x, y, lambda r: r)

    @classmethod
    def sampled(cls, problem: Function, *points: Tensor, norm: Norm = EUCLIDEAN) -> Samples:
        """q at x, s between x and y. x, y: (*batch, d)."""
        x, y = points
        return anchored_samples(problem, x, y, norm)
