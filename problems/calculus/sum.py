"""Sums and means of problems: each is a term."""

from abc import abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Certificate, Norm
from assumptions.base import EPS
from assumptions.outward import round_up
from problems.arguments import require_start, start_point
from problems.base import Problem
from problems.calculus.lower_bound import floor, lower_bound
from problems.calculus.members import MadeOf
from problems.calculus.sum_rules import sum_facts
from problems.oracle_guards import project_unique


class Terms(MadeOf):
    """F = weight times the sum of n problems of one dimension; term j of the mean is n weight f_j.

    A subclass is a dataclass with the fields ``problems`` and ``start``. The minimum is known where all
    have the same minimiser, entry by entry; a lower bound is there where each has one.
    """

    problems: tuple[Problem, ...]
    start: tuple[float, ...]

    def _require(self) -> None:
        if not isinstance(self.problems, tuple) or not self.problems:
            raise ValueError(f"problems must be a tuple of at least one Problem, got {self.problems!r}")
        self._require_members(*self.problems)
        if len({p.d for p in self.problems}) != 1:
            raise ValueError(f"problems must have one dimension, got {[p.d for p in self.problems]}")
        require_start(self.start, self.d)
        if not bool(self.contains(self.x0)):
            raise ValueError(f"start must be in all domains, got {self.x0.tolist()}; give a start")

    @property
    @abstractmethod
    def weight(self) -> Fraction:
        """1 for a sum, 1 / n for a mean."""

    @property
    def members(self) -> tuple[Problem, ...]:
        """All of them."""
        return self.problems

    @property
    def d(self) -> int:
        """Their dimension."""
        return self.problems[0].d

    @property
    def n_terms(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Their number."""
        return len(self.problems)

    @property
    def x0(self) -> Tensor:
        """That of the first, (d,)."""
        return start_point(self, self.start, self.problems[0].x0)

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """What follows from certificates of all, by ``sum_facts``."""
        return sum_facts(self.problems, self.weight, common=bool(self._common))

    @property
    def _per_term(self) -> float:
        return float(self.weight * self.n_terms)

    def contains(self, x: Tensor) -> Tensor:
        """Where all are defined. Returns bool (*batch,)."""
        return torch.stack([p.contains(x) for p in self.problems]).all(dim=0)

    def part_values(self, x: Tensor) -> Tensor:
        """n weight f_j(x), (*batch, n)."""
        return self._per_term * torch.stack([p.value(x) for p in self.problems], dim=-1)

    def part_grads(self, x: Tensor) -> Tensor:
        """Their gradients, (*batch, n, d)."""
        return self._per_term * torch.stack([p.grad(x) for p in self.problems], dim=-2)

    def value(self, x: Tensor) -> Tensor:
        """x: (*batch, d). Returns (*batch,)."""
        return self.part_values(x).mean(dim=-1)

    def grad(self, x: Tensor) -> Tensor:
        """Shapes (*batch, d)."""
        return self.part_grads(x).mean(dim=-2)

    def hvp(self, x: Tensor, v: Tensor) -> Tensor:
        """Hessian times v. Shapes (*batch, d)."""
        products = [p.hvp(x, v) for p in self.problems]  # pyright: ignore[reportAttributeAccessIssue]
        return self._per_term * torch.stack(products).mean(dim=0)

    def part_value(self, x: Tensor, j: Tensor | None = None) -> Tensor:
        """Of term j; shapes as ``Problem.part_value``."""
        if j is None:
            return self.value(x)
        values = self.part_values(x)
        return values.gather(-1, j.expand(values.shape[:-1]).unsqueeze(-1)).squeeze(-1)

    def part_grad(self, x: Tensor, j: Tensor | None = None) -> Tensor:
        """Of term j; shapes as ``Problem.part_grad``."""
        if j is None:
            return self.grad(x)
        grads = self.part_grads(x)
        index = j.expand(grads.shape[:-2])[..., None, None].expand(*grads.shape[:-2], 1, self.d)
        return grads.gather(-2, index).squeeze(-2)

    def gap(self, x: Tensor) -> Tensor:
        """Weight times the sum of the gaps, which share their minimiser; (*batch,)."""
        return self._per_term * torch.stack([p.gap(x) for p in self.problems]).mean(dim=0)

    def gap_cancellation(self, x: Tensor, gap: Tensor) -> Tensor:
        """Weight times the sum of theirs, (*batch,)."""
        del gap
        sizes = [p.gap_cancellation(x, p.gap(x)) for p in self.problems]
        return self._per_term * torch.stack(sizes).mean(dim=0)

    def offers(self, name: str) -> bool:
        """Hessian products where all have them; the minimum where it is common."""
        if name == "hvp":
            return all(p.offers("hvp") for p in self.problems)
        if name == "nearest_star" and not self.unique_star:
            return False
        return super().offers(name)

    @cached_property
    def _common(self) -> Problem | None:
        """The first problem, if its minimiser is that of all, on the word of each; else None."""
        known = all(p.offers("x_star") and p.offers("f_star") and p.x_star_error == 0 for p in self.problems)
        if not known:
            return None
        first, *others = (p.x_star for p in self.problems)  # pyright: ignore[reportAttributeAccessIssue]
        return self.problems[0] if all(torch.equal(first, other) for other in others) else None

    @property
    def unique_star(self) -> bool:
        """Where the minimisers are common and one problem has no other."""
        return self._common is not None and any(p.unique_star for p in self.problems)

    @cached_property
    def x_star(self) -> Tensor | None:
        """The common minimiser, (d,)."""
        return None if self._common is None else self._common.x_star  # pyright: ignore[reportAttributeAccessIssue]

    @cached_property
    def f_star(self) -> float | None:
        """Weight times the sum of the minima, where they are taken together; rounded up."""
        if self._common is None:
            return None
        total = sum((Fraction(p.f_star) for p in self.problems), Fraction(0))  # pyright: ignore[reportAttributeAccessIssue]
        return -floor(-self.weight * total)

    @property
    def f_star_error(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Weight times the sum of their errors, and one rounding."""
        if self.f_star is None:
            return 0.0
        errors = sum((Fraction(p.f_star_error) for p in self.problems), Fraction(0))
        return round_up(self.weight * errors + Fraction(2 * EPS) * Fraction(abs(self.f_star)))

    @cached_property
    def f_lower(self) -> float | None:
        """Weight times the sum of lower bounds, rounded down; None where one has none."""
        bounds = [lower_bound(p) for p in self.problems]
        known = [bound for bound in bounds if bound is not None]
        if len(known) < len(bounds):
            return None
        return floor(self.weight * sum(known, Fraction(0)))

    def nearest_star(self, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        """The minimiser, where there is one alone. Shapes (*batch, d)."""
        assert self.x_star is not None
        return project_unique(self, x, self.x_star, norm)


@dataclass(frozen=True)
class Sum(Terms):
    """F(x) = sum_j f_j(x), n problems of one dimension; as a mean of terms, term j is n f_j.

    start: overrides x0, that of the first problem; it must be in all domains. ValueError otherwise.
    """

    problems: tuple[Problem, ...]
    start: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Check the arguments."""
        self._require()

    @property
    def weight(self) -> Fraction:
        """One."""
        return Fraction(1)


@dataclass(frozen=True)
class Mean(Terms):
    """F(x) = (1/n) sum_j f_j(x), n problems of one dimension; term j is f_j.

    start: overrides x0, that of the first problem; it must be in all domains. ValueError otherwise.
    """

    problems: tuple[Problem, ...]
    start: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Check the arguments."""
        self._require()

    @property
    def weight(self) -> Fraction:
        """1 / n."""
        return Fraction(1, len(self.problems))
