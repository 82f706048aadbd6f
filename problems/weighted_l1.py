"""Weighted l1 distance to a point."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Certificate, Convex, Lipschitz, Norm
from assumptions.base import EPS
from assumptions.guards import require_points
from assumptions.outward import certify, length_up
from problems.arguments import require_start, start_point
from problems.ball_oracle import BallOracle
from problems.ball_step import BallStep
from problems.lp_form import has_lp_form, lp_form
from problems.oracle_guards import positive_step, require_norm_fits, require_vector
from problems.soft_ball import soft_ball
from problems.space import LogUniform, Range, Vector
from problems.zero_minimum import ZeroMinimum


@dataclass(frozen=True)
class WeightedL1(ZeroMinimum, BallOracle):
    """f(x) = sum_i w_i |x_i - c_i|.

    weights: w >= 0, at least one > 0, units of f per unit of x; where w_i = 0, x_i is free. center:
    c, (d,), 0 if empty. start: overrides x0, by default c + 1. ValueError otherwise. Source: definition.
    """

    weights: tuple[float, ...]
    center: tuple[float, ...] = ()
    start: tuple[float, ...] = ()

    space: ClassVar[Mapping[str, Range]] = {"weights": Vector(LogUniform(1e-4, 10.0), 1, 6)}

    def __post_init__(self) -> None:
        """Tuples of floats, checked."""
        object.__setattr__(self, "weights", require_vector("weights", self.weights))
        if not (min(self.weights) >= 0 and max(self.weights) > 0):
            raise ValueError(f"weights must be >= 0 and one of them > 0, got {self.weights!r}")
        if self.center:
            object.__setattr__(self, "center", require_vector("center", self.center, self.d))
        require_start(self.start, self.d)

    @property
    def d(self) -> int:
        """Number of weights."""
        return len(self.weights)

    @cached_property
    def _w(self) -> Tensor:
        return torch.tensor(self.weights, dtype=torch.float64)

    @cached_property
    def x_star(self) -> Tensor:
        """The center, (d,)."""
        return torch.tensor(self.center or (0.0,) * self.d, dtype=torch.float64)

    @property
    def x0(self) -> Tensor:
        """The center plus 1, (d,)."""
        return start_point(self, self.start, self.x_star + 1)

    @property
    def unique_star(self) -> bool:
        """True if no weight is 0."""
        return min(self.weights) > 0

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """Each subgradient has |g_i| <= w_i."""
        return (
            Certificate(Convex(), proof="a sum of absolute values with weights >= 0"),
            *certify(Lipschitz, length_up(self.weights), "|g_i| <= w_i, so |g| <= |w|"),
        )

    def value(self, x: Tensor) -> Tensor:
        """x: (*batch, d). Returns (*batch,)."""
        require_points(x, self.d)
        return (self._w.to(x) * (x - self.x_star.to(x)).abs()).sum(dim=-1)

    def grad(self, x: Tensor) -> Tensor:
        """w_i sign(x_i - c_i), 0 at the kink: a subgradient. Shapes (*batch, d)."""
        require_points(x, self.d)
        y = x - self.x_star.to(x)
        # torch.sign maps nan to 0
        return torch.where(y.isnan(), y, self._w.to(x) * y.sign())

    def conjugate(self, g: Tensor) -> Tensor:
        """<g, c> where all |g_i| <= w_i, up to 8 roundings, else inf. g: (*batch, d). Returns (*batch,)."""
        require_points(g, self.d, "g")
        within = (g.abs() <= self._w.to(g) * (1 + 8 * EPS)).all(dim=-1)
        value = (g * self.x_star.to(g)).sum(dim=-1)
        return torch.where(within | value.isnan(), value, torch.inf)

    def offers_dist(self, norm: Norm = EUCLIDEAN) -> bool:
        """True in every l_p norm, weighted or not; in other norms if no weight is 0."""
        return norm.fits(self.d) and (self.unique_star or has_lp_form(norm, self.d))

    def nearest_star(self, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        """c where w > 0, x elsewhere. Shapes (*batch, d). ValueError unless ``offers_dist(norm)``.

        Any solution differs from x by x_i - c_i where w > 0, and monotone norms grow with the rest.
        """
        require_points(x, self.d)
        require_norm_fits(self, norm)
        if not self.offers_dist(norm):
            raise ValueError(f"nearest_star of {self!r} projects in l_p norms only, got norm={norm!r}")
        return torch.where(self._w.to(x) > 0, self.x_star.to(x), x)

    def prox(self, x: Tensor, stepsize: float | Tensor) -> Tensor:
        """Soft thresholding at stepsize w_i. Shapes (*batch, d)."""
        threshold = positive_step(x, self.d, stepsize=stepsize) * self._w.to(x)
        c = self.x_star.to(x)
        y = x - c
        return torch.where((y.abs() <= threshold) & (threshold > 0), c, x - y.sign() * threshold)

    def offers_brox(self, norm: Norm = EUCLIDEAN) -> bool:
        """True in every l_p norm, weighted or not."""
        return has_lp_form(norm, self.d)

    def conic(self, z: Any, cp: Any) -> Any:
        """f(z) as an expression of cvxpy."""
        return self._w.numpy() @ cp.abs(z - self.x_star.numpy())

    def _ball_step(self, x: Tensor, t: Tensor, norm: Norm) -> BallStep:
        """Each coordinate towards c by a length of its own, not beyond (``soft_ball``, in units of t and v).

        With |s| = |v s|_p and z = v s, f is a weighted l1 distance of z with weights w / v.
        """
        p, v = lp_form(norm, x)
        w, c = self._w.to(x), self.x_star.to(x)
        y = x - c
        length = v * y.abs()
        near = norm.norm(torch.where(w > 0, y, 0.0)).unsqueeze(-1) <= t
        r, slope = soft_ball(length / t, w / v, p)
        arrived = (r >= length / t) & (w > 0)
        step = -torch.where(near | arrived, torch.where(w > 0, y, 0.0), y.sign() * (r * t / v))
        g = torch.where(near, 0.0, y.sign() * slope * v)
        point = torch.where(w > 0, torch.where(near | arrived, c, x + step), x)
        # torch.sign maps nan to 0
        lost = y.isnan().any(dim=-1, keepdim=True)
        step, g, point = (torch.where(lost, torch.nan, part) for part in (step, g, point))
        return BallStep.of(x, t, norm, step, g, point)
