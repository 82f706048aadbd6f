"""Log-sum-exp of affine functions, built around a minimiser that is exact."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Certificate, Convex, Lipschitz, Norm, Smooth
from assumptions.guards import require_dimension, require_finite, require_points, require_positive
from problems.arguments import require_start, start_point
from problems.ball_oracle import BallOracle
from problems.ball_step import BallStep
from problems.newton_oracles import NewtonOracles
from problems.oracle_guards import require_euclidean
from problems.space import Integers, LogUniform, Range

BITS = 20
"""Entries of the rows are multiples of 2^-BITS: their combinations with whole weights are exact."""
TERMS = 16
"""Of the series of e^z - 1 - z on |z| <= 1: the next one is below 2e-16 of the first."""


@dataclass(frozen=True)
class LogSumExp(BallOracle):
    """f(x) = f_star + log sum_j p_j exp(<a_j, x - c>), j = 1..terms, p > 0, sum p_j = 1, sum p_j a_j = 0.

    d >= 1. terms >= 2. seed >= 0: draws c (standard normal over sqrt(d)), whole n_j >= 1 and rows, those
    but the last standard normal times ``scale``. f_star: finite. scale > 0: 1 / units of x. start:
    overrides x0 = c + (1, ..., 1) / scale. ValueError otherwise.

    p_j = n_j / sum n, and the n_j a_j add up to 0 exactly: grad f(c) = sum p_j a_j = 0, so c is a
    minimiser. The solution set is c + {y : <a_j, y> = 0 for all j}: elsewhere Jensen's inequality,
    sum p_j e^z_j > e^(sum p_j z_j) = 1, is strict. It is c alone if and only if the rows span R^d.
    """

    d: int = 2  # pyright: ignore[reportIncompatibleMethodOverride]
    terms: int = 5
    seed: int = 0
    f_star: float = 0.0
    scale: float = 1.0
    start: tuple[float, ...] = ()

    space: ClassVar[Mapping[str, Range]] = {
        "d": Integers(1, 4),
        "terms": Integers(2, 8),
        "seed": Integers(0, 10_000),
        "scale": LogUniform(0.1, 10.0),
    }

    def __post_init__(self) -> None:
        """Check the arguments."""
        require_dimension(d=self.d, terms=self.terms)
        if self.terms < 2:
            raise ValueError(f"terms must be at least 2, got {self.terms!r}")
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or self.seed < 0:
            raise ValueError(f"seed must be an integer >= 0, got {self.seed!r}")
        require_finite(f_star=self.f_star)
        require_positive(scale=self.scale)
        object.__setattr__(self, "f_star", float(self.f_star))
        object.__setattr__(self, "scale", float(self.scale))
        require_start(self.start, self.d)

    @cached_property
    def _drawn(self) -> tuple[Tensor, Tensor, Tensor]:
        """Rows (terms, d), logarithms of p (terms,), c (d,)."""
        rng = np.random.default_rng(self.seed)
        center = rng.standard_normal(self.d) / self.d**0.5
        rows = rng.standard_normal((self.terms - 1, self.d))
        # in units of a power of two, so that rounding to whole multiples is relative to the scale
        unit = 2.0 ** (math.floor(math.log2(self.scale)) - BITS)
        rows = np.round(rows * self.scale / unit)
        n = rng.integers(1, 5, self.terms - 1).astype(float)
        # the last weight is a power of two that keeps the last row as long as the others
        last = 2.0 ** math.ceil(math.log2(2.5 * math.sqrt(self.terms)))
        rows = np.concatenate([rows, -(n @ rows)[None] / last]) * unit
        n = np.append(n, last)
        return torch.from_numpy(rows), torch.from_numpy(np.log(n / n.sum())), torch.from_numpy(center)

    @property
    def x_star(self) -> Tensor:
        """c, (d,)."""
        return self._drawn[2]

    @property
    def x0(self) -> Tensor:
        """c + (1, ..., 1) / scale, (d,)."""
        return start_point(self, self.start, self.x_star + 1 / self.scale)

    @cached_property
    def _span(self) -> Tensor | None:
        """Orthonormal basis of the span of the rows, (d, rank); None if that is R^d."""
        _, sizes, basis = torch.linalg.svd(self._drawn[0], full_matrices=False)
        kept = sizes > 1e-9 * sizes[0]
        return None if int(kept.sum()) == self.d else basis[kept].mT

    @property
    def unique_star(self) -> bool:
        """True if the rows span R^d."""
        return self._span is None

    @cached_property
    def _L(self) -> float:
        rows = self._drawn[0]
        return float((rows.unsqueeze(0) - rows.unsqueeze(1)).norm(dim=-1).max()) ** 2 / 4 * (1 + 1e-14)

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """The gradient is the mean of the rows with weights q(x), the Hessian their covariance."""
        smooth = "v'Hv is the variance of <a_j, v>, in an interval of length D |v|: at most D^2 |v|^2 / 4"
        largest = float(self._drawn[0].norm(dim=-1).max()) * (1 + 1e-14)
        return (
            Certificate(Convex(), proof="the Hessian is a covariance matrix"),
            Certificate(Smooth(self._L), proof=f"{smooth}, D the largest |a_i - a_j| (Popoviciu)"),
            Certificate(Lipschitz(largest), proof="the gradient is a mean of rows, |a_j| <= G"),
        )

    def _exponents(self, x: Tensor) -> Tensor:
        """<a_j, x - c>, (*batch, terms)."""
        require_points(x, self.d)
        rows, _, center = (part.to(x) for part in self._drawn)
        return (x - center) @ rows.mT

    def gap(self, x: Tensor) -> Tensor:
        """log(1 + sum p_j (e^z_j - 1 - z_j)), z_j = <a_j, x - c>: a sum of terms >= 0, as sum p_j z_j = 0.

        Far away, where that overflows, the usual formula, which cancels nothing there. Returns (*batch,).
        """
        return self._gap_of(self._exponents(x))

    def _gap_of(self, z: Tensor) -> Tensor:
        log_p = self._drawn[1].to(z)
        near = (log_p.exp() * _exp_excess(z.clamp(max=100))).sum(dim=-1).log1p()
        return torch.where(z.amax(dim=-1) > 100, (z + log_p).logsumexp(dim=-1), near)

    def gap_cancellation(self, x: Tensor, gap: Tensor) -> Tensor:
        """Nothing cancels: the gap itself, (*batch,)."""
        del x
        return gap

    def value(self, x: Tensor) -> Tensor:
        """x: (*batch, d). Returns (*batch,)."""
        return self.gap(x) + self.f_star

    def grad(self, x: Tensor) -> Tensor:
        """sum_j (q_j - p_j) a_j with q_j - p_j = p_j (e^(z_j - gap) - 1), precise near c. (*batch, d)."""
        z, rows, log_p = self._exponents(x), self._drawn[0].to(x), self._drawn[1].to(x)
        gap = self._gap_of(z).unsqueeze(-1)
        moved = log_p.exp() * torch.expm1(z - gap)
        # far away the plain weights q are more precise: z - gap is a difference of large numbers
        return torch.where(gap < 1, moved, (z + log_p).softmax(dim=-1)) @ rows

    def hvp(self, x: Tensor, v: Tensor) -> Tensor:
        """sum_j q_j <a_j - m, v> a_j with m the gradient. Shapes (*batch, d)."""
        q = (self._exponents(x) + self._drawn[1].to(x)).softmax(dim=-1)
        along = v @ self._drawn[0].to(v).mT
        return (q * (along - (q * along).sum(dim=-1, keepdim=True))) @ self._drawn[0].to(v)

    def nearest_star(self, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        """c plus the part of x - c that is orthogonal to all rows. Shapes (*batch, d)."""
        require_points(x, self.d)
        require_euclidean(self, norm)
        star = self.x_star.to(x)
        if self._span is None:
            return star.expand_as(x)
        basis = self._span.to(x)
        y = x - star
        return star + (y - (y @ basis) @ basis.mT)

    @cached_property
    def _oracles(self) -> NewtonOracles:
        return NewtonOracles(self, self._L)

    @property
    def oracle_errors(self) -> Mapping[str, float]:
        """inf: f flattens far away, no bound holds everywhere; ``oracle_error`` has one for each call."""
        return {"prox": math.inf, "brox": math.inf}

    def oracle_error(
        self, name: str, x: Tensor, step: float | Tensor, result: Tensor, j: Tensor | None = None
    ) -> Tensor:
        """Bound on |result - exact| from the residual of Newton's method (``NewtonOracles``); (*batch,)."""
        del j  # one term
        if name == "batch_prox":  # of the one term
            return self.oracle_error("prox", x, step, result)
        bound = self._oracles.error(name, x, step, result)
        at_star = (result == self.nearest_star(x)).all(dim=-1)
        return torch.where(at_star, 0.0, bound) if name == "brox" else bound

    def prox(self, x: Tensor, stepsize: float | Tensor) -> Tensor:
        """By Newton's method to a certified residual. Shapes (*batch, d). SolverError if it fails."""
        return self._oracles.prox(x, stepsize)

    def conic(self, z: Any, cp: Any) -> Any:
        """f(z) as an expression of cvxpy."""
        rows, log_p, center = (part.numpy() for part in self._drawn)
        return cp.log_sum_exp(rows @ (z - center) + log_p) + self.f_star

    def _ball_step(self, x: Tensor, t: Tensor, norm: Norm) -> BallStep:
        """The nearest minimiser if it is in the ball; else by Newton's method. SolverError if that fails."""
        star = self.nearest_star(x)
        point, step = self._oracles.ball(x, t, star)
        near = EUCLIDEAN.norm(x - star).unsqueeze(-1) <= t
        return BallStep.of(x, t, norm, step, torch.where(near, 0.0, self.grad(point)), point)


def _exp_excess(z: Tensor) -> Tensor:
    """e^z - 1 - z >= 0, relative error a few roundings. Shape as z."""
    inner = z.clamp(-1, 1)
    series = torch.zeros_like(z)
    for k in range(TERMS + 2, 2, -1):
        series = (1 + series) * inner / k
    series = inner.square() / 2 * (1 + series)
    return torch.where(z.abs() <= 1, series, torch.expm1(z) - z)
