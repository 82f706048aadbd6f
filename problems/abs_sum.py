"""Means of absolute values of affine functions plus a square: kinks, strong convexity, a known minimiser."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import ClassVar

import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Certificate, Convex, Lipschitz, Norm, StronglyConvex
from assumptions.guards import require_nonnegative
from assumptions.outward import certify, length_up, root_up, round_up
from assumptions.sums.component_convex import ComponentConvex
from assumptions.sums.component_lipschitz import ComponentLipschitz
from assumptions.sums.component_strongly_convex import ComponentStronglyConvex
from assumptions.sums.star_variance import StarVariance
from problems.abs_sum_facts import kink_modulus, largest_slope
from problems.abs_terms import AbsData, AbsTerms
from problems.arguments import require_start, start_point
from problems.gram import row_rank
from problems.link_sum import require_rows
from problems.oracle_guards import project_unique, require_vector
from problems.space import LogUniform, Range, Uniform, Vector


@dataclass(frozen=True)
class AbsSum(AbsTerms):
    """f(x) = mean_j |<a_j, y> + r_j| - <g, y> + mu/2 |y|^2, y = x - c, g = mean_j s_j a_j: minimal at c.

    With mu > 0 that is mean_j |<a_j, x> - b_j| + mu/2 |x - c - g / mu|^2, b_j = <a_j, c> - r_j, less
    |g|^2 / (2 mu). Built backwards: the signs s_j are subgradients of |.| at r_j, so 0 is one of f at c. Each
    term has its -<g, y> + mu/2 |y|^2.

    rows: a_1, ..., a_n, each of d finite numbers, not 0. signs: s, n numbers in [-1, 1]. mu: >= 0, units of f
    per squared unit of x; if 0, the mean of s_j a_j must be 0, exactly. residuals: r, n finite numbers, 0 if
    empty; r_j may differ from 0 where s_j is its sign, 1 or -1. center: c, d finite numbers, 0 if empty.
    start: overrides x0 = c + (1, ..., 1). ValueError otherwise. Source: definition.
    """

    rows: tuple[tuple[float, ...], ...]
    signs: tuple[float, ...]
    mu: float = 0.1
    residuals: tuple[float, ...] = ()
    center: tuple[float, ...] = ()
    start: tuple[float, ...] = ()

    space: ClassVar[Mapping[str, Range]] = {
        "rows": Vector(Vector(Uniform(-2.0, 2.0), 3, 3), 4, 4),
        "signs": Vector(Uniform(-1.0, 1.0), 4, 4),
        "mu": LogUniform(0.05, 2.0),
        "center": Vector(Uniform(-1.0, 1.0), 3, 3),
    }

    def __post_init__(self) -> None:
        """Tuples of floats, checked."""
        object.__setattr__(self, "rows", require_rows("rows", self.rows))
        for j, row in enumerate(self.rows):
            if not any(row):
                raise ValueError(f"rows must not be 0, got row {j} = {row!r}")
        object.__setattr__(self, "signs", require_vector("signs", self.signs, self.n_terms))
        if not all(abs(s) <= 1 for s in self.signs):
            raise ValueError(f"signs must be in [-1, 1], got {self.signs!r}")
        require_nonnegative(mu=self.mu)
        if self.residuals:
            object.__setattr__(self, "residuals", require_vector("residuals", self.residuals, self.n_terms))
            for j, (r, s) in enumerate(zip(self.residuals, self.signs, strict=True)):
                if r != 0 and s != math.copysign(1.0, r):
                    raise ValueError(f"residuals must be 0 or of sign {s:+g} = signs[{j}], got {r!r}")
        if self.center:
            object.__setattr__(self, "center", require_vector("center", self.center, self.d))
        require_start(self.start, self.d)
        if self.mu == 0 and any(self._exact_pull):
            raise ValueError(
                f"mu must be > 0 where the mean of signs times rows is not 0, got {self.mu!r} and "
                f"{[float(e) for e in self._exact_pull]}"
            )

    @property
    def d(self) -> int:
        """Length of the rows."""
        return len(self.rows[0])

    @property
    def n_terms(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Number of rows."""
        return len(self.rows)

    @cached_property
    def _exact_pull(self) -> tuple[Fraction, ...]:
        """g = mean_j s_j a_j, exact."""
        pairs = list(zip(self.signs, self.rows, strict=True))
        return tuple(
            sum((Fraction(s) * Fraction(a[i]) for s, a in pairs), Fraction(0)) / len(pairs)
            for i in range(self.d)
        )

    @cached_property
    def _data(self) -> AbsData:  # pyright: ignore[reportIncompatibleMethodOverride]
        n, d, pull = self.n_terms, self.d, tuple(float(e) for e in self._exact_pull)
        parts = self.rows, self.signs, self.residuals or (0.0,) * n, pull, self.center or (0.0,) * d
        return AbsData(*(torch.tensor(part, dtype=torch.float64) for part in parts))

    @property
    def x_star(self) -> Tensor:
        """c, (d,)."""
        return self._data.center

    @property
    def x0(self) -> Tensor:
        """c + (1, ..., 1), (d,)."""
        return start_point(self, self.start, self.x_star + 1)

    @cached_property
    def f_star(self) -> float:
        """mean |r_j|, rounded up."""
        return round_up(self._exact_f_star)

    @property
    def _exact_f_star(self) -> Fraction:
        return sum((abs(Fraction(r)) for r in self.residuals), Fraction(0)) / self.n_terms

    @cached_property
    def f_star_error(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The rounding of f_star."""
        return round_up(Fraction(self.f_star) - self._exact_f_star)

    @cached_property
    def unique_star(self) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]
        """True if mu > 0, or the rows with |s_j| < 1 span R^d.

        For those f(c + y) - f_star >= (1/n) sum (1 - |s_j|) |<a_j, y>| > 0 for y not 0.
        """
        inner = tuple(a for a, s in zip(self.rows, self.signs, strict=True) if abs(s) < 1)
        return self.mu > 0 or (len(inner) > 0 and row_rank(inner) == self.d)

    @property
    def star_grads(self) -> Tensor:
        """s_j a_j - g: subgradients of the terms at c, of mean 0; (n, d)."""
        return self._data.signs.unsqueeze(-1) * self._data.rows - self._data.pull

    @cached_property
    def _spread(self) -> float:
        """(mean_j |s_j a_j - g|^2)^(1/2), rounded up."""
        squares = (
            (Fraction(s) * Fraction(e) - g) ** 2
            for s, a in zip(self.signs, self.rows, strict=True)
            for e, g in zip(a, self._exact_pull, strict=True)
        )
        return round_up(root_up(sum(squares, Fraction(0)) / self.n_terms))

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """Convexity; strong convexity with mu exactly, or the largest subgradients if mu = 0."""
        convex = "absolute values of affine functions, a linear function and mu/2 |y|^2"
        spread = "the subgradients s_j a_j - g of the terms at c, of mean 0, in exact arithmetic"
        facts = (
            Certificate(Convex(), proof=convex),
            Certificate(ComponentConvex(), proof=convex),
            Certificate(StarVariance(self._spread), proof=spread),
        )
        if self.mu > 0:
            mu, strong = float(self.mu), "f - mu/2 |y|^2 is convex, term by term"
            return (
                *facts,
                Certificate(StronglyConvex(mu), proof=strong),
                Certificate(ComponentStronglyConvex(mu), proof=strong),
            )
        longest = max(length_up(a) for a in self.rows)
        return (
            *facts,
            *certify(
                Lipschitz,
                largest_slope(self.rows),
                "a subgradient is mean t_j a_j with |t_j| <= 1, and g = 0",
            ),
            *certify(
                ComponentLipschitz, longest, "a subgradient of a term is t a_j with |t| <= 1, and g = 0"
            ),
        )

    @cached_property
    def _modulus(self) -> float:  # pyright: ignore[reportIncompatibleMethodOverride]
        return kink_modulus(self.rows)

    def value(self, x: Tensor) -> Tensor:
        """mean |t_j| - <g, y> + mu/2 |y|^2 as the gap plus f_star. x: (*batch, d). Returns (*batch,)."""
        return self.gap(x) + self.f_star

    def nearest_star(self, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        """c, where it is the only minimiser. Shapes (*batch, d). TypeError where that is not proved."""
        if not self.unique_star:
            raise TypeError(f"the solution set of {self!r} is not known")
        return project_unique(self, x, self.x_star, norm)

    def offers(self, name: str) -> bool:
        """True if the problem has this oracle or fact; the projection where the minimiser is unique."""
        return self.unique_star if name == "nearest_star" else super().offers(name)
