"""Convex quadratics with a chosen spectrum."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from assumptions import EUCLIDEAN, PL, Certificate, Convex, Norm, Smooth, StronglyConvex
from assumptions.guards import require_points
from problems.base import Problem, require_start, start_point
from problems.oracle_guards import positive_step, require_euclidean, require_vector
from problems.secular import quadratic_brox, quadratic_nearest, quadratic_prox
from problems.space import Integers, LogUniform, Range, Vector


@dataclass(frozen=True)
class Quadratic(Problem):
    """f(x) = (x - c)' V diag(a) V' (x - c) / 2 + f_star with eigenvalues a and orthogonal V.

    eigenvalues: >= 0, at least one > 0, units of f per squared unit of x; zeros are allowed, and the
    solution set is then c + ker. center: c, (d,); empty means drawn from ``seed`` (standard normal
    over sqrt(d)), or 0 if ``seed`` is None. f_star: finite. seed: V is the orthogonal factor of a
    Gaussian matrix, or the identity if ``seed`` is None. start: overrides x0, by default the point
    whose coefficients V'(x0 - c) are all 1. ValueError otherwise.
    """

    eigenvalues: tuple[float, ...]
    center: tuple[float, ...] = ()
    f_star: float = 0.0
    seed: int | None = 0
    start: tuple[float, ...] = ()

    space: ClassVar[Mapping[str, Range]] = {
        "eigenvalues": Vector(LogUniform(1e-3, 10.0), 1, 6),
        "seed": Integers(0, 10_000),
    }

    def __post_init__(self) -> None:
        """Tuples of floats, checked."""
        object.__setattr__(self, "eigenvalues", require_vector("eigenvalues", self.eigenvalues))
        if not (min(self.eigenvalues) >= 0 and max(self.eigenvalues) > 0):
            raise ValueError(f"eigenvalues must be >= 0 and one of them > 0, got {self.eigenvalues!r}")
        if self.center:
            object.__setattr__(self, "center", require_vector("center", self.center, self.d))
        if not abs(self.f_star) < float("inf"):
            raise ValueError(f"f_star must be finite, got {self.f_star!r}")
        whole = isinstance(self.seed, int) and not isinstance(self.seed, bool)
        if self.seed is not None and (not whole or self.seed < 0):
            raise ValueError(f"seed must be an integer >= 0 or None, got {self.seed!r}")
        require_start(self.start, self.d)

    @property
    def d(self) -> int:
        """Number of eigenvalues."""
        return len(self.eigenvalues)

    @cached_property
    def _a(self) -> Tensor:
        return torch.tensor(self.eigenvalues, dtype=torch.float64)

    @cached_property
    def _drawn(self) -> tuple[Tensor | None, Tensor]:
        if self.seed is None:
            return None, torch.zeros(self.d, dtype=torch.float64)
        rng = np.random.default_rng(self.seed)
        basis, _ = np.linalg.qr(rng.standard_normal((self.d, self.d)))
        center = rng.standard_normal(self.d) / self.d**0.5
        return torch.from_numpy(np.ascontiguousarray(basis)), torch.from_numpy(center)

    @cached_property
    def x_star(self) -> Tensor:
        """The center, (d,)."""
        return torch.tensor(self.center, dtype=torch.float64) if self.center else self._drawn[1]

    @property
    def x0(self) -> Tensor:
        """c + V 1, which excites every eigenvector, (d,)."""
        basis = self._drawn[0]
        ones = torch.ones(self.d, dtype=torch.float64)
        return start_point(self, self.start, self.x_star + (ones if basis is None else basis @ ones))

    @property
    def unique_star(self) -> bool:
        """True if no eigenvalue is 0."""
        return min(self.eigenvalues) > 0

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """With A = V diag(a) V' and grad f(x) = A (x - c)."""
        low, high = min(a for a in self.eigenvalues if a > 0), max(self.eigenvalues)
        pl = "|A y|^2 = sum a_i^2 y_i^2 >= (smallest nonzero a) sum a_i y_i^2 = 2 (smallest) gap"
        facts = [
            Certificate(Convex(), proof="the Hessian A is positive semidefinite"),
            Certificate(Smooth(high), proof="|A (x - y)| <= max a |x - y|"),
            Certificate(PL(low), proof=pl),
        ]
        if self.unique_star:
            facts.append(Certificate(StronglyConvex(low), proof="A - min(a) I is positive semidefinite"))
        return tuple(facts)

    def _coefficients(self, x: Tensor) -> Tensor:
        require_points(x, self.d)
        y, basis = x - self.x_star.to(x), self._drawn[0]
        return y if basis is None else y @ basis.to(x)

    def gap(self, x: Tensor) -> Tensor:
        """A sum of squares, free of cancellation. x: (*batch, d). Returns (*batch,)."""
        return (self._a.to(x) * self._coefficients(x).square()).sum(dim=-1) / 2

    def gap_cancellation(self, x: Tensor, gap: Tensor) -> Tensor:
        """Nothing cancels: the gap itself, (*batch,)."""
        del x
        return gap.abs()

    def value(self, x: Tensor) -> Tensor:
        """x: (*batch, d). Returns (*batch,)."""
        return self.gap(x) + self.f_star

    def grad(self, x: Tensor) -> Tensor:
        """A (x - c). Shapes (*batch, d)."""
        require_points(x, self.d)
        return self.hvp(x, x - self.x_star.to(x))

    def hvp(self, x: Tensor, v: Tensor) -> Tensor:
        """A v. Shapes (*batch, d)."""
        require_points(x, self.d)
        basis, a = self._drawn[0], self._a.to(v)
        return a * v if basis is None else (a * (v @ basis.to(v))) @ basis.to(v).mT

    def nearest_star(self, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        """Projection on c + ker A. Shapes (*batch, d)."""
        require_points(x, self.d)
        require_euclidean(self, norm)
        return quadratic_nearest(x, *self._spectrum(x))

    def prox(self, x: Tensor, stepsize: float | Tensor) -> Tensor:
        """(I + stepsize A)^(-1) (x + stepsize A c). Shapes (*batch, d)."""
        step = positive_step(x, self.d, stepsize=stepsize)
        return quadratic_prox(x, *self._spectrum(x), step)

    def brox(self, x: Tensor, radius: float | Tensor) -> Tensor:
        """argmin over B(x, radius) by the secular equation. Shapes (*batch, d)."""
        return quadratic_brox(x, *self._spectrum(x), positive_step(x, self.d, radius=radius))

    def _spectrum(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        basis = self._drawn[0]
        return self.x_star.to(x), self._a.to(x), None if basis is None else basis.to(x)
