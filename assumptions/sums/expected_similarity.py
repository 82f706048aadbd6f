"""Similarity of the terms in mean square."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from assumptions.base import Function
from assumptions.guards import require_nonnegative
from assumptions.inequality import OneConstant, Sides
from assumptions.norms import EUCLIDEAN, Norm, require_norm
from assumptions.rounding import ROUNDINGS
from assumptions.sums.terms import by_rows, gradient_change, less_mean, root_mean_square


@dataclass(frozen=True)
class ExpectedSimilarity(OneConstant):
    """(mean_j |grad h_j(x) - grad h_j(y)|_*^2)^(1/2) <= delta_avg |x - y| for all x, y, with h_j = f_j - f.

    delta_avg: finite, >= 0, units of f per squared unit of x. ValueError otherwise. norm: the norm of x - y;
    gradients are measured in its dual.
    """

    delta_avg: float
    norm: Norm = EUCLIDEAN
    sense: ClassVar[Mapping[str, int]] = {"delta_avg": -1}
    needs: ClassVar[tuple[str, ...]] = ("part_grads",)
    instead: ClassVar[str] = "a mean of terms offers the gradients of each"

    def __post_init__(self) -> None:
        """The constant as a float."""
        require_nonnegative(delta_avg=self.delta_avg)
        require_norm(self.norm)
        object.__setattr__(self, "delta_avg", float(self.delta_avg))

    def sides(self, problem: Function, *points: Tensor) -> Sides:
        """Both sides at x, y, each (*batch, d)."""
        return by_rows(
            lambda x, y: similarity_sides(problem, x, y, self.delta_avg, self.norm), problem, *points
        )


def similarity_sides(problem: Function, x: Tensor, y: Tensor, constant: float, norm: Norm) -> Sides:
    """Both sides at x, y, each (rows, d), with the given constant; rounding adds up in mean square."""
    vectors, rounding = less_mean(gradient_change(problem, x, y, norm))
    moved = ROUNDINGS * constant * (norm.norm(x) + norm.norm(y)).detach()
    lhs = root_mean_square(norm.dual(vectors))
    return Sides(lhs, constant * norm.norm(x - y), root_mean_square(rounding) + moved)
