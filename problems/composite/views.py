"""Problems of other kinds seen as f + g + sum_j h_j with f = g = 0."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor

from assumptions import EUCLIDEAN, EVERYWHERE, Assumption, Certificate, Convex, Norm, Smooth, closure
from assumptions.composite.bounds import no_smooth_part
from assumptions.composite.convex_terms import ConvexTerms
from assumptions.composite.smooth_terms import SmoothTerms
from assumptions.outward import round_up
from assumptions.rounding import ROUNDINGS
from assumptions.sums.component_convex import ComponentConvex
from assumptions.sums.component_smooth import ComponentSmooth
from problems.composite.parts import Parts, require_rows

if TYPE_CHECKING:
    from problems.base import Problem

A = TypeVar("A", bound=Assumption)


def parts_of(problem: "Problem") -> Parts | None:
    """The terms of a mean where batches of them have proximal steps, else the whole where it has one."""
    if problem.n_terms > 1 and problem.offers("batch_prox"):
        return SumParts(problem)
    return SingleParts(problem) if problem.offers("prox") else None


def known(problem: "Problem", kind: type[A], norm: Norm = EUCLIDEAN) -> A | None:
    """The assumption of this kind that is proved on the whole space, implications included, or None."""
    for certificate in closure(problem.certified):
        found = certificate.assumption
        everywhere = certificate.region == EVERYWHERE and certificate.status == "certified"
        if isinstance(found, kind) and everywhere and getattr(found, "norm", norm) == norm:
            return found
    return None


@dataclass(frozen=True)
class SingleParts(Parts):
    """n = 1 and h = f, for a problem with ``prox``."""

    problem: Any

    @property
    def n(self) -> int:
        """1."""
        return 1

    @property
    def dual_star(self) -> Tensor | None:
        """0, exactly, where a minimiser is known; (1, d)."""
        attained = self.problem.offers("x_star") or self.problem.offers("nearest_star")
        return torch.zeros(1, self.problem.d, dtype=torch.float64) if attained else None

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """Of a convex function those of the whole."""
        if known(self.problem, Convex) is None:
            return no_smooth_part()
        smooth = known(self.problem, Smooth)
        return (
            *no_smooth_part(),
            Certificate(ConvexTerms(), proof="the only term is convex"),
            *smooth_terms((smooth.L if smooth else float("inf"),), "the only term is f"),
        )

    def term_prox(self, y: Tensor, stepsize: float | Tensor) -> Tensor:
        """Shapes (*batch, 1, d)."""
        require_rows(y, 1, self.problem.d)
        return self.problem.prox(y, stepsize)

    def term_prox_error(self, y: Tensor, stepsize: float | Tensor, result: Tensor) -> Tensor:
        """That of the problem, (*batch, 1)."""
        return self.problem.oracle_error("prox", y, stepsize, result)

    def term_values(self, y: Tensor) -> Tensor:
        """(*batch, 1)."""
        require_rows(y, 1, self.problem.d)
        return self.problem.value(y)


@dataclass(frozen=True)
class SumParts(Parts):
    """h_j = f_j / n, for a mean of n terms whose batches have proximal steps."""

    problem: Any

    @property
    def n(self) -> int:
        """Number of terms."""
        return self.problem.n_terms

    @cached_property
    def _smoothness(self) -> float | None:
        """L_max of terms whose gradients are the only subgradients."""
        found = known(self.problem, ComponentSmooth)
        return found.L_max if found else None

    @cached_property
    def dual_star(self) -> Tensor | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """``star_grads`` / n if the problem knows them, else grad f_j(x_star) / n of smooth terms; (n, d)."""
        if self.problem.offers("star_grads"):
            return self.problem.star_grads / self.n
        if not self.problem.offers("x_star") or self._smoothness is None:
            return None
        return self.problem.part_grads(self.problem.x_star) / self.n

    @cached_property
    def dual_star_error(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Gradients move by L_max times the error of x_star and of its roundings, and by their own."""
        if self.dual_star is None:
            return 0.0
        if self.problem.offers("star_grads"):
            return float(getattr(self.problem, "star_grads_error", 0.0)) / self.n
        arguments = self.problem.x_star_error + ROUNDINGS * float(self.problem.x_star.norm())
        own = ROUNDINGS * float(self.dual_star.norm(dim=-1).max())
        return (self._smoothness or 0.0) / self.n * arguments * (1 + 1e-12) + own

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """Of convex terms: L_max / n for each."""
        if known(self.problem, ComponentConvex) is None:
            return no_smooth_part()
        L = float("inf") if self._smoothness is None else round_up(Fraction(self._smoothness) / self.n)
        return (
            *no_smooth_part(),
            Certificate(ConvexTerms(), proof="h_j = f_j / n, a convex term over n"),
            *smooth_terms((L,) * self.n, "h_j = f_j / n has L_max / n"),
        )

    @property
    def _every(self) -> Tensor:
        return torch.arange(self.n).unsqueeze(-1)

    def term_prox(self, y: Tensor, stepsize: float | Tensor) -> Tensor:
        """Row j of (*batch, n, d) is that of f_j with stepsize / n."""
        require_rows(y, self.n, self.problem.d)
        return self.problem.batch_prox(y, self._indices(y), stepsize / self.n)

    def _indices(self, y: Tensor) -> Tensor:
        """Term j for row j, as a batch of one: (*batch, n, 1)."""
        return self._every.to(y.device).expand(*y.shape[:-1], 1)

    def term_prox_error(self, y: Tensor, stepsize: float | Tensor, result: Tensor) -> Tensor:
        """That of the batches of one term, (*batch, n)."""
        return self.problem.oracle_error("batch_prox", y, stepsize / self.n, result, self._indices(y))

    def picked_prox(self, y: Tensor, stepsize: float | Tensor, picked: Tensor) -> Tensor:
        """As in ``Parts``; the others are not computed."""
        require_rows(y, self.n, self.problem.d)
        if not bool(picked.any()):
            return y.clone()
        j, step = self._indices(y)[picked], self._steps(y, stepsize)[picked]
        return y.index_put((picked,), self.problem.batch_prox(y[picked], j, step))

    def picked_prox_error(
        self, y: Tensor, stepsize: float | Tensor, result: Tensor, picked: Tensor
    ) -> Tensor:
        """As in ``Parts``; the others are not computed."""
        none = y.new_zeros(y.shape[:-1])
        if not bool(picked.any()):
            return none
        j, step = self._indices(y)[picked], self._steps(y, stepsize)[picked]
        stated = self.problem.oracle_error("batch_prox", y[picked], step, result[picked], j)
        return none.index_put((picked,), stated)

    def _steps(self, y: Tensor, stepsize: float | Tensor) -> Tensor:
        """The stepsize of each batch of one term, (*batch, n, 1)."""
        return (torch.as_tensor(stepsize).to(y) / self.n).expand(*y.shape[:-1], 1)

    def term_values(self, y: Tensor) -> Tensor:
        """f_j(y_j) / n, (*batch, n)."""
        require_rows(y, self.n, self.problem.d)
        return self.problem.part_value(y, self._indices(y).squeeze(-1)) / self.n


def smooth_terms(L: tuple[float, ...], proof: str) -> tuple[Certificate, ...]:
    """The certificate of ``SmoothTerms``; none where no term is known to be smooth."""
    known_of_one = any(constant < float("inf") for constant in L)
    return (Certificate(SmoothTerms(L), proof=proof),) if known_of_one else ()


def certificates(problem: "Problem") -> tuple[Certificate, ...]:
    """What is proved of the problem, and of its parts where it has some."""
    own, parts = problem.certified, problem.parts
    more = () if parts is None else parts.certified
    return (*own, *(c for c in more if c not in own))
