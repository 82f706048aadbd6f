"""Distance to a sphere: nonconvex, yet ball-convex for balls as large as the sphere."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Certificate, Lipschitz, Norm
from assumptions.balls.ball_convex import BallConvex
from assumptions.continuous import Continuous
from assumptions.guards import require_dimension, require_points, require_positive
from problems.arguments import require_start, start_point
from problems.ball_oracle import BallOracle
from problems.ball_step import BallStep
from problems.radial_well import nearest_on_sphere, norm_of, serves, unit, well_step
from problems.space import Integers, LogUniform, Range


@dataclass(frozen=True)
class SphereDistance(BallOracle):
    """f(x) = | |x| - a |, the distance to the sphere of radius a around 0; |.| Euclidean.

    d >= 1. a: finite, > 0, units of x. start: overrides x0, by default (3a, ..., 3a). ValueError
    otherwise. Minimisers: the sphere. Source: definition.
    """

    d: int = 1  # pyright: ignore[reportIncompatibleMethodOverride]
    a: float = 1.0
    start: tuple[float, ...] = ()
    f_star: ClassVar[float] = 0.0

    space: ClassVar[Mapping[str, Range]] = {"d": Integers(1, 5), "a": LogUniform(1e-2, 1e2)}

    def __post_init__(self) -> None:
        """Check the arguments."""
        require_dimension(d=self.d)
        require_positive(a=self.a)
        object.__setattr__(self, "a", float(self.a))
        require_start(self.start, self.d)

    @cached_property
    def x_star(self) -> Tensor:
        """(a, 0, ..., 0), one point of the sphere, (d,)."""
        star = torch.zeros(self.d, dtype=torch.float64)
        star[0] = self.a
        return star

    @property
    def x0(self) -> Tensor:
        """(3a, ..., 3a), (d,)."""
        return start_point(self, self.start, torch.full_like(self.x_star, 3 * self.a))

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """Balls of radius t >= a; below a the center 0 is a counterexample (all of |u| = t tie)."""
        ball = (
            "if t >= a and B(x, t) misses the sphere, |x| > a + t: for |x| <= a the sphere is within a. Then "
            "|u| > a, where f is the convex function (|x| - a)_+, which lies below f: it supports f at u "
            "along x - u. "
            "If the ball meets the sphere, f(u) = 0 and c = 0 serves"
        )
        return (
            Certificate(BallConvex(self.a), proof=ball),
            Certificate(Lipschitz(1.0), proof="every gradient is +- x / |x|"),
            Certificate(Continuous(), proof="| |x| - a | is 1-Lipschitz"),
        )

    def value(self, x: Tensor) -> Tensor:
        """x: (*batch, d). Returns (*batch,)."""
        require_points(x, self.d)
        return (EUCLIDEAN.norm(x) - self.a).abs()

    def gap(self, x: Tensor) -> Tensor:
        """The value: f_star = 0. x: (*batch, d). Returns (*batch,)."""
        return self.value(x)

    def gap_cancellation(self, x: Tensor, gap: Tensor) -> Tensor:
        """The radii that are subtracted, (*batch,)."""
        del gap
        return EUCLIDEAN.norm(x) + self.a

    def grad(self, x: Tensor) -> Tensor:
        """sign(|x| - a) x / |x|; 0 on the sphere and at 0. Shapes (*batch, d)."""
        require_points(x, self.d)
        length = norm_of(x)
        # torch.sign maps nan to 0; the direction carries it
        return torch.where(length == 0, 0.0, (length - self.a).sign() * unit(x))

    def offers_dist(self, norm: Norm = EUCLIDEAN) -> bool:
        """Euclidean; any norm if d = 1."""
        return serves(self, norm)

    def nearest_star(self, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        """A x / |x|; x_star for x = 0. Shapes (*batch, d). ValueError for a norm not offered."""
        require_points(x, self.d)
        return nearest_on_sphere(self, x, self.a, norm)

    def offers_brox(self, norm: Norm = EUCLIDEAN) -> bool:
        """Euclidean; any norm if d = 1."""
        return serves(self, norm)

    def _ball_step(self, x: Tensor, t: Tensor, norm: Norm) -> BallStep:
        """Along x, to the sphere or as far as the ball goes."""
        return well_step(self, x, t, norm, self.a)
