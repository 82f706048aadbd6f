"""Regularised logistic regression on real data."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from assumptions import EUCLIDEAN, PL, Certificate, Convex, Norm, Smooth, StronglyConvex
from assumptions.base import EPS
from assumptions.guards import require_points, require_positive
from problems.arguments import start_point
from problems.ball_newton import proximal_minimise
from problems.ball_oracle import BallOracle
from problems.ball_step import BallStep
from problems.data.load import NAMES, binary_labels, data_files, design, load
from problems.data_facts import data_facts, star_fact
from problems.link_terms import LinkData, LinkTerms
from problems.newton_steps import newton_ball, newton_prox
from problems.optimum import LONG_EPS, Array, Optimum, certified_optimum, longdouble, shifted
from problems.oracle_guards import project_unique, require_vector
from problems.softplus import softplus, softplus_divergence
from problems.solved import SolvedProblem
from problems.space import Choice, LogUniform, Range

AT_ONCE = 8
"""Points at which the gap is computed together: their margins and nodes stay in the cache."""


@dataclass(frozen=True)
class LogisticRegression(LinkTerms, SolvedProblem, BallOracle):  # pyright: ignore[reportIncompatibleVariableOverride]
    """f(x) = mean_i log(1 + exp(-b_i <a_i, x>)) + reg/2 |x|^2; a mean of n terms, each with its reg/2 |x|^2.

    data: "iris" (versicolor -1, virginica +1), "breast_cancer" (malignant -1, benign +1), "digits" (odd -1,
    even +1), another of the NAMES of ``problems.data.load`` or the path of a LIBSVM file with two labels;
    columns standardised, constant ones dropped, then a column of ones. reg > 0: units of f per squared unit
    of x. start: overrides x0 = 0, finite numbers. ValueError otherwise. Nothing is read before the first
    use; then ValueError if the data cannot be read, have not two labels or not as many columns as the start
    has entries.

    Constants: 0 <= s'' <= 1/4 for s = softplus, so reg I <= Hessian <= A'A/(4n) + reg I. The largest
    eigenvalue of A'A/n is rounded outward: forming it costs (n + 2) EPS trace, the symmetric
    eigensolver 10 d EPS lambda_max (Weyl's inequality).
    """

    data: str
    reg: float
    start: tuple[float, ...] = ()

    space: ClassVar[Mapping[str, Range]] = {
        "data": Choice(("iris", "breast_cancer")),
        "reg": LogUniform(1e-3, 1.0),
    }

    def __post_init__(self) -> None:
        """Types, numbers and reg: what can be checked without reading the data."""
        if not isinstance(self.data, str) or not self.data:
            accepted = f"{', '.join(map(repr, NAMES))} or a path"
            raise ValueError(f"data must be {accepted}, got {self.data!r}")
        if self.start != ():
            object.__setattr__(self, "start", require_vector("start", self.start))
        require_positive(reg=self.reg)

    @cached_property
    def _z(self) -> Tensor:
        """Rows -b_i a_i, (n, d)."""
        features, labels = load(self.data)
        return -binary_labels(self.data, labels).unsqueeze(-1) * design(features)

    @cached_property
    def _links(self) -> LinkData:  # pyright: ignore[reportIncompatibleMethodOverride]
        return LinkData("logistic", -self._z, reg=float(self.reg))

    @property
    def d(self) -> int:
        """Columns of A."""
        return self._z.shape[1]

    @property
    def n_terms(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Rows of A."""
        return self._z.shape[0]

    @property
    def x0(self) -> Tensor:
        """The origin, (d,)."""
        return start_point(self, self.start, torch.zeros(self.d, dtype=torch.float64))

    @cached_property
    def _L(self) -> float:
        eigenvalues = torch.linalg.eigvalsh(self._z.mT @ self._z / self.n_terms)
        top, trace = float(eigenvalues[-1]), float(eigenvalues.sum())
        margin = EPS * ((self.n_terms + 2) * trace + 10 * self.d * top) * 1.01
        return ((top + margin) / 4 + self.reg) * (1 + 4 * EPS)

    @cached_property
    def _optimum(self) -> Optimum:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Newton, then refined and certified in extended precision."""
        start = torch.zeros(1, self.d, dtype=torch.float64)
        x = proximal_minimise(self, start, torch.zeros_like(start[:, :1])).point[0]
        for _ in range(3):
            step = torch.linalg.solve(self.hessian(x), torch.from_numpy(self._long(x)[1].astype(np.float64)))
            x = shifted(x, longdouble(step))
        value, grad, value_error, grad_error = self._long(x)
        return certified_optimum(x, value, value_error, grad, grad_error, self.reg)

    def _long(self, x: Tensor) -> tuple[Array, Array, float, Array]:
        """f and grad f at x in extended precision, with bounds of their rounding errors."""
        rows, z, n, u = longdouble(self._z), longdouble(x), self.n_terms, LONG_EPS
        m = rows @ z
        m_error = (self.d + 2) * u * (np.abs(rows) @ np.abs(z))
        sigmoid = np.exp(-np.logaddexp(-m, np.longdouble(0)))
        value: Array = np.logaddexp(m, np.longdouble(0)).mean() + self.reg * (z @ z) / 2
        grad: Array = rows.T @ sigmoid / n + self.reg * z
        # s' is 1/4-Lipschitz, s is 1-Lipschitz; 16 u: library functions of a value up to |m|
        sigmoid_error = m_error / 4 + (n + 16 + 4 * np.abs(m)) * u * sigmoid
        grad_error = np.abs(rows).T @ sigmoid_error / n + (8 * u) * self.reg * np.abs(z)
        value_error = float(m_error.mean() + (n + self.d + 16) * u * value)
        return value, grad, 1.01 * value_error, 1.01 * grad_error

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """From the Hessian A' diag(s'') A / n + reg I with 0 <= s'' <= 1/4."""
        pl = "minimise the strong convexity inequality over y on both sides"
        x = self.x_star
        return (
            Certificate(Convex(), proof="a mean of convex functions of linear ones, plus a square"),
            Certificate(Smooth(self._L), proof="Hessian <= A'A/(4n) + reg I, eigenvalue rounded outward"),
            Certificate(StronglyConvex(self.reg), proof="Hessian >= reg I"),
            Certificate(PL(self.reg), proof=pl),
            *data_facts(self._z, 0.25, self.reg),
            *star_fact(self._z, torch.sigmoid(self._z @ x), 0.25, x, self.x_star_error, self.reg),
        )

    @property
    def files(self) -> tuple[str, ...]:
        """The user's data file, if it is one."""
        return data_files(self.data)

    def value(self, x: Tensor) -> Tensor:
        """x: (*batch, d). Returns (*batch,)."""
        require_points(x, self.d)
        return softplus(x @ self._z.to(x).mT).mean(dim=-1) + self.reg / 2 * x.square().sum(dim=-1)

    def gap(self, x: Tensor) -> Tensor:
        """Bregman divergence of f between x and x_star, a sum of terms >= 0; (*batch,).

        f(x) - f(x_star) exceeds it by <grad f(x_star), x - x_star>, which is 0 at the exact x_star.
        """
        require_points(x, self.d)
        x_star, rows = self.x_star.to(x), self._z.to(x)
        y = (x - x_star).reshape(-1, self.d)
        margins = x_star @ rows.mT
        parts = [softplus_divergence(margins, part @ rows.mT).mean(dim=-1) for part in y.split(AT_ONCE)]
        return torch.cat(parts).reshape(x.shape[:-1]) + self.reg / 2 * (x - x_star).square().sum(dim=-1)

    def gap_cancellation(self, x: Tensor, gap: Tensor) -> Tensor:
        """The gap, and in units of EPS what |grad f(x_star)| |x - x_star| adds to it, (*batch,)."""
        distance = (x - self.x_star.to(x)).norm(dim=-1) + self.x_star_error
        return gap + self._optimum.grad_bound * distance / EPS

    def grad(self, x: Tensor) -> Tensor:
        """mean_i z_i s'(<z_i, x>) + reg x with z_i = -b_i a_i. Shapes (*batch, d)."""
        require_points(x, self.d)
        rows = self._z.to(x)
        return torch.sigmoid(x @ rows.mT) @ rows / self.n_terms + self.reg * x

    def _curvature(self, x: Tensor) -> Tensor:
        m = x @ self._z.to(x).mT
        return torch.sigmoid(m) * torch.sigmoid(-m) / self.n_terms

    def hvp(self, x: Tensor, v: Tensor) -> Tensor:
        """Hessian at x times v. Shapes (*batch, d)."""
        require_points(x, self.d)
        rows = self._z.to(v)
        return (self._curvature(x) * (v @ rows.mT)) @ rows + self.reg * v

    def hessian(self, x: Tensor) -> Tensor:
        """The Hessian. x: (*batch, d). Returns (*batch, d, d)."""
        require_points(x, self.d)
        rows = self._z.to(x)
        return (rows.mT * self._curvature(x).unsqueeze(-2)) @ rows + self.reg * torch.eye(self.d).to(x)

    def nearest_star(self, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        """The minimiser. Shapes (*batch, d)."""
        return project_unique(self, x, self.x_star, norm)

    @cached_property
    def _mean_length(self) -> float:
        return float(self._z.norm(dim=-1).mean())

    def grad_resolution(self, x: Tensor) -> Tensor:
        """What rounding does to the gradient: 32 EPS (mean |a_i| + L |x|), (*batch,)."""
        return 32 * EPS * (self._mean_length + self._L * x.norm(dim=-1))

    @property
    def oracle_errors(self) -> Mapping[str, float]:
        """Residual over reg, for points and results of norm <= 10 (1 + |x_star| + |x0|); see ``ball_newton``.

        The residual is at most ``grad_resolution`` at both, and as much again is room for its rounding.
        """
        reach = 10 * (1 + self.x_star.norm() + self.x0.norm())
        size = 32 * EPS * (self._mean_length + self._L * float(reach))
        bound = 4 * size / self.reg
        return {**super().oracle_errors, "brox": bound, "prox": bound}

    def prox(self, x: Tensor, stepsize: float | Tensor) -> Tensor:
        """By Newton's method to a certified residual. Shapes (*batch, d). SolverError if it fails."""
        require_points(x, self.d)
        return newton_prox(self, x, stepsize, self.x_star, self.gap)

    def _ball_step(self, x: Tensor, t: Tensor, norm: Norm) -> BallStep:
        """x_star if it is within reach, else by Newton's method. SolverError if its residual stays large."""
        u, step = newton_ball(self, x, t, self.x_star)
        return BallStep.of(x, t, norm, step, self.grad(u), point=u)
