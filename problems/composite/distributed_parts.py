"""The parts of a problem split over clients: their losses, and the term that makes them agree."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from torch import Tensor

from assumptions import Certificate
from assumptions.composite.convex_terms import ConvexTerms
from assumptions.composite.smooth_part import SmoothPart
from assumptions.composite.strongly_convex_prox_part import StronglyConvexProxPart
from assumptions.composite.strongly_convex_smooth_part import StronglyConvexSmoothPart
from assumptions.rounding import ROUNDINGS
from problems.composite.parts import Parts, require_rows

if TYPE_CHECKING:
    from problems.composite.distributed import Distributed


@dataclass(frozen=True)
class DistributedParts(Parts):
    """Of a ``Distributed``: f, its smooth part, and h as the only term, n = 1."""

    problem: "Distributed"
    has_smooth = True

    @property
    def n(self) -> int:
        """1."""
        return 1

    @cached_property
    def dual_star(self) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """-grad f(x_star), less the mean of its blocks, which vanishes at the exact x_star; (1, d)."""
        g = self.problem.smooth_grad(self.problem.x_star).reshape(self.problem.clients, -1)
        return (g.mean(dim=0) - g).reshape(1, -1)

    @cached_property
    def dual_star_error(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        """L_f |x - x_star| of the gradient, which the projection does not enlarge, and 64 roundings."""
        x, L_f = self.problem.x_star, self.problem.constants[1]
        rounding = ROUNDINGS * (float(self.dual_star.norm()) + L_f * float(x.norm()))
        return (L_f * self.problem.x_star_error + rounding) * (1 + 1e-12)

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """Eigenvalues of the Hessians of the clients, rounded outward."""
        mu_f, L_f = self.problem.constants
        why = "the Hessian of f has one block for each client; its eigenvalues, rounded outward"
        return (
            Certificate(SmoothPart(L_f), proof=why),
            Certificate(StronglyConvexSmoothPart(mu_f), proof=why),
            Certificate(StronglyConvexProxPart(0.0), proof="g = 0"),
            Certificate(ConvexTerms(), proof="the indicator of a subspace"),
        )

    def smooth_value(self, x: Tensor) -> Tensor:
        """f(x), (*batch,)."""
        return self.problem.smooth_value(x)

    def smooth_grad(self, x: Tensor) -> Tensor:
        """Gradient of f, (*batch, d)."""
        return self.problem.smooth_grad(x)

    def term_prox(self, y: Tensor, stepsize: float | Tensor) -> Tensor:
        """The mean of the blocks, for each. Shapes (*batch, 1, d)."""
        require_rows(y, 1, self.problem.d)
        return self.problem.consensus.prox(y, stepsize)

    def term_values(self, y: Tensor) -> Tensor:
        """0 where the blocks agree, else inf; (*batch, 1)."""
        require_rows(y, 1, self.problem.d)
        return self.problem.consensus.value(y)
