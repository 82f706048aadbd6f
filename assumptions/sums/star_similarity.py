"""Similarity of the terms in mean square, between any point and a minimiser."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from assumptions.base import Function
from assumptions.guards import require_nonnegative
from assumptions.inequality import OneConstant, Sides
from assumptions.minimisers import minimiser_error, nearest_minimiser
from assumptions.norms import EUCLIDEAN, Norm, require_norm
from assumptions.sums.expected_similarity import similarity_sides
from assumptions.sums.terms import by_rows


@dataclass(frozen=True)
class StarSimilarity(OneConstant):
    """(mean_j |grad h_j(x) - grad h_j(y)|_*^2)^(1/2) <= delta_star |x - y| for all x and minimisers y.

    h_j = f_j - f. delta_star: finite, >= 0, units of f per squared unit of x. ValueError otherwise. norm: the
    norm of x - y; gradients are measured in its dual. Tried with the minimiser nearest to x, or ``x_star``
    where the problem does not project; an error e of it moves either side by at most delta_star e.
    """

    delta_star: float
    norm: Norm = EUCLIDEAN
    sense: ClassVar[Mapping[str, int]] = {"delta_star": -1}
    arity: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("part_grads", "x_star")
    instead: ClassVar[str] = "ExpectedSimilarity needs no minimiser"

    def __post_init__(self) -> None:
        """The constant as a float."""
        require_nonnegative(delta_star=self.delta_star)
        require_norm(self.norm)
        object.__setattr__(self, "delta_star", float(self.delta_star))

    def sides(self, problem: Function, *points: Tensor) -> Sides:
        """Both sides at x, (*batch, d)."""
        (x,) = points
        return by_rows(lambda rows: self._sides(problem, rows), problem, x)

    def _sides(self, problem: Function, x: Tensor) -> Sides:
        y = nearest_minimiser(problem, x, self.norm)
        lhs, rhs, resolution = similarity_sides(problem, x, y, self.delta_star, self.norm)
        return Sides(lhs, rhs, resolution + 2 * self.delta_star * minimiser_error(problem, self.norm))
