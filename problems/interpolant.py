"""The smallest convex function of a class through given points with given gradients and values."""

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Certificate, Convex, Lipschitz, Norm, Smooth, StronglyConvex
from assumptions.guards import as_float, require_nonnegative, require_points, require_positive
from assumptions.outward import length_up, round_down
from problems.affine_pieces import AffinePieces, vectors
from problems.arguments import require_start, start_point
from problems.ball_oracle import BallOracle
from problems.ball_step import BallStep
from problems.brox_from_prox import brox_from_prox
from problems.oracle_guards import positive_step, project_unique, require_euclidean, require_vector

TOLERANCE = 1e-6
"""Conditions may be broken by this share of the size of their terms: data come from a conic solver."""


@dataclass(frozen=True)
class Interpolant(BallOracle):
    """f(x) = f_c + mu/2 |y|^2 + min_z (max_i c_i + <r_i, z> + |z - y|^2 / (2 s)), y = x - x_c.

    With r_i = g_i - mu (x_i - x_c), 1/s = L - mu, h_i = f_i - f_c - mu/2 |x_i - x_c|^2 and c_i = h_i -
    <r_i, x_i - x_c> + s/2 |r_i|^2; s = 0 where L = inf, and then the minimum over z is the maximum at y. f is
    the smallest mu-strongly convex L-smooth function with f(x_i) = f_i and gradient g_i at x_i, if there is
    any: that is so if and only if h_i >= h_j + <r_j, x_i - x_j> + s/2 |r_i - r_j|^2 for all i, j. Source:
    Taylor, Hendrickx, Glineur 2017, Smooth strongly convex interpolation, Theorem 4. Whatever the data, f is
    in the class: the minimum over z is a Moreau envelope, convex and 1/s-smooth.

    points, gradients: as many vectors of R^d, units of x and of f over x. values: as many numbers, units of
    f. 0 <= mu < L <= inf. c is the first point with gradient 0, the minimiser, whose value is not exceeded by
    rounding (c_i <= 0); without one, the first point, and no minimum is known. slack >= 0, units of f, only
    where L = inf: ``grad`` counts pieces that are lower than the largest by at most this as active, and takes
    of these the one whose point is nearest; 0: exact ties only. start: overrides x0, the first point.
    ValueError otherwise, and where a condition is broken by more than TOLERANCE of its terms.
    """

    points: tuple[tuple[float, ...], ...]
    gradients: tuple[tuple[float, ...], ...]
    values: tuple[float, ...]
    L: float = math.inf
    mu: float = 0.0
    slack: float = 0.0
    start: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Tuples of floats, checked."""
        object.__setattr__(self, "values", require_vector("values", self.values))
        m = len(self.values)
        object.__setattr__(self, "points", vectors("points", self.points, m))
        object.__setattr__(self, "gradients", vectors("gradients", self.gradients, m, self.d))
        object.__setattr__(self, "L", as_float("L", self.L))
        require_nonnegative(mu=self.mu, slack=self.slack)
        if not math.isinf(self.L):
            require_positive(L=self.L)
        if not self.mu < self.L:
            raise ValueError(f"mu must be < L = {self.L!r}, got {self.mu!r}")
        require_start(self.start, self.d)
        self._require_interpolable()

    @property
    def d(self) -> int:
        """The dimension of the points."""
        return len(self.points[0])

    @cached_property
    def _star(self) -> int | None:
        """Index of the first point with gradient 0."""
        return next((i for i, g in enumerate(self.gradients) if not any(g)), None)

    @cached_property
    def _s(self) -> float:
        """1 / (L - mu), rounded up; 0 where L = inf."""
        return 0.0 if math.isinf(self.L) else math.nextafter(1 / self._curvature, math.inf)

    @cached_property
    def _curvature(self) -> float:
        return round_down(Fraction(self.L) - Fraction(self.mu))

    @cached_property
    def _data(self) -> tuple[Tensor, Tensor, Tensor]:
        """x_i - x_c (m, d), r_i (m, d), h_i (m,)."""
        c = self._star or 0
        x = torch.tensor(self.points, dtype=torch.float64)
        y, g = x - x[c], torch.tensor(self.gradients, dtype=torch.float64)
        f = torch.tensor(self.values, dtype=torch.float64) - self.values[c]
        return y, g - self.mu * y, f - self.mu / 2 * y.square().sum(dim=-1)

    @cached_property
    def _pieces(self) -> AffinePieces:
        """The r_i and c_i."""
        y, r, h = self._data
        c = h - torch.linalg.vecdot(r, y) + self._s / 2 * r.square().sum(dim=-1)
        return AffinePieces(r, c if self._star is None else c.clamp(max=0))

    def _require_interpolable(self) -> None:
        y, r, h = self._data
        products = r @ y.mT  # <r_j, x_i>, row j
        own = products.diagonal()
        apart = (r.unsqueeze(0) - r.unsqueeze(1)).square().sum(dim=-1)
        broken = h + (products.mT - own) + self._s / 2 * apart - h.unsqueeze(1)
        g = torch.tensor(self.gradients, dtype=torch.float64)
        size = (g @ y.mT).abs().max() + self._s / 2 * apart.max() + max(self.values) - min(self.values)
        if not bool((broken <= TOLERANCE * size).all()):
            i, j = divmod(int(broken.argmax()), len(h))
            raise ValueError(
                f"points {i} and {j}: no function with mu = {self.mu!r}, L = {self.L!r} has these values and "
                f"gradients: the condition of interpolation is broken by {float(broken[i, j]):.3g}, terms of "
                f"size {float(size):.3g}"
            )

    @property
    def _center(self) -> Tensor:
        return torch.tensor(self.points[self._star or 0], dtype=torch.float64)

    @property
    def x0(self) -> Tensor:
        """The first point, (d,)."""
        return start_point(self, self.start, torch.tensor(self.points[0], dtype=torch.float64))

    @property
    def x_star(self) -> Tensor | None:
        """The first point with gradient 0, (d,), or None: c_i <= 0 there, and the largest is 0."""
        return None if self._star is None else self._center

    @property
    def f_star(self) -> float | None:
        """The value at ``x_star``, or None."""
        return None if self._star is None else self.values[self._star]

    @property
    def unique_star(self) -> bool:
        """True if f is strongly convex, or d = 1 and slopes of both signs meet at x_star."""
        if self._star is None:
            return False
        slopes = self._pieces.rows[self._pieces.intercepts == 0][:, 0]
        return self.mu > 0 or (self.d == 1 and bool((slopes > 0).any() & (slopes < 0).any()) and self._s == 0)

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """A Moreau envelope plus mu/2 |y|^2; its slopes are means of the r_i."""
        facts = [Certificate(Convex(), proof="a Moreau envelope, or maximum, of affine functions")]
        if self.mu > 0:
            facts.append(Certificate(StronglyConvex(self.mu), proof="mu/2 |y|^2 plus a convex function"))
        if self._s > 0:
            facts.append(
                Certificate(Smooth(self.L), proof="a Moreau envelope of parameter 1/(L - mu), and mu/2 |y|^2")
            )
        largest = max(length_up(g) for g in self.gradients)
        if self.mu == 0 and largest > 0:
            facts.append(Certificate(Lipschitz(largest), proof="a subgradient is a mean of the g_i"))
        return tuple(facts)

    def _offset(self, x: Tensor) -> Tensor:
        require_points(x, self.d)
        return x - self._center.to(x)

    def _above(self, x: Tensor) -> Tensor:
        """f(x) - f_c, (*batch,)."""
        y = self._offset(x)
        strong = self.mu / 2 * y.square().sum(dim=-1)
        if self._s == 0:
            return self._pieces.largest(y) + strong
        z = y.detach() + self._pieces.face(y, y.new_tensor(self._s)).step
        return self._pieces.largest(z) + (z - y).square().sum(dim=-1) / (2 * self._s) + strong

    def gap(self, x: Tensor) -> Tensor:
        """f(x) - f_star >= 0. x: (*batch, d). Returns (*batch,). TypeError without a minimiser."""
        if self._star is None:
            raise TypeError(f"{self!r} has no point with gradient 0: its minimum is not known")
        return self._above(x).clamp(min=0)

    def gap_cancellation(self, x: Tensor, gap: Tensor) -> Tensor:
        """Entry by entry |r_i| |y| + |c_i|, the largest, and the gap, (*batch,)."""
        r, c = self._pieces.rows.to(x), self._pieces.intercepts.to(x)
        return gap + (self._offset(x).abs() @ r.abs().mT + c.abs()).amax(dim=-1)

    def value(self, x: Tensor) -> Tensor:
        """x: (*batch, d). Returns (*batch,)."""
        return self._above(x) + self.values[self._star or 0]

    def grad(self, x: Tensor) -> Tensor:
        """The gradient; where L = inf that of the active piece, by ``slack``; 0 at x_star. (*batch, d)."""
        y = self._offset(x)
        g = self._slope(y) + self.mu * y
        if self._star is not None:
            g = torch.where((y == 0).all(dim=-1, keepdim=True), 0.0, g)
        return torch.where(y.isnan().any(dim=-1, keepdim=True), torch.nan, g)

    def _slope(self, y: Tensor) -> Tensor:
        if self._s > 0:
            return self._pieces.face(y, y.new_tensor(self._s)).pull
        levels, rows = self._pieces.levels(y), self._pieces.rows.to(y)
        active = levels >= levels.amax(dim=-1, keepdim=True) - self.slack
        away = (y.unsqueeze(-2) - self._data[0].to(y)).norm(dim=-1)
        return rows[torch.where(active, away, torch.inf).argmin(dim=-1)]

    def nearest_star(self, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        """Projection on the minimisers, where no piece is above 0, (*batch, d). TypeError without x_star."""
        star = self.x_star
        if star is None:
            raise TypeError(f"{self!r} has no point with gradient 0: its minimisers are not known")
        require_euclidean(self, norm)
        if self.mu > 0 or self.unique_star:
            return project_unique(self, x, star, norm)
        return star.to(x) + self._pieces.project(self._offset(x))

    def prox(self, x: Tensor, stepsize: float | Tensor) -> Tensor:
        """x and the step ``_shift``. Shapes (*batch, d)."""
        return x + self._shift(x, positive_step(x, self.d, stepsize=stepsize))

    def _shift(self, x: Tensor, gamma: Tensor) -> Tensor:
        """prox(x, gamma) - x.

        mu/2 |y|^2 shrinks y and gamma by 1 + gamma mu; the proximal step of an envelope of parameter s is
        gamma / (gamma + s) of that of its function for gamma + s.
        """
        y = self._offset(x)
        grow = 1 + gamma * self.mu
        gamma = gamma / grow
        step = self._pieces.face(y / grow, gamma + self._s).step * (gamma / (gamma + self._s))
        return step - y * (gamma * self.mu)

    def _ball_step(self, x: Tensor, t: Tensor, norm: Norm) -> BallStep:
        nearest = None if self._star is None else self.nearest_star(x)
        if self._s > 0 or self.mu > 0:
            return brox_from_prox(self.prox, x, t, nearest, self._shift)
        if nearest is None:
            step, pull, _ = self._pieces.face(self._offset(x), t, ball=True)
            return BallStep.of(x, t, norm, step, pull)
        near = norm.norm(x - nearest).unsqueeze(-1) <= t
        far = torch.where(near, torch.nan, self._offset(x))  # rows of nan are not solved
        step, pull, _ = self._pieces.face(far, t, ball=True)
        step, pull = torch.where(near, nearest - x, step), torch.where(near, 0.0, pull)
        return BallStep.of(x, t, norm, step, pull, torch.where(near, nearest, x + step))

    def conic(self, z: Any, cp: Any) -> Any:
        """f(z) as an expression of cvxpy where L = inf; an envelope is none (NotImplementedError)."""
        if self._s > 0:
            return super().conic(z, cp)
        y = z - self._center.numpy()
        strong = self.mu / 2 * cp.sum_squares(y)
        return self.values[self._star or 0] + strong + self._pieces.conic(y, cp)
