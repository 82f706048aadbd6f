"""The piecewise linear function that subgradient methods find hardest, with its resisting oracle."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Certificate, Convex, Lipschitz, Lp, Norm, StronglyConvex
from assumptions.base import EPS
from assumptions.guards import require_dimension, require_points, require_positive
from problems.arguments import require_start, start_point
from problems.ball_sets import EuclideanBall
from problems.base import Problem
from problems.level import cut_at_level
from problems.oracle_guards import positive_step, project_unique
from problems.space import Integers, LogUniform, Range


@dataclass(frozen=True)
class NonsmoothWorst(Problem):
    """f(x) = gamma max_i x_i + mu/2 |x|^2: minimiser -gamma / (mu d) (1, ..., 1), value -gamma^2 / (2 mu d).

    d >= 1. gamma > 0: units of f per unit of x. mu > 0: units of f per squared unit of x. start: overrides
    x0 = 0. ValueError otherwise, and where an entry or the value of the minimiser is not between 1e-290 and
    1e290: roundings of smaller numbers are not relative.

    The subgradient is gamma e_i + mu x with i the first largest coordinate, also at the minimiser: the
    resisting oracle. Started at 0, a method that moves in the span of its subgradients has at most k nonzero
    coordinates after k steps; so for k < d its best value is >= 0, and f - f_star >= gamma^2 / (2 mu d).
    Source: Nesterov 2003, Introductory Lectures on Convex Optimization, section 3.2.1.
    """

    d: int = 2  # pyright: ignore[reportIncompatibleMethodOverride]
    gamma: float = 1.0
    mu: float = 1.0
    start: tuple[float, ...] = ()

    space: ClassVar[Mapping[str, Range]] = {
        "d": Integers(1, 8),
        "gamma": LogUniform(0.1, 10.0),
        "mu": LogUniform(0.1, 10.0),
    }

    def __post_init__(self) -> None:
        """Check the arguments."""
        require_dimension(d=self.d)
        require_positive(gamma=self.gamma, mu=self.mu)
        object.__setattr__(self, "gamma", float(self.gamma))
        object.__setattr__(self, "mu", float(self.mu))
        require_start(self.start, self.d)
        for what, size in (("gamma / (mu d)", self._level), ("gamma^2 / (2 mu d)", -self.f_star)):
            if not 1e-290 <= size <= 1e290:
                raise ValueError(
                    f"gamma and mu must have {what} between 1e-290 and 1e290, "
                    f"got gamma={self.gamma!r} and mu={self.mu!r}"
                )

    @property
    def _level(self) -> float:
        """gamma / (mu d), to two roundings."""
        return self.gamma / (self.mu * self.d)

    @cached_property
    def x_star(self) -> Tensor:
        """-gamma / (mu d) (1, ..., 1), (d,)."""
        return torch.full((self.d,), -self._level, dtype=torch.float64)

    @property
    def x_star_error(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Two roundings of every entry."""
        return 3 * EPS * self._level * math.sqrt(self.d)

    @property
    def f_star(self) -> float:
        """-gamma^2 / (2 mu d)."""
        return -self.gamma * self._level / 2

    @property
    def f_star_error(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Three roundings."""
        return 4 * EPS * abs(self.f_star)

    @property
    def unique_star(self) -> bool:
        """True: f is strongly convex."""
        return True

    @property
    def x0(self) -> Tensor:
        """The origin, (d,)."""
        return start_point(self, self.start, torch.zeros(self.d, dtype=torch.float64))

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """Strong convexity, and a bound of the subgradients on the ball around 0 that x_star halves."""
        radius = 2 * self._level * math.sqrt(self.d)
        G = (self.gamma + self.mu * radius) * (1 + 4 * EPS)
        ball = EuclideanBall(radius, (0.0,) * self.d)
        return (
            Certificate(Convex(), proof="a maximum of linear functions plus a square"),
            Certificate(StronglyConvex(self.mu), proof="convex plus mu/2 |x|^2"),
            Certificate(Lipschitz(G), proof="|gamma e_i + mu x| <= gamma + mu |x|", region=ball),
        )

    def gap(self, x: Tensor) -> Tensor:
        """gamma (max y - mean y) + mu/2 |y|^2 with y = x - x_star: terms >= 0. (*batch, d) to (*batch,)."""
        require_points(x, self.d)
        y = x - self.x_star.to(x)
        above = (y.amax(dim=-1, keepdim=True) - y).mean(dim=-1)
        return self.gamma * above + self.mu / 2 * y.square().sum(dim=-1)

    def gap_cancellation(self, x: Tensor, gap: Tensor) -> Tensor:
        """The gap, and the entries that its differences subtract, times the slopes, (*batch,)."""
        y = x - self.x_star.to(x)
        size = x.abs().amax(dim=-1) + self._level
        return gap + size * (self.gamma + self.mu * y.abs().sum(dim=-1))

    def value(self, x: Tensor) -> Tensor:
        """x: (*batch, d). Returns (*batch,)."""
        require_points(x, self.d)
        return self.gamma * x.amax(dim=-1) + self.mu / 2 * x.square().sum(dim=-1)

    def grad(self, x: Tensor) -> Tensor:
        """gamma e_i + mu x, i the first largest coordinate. Shapes (*batch, d)."""
        require_points(x, self.d)
        first = torch.zeros_like(x).scatter(-1, x.argmax(dim=-1, keepdim=True), self.gamma)
        return first + self.mu * x

    def nearest_star(self, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        """The minimiser. Shapes (*batch, d)."""
        return project_unique(self, x, self.x_star, norm)

    def prox(self, x: Tensor, stepsize: float | Tensor) -> Tensor:
        """Entries of v = x / (1 + t mu) cut at the level where t gamma / (1 + t mu) is cut off; (*batch, d).

        Moreau: the proximal point of s max at v is v less its projection on s times the simplex.
        """
        t = positive_step(x, self.d, stepsize=stepsize)
        shrink = 1 / (1 + t * self.mu)
        v, whole = x * shrink, t * self.gamma * shrink
        v, whole = torch.broadcast_tensors(v, whole)
        # raised so that the level is >= 0
        raised = v - v.amin(dim=-1, keepdim=True) + whole
        return v - cut_at_level(raised, whole[..., :1], Lp(1.0))[0]
