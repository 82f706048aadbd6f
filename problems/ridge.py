"""Functions of one inner product, minimised exactly over the balls of every norm."""

import math
from abc import abstractmethod
from functools import cached_property, lru_cache
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Norm
from assumptions.guards import require_finite, require_points
from assumptions.rounding import ROUNDINGS
from problems.arguments import require_start, start_point
from problems.ball_oracle import BallOracle
from problems.ball_step import BallStep
from problems.oracle_guards import positive_step, require_norm_fits, require_vector


class Ridge(BallOracle):
    """f(x) = h(<a, x> - b), h convex on R with argmin h = [low, high].

    The ball of radius t of a norm |.| is mapped by <a, .> onto |s - m| <= t |a|_*, m = <a, x> - b: the
    points x + r v with v = argmax {<a, v> : |v| <= 1} reach every s = m + r |a|_*. So the minimiser
    moves s towards [low, high] by at most t |a|_*, in every norm; the nearest minimiser of f is where s
    arrives, at distance |s - m| / |a|_* (Hoelder: no shorter step changes s as much).
    Multiplier: h'(s) a, whose product with the step is -t |h'(s)| |a|_*.
    """

    a: tuple[float, ...]
    b: float = 0.0
    start: tuple[float, ...] = ()

    @property
    @abstractmethod
    def interval(self) -> tuple[float, float]:
        """(low, high), the minimisers of h; (inf, inf) or (-inf, -inf) if there are none."""

    @abstractmethod
    def _h(self, s: Tensor) -> Tensor:
        """h(s). Shapes as s."""

    @abstractmethod
    def _slope(self, s: Tensor) -> Tensor:
        """h'(s), 0 at a kink where h is minimal; nan stays. Shapes as s."""

    @abstractmethod
    def _shift(self, m: Tensor, k: Tensor) -> Tensor:
        """s - m for s = argmin h(s) + (s - m)^2 / (2 k). Shapes as m and k broadcast."""

    @abstractmethod
    def _conjugate(self, slope: Tensor) -> Tensor:
        """h^*(slope), inf outside its domain. Shapes as slope."""

    def _check(self) -> None:
        """Tuples of floats, checked."""
        object.__setattr__(self, "a", require_vector("a", self.a))
        if not any(self.a):
            raise ValueError(f"a must not be 0, got {self.a!r}")
        require_finite(b=self.b)
        require_start(self.start, self.d)

    @property
    def d(self) -> int:
        """Length of a."""
        return len(self.a)

    @cached_property
    def _a(self) -> Tensor:
        return torch.tensor(self.a, dtype=torch.float64)

    @cached_property
    def _length(self) -> float:
        return math.hypot(*self.a)

    @cached_property
    def _direction(self) -> Tensor:
        """a / |a|, (d,)."""
        return self._a / self._length

    def _preimage(self, s: float) -> Tensor:
        """The shortest x with <a, x> - b = s, (d,)."""
        return self._direction * ((s + self.b) / self._length)

    @property
    def x0(self) -> Tensor:
        """One unit outside the solution set; one unit from 0, uphill, if there is none, (d,)."""
        low, high = self.interval
        end, outward = (high, 1) if high < math.inf else (low, -1)
        edge = self._preimage(end if abs(end) < math.inf else -self.b)
        return start_point(self, self.start, edge + outward * self._direction)

    def _inner(self, x: Tensor) -> Tensor:
        """<a, x> - b, (*batch,)."""
        require_points(x, self.d)
        return (self._a.to(x) * x).sum(dim=-1) - self.b

    def value(self, x: Tensor) -> Tensor:
        """x: (*batch, d). Returns (*batch,)."""
        return self._h(self._inner(x))

    def grad(self, x: Tensor) -> Tensor:
        """h'(<a, x> - b) a, 0 where f is minimal. Shapes (*batch, d)."""
        return self._a.to(x) * self._slope(self._inner(x)).unsqueeze(-1)

    def gap_cancellation(self, x: Tensor, gap: Tensor) -> Tensor:
        """The terms of the inner product, sum_i |a_i x_i| + |b|, times the slope of h nearby, (*batch,)."""
        del gap
        s = self._inner(x)
        size = (self._a.to(x) * x).abs().sum(dim=-1) + abs(self.b)
        slopes = self._slope(s - ROUNDINGS * size).abs(), self._slope(s + ROUNDINGS * size).abs()
        return size * torch.maximum(*slopes)

    def _missing(self, m: Tensor) -> Tensor:
        """How far s is from [low, high], signed: +-inf where h has no minimiser. Shapes as m."""
        low, high = self.interval
        return m.clamp(low, high) - m

    def _landing(self, x: Tensor, m: Tensor, norm: Norm) -> Tensor:
        """The minimiser nearest to x; x itself where it is one. m: (*batch, 1). Returns (*batch, d)."""
        missing = self._missing(m)
        if self.d == 1:
            low, high = self.interval
            # by the sign of what is missing, so that the point does not depend on x
            ends = [self._preimage(s).to(x) if abs(s) < math.inf else x for s in (low, high)]
            arrived = torch.where(missing > 0, ends[0], ends[1])
            if low == high:
                return torch.where(m.isnan(), m, arrived)
        else:
            direction, reach = _steepest(self.a, norm)
            arrived = x + direction.to(x) * (missing / reach)
        return torch.where(missing == 0, x, torch.where(m.isnan(), m, arrived))

    def offers_brox(self, norm: Norm = EUCLIDEAN) -> bool:
        """True for every norm."""
        return norm.fits(self.d)

    def _ball_step(self, x: Tensor, t: Tensor, norm: Norm) -> BallStep:
        """Along the direction that changes <a, x> fastest, until [low, high] or the sphere."""
        m = self._inner(x).unsqueeze(-1)
        direction, reach = _steepest(self.a, norm)
        way = self._missing(m) / reach
        length = torch.minimum(torch.maximum(way, -t), t)
        step = length * direction.to(x)
        near = way.abs() <= t
        slope = torch.where(near, 0.0, self._slope(m + length * reach))
        point = torch.where(near, self._landing(x, m, norm), x + step)
        return BallStep.of(x, t, norm, step, slope * self._a.to(x), point)

    def prox(self, x: Tensor, stepsize: float | Tensor) -> Tensor:
        """X + a (s - m) / |a|^2, s the proximal point of h with stepsize k = stepsize |a|^2. (*batch, d)."""
        step = positive_step(x, self.d, stepsize=stepsize)
        m = self._inner(x).unsqueeze(-1)
        shift = self._shift(m, step * self._length * self._length)
        moved = x + self._direction.to(x) * (shift / self._length)
        return torch.where(shift == self._missing(m), self._landing(x, m, EUCLIDEAN), moved)

    def conjugate(self, g: Tensor) -> Tensor:
        """f^*(g) = h^*(r) + r b for g = r a, inf elsewhere. g: (*batch, d). Returns (*batch,).

        g counts as a multiple of a, and r as a point of the domain, up to 64 roundings.
        """
        require_points(g, self.d, "g")
        r = (self._direction.to(g) * g).sum(dim=-1) / self._length
        off = EUCLIDEAN.norm(g - self._a.to(g) * r.unsqueeze(-1))
        value = self._conjugate(r) + r * self.b
        return torch.where(off > ROUNDINGS * EUCLIDEAN.norm(g), torch.inf, value)

    def _affine(self, z: Any) -> Any:
        """<a, z> - b as an expression of cvxpy."""
        return np.array(self.a) @ z - self.b


