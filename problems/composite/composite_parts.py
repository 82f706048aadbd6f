"""The parts of a composite problem, as they were given."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from assumptions import Certificate, Smooth, StronglyConvex
from assumptions.composite.bounded_domain import BoundedDomain
from assumptions.composite.convex_terms import ConvexTerms
from assumptions.composite.smooth_part import SmoothPart
from assumptions.composite.strongly_convex_prox_part import StronglyConvexProxPart
from assumptions.composite.strongly_convex_smooth_part import StronglyConvexSmoothPart
from problems.composite.indicator import Indicator
from problems.composite.parts import Parts, require_rows, rows_of
from problems.composite.views import known, smooth_terms

if TYPE_CHECKING:
    from problems.composite.composite import Composite


@dataclass(frozen=True)
class CompositeParts(Parts):
    """Of a ``Composite``: its fields."""

    problem: "Composite"

    @property
    def has_smooth(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        """True if there is an f."""
        return self.problem.smooth is not None

    @property
    def has_prox(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        """True if there is a g."""
        return self.problem.prox_part is not None

    @property
    def has_lmo(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        """True if g is the indicator of a bounded set."""
        g = self.problem.prox_part
        return isinstance(g, Indicator) and g.within.diameter < float("inf")

    @property
    def n(self) -> int:
        """Number of terms."""
        return len(self.problem.terms)

    @property
    def dual_star(self) -> Tensor | None:
        """The duals given with the minimiser, (n, d); without terms there are none to know."""
        if not self.problem.terms:
            return torch.zeros(0, self.problem.d, dtype=torch.float64)
        return torch.stack(self.problem.optimality.duals) if self.problem.minimiser else None

    @property
    def dual_star_error(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        """0 where the minimiser is exact; inf where it is not and a term has a kink."""
        return self.problem.optimality.dual_error if self.problem.minimiser else 0.0

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """Constants of the members."""
        f, g = self.problem.smooth, self.problem.prox_part
        L_f, mu_f = (known(f, Smooth), known(f, StronglyConvex)) if f else (None, None)
        mu_g = known(g, StronglyConvex) if g else None
        smooth = (known(term, Smooth) for term in self.problem.terms)
        own, none = "that of the member", "the member has none, but is convex"
        facts = (
            Certificate(SmoothPart(L_f.L if L_f else 0.0), proof=own if L_f else "f is affine or 0"),
            Certificate(StronglyConvexSmoothPart(mu_f.mu if mu_f else 0.0), proof=own if mu_f else none),
            Certificate(StronglyConvexProxPart(mu_g.mu if mu_g else 0.0), proof=own if mu_g else none),
        )
        convex = (Certificate(ConvexTerms(), proof="every term is convex"),) if self.n else ()
        diameter = g.within.diameter if isinstance(g, Indicator) else float("inf")
        bounded = diameter < float("inf")
        domain = (Certificate(BoundedDomain(diameter), proof="that of the set"),) if bounded else ()
        L_j = tuple(one.L if one else float("inf") for one in smooth)
        return (*facts, *convex, *domain, *smooth_terms(L_j, "those of the terms; inf where there is none"))

    def smooth_value(self, x: Tensor) -> Tensor:
        """f(x), (*batch,)."""
        return self.problem.smooth.value(x) if self.problem.smooth else super().smooth_value(x)

    def smooth_grad(self, x: Tensor) -> Tensor:
        """Gradient of f, (*batch, d)."""
        return self.problem.smooth.grad(x) if self.problem.smooth else super().smooth_grad(x)

    def prox(self, x: Tensor, stepsize: float | Tensor) -> Tensor:
        """That of g, (*batch, d)."""
        g = self.problem.prox_part
        return super().prox(x, stepsize) if g is None else g.prox(x, stepsize)  # pyright: ignore[reportAttributeAccessIssue]

    def lmo(self, direction: Tensor) -> Tensor:
        """Over the set whose indicator g is, (*batch, d)."""
        g = self.problem.prox_part
        return g.within.lmo(direction) if isinstance(g, Indicator) else super().lmo(direction)

    def term_prox(self, y: Tensor, stepsize: float | Tensor) -> Tensor:
        """Term by term. Shapes (*batch, n, d)."""
        require_rows(y, self.n, self.problem.d)
        rows = zip(self.problem.terms, y.unbind(dim=-2), rows_of(stepsize, y), strict=True)
        moved = [term.prox(row, step) for term, row, step in rows]  # pyright: ignore[reportAttributeAccessIssue]
        return torch.stack(torch.broadcast_tensors(*moved), dim=-2) if moved else y

    def term_prox_error(self, y: Tensor, stepsize: float | Tensor, result: Tensor) -> Tensor:
        """Term by term, (*batch, n)."""
        tables = y.unbind(dim=-2), rows_of(stepsize, y), result.unbind(dim=-2)
        rows = zip(self.problem.terms, *tables, strict=True)
        errors = [term.oracle_error("prox", row, step, moved) for term, row, step, moved in rows]
        return torch.stack(errors, dim=-1) if errors else y.new_zeros(y.shape[:-1])

    def term_values(self, y: Tensor) -> Tensor:
        """Term by term, (*batch, n)."""
        require_rows(y, self.n, self.problem.d)
        values = [term.value(row) for term, row in zip(self.problem.terms, y.unbind(dim=-2), strict=True)]
        return torch.stack(values, dim=-1) if values else y.new_zeros(y.shape[:-1])
