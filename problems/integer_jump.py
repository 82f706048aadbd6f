"""|x| with a jump everywhere but at the integers: ball-convex and not continuous."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Certificate, Norm
from assumptions.balls.ball_convex import BallConvex
from assumptions.guards import require_points
from problems.arguments import require_start, start_point
from problems.ball_oracle import BallOracle
from problems.ball_step import BallStep
from problems.interval import fits_line, half_length, integers_within
from problems.oracle_guards import project_unique
from problems.zero_minimum import ZeroMinimum


@dataclass(frozen=True)
class IntegerJump(ZeroMinimum, BallOracle):
    """f(x) = |x| if x is an integer, |x| + 1 otherwise; d = 1. Finite, lower semicontinuous.

    start: overrides x0 = 2. ValueError otherwise. Ball steps of radius t >= 1 end at integers and are
    shorter than t: from 2 with t = 1.9 to 1, and |u|^2 <= |x|^2 - t^2 fails. Source: definition.
    """

    start: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Check the start."""
        require_start(self.start, 1)

    @property
    def d(self) -> int:
        """1."""
        return 1

    @cached_property
    def x_star(self) -> Tensor:
        """0, (1,)."""
        return torch.zeros(1, dtype=torch.float64)

    @property
    def x0(self) -> Tensor:
        """2, (1,)."""
        return start_point(self, self.start, self.x_star + 2)

    @property
    def unique_star(self) -> bool:
        """True."""
        return True

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """Balls of radius t >= 1; below 1 the ball around 1 has the argmin 1, not a minimiser."""
        ball = (
            "if t >= 1 and the ball misses 0, x > 0 say: u = ceil(x - t) < x - t + 1 <= x, since "
            "ceil(v) < v + 1 beats every non-integer; f(y) >= |y| >= f(u) + (y - u) with 1 = c (x - u), "
            "c > 0. If u = 0, c = 0"
        )
        return (Certificate(BallConvex(1.0), proof=ball),)

    def value(self, x: Tensor) -> Tensor:
        """x: (*batch, 1). Returns (*batch,)."""
        require_points(x, 1)
        x = x.squeeze(-1)
        return x.abs() + (x != x.round()).to(x)

    def grad(self, x: Tensor) -> Tensor:
        """sign(x): a subgradient at the integers, the derivative elsewhere. Shapes (*batch, 1)."""
        require_points(x, 1)
        # torch.sign maps nan to 0
        return torch.where(x.isnan(), x, x.sign())

    def nearest_star(self, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        """The origin, in every norm. Shapes (*batch, 1)."""
        return project_unique(self, x, self.x_star, norm)

    def offers_brox(self, norm: Norm = EUCLIDEAN) -> bool:
        """Every norm: balls are intervals."""
        return fits_line(self, norm)

    def _ball_step(self, x: Tensor, t: Tensor, norm: Norm) -> BallStep:
        """The integer of the interval nearest to 0; towards 0 by t where it holds no integer.

        Of the values in a ball that misses 0, x > 0 say, ceil(x - t) < x - t + 1 is the smallest if that
        integer is in the ball.
        """
        t = half_length(t, norm, x)
        base, a, b = integers_within(x, t)
        k = torch.maximum(torch.minimum(-base, b), a)
        found = (a <= b) | x.isnan()
        step = torch.where(found, k - (x - base), -t * x.sign())
        point = torch.where(found, base + k, x + step)
        return BallStep.of(x, t, EUCLIDEAN, step, self.grad(point), point)
