"""Smoothness of every term."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from assumptions.guards import require_positive
from assumptions.inequality import OneConstant
from assumptions.norms import EUCLIDEAN, Norm, require_norm
from assumptions.smooth import Smooth
from assumptions.sums.terms import TermInequality


@dataclass(frozen=True)
class ComponentSmooth(OneConstant, TermInequality):
    """|grad f_j(x) - grad f_j(y)|_* <= L_max |x - y| for all x, y and all terms j.

    L_max: finite, > 0, units of f per squared unit of x. ValueError otherwise. norm: the norm of x - y;
    gradients are measured in its dual.
    """

    L_max: float
    norm: Norm = EUCLIDEAN
    sense: ClassVar[Mapping[str, int]] = {"L_max": -1}
    needs: ClassVar[tuple[str, ...]] = ("part_grads",)

    def __post_init__(self) -> None:
        """The constant as a float."""
        require_positive(L_max=self.L_max)
        require_norm(self.norm)
        object.__setattr__(self, "L_max", float(self.L_max))

    def of_one(self) -> Smooth:
        """Smoothness with the same constant."""
        return Smooth(self.L_max, self.norm)