class AttainedRidge(Ridge):
    """A ridge whose h attains its minimum 0."""

    f_star: ClassVar[float] = 0.0

    @cached_property
    def x_star(self) -> Tensor:
        """The minimiser nearest to 0, (d,)."""
        low, high = self.interval
        return self._preimage(min(max(-self.b, low), high))

    @property
    def unique_star(self) -> bool:
        """True on the line if h has one minimiser."""
        low, high = self.interval
        return self.d == 1 and low == high

    def gap(self, x: Tensor) -> Tensor:
        """The value: f_star = 0. x: (*batch, d). Returns (*batch,)."""
        return self.value(x)

    def offers_dist(self, norm: Norm = EUCLIDEAN) -> bool:
        """True for every norm."""
        return norm.fits(self.d)

    def nearest_star(self, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        """A nearest minimiser in ``norm``, at distance |s - m| / |a|_*; x where it is one. (*batch, d).

        ValueError for a norm that is none on R^d.
        """
        require_norm_fits(self, norm)
        return self._landing(x, self._inner(x).unsqueeze(-1), norm)


@lru_cache(maxsize=256)
def _steepest(a: tuple[float, ...], norm: Norm) -> tuple[Tensor, float]:
    """argmax {<a, v> : |v| <= 1}, (d,), and the maximum |a|_*."""
    vector = torch.tensor(a, dtype=torch.float64)
    return norm.lmo_direction(vector), float(norm.dual(vector))


def require_label(label: int) -> None:
    """ValueError unless the label is 1 or -1."""
    if isinstance(label, bool) or label not in (-1, 1):
        raise ValueError(f"label must be 1 or -1, got {label!r}")


def clip_domain(r: Tensor, low: float, high: float) -> tuple[Tensor, Tensor]:
    """(r clipped to [low, high], whether it is outside by more than 64 roundings). Shapes as r."""
    return r.clamp(low, high), (r < low - ROUNDINGS) | (r > high + ROUNDINGS)
