"""Continuous piecewise linear functions on an interval, convex or not."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Certificate, Convex, Norm
from assumptions.balls.ball_convex import BallConvex
from assumptions.base import EPS
from assumptions.guards import require_points
from assumptions.outward import certify, round_up
from problems.arguments import require_start, start_point
from problems.ball_oracle import BallOracle
from problems.ball_step import BallStep
from problems.interval import fits_line, half_length
from problems.oracle_guards import require_norm_fits, require_vector
from problems.sets import Box


@dataclass(frozen=True)
class PiecewiseLinear(BallOracle):
    """f interpolates (knots, values) on [knots[0], knots[-1]], f = +inf outside; d = 1.

    knots: increasing, at least two, units of x. values: as many, units of f. start: overrides x0, the
    knot farthest from the first minimiser; inside the interval. ValueError otherwise. Source: definition.
    """

    knots: tuple[float, ...] = (0.0, 1.0, 2.0, 4.0)
    values: tuple[float, ...] = (0.0, 2.0, 1.0, 3.0)
    start: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Tuples of floats, checked."""
        object.__setattr__(self, "knots", require_vector("knots", self.knots))
        object.__setattr__(self, "values", require_vector("values", self.values, len(self.knots)))
        if not (len(self.knots) >= 2 and bool((self._k.diff() > 0).all())):
            raise ValueError(f"knots must be at least two, increasing, got {self.knots!r}")
        require_start(self.start, 1)
        if self.start and not self.knots[0] <= self.start[0] <= self.knots[-1]:
            raise ValueError(f"start must lie between the first and the last knot, got {self.start!r}")

    @property
    def d(self) -> int:
        """1."""
        return 1

    @cached_property
    def _k(self) -> Tensor:
        return torch.tensor(self.knots, dtype=torch.float64)

    @cached_property
    def _v(self) -> Tensor:
        return torch.tensor(self.values, dtype=torch.float64)

    @cached_property
    def _slopes(self) -> Tensor:
        return self._v.diff() / self._k.diff()

    @property
    def f_star(self) -> float:
        """The smallest value, attained at a knot."""
        return min(self.values)

    @cached_property
    def x_star(self) -> Tensor:
        """The first knot of smallest value, (1,)."""
        return self._k[self._v.argmin()].reshape(1)

    @property
    def x0(self) -> Tensor:
        """The end farther from x_star, (1,)."""
        far = self._k[0] if self.x_star - self._k[0] > self._k[-1] - self.x_star else self._k[-1]
        return start_point(self, self.start, far.reshape(1))

    @property
    def unique_star(self) -> bool:
        """True if one knot has the smallest value."""
        return self.values.count(self.f_star) == 1

    @property
    def convex(self) -> bool:
        """True if the slopes do not fall, compared exactly."""
        return bool((self._slopes.diff() >= 0).all())

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """A ball as large as the domain sees all of it."""
        whole = (
            "a ball of that radius around a point of the domain holds the domain, so f(u) = f_star and c = 0"
        )
        length = round_up(Fraction(self.knots[-1]) - Fraction(self.knots[0]))
        facts = [*certify(BallConvex, length, whole)]
        if self.convex:
            domain = Box((self.knots[0],), (self.knots[-1],))
            proof = "slopes that do not fall, on an interval"
            facts.append(Certificate(Convex(), proof=proof, region=domain))
        return tuple(facts)

    def contains(self, x: Tensor) -> Tensor:
        """Whether x lies between the end knots. x: (*batch, 1). Returns bool (*batch,)."""
        require_points(x, 1)
        return ((x >= self.knots[0]) & (x <= self.knots[-1])).squeeze(-1)

    def into_domain(self, x: Tensor) -> Tensor:
        """The nearest point of the domain. Shapes (*batch, 1)."""
        require_points(x, 1)
        return x.clamp(self.knots[0], self.knots[-1])

    def _piece(self, x: Tensor) -> Tensor:
        """Index of the piece that holds x, the left one at a knot; shapes as x."""
        inner = self._k[1:-1].to(x)
        return torch.searchsorted(inner, x.detach().contiguous())

    def value(self, x: Tensor) -> Tensor:
        """x: (*batch, 1). Returns (*batch,)."""
        inside = self.contains(x) | x.isnan().squeeze(-1)
        i = self._piece(x)
        k, v = self._k.to(x), self._v.to(x)
        share = (x - k[i]) / (k[i + 1] - k[i])
        # the end values come out exact
        inner = torch.where(
            share < 0.5, v[i] + share * (v[i + 1] - v[i]), v[i + 1] - (1 - share) * (v[i + 1] - v[i])
        )
        return torch.where(inside, inner.squeeze(-1), torch.inf)

    def grad(self, x: Tensor) -> Tensor:
        """The slope; at a convex kink the subgradient nearest to 0, at a concave one the left slope.

        The ends are convex kinks. nan outside the domain. Shapes (*batch, 1).
        """
        low, high = self._side_slopes(x)
        g = torch.where(low <= high, torch.maximum(torch.minimum(high, torch.zeros_like(high)), low), low)
        return torch.where(self.contains(x).unsqueeze(-1), g, torch.nan)

    def _side_slopes(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Slopes left and right of x, -inf and inf beyond the ends; shapes as x."""
        padded = torch.cat(
            [self._k.new_tensor([-torch.inf]), self._slopes, self._k.new_tensor([torch.inf])]
        ).to(x)
        k, at = self._k.to(x), x.detach().contiguous()
        return padded[torch.searchsorted(k, at)], padded[torch.searchsorted(k, at, right=True)]

    def offers_dist(self, norm: Norm = EUCLIDEAN) -> bool:
        """Every norm of the line."""
        return fits_line(self, norm)

    def nearest_star(self, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        """The nearest point of the knots and pieces of smallest value. Shapes (*batch, 1)."""
        require_points(x, 1)
        require_norm_fits(self, norm)  # all are multiples of |.|
        k, low = self._k.to(x), self._v.to(x) == self.f_star
        left, right = k[:-1], k[1:]
        flat = low[:-1] & low[1:]
        # a knot is the piece from itself to itself
        starts, ends = torch.cat([left[flat], k[low]]), torch.cat([right[flat], k[low]])
        nearest = torch.maximum(torch.minimum(x, ends), starts)
        return nearest.gather(-1, (nearest - x).abs().argmin(dim=-1, keepdim=True))

    def offers_brox(self, norm: Norm = EUCLIDEAN) -> bool:
        """Every norm: balls are intervals."""
        return fits_line(self, norm)

    def _ball_step(self, x: Tensor, t: Tensor, norm: Norm) -> BallStep:
        """The best of the ends of the interval and the knots inside; nan if the ball misses the domain.

        Of several argmins the nearest to x. A knot within rounding of an end counts as that end.
        """
        x, t = torch.broadcast_tensors(x, half_length(t, norm, x))
        k = self._k.to(x)
        room = 2 * EPS * (x.abs() + t + k.abs())
        offset = k - x
        near = (offset.abs() <= t + room) | (offset.abs() <= room)
        ends = torch.cat(torch.broadcast_tensors(-t + 0 * x, t + 0 * x), dim=-1)
        star = self.nearest_star(x)
        moves = torch.cat([star - x, ends, offset], dim=-1)
        z = torch.cat([star, x + ends, k.expand_as(offset)], dim=-1)
        allowed = torch.cat([(star - x).abs() <= t, torch.ones_like(ends, dtype=torch.bool), near], dim=-1)
        f = torch.where(allowed, self.value(z.unsqueeze(-1)), torch.inf)
        # ties: the shortest move; a knot before the end that rounds to it
        length = torch.where(f == f.amin(dim=-1, keepdim=True), moves.abs(), torch.inf)
        best = length.argmin(dim=-1, keepdim=True)
        lost = ~f.gather(-1, best).isfinite()
        point, step = z.gather(-1, best), torch.maximum(torch.minimum(moves.gather(-1, best), t), -t)
        point, step = torch.where(lost, torch.nan, point), torch.where(lost, torch.nan, step)
        return BallStep.of(x, t, EUCLIDEAN, step, self._support(point), point)

    def _support(self, u: Tensor) -> Tensor:
        """g nearest to 0 with f(y) >= f(u) + g (y - u) for all y; the slope at u where there is none.

        It suffices to ask the knots, for y - f(u) - g (y - u) is linear between them, and the pieces at u.
        """
        low, high = self._side_slopes(u)
        k, f_u = self._k.to(u), self.value(u).unsqueeze(-1)
        i, j = torch.searchsorted(k, u.contiguous()), torch.searchsorted(k, u.contiguous(), right=True)
        index = torch.arange(len(self.knots), device=u.device)
        chords = (self._v.to(u) - f_u) / torch.where(k == u, 1.0, k - u)
        # the knots next to u see the slopes of their pieces, without the rounding of f(u)
        low = torch.maximum(low, torch.where(index < i - 1, chords, -torch.inf).amax(dim=-1, keepdim=True))
        high = torch.minimum(high, torch.where(index > j, chords, torch.inf).amin(dim=-1, keepdim=True))
        g = torch.maximum(torch.minimum(high, torch.zeros_like(u)), low)
        return torch.where(low <= high, g, torch.where(u.isnan(), u, self.grad(u)))
