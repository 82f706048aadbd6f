"""Similarity of all terms."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from assumptions.base import Function
from assumptions.guards import require_nonnegative
from assumptions.inequality import EntryInequality, OneConstant, Sides
from assumptions.norms import EUCLIDEAN, Norm, require_norm
from assumptions.rounding import ROUNDINGS
from assumptions.sums.terms import by_rows, gradient_change, less_mean


@dataclass(frozen=True)
class UniformSimilarity(OneConstant, EntryInequality):
    """|grad h_j(x) - grad h_j(y)|_* <= delta |x - y| for all x, y and all terms j, with h_j = f_j - f.

    delta: finite, >= 0, units of f per squared unit of x. ValueError otherwise; 0 says that all terms differ
    by affine functions. norm: the norm of x - y; gradients are measured in its dual.
    """

    delta: float
    norm: Norm = EUCLIDEAN
    sense: ClassVar[Mapping[str, int]] = {"delta": -1}
    needs: ClassVar[tuple[str, ...]] = ("part_grads",)
    instead: ClassVar[str] = "a mean of terms offers the gradients of each"

    def __post_init__(self) -> None:
        """The constant as a float."""
        require_nonnegative(delta=self.delta)
        require_norm(self.norm)
        object.__setattr__(self, "delta", float(self.delta))

    def entry_sides(self, problem: Function, *points: Tensor) -> Sides:
        """Both sides for every term, (*batch, n_terms). x, y: (*batch, d)."""
        return by_rows(lambda x, y: self._sides(problem, x, y), problem, *points)

    def _sides(self, problem: Function, x: Tensor, y: Tensor) -> Sides:
        vectors, rounding = less_mean(gradient_change(problem, x, y, self.norm))
        arguments = (self.norm.norm(x) + self.norm.norm(y)).detach()
        rhs = self.delta * self.norm.norm(x - y)
        moved = ROUNDINGS * self.delta * arguments
        return Sides(self.norm.dual(vectors), rhs.unsqueeze(-1), rounding + moved.unsqueeze(-1))
