"""A problem with a quadratic added."""

import dataclasses
import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from assumptions import EUCLIDEAN, EVERYWHERE, Certificate, Norm
from assumptions.base import EPS, Assumption
from assumptions.guards import require_positive
from assumptions.rounding import ROUNDINGS
from problems.base import Problem
from problems.calculus.lower_bound import floor, lower_bound
from problems.calculus.members import OfOne, has_domain
from problems.calculus.regularised_rules import regularised_assumption
from problems.oracle_guards import positive_step, project_unique, require_vector


@dataclass(frozen=True)
class Regularised(OfOne):
    """F(x) = f(x) + reg/2 |x - c|^2, Euclidean; so is each term, if f is a mean of terms.

    problem: f. reg: finite, > 0, units of f per squared unit of x. center: c, (d,), empty for 0.
    ValueError otherwise. With w = (x + g reg c) / (1 + g reg): prox_{g F}(x) = prox_{g / (1 + g reg) f}(w).
    The minimiser is prox_{f / reg}(c), where f is convex, finite, and Smooth or Lipschitz everywhere: its
    error is that of the oracle (64 roundings of the points where none is stated), and that of f_star follows.
    """

    problem: Problem
    reg: float
    center: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Floats, checked."""
        self._require_members(self.problem)
        require_positive(reg=self.reg)
        object.__setattr__(self, "reg", float(self.reg))
        if self.center != ():
            object.__setattr__(self, "center", require_vector("center", self.center, self.d))

    @property
    def d(self) -> int:
        """Dimension of f."""
        return self.problem.d

    @property
    def x0(self) -> Tensor:
        """Start of f, (d,)."""
        return self.problem.x0

    @cached_property
    def _center(self) -> Tensor:
        return torch.tensor(self.center or (0.0,) * self.d, dtype=torch.float64)

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """Each certificate of f on its region, by ``regularised_assumption``; the strongest of a kind."""
        found: list[Certificate] = []
        for certificate in self.problem.certified:
            assumption = regularised_assumption(certificate.assumption, self.reg)
            if assumption is not None:
                proof = f"{certificate.assumption!r} of f, and reg/2 |x - c|^2 with reg = {self.reg!r}"
                found.append(dataclasses.replace(certificate, assumption=assumption, proof=proof, steps=()))
        return tuple(c for c in found if not any(_covers(other, c) for other in found if other is not c))

    def _added(self, x: Tensor) -> Tensor:
        return self.reg / 2 * (x - self._center.to(x)).square().sum(dim=-1)

    def _pull(self, x: Tensor) -> Tensor:
        return self.reg * (x - self._center.to(x))

    def contains(self, x: Tensor) -> Tensor:
        """As f. Returns bool (*batch,)."""
        return self.problem.contains(x)

    def into_domain(self, x: Tensor) -> Tensor:
        """As f. Shapes (*batch, d)."""
        return self.problem.into_domain(x)

    def value(self, x: Tensor) -> Tensor:
        """x: (*batch, d). Returns (*batch,)."""
        return self.problem.value(x) + self._added(x)

    def grad(self, x: Tensor) -> Tensor:
        """Of f, plus reg (x - c). Shapes (*batch, d)."""
        return self.problem.grad(x) + self._pull(x)

    def hvp(self, x: Tensor, v: Tensor) -> Tensor:
        """Of f, plus reg v. Shapes (*batch, d)."""
        return self.problem.hvp(x, v) + self.reg * v  # pyright: ignore[reportAttributeAccessIssue]

    def part_value(self, x: Tensor, j: Tensor | None = None) -> Tensor:
        """Of term j of f, plus the square; shapes as ``Problem.part_value``."""
        return self.problem.part_value(x, j) + self._added(x)

    def part_grad(self, x: Tensor, j: Tensor | None = None) -> Tensor:
        """Of term j of f, plus reg (x - c); shapes as ``Problem.part_grad``."""
        return self.problem.part_grad(x, j) + self._pull(x)

    def part_values(self, x: Tensor) -> Tensor:
        """Of all terms, (*batch, n_terms)."""
        return self.problem.part_values(x) + self._added(x).unsqueeze(-1)

    def part_grads(self, x: Tensor) -> Tensor:
        """Of all terms, (*batch, n_terms, d)."""
        return self.problem.part_grads(x) + self._pull(x).unsqueeze(-2)

    def prox(self, x: Tensor, stepsize: float | Tensor) -> Tensor:
        """As the class says. Shapes (*batch, d)."""
        step = positive_step(x, self.d, stepsize=stepsize)
        shrunk = 1 + step * self.reg
        w = x / shrunk + self._center.to(x) * (1 - 1 / shrunk)
        return self.problem.prox(w, step / shrunk)  # pyright: ignore[reportAttributeAccessIssue]

    def oracle_error(
        self, name: str, x: Tensor, step: float | Tensor, result: Tensor, j: Tensor | None = None
    ) -> Tensor:
        """Of prox: that of the inner one at the points it is asked for, (*batch,)."""
        del j  # one term
        if name == "batch_prox":  # of the one term
            return self.oracle_error("prox", x, step, result)
        share = positive_step(x, self.d, stepsize=step)
        shrunk = 1 + share * self.reg
        w = x / shrunk + self._center.to(x) * (1 - 1 / shrunk)
        return self.problem.oracle_error(name, w, share / shrunk, result)

    @property
    def oracle_errors(self) -> dict[str, float]:
        """That of the inner prox."""
        return {name: e for name, e in self.problem.oracle_errors.items() if name == "prox"}

    def offers(self, name: str) -> bool:
        """prox and Hessian products with f; the minimum where the class says so."""
        if name in ("prox", "hvp") and not self.problem.offers(name):
            return False
        return (name not in ("x_star", "f_star", "nearest_star") or self._is_solved) and super().offers(name)

    @property
    def unique_star(self) -> bool:
        """True if strong convexity is certified everywhere."""
        return "StronglyConvex" in self._everywhere(self)

    @staticmethod
    def _everywhere(problem: Problem) -> dict[str, Assumption]:
        kept = (c for c in problem.certified if c.region == EVERYWHERE)
        euclidean = (c.assumption for c in kept if getattr(c.assumption, "norm", EUCLIDEAN) == EUCLIDEAN)
        return {type(a).__name__: a for a in euclidean}

    @cached_property
    def _is_solved(self) -> bool:
        known = self._everywhere(self.problem)
        controlled = "Convex" in known and ("Smooth" in known or "Lipschitz" in known)
        return (
            controlled
            and self.problem.offers("prox")
            and not has_domain(self.problem)
            and self._error < math.inf
        )

    @cached_property
    def x_star(self) -> Tensor:
        """prox_{f / reg}(c), (d,)."""
        return self.problem.prox(self._center, 1 / self.reg)  # pyright: ignore[reportAttributeAccessIssue]

    @cached_property
    def _error(self) -> float:
        stated = float(self.problem.oracle_error("prox", self._center, 1 / self.reg, self.x_star))
        return (stated + ROUNDINGS * float(self.x_star.norm() + self._center.norm())) * (1 + 8 * EPS)

    @property
    def x_star_error(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Of the oracle, or 64 roundings."""
        return self._error if self._is_solved else 0.0

    @cached_property
    def _rounding(self) -> float:
        size = float(self.problem.value(self.x_star).abs() + self._added(self.x_star))
        return ROUNDINGS * size

    @cached_property
    def f_star(self) -> float:
        """F there, rounded up."""
        return float(self.value(self.x_star)) + self._rounding

    @property
    def f_star_error(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Rounding on both sides, and what an error e of x_star adds: (L + reg) e^2 / 2, or G e + ..."""
        if not self._is_solved:
            return 0.0
        known, e = self._everywhere(self.problem), self._error
        if "Smooth" in known:
            off = (known["Smooth"].L + self.reg) * e**2 / 2  # pyright: ignore[reportAttributeAccessIssue]
        else:
            reach = float((self.x_star - self._center).norm()) + e
            off = (known["Lipschitz"].G + self.reg * reach) * e  # pyright: ignore[reportAttributeAccessIssue]
        return (2 * self._rounding + off) * (1 + 8 * EPS)

    @cached_property
    def f_lower(self) -> float | None:
        """That of f: what is added is >= 0."""
        bound = lower_bound(self.problem)
        return None if bound is None else floor(bound)

    def gap(self, x: Tensor) -> Tensor:
        """F(x) - f_star, cut at 0; (*batch,)."""
        return (self.value(x) - self.f_star).clamp(min=0)

    def nearest_star(self, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        """The minimiser. Shapes (*batch, d)."""
        return project_unique(self, x, self.x_star, norm)


def _covers(strong: Certificate, weak: Certificate) -> bool:
    """True if ``strong`` says more than ``weak``, on the same region and word."""
    same = strong.region == weak.region and strong.status == weak.status
    return same and weak.assumption.implied_by(strong.assumption) and strong.assumption != weak.assumption
