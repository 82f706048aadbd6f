"""The double well: smooth, nonconvex inside the unit ball, ball-convex for balls of radius 1."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Certificate, Norm
from assumptions.balls.ball_convex import BallConvex
from assumptions.continuous import Continuous
from assumptions.guards import require_dimension, require_points
from problems.arguments import require_start, start_point
from problems.ball_oracle import BallOracle
from problems.ball_step import BallStep
from problems.radial_well import nearest_on_sphere, norm_of, serves, well_step
from problems.space import Integers, Range


@dataclass(frozen=True)
class DoubleWell(BallOracle):
    """f(x) = (|x|^2 - 1)^2; |.| Euclidean.

    d >= 1. start: overrides x0, by default (3, ..., 3). ValueError otherwise. Minimisers: the unit
    sphere, in one dimension -1 and 1. Source: definition.
    """

    d: int = 1  # pyright: ignore[reportIncompatibleMethodOverride]
    start: tuple[float, ...] = ()
    f_star: ClassVar[float] = 0.0

    space: ClassVar[Mapping[str, Range]] = {"d": Integers(1, 5)}

    def __post_init__(self) -> None:
        """Check the arguments."""
        require_dimension(d=self.d)
        require_start(self.start, self.d)

    @cached_property
    def x_star(self) -> Tensor:
        """(1, 0, ..., 0), one point of the sphere, (d,)."""
        star = torch.zeros(self.d, dtype=torch.float64)
        star[0] = 1.0
        return star

    @property
    def x0(self) -> Tensor:
        """(3, ..., 3), (d,)."""
        return start_point(self, self.start, torch.full_like(self.x_star, 3.0))

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """Balls of radius t >= 1; below 1 the center 0 is a counterexample (all of |u| = t tie)."""
        ball = (
            "if t >= 1 and B(x, t) misses the unit sphere, |x| > 1 + t: for |x| <= 1 the sphere is within 1. "
            "Then |u| > 1, where f is ((|x|^2 - 1)_+)^2, convex and below f: its gradient at u, along x - u, "
            "supports f. "
            "If the ball meets the sphere, f(u) = 0 and c = 0 serves"
        )
        return (
            Certificate(BallConvex(1.0), proof=ball),
            Certificate(Continuous(), proof="a polynomial in x"),
        )

    def value(self, x: Tensor) -> Tensor:
        """((|x| - 1) (|x| + 1))^2, exact near the sphere. x: (*batch, d). Returns (*batch,)."""
        require_points(x, self.d)
        length = EUCLIDEAN.norm(x)
        return ((length - 1) * (length + 1)).square()

    def gap(self, x: Tensor) -> Tensor:
        """The value: f_star = 0. x: (*batch, d). Returns (*batch,)."""
        return self.value(x)

    def gap_cancellation(self, x: Tensor, gap: Tensor) -> Tensor:
        """What an error of |x| does: |grad f| |x|, and the gap itself, (*batch,)."""
        length = EUCLIDEAN.norm(x)
        return gap + 4 * ((length - 1) * (length + 1)).abs() * length.square()

    def grad(self, x: Tensor) -> Tensor:
        """4 (|x|^2 - 1) x. Shapes (*batch, d)."""
        require_points(x, self.d)
        length = norm_of(x)
        return 4 * (length - 1) * (length + 1) * x

    def hvp(self, x: Tensor, v: Tensor) -> Tensor:
        """4 (|x|^2 - 1) v + 8 <x, v> x. Shapes (*batch, d)."""
        require_points(x, self.d)
        length = norm_of(x)
        return 4 * (length - 1) * (length + 1) * v + 8 * (x * v).sum(dim=-1, keepdim=True) * x

    def offers_dist(self, norm: Norm = EUCLIDEAN) -> bool:
        """Euclidean; any norm if d = 1."""
        return serves(self, norm)

    def nearest_star(self, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        """x / |x|; x_star for x = 0. Shapes (*batch, d). ValueError for a norm not offered."""
        require_points(x, self.d)
        return nearest_on_sphere(self, x, 1.0, norm)

    def offers_brox(self, norm: Norm = EUCLIDEAN) -> bool:
        """Euclidean; any norm if d = 1."""
        return serves(self, norm)

    def _ball_step(self, x: Tensor, t: Tensor, norm: Norm) -> BallStep:
        """Along x, to the unit sphere or as far as the ball goes."""
        return well_step(self, x, t, norm, 1.0)
