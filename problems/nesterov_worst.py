"""The quadratic that first-order methods find hardest, in d dimensions."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import ClassVar

import torch
from torch import Tensor

from assumptions import Certificate
from assumptions.base import EPS
from assumptions.guards import require_dimension, require_nonnegative, require_points, require_positive
from problems.arguments import require_start, start_point
from problems.optimum import Optimum
from problems.solved_quadratic import Exact, SolvedQuadratic, exact_optimum
from problems.space import Integers, LogUniform, Range
from problems.spectrum import Spectrum


@dataclass(frozen=True)
class NesterovWorst(SolvedQuadratic):
    """f(x) = (L - mu)/4 ((x_1^2 + sum_{i<d} (x_i - x_{i+1})^2 + x_d^2) / 2 - x_1) + mu/2 |x|^2.

    d >= 1. L > mu >= 0: finite, units of f per squared unit of x. start: overrides x0 = 0. ValueError
    otherwise.

    The Hessian is (L - mu)/4 T + mu I, T tridiagonal with 2 on the diagonal and -1 beside it, whose
    eigenvalues are 4 sin^2(k pi / (2 d + 2)), k = 1..d. Started at 0, a method that moves in the span of its
    gradients has only its first k coordinates nonzero after k steps. With mu = 0 and d = 2 k + 1 it follows
    that f(x_k) - f_star >= 3 L |x_star|^2 / (32 (k + 1)^2); x_star = (1 - i / (d + 1))_i and f_star =
    -(L/8) d / (d + 1). With mu > 0, x_star_i = sinh((d + 1 - i) t) / sinh((d + 1) t), where
    sinh^2(t / 2) = mu / (L - mu). Source: Nesterov 2003, Introductory Lectures on Convex Optimization,
    sections 2.1.2 and 2.1.4 (there d = infinity for mu > 0).
    """

    d: int = 5  # pyright: ignore[reportIncompatibleMethodOverride]
    L: float = 1.0
    mu: float = 0.0
    start: tuple[float, ...] = ()

    space: ClassVar[Mapping[str, Range]] = {"d": Integers(1, 12), "L": LogUniform(0.1, 10.0)}

    def __post_init__(self) -> None:
        """Check the arguments."""
        require_dimension(d=self.d)
        require_positive(L=self.L)
        require_nonnegative(mu=self.mu)
        if not self.mu < self.L:
            raise ValueError(f"mu must be < L = {self.L!r}, got {self.mu!r}")
        object.__setattr__(self, "L", float(self.L))
        object.__setattr__(self, "mu", float(self.mu))
        require_start(self.start, self.d)

    @cached_property
    def _weight(self) -> Fraction:
        """(L - mu) / 4, exact."""
        return (Fraction(self.L) - Fraction(self.mu)) / 4

    @cached_property
    def _eigenvalues(self) -> Tensor:
        k = torch.arange(1, self.d + 1, dtype=torch.float64)
        return self.mu + 4 * float(self._weight) * (k * (math.pi / (2 * self.d + 2))).sin().square()

    @cached_property
    def _spectrum(self) -> Spectrum:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Eigenvector k has the entries sqrt(2 / (d + 1)) sin(i k pi / (d + 1))."""
        k, turn = torch.arange(1, self.d + 1), self.d + 1
        # whole turns are taken off before anything is rounded
        angles = (k.unsqueeze(1) * k % (2 * turn)).to(torch.float64) * (math.pi / turn)
        return Spectrum.of(self._eigenvalues, angles.sin() * math.sqrt(2 / turn))

    @cached_property
    def _hessian(self) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self._stencil(torch.eye(self.d, dtype=torch.float64))

    def _stencil(self, v: Tensor) -> Tensor:
        """H v: an entry depends on three of v. Shapes (*batch, d)."""
        after = torch.nn.functional.pad(v[..., 1:], (0, 1))
        before = torch.nn.functional.pad(v[..., :-1], (1, 0))
        return float(self._weight) * ((v - before) + (v - after)) + self.mu * v

    def _exact_times(self, z: Exact) -> list[Fraction]:
        padded = [Fraction(0), *z, Fraction(0)]
        mu = Fraction(self.mu)
        return [
            self._weight * (2 * padded[i] - padded[i - 1] - padded[i + 1]) + mu * padded[i]
            for i in range(1, self.d + 1)
        ]

    @property
    def _mu(self) -> float:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The smallest eigenvalue less 16 roundings: of the angle, its sine, the square, three products."""
        return float(self._eigenvalues[0]) * (1 - 16 * EPS)

    @cached_property
    def _optimum(self) -> Optimum:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The closed form, certified by its residual."""
        left = torch.arange(self.d, 0, -1, dtype=torch.float64)
        if self.mu == 0:
            x = left / (self.d + 1)
        else:
            t = 2 * math.asinh(math.sqrt(self.mu / (self.L - self.mu)))
            whole = torch.tensor(2 * (self.d + 1) * t, dtype=torch.float64)
            x = (t * (left - (self.d + 1))).exp() * (torch.expm1(-2 * t * left) / torch.expm1(-whole))
        b = [self._weight, *[Fraction(0)] * (self.d - 1)]
        return exact_optimum(x, self._exact_times, b, self._mu)

    @property
    def x0(self) -> Tensor:
        """The origin, (d,)."""
        return start_point(self, self.start, torch.zeros(self.d, dtype=torch.float64))

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """From the eigenvalues, rounded outward by 16 roundings."""
        high = float(self._eigenvalues[-1]) * (1 + 16 * EPS)
        return self._facts(self._mu, high, "eigenvalues (L - mu) sin^2(k pi / (2 d + 2)) + mu, k = 1..d")

    def gap(self, x: Tensor) -> Tensor:
        """The squares of y = x - x_star, free of cancellation. x: (*batch, d). Returns (*batch,)."""
        require_points(x, self.d)
        y = x - self.x_star.to(x)
        ends = y[..., 0].square() + y[..., -1].square()
        jumps = ends + (y[..., 1:] - y[..., :-1]).square().sum(dim=-1)
        return float(self._weight) / 2 * jumps + self.mu / 2 * y.square().sum(dim=-1)

    def grad(self, x: Tensor) -> Tensor:
        """H x - (L - mu)/4 e_1: exactly 0 from the second coordinate after the last nonzero one of x on."""
        require_points(x, self.d)
        g = self._stencil(x)
        first = torch.zeros_like(g)
        first[..., 0] = float(self._weight)
        return g - first

    def hvp(self, x: Tensor, v: Tensor) -> Tensor:
        """H v by the three-point stencil. Shapes (*batch, d)."""
        require_points(x, self.d)
        return self._stencil(v)
