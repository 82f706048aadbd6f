"""Finite sums of quadratics, convex in the mean only."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, Self

import torch
from torch import Tensor

from assumptions import Certificate
from assumptions.guards import require_dimension, require_positive
from problems.arguments import require_start, start_point
from problems.exact_rank import positive_rank
from problems.general_quadratic import symmetric_rows
from problems.link_sum import require_rows
from problems.optimum import Optimum
from problems.oracle_guards import require_vector
from problems.quadratic_sum_facts import psd_terms, star_fact, term_facts
from problems.quadratic_terms import QuadraticTerms
from problems.solved_quadratic import (
    Exact,
    SolvedQuadratic,
    exact_optimum,
    moore_penrose,
    refined,
    symmetric_margin,
)
from problems.spectrum import Spectrum

Matrix = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class QuadraticSum(QuadraticTerms, SolvedQuadratic):  # pyright: ignore[reportIncompatibleVariableOverride]
    """f(x) = (1/n) sum_j x'A_j x / 2 - <b_j, x>: a mean of n terms.

    hessians: A_1, ..., A_n, each d rows of d finite numbers, symmetric, possibly indefinite; their mean A is
    positive semidefinite, not 0, with nonzero eigenvalues above rounding. linear: b_1, ..., b_n, each of d
    finite numbers, all 0 if empty; their mean is in the range of A. start: overrides x0 = x_star + 1.
    ValueError otherwise.

    The mean, its rank, its minimiser's residual and the differences A_j - A are computed in exact arithmetic;
    eigenvalues are rounded outward (``symmetric_margin``, ``gram_bounds``).
    """

    hessians: tuple[Matrix, ...]
    linear: tuple[tuple[float, ...], ...] = ()
    start: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Tuples of floats, checked; the eigenvalues are computed here."""
        if not isinstance(self.hessians, tuple | list) or not self.hessians:
            raise ValueError(f"hessians must be a tuple of matrices, got {self.hessians!r}")
        checked = tuple(symmetric_rows(f"hessians[{j}]", a) for j, a in enumerate(self.hessians))
        object.__setattr__(self, "hessians", checked)
        if any(len(a) != self.d for a in checked):
            raise ValueError(f"hessians must have one size, got {[len(a) for a in checked]}")
        if self.linear:
            linear = require_rows("linear", self.linear)
            if len(linear) != self.n_terms or len(linear[0]) != self.d:
                shape = (len(linear), len(linear[0]))
                raise ValueError(f"linear must be empty or have shape {(self.n_terms, self.d)}, got {shape}")
            object.__setattr__(self, "linear", linear)
        require_start(self.start, self.d)
        _ = self._spectrum
        self._require_bounded()

    @classmethod
    def opposite_pair(cls, M: float, m: float) -> Self:
        """((+-M) + m) x^2 / 2 on the line: f = m x^2 / 2, L_avg = sqrt(M^2 + m^2), L_max = M + m."""
        require_positive(M=M, m=m)
        return cls((((m + M,),), ((m - M,),)))

    @classmethod
    def coordinates(cls, d: int) -> Self:
        """x_i^2 / 2, i = 1..d: L_max = 1, L_avg = 1 / sqrt(d), L = 1 / d; the largest variance."""
        require_dimension(d=d)
        return cls(tuple(_outer(tuple(float(i == j) for i in range(d))) for j in range(d)))

    @classmethod
    def rank_one(cls, rows: Matrix, targets: tuple[float, ...] = ()) -> Self:
        """(<a_j, x> - b_j)^2 / 2, less b_j^2 / 2: PL; not strongly convex where the rows miss a direction.

        ValueError where a product of entries is not a float: ``LinkSum("square", rows)`` takes any rows.
        """
        rows = require_rows("rows", rows)
        if not targets:
            return cls(tuple(_outer(a) for a in rows))
        b = require_vector("targets", targets, len(rows))
        linear = tuple(tuple(_product(t, e) for e in a) for a, t in zip(rows, b, strict=True))
        return cls(tuple(_outer(a) for a in rows), linear)

    @classmethod
    def isotropic(cls, curvature: float, centers: Matrix) -> Self:
        """curvature |x - c_j|^2 / 2, less a constant: the terms differ by linear functions only.

        ValueError where a product is not a float.
        """
        require_positive(curvature=curvature)
        centers = require_rows("centers", centers)
        d = len(centers[0])
        identity = tuple(tuple(curvature * (i == k) for k in range(d)) for i in range(d))
        return cls(
            (identity,) * len(centers), tuple(tuple(_product(curvature, e) for e in c) for c in centers)
        )

    @property
    def d(self) -> int:
        """Rows of each matrix."""
        return len(self.hessians[0])

    @property
    def n_terms(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Number of matrices."""
        return len(self.hessians)

    @cached_property
    def _terms(self) -> tuple[Tensor, Tensor]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """A_j, (n, d, d), and b_j, (n, d)."""
        linear = self.linear or ((0.0,) * self.d,) * self.n_terms
        return torch.tensor(self.hessians, dtype=torch.float64), torch.tensor(linear, dtype=torch.float64)

    @cached_property
    def _psd(self) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]
        return psd_terms(self.hessians)

    @cached_property
    def _mean(self) -> tuple[list[list[Any]], list[Any]]:
        """A and b, entries Fractions: exact."""
        n, d = self.n_terms, range(self.d)
        a = [[sum(Fraction(h[i][k]) for h in self.hessians) / n for k in d] for i in d]
        b = [sum((Fraction(row[i]) for row in self.linear), Fraction(0)) / n for i in d]
        return a, b

    def _exact_times(self, z: Exact) -> list[Fraction]:
        return [sum((h * e for h, e in zip(row, z, strict=True)), Fraction(0)) for row in self._mean[0]]

    @cached_property
    def _hessian(self) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        return torch.tensor([[float(entry) for entry in row] for row in self._mean[0]], dtype=torch.float64)

    @cached_property
    def _spectrum(self) -> Spectrum:  # pyright: ignore[reportIncompatibleMethodOverride]
        eigenvalues, basis = torch.linalg.eigh(self._hessian)
        margin, exact = symmetric_margin(self._hessian), self._mean[0]
        low = float(eigenvalues[0])
        rank = self.d if low > margin else None if low < -margin else positive_rank(exact)
        if not rank:
            raise ValueError(
                "the mean of hessians must be positive semidefinite and not 0, got one with smallest "
                f"eigenvalue {low:.6g} and largest {float(eigenvalues[-1]):.6g}"
            )
        kernel = self.d - rank
        if not float(eigenvalues[kernel]) > margin:
            raise ValueError(
                f"the mean of hessians must have nonzero eigenvalues above rounding, {margin:.3g}, got one "
                f"of about {float(eigenvalues[kernel]):.3g}"
            )
        eigenvalues[:kernel] = 0
        return Spectrum.of(eigenvalues, basis)

    def _require_bounded(self) -> None:
        """ValueError unless b is in the range of A, exactly.

        The matrix [[A, b], [b', t]] is positive semidefinite for a t >= |b|^2 / mu if and only if it is.
        """
        a, b = self._mean
        if not self._spectrum.flat or not any(b):
            return
        t = sum(e * e for e in b) / Fraction(self._mu)
        bordered: list[list[Any]] = [*([*row, e] for row, e in zip(a, b, strict=True)), [*b, t]]
        if positive_rank(bordered) is None:
            raise ValueError(
                "the mean of linear must be in the range of the mean of hessians, else f is unbounded below, "
                f"got {[float(e) for e in b]}"
            )

    @cached_property
    def _mu(self) -> float:  # pyright: ignore[reportIncompatibleMethodOverride]
        a = self._spectrum.eigenvalues
        return float(a[a > 0][0]) - symmetric_margin(self._hessian)

    @cached_property
    def _optimum(self) -> Optimum:  # pyright: ignore[reportIncompatibleMethodOverride]
        a, basis, _, _ = self._spectrum
        assert basis is not None
        b, x = self._mean[1], torch.zeros(self.d, dtype=torch.float64)
        x = refined(x, self._exact_times, b, moore_penrose(a, basis)) if any(b) else x
        return exact_optimum(x, self._exact_times, b, self._mu)

    @property
    def x0(self) -> Tensor:
        """x_star + 1, (d,)."""
        return start_point(self, self.start, self.x_star + 1)

    @cached_property
    def certified(self) -> tuple[Certificate, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Of f from the eigenvalues of A; of the terms see ``quadratic_sum_facts``."""
        high = float(self._spectrum.eigenvalues[-1]) + symmetric_margin(self._hessian)
        bounds = "eigenvalues of the mean of A_j, rounded outward by the margin of the class"
        at = self.x_star.tolist() if self._optimum.grad_bound == 0 else None
        terms = term_facts(self.hessians, self.linear, self._mean[0], at, self.unique_star)
        x = self.x_star.tolist()
        star = star_fact(self.hessians, self.linear, x, self.x_star_error, self.unique_star)
        return (*self._facts(self._mu, high, bounds), *terms, *star)


def _outer(a: tuple[float, ...]) -> Matrix:
    return tuple(tuple(_product(x, y) for y in a) for x in a)


def _product(x: float, y: float) -> float:
    """X y. ValueError if that is not a float."""
    if Fraction(x * y) != Fraction(x) * Fraction(y):
        raise ValueError(f"products of entries must be floats, got {x!r} * {y!r}")
    return x * y
