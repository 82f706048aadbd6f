"""Convex quadratics whose minimiser is computed, with errors certified in exact arithmetic."""

import math
from abc import abstractmethod
from collections.abc import Callable, Sequence
from fractions import Fraction

import torch
from torch import Tensor

from assumptions.base import EPS
from assumptions.outward import round_up
from problems.optimum import Optimum
from problems.quadratic_oracles import QuadraticOracles
from problems.solved import SolvedProblem

Exact = Sequence[Fraction]
TINY = 5e-324
"""The smallest float: twice what rounding takes from a number below the normal ones."""


class SolvedQuadratic(SolvedProblem, QuadraticOracles):  # pyright: ignore[reportIncompatibleVariableOverride]
    """A convex quadratic that is bounded below; ``x_star`` is known to ``x_star_error``.

    A subclass gives ``_spectrum``, ``_hessian``, ``_optimum`` and ``_mu``.
    """

    @property
    @abstractmethod
    def _mu(self) -> float:
        """At most the smallest nonzero eigenvalue, > 0."""

    @property
    def unique_star(self) -> bool:
        """True if no eigenvalue is 0."""
        return not self._spectrum.flat

    def gap_cancellation(self, x: Tensor, gap: Tensor) -> Tensor:
        """The gap, and what an inexact x_star adds to it in units of EPS, (*batch,).

        In the norm |y|_H^2 = y'Hy, |x_star - exact|_H <= e = |g| / sqrt(mu), so the gap |y|_H^2 / 2
        moves by at most |y|_H e + e^2 / 2.
        """
        del x
        error = self._optimum.grad_bound / math.sqrt(self._mu)
        return gap + ((2 * gap).sqrt() * error + error**2 / 2) / EPS


def exact_optimum(x: Tensor, times: Callable[[Exact], list[Fraction]], b: Exact, mu: float) -> Optimum:
    """The certificate at x of f = z'Hz / 2 - <b, z>, b in the range of H.

    times: z -> H z. mu: at most the smallest nonzero eigenvalue of H. With g = H x - b, in exact arithmetic:
    f(x) - inf f <= |g|^2 / (2 mu), and the nearest minimiser is at distance at most |g| / mu.
    """
    z = [Fraction(entry) for entry in x.tolist()]
    product = times(z)
    residual = [h - c for h, c in zip(product, b, strict=True)]
    square = sum((r * r for r in residual), Fraction(0))
    value = sum((e * (h / 2 - c) for e, h, c in zip(z, product, b, strict=True)), Fraction(0))
    f_star = math.nextafter(float(value), math.inf) if float(value) < value else float(value)
    error = round_up(square / (2 * Fraction(mu)) + Fraction(f_star) - value)
    size = math.sqrt(round_up(square)) * (1 + 4 * EPS)
    return Optimum(x, f_star, error, size / mu * (1 + 4 * EPS), size)


def refined(
    x: Tensor, times: Callable[[Exact], list[Fraction]], b: Exact, inverse: Callable[[Tensor], Tensor]
) -> Tensor:
    """x after three Newton steps with an exact residual. inverse: g -> H^+ g, up to rounding."""
    for _ in range(3):
        product = times([Fraction(entry) for entry in x.tolist()])
        residual = [float(h - c) for h, c in zip(product, b, strict=True)]
        x = x - inverse(x.new_tensor(residual))
    return x


def symmetric_margin(matrix: Tensor) -> float:
    """Error of the eigenvalues of a symmetric matrix whose entries are rounded once, at most.

    EPS times its Frobenius norm for the rounding, 10 d EPS max |lambda| for the eigensolver (Weyl), and d
    times the smallest float for entries below the normal ones. 0 for the zero matrix.
    """
    d, largest = matrix.shape[-1], float(matrix.abs().amax())
    if largest == 0:
        return 0.0
    # the square of an entry may leave the floats
    size = largest * float((matrix / largest).norm())
    return EPS * (1 + 10 * d) * size * 1.01 + d * TINY


def moore_penrose(eigenvalues: Tensor, basis: Tensor) -> Callable[[Tensor], Tensor]:
    """g -> V diag(1 / a) V' g over the nonzero eigenvalues a. g: (d,)."""
    a = torch.where(eigenvalues > 0, eigenvalues, torch.inf)
    return lambda g: basis @ ((basis.mT @ g) / a)
