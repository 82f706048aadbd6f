"""|x| on the integers: a domain of isolated points."""

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
class LatticeAbs(ZeroMinimum, BallOracle):
    """f(x) = |x| if x is an integer, +inf otherwise; d = 1.

    start: overrides x0 = 7; an integer. ValueError otherwise. Source: definition.
    """

    start: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """A start in the domain."""
        require_start(self.start, 1)
        if self.start and not float(self.start[0]).is_integer():
            raise ValueError(f"start must be an integer, for f is infinite elsewhere, got {self.start!r}")

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
        """7, (1,)."""
        return start_point(self, self.start, self.x_star + 7)

    @property
    def unique_star(self) -> bool:
        """True."""
        return True

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """Balls of radius t >= 1, around integers; below 1 they hold nothing but their center."""
        ball = (
            "if t >= 1 and u is not 0, u = x - sign(x) floor(t) has the sign of x, and "
            "f(y) >= |y| >= f(u) + sign(x) (y - u) with sign(x) = c (x - u), c = 1 / floor(t); u = 0: c = 0"
        )
        return (Certificate(BallConvex(1.0), proof=ball),)

    def contains(self, x: Tensor) -> Tensor:
        """Whether x is an integer. x: (*batch, 1). Returns bool (*batch,)."""
        require_points(x, 1)
        return (x == x.round()).squeeze(-1) & x.isfinite().squeeze(-1)

    def into_domain(self, x: Tensor) -> Tensor:
        """The nearest integer. Shapes (*batch, 1)."""
        require_points(x, 1)
        return x.round()

    def value(self, x: Tensor) -> Tensor:
        """x: (*batch, 1). Returns (*batch,)."""
        size = x.abs().squeeze(-1)
        return torch.where(self.contains(x) | size.isnan(), size, torch.inf)

    def grad(self, x: Tensor) -> Tensor:
        """sign(x) for integers: |y| >= |x| + sign(x) (y - x). nan outside the domain. Shapes (*batch, 1)."""
        return torch.where(self.contains(x).unsqueeze(-1), x.sign(), torch.nan)

    def nearest_star(self, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        """The origin, in every norm. Shapes (*batch, 1)."""
        return project_unique(self, x, self.x_star, norm)

    def offers_brox(self, norm: Norm = EUCLIDEAN) -> bool:
        """Every norm: balls are intervals."""
        return fits_line(self, norm)

    def _ball_step(self, x: Tensor, t: Tensor, norm: Norm) -> BallStep:
        """The integer of the interval nearest to 0: a step of floor(t) from an integer; nan if there is none.

        The residual is t - floor(t) where the step is cut, for the minimiser over the lattice need not be on
        the boundary; it is a bound on what is lost, not attained.
        """
        t = half_length(t, norm, x)
        base, a, b = integers_within(x, t)
        k = torch.maximum(torch.minimum(-base, b), a)
        k = torch.where(a <= b, k, torch.nan)
        point = base + k
        return BallStep.of(x, t, EUCLIDEAN, k - (x - base), self.grad(point), point)
