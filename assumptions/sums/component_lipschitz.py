"""Lipschitz continuity of every term."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from assumptions.guards import require_positive
from assumptions.inequality import OneConstant
from assumptions.lipschitz import Lipschitz
from assumptions.norms import EUCLIDEAN, Norm, require_norm
from assumptions.sums.terms import TermInequality


@dataclass(frozen=True)
class ComponentLipschitz(OneConstant, TermInequality):
    """|g_j(x)|_* <= G_max for all x, all terms j and the subgradients g_j(x) that the problem returns.

    G_max: finite, > 0, units of f per unit of x. ValueError otherwise. norm: the norm of x; subgradients are
    measured in its dual. For convex terms it is |f_j(x) - f_j(y)| <= G_max |x - y|, see ``Lipschitz``.
    """

    G_max: float
    norm: Norm = EUCLIDEAN
    sense: ClassVar[Mapping[str, int]] = {"G_max": -1}
    arity: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("part_grads",)
    instead: ClassVar[str] = "a mean of terms offers the gradients of each"

    def __post_init__(self) -> None:
        """The constant as a float."""
        require_positive(G_max=self.G_max)
        require_norm(self.norm)
        object.__setattr__(self, "G_max", float(self.G_max))

    def of_one(self) -> Lipschitz:
        """Lipschitz continuity with the same constant."""
        return Lipschitz(self.G_max, self.norm)
