"""Smoothness of the terms in mean square."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from assumptions.base import Function
from assumptions.guards import require_positive
from assumptions.inequality import OneConstant, Sides
from assumptions.norms import EUCLIDEAN, Norm, require_norm
from assumptions.rounding import ROUNDINGS
from assumptions.sums.terms import by_rows, gradient_change, root_mean_square, terms_of


@dataclass(frozen=True)
class AverageSmooth(OneConstant):
    """(mean_j |grad f_j(x) - grad f_j(y)|_*^2)^(1/2) <= L_avg |x - y| for all x, y.

    L_avg: finite, > 0, units of f per squared unit of x. ValueError otherwise. norm: the norm of x - y;
    gradients are measured in its dual.
    """

    L_avg: float
    norm: Norm = EUCLIDEAN
    sense: ClassVar[Mapping[str, int]] = {"L_avg": -1}
    needs: ClassVar[tuple[str, ...]] = ("part_grads",)
    instead: ClassVar[str] = "a mean of terms offers the gradients of each"

    def __post_init__(self) -> None:
        """The constant as a float."""
        require_positive(L_avg=self.L_avg)
        require_norm(self.norm)
        object.__setattr__(self, "L_avg", float(self.L_avg))

    def sides(self, problem: Function, *points: Tensor) -> Sides:
        """Both sides at x, y, each (*batch, d).

        Rounding of the terms adds up in mean square. The arguments are known to 64 roundings, and not the
        same ones for each term: a term alone is sqrt(n_terms) L_avg smooth.
        """
        return by_rows(lambda x, y: self._sides(problem, x, y), problem, *points)

    def _sides(self, problem: Function, x: Tensor, y: Tensor) -> Sides:
        vectors, rounding = gradient_change(problem, x, y, self.norm)
        arguments = (self.norm.norm(x) + self.norm.norm(y)).detach()
        moved = math.sqrt(terms_of(problem).n_terms) * self.L_avg * ROUNDINGS * arguments
        lhs = root_mean_square(self.norm.dual(vectors))
        return Sides(lhs, self.L_avg * self.norm.norm(x - y), root_mean_square(rounding) + moved)
