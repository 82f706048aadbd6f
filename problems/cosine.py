"""A sum of cosines: minimisers on a lattice, ball-convex for balls that always see one."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Certificate, Lipschitz, Lp, Norm, Smooth, Weighted
from assumptions.balls.ball_convex import BallConvex
from assumptions.continuous import Continuous
from assumptions.guards import require_dimension, require_points
from assumptions.outward import length_up
from problems.arguments import require_start, start_point
from problems.ball_oracle import BallOracle
from problems.ball_step import BallStep
from problems.cosine_ball import euclidean_moves
from problems.interval import fits_line
from problems.space import Integers, Range

PERIOD = 2 * math.pi
ABOVE_PI = math.nextafter(math.pi, math.inf)
"""The next float above pi; math.pi is the one below."""


@dataclass(frozen=True)
class Cosine(BallOracle):
    """f(x) = sum_i (1 - cos x_i) = 2 sum_i sin(x_i / 2)^2.

    d >= 1. start: overrides x0, by default (9, ..., 9). ValueError otherwise. Minimisers: the lattice
    of points with entries 2 pi k, up to the rounding of that product. Source: definition.
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
        """The origin, one point of the lattice, (d,)."""
        return torch.zeros(self.d, dtype=torch.float64)

    @property
    def x0(self) -> Tensor:
        """(9, ..., 9), (d,)."""
        return start_point(self, self.start, self.x_star + 9)

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """Thresholds are exact, rounded up: a support of a bounded function is constant, so u minimises f."""
        sees = (
            "every such ball holds a point of the lattice, for |x_i - 2 pi k_i| <= pi; so f(u) = 0 and c = 0"
        )
        hessian = "the Hessian is diag(cos x_i)"
        return (
            Certificate(BallConvex(length_up((ABOVE_PI,) * self.d)), proof=sees),
            Certificate(BallConvex(ABOVE_PI, Lp(math.inf)), proof=sees),
            Certificate(Smooth(1.0), proof=hessian + ", of norm at most 1"),
            Certificate(Lipschitz(length_up((1.0,) * self.d)), proof="the gradient has entries sin x_i"),
            Certificate(Continuous(), proof="differentiable"),
        )

    def value(self, x: Tensor) -> Tensor:
        """2 sum_i sin(x_i / 2)^2, without cancellation. x: (*batch, d). Returns (*batch,)."""
        require_points(x, self.d)
        return 2 * (x / 2).sin().square().sum(dim=-1)

    def gap(self, x: Tensor) -> Tensor:
        """The value: f_star = 0. x: (*batch, d). Returns (*batch,)."""
        return self.value(x)

    def gap_cancellation(self, x: Tensor, gap: Tensor) -> Tensor:
        """What a rounding of x does: |x_i sin x_i|, and the gap itself, (*batch,)."""
        return gap + (x * x.sin()).abs().sum(dim=-1)

    def grad(self, x: Tensor) -> Tensor:
        """sin x_i. Shapes (*batch, d)."""
        require_points(x, self.d)
        return x.sin()

    def hvp(self, x: Tensor, v: Tensor) -> Tensor:
        """cos(x_i) v_i. Shapes (*batch, d)."""
        require_points(x, self.d)
        return x.cos() * v

    def offers_dist(self, norm: Norm = EUCLIDEAN) -> bool:
        """Lp and weighted norms grow with every |x_i|: the nearest lattice point is found by coordinate."""
        return isinstance(norm, Lp | Weighted) and norm.fits(self.d)

    def nearest_star(self, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        """2 pi round(x_i / (2 pi)). Shapes (*batch, d). ValueError for a norm not offered."""
        require_points(x, self.d)
        if not self.offers_dist(norm):
            raise ValueError(f"nearest_star of {self!r} projects in Lp and Weighted norms, got norm={norm!r}")
        return PERIOD * (x / PERIOD).round()

    def offers_brox(self, norm: Norm = EUCLIDEAN) -> bool:
        """Euclidean balls, boxes (weighted or not), and every norm of the line."""
        box = isinstance(norm, Lp | Weighted) and norm.p == math.inf and norm.fits(self.d)
        return norm == EUCLIDEAN or box or fits_line(self, norm)

    def _ball_step(self, x: Tensor, t: Tensor, norm: Norm) -> BallStep:
        """Towards the nearest lattice point, in each coordinate.

        In one coordinate, of the points at distance at most r of x, that is the best one: f is even and
        rising on [0, pi] in the distance to the lattice, which falls by r at most. Boxes take
        r = t / |e_i|; a Euclidean ball shares t among the coordinates (``euclidean_moves``).
        """
        x = x.expand(*torch.broadcast_shapes(x.shape[:-1], t.shape[:-1]), self.d)
        star = self.nearest_star(x)
        wanted = star - x
        if norm == EUCLIDEAN and self.d > 1:
            moved = euclidean_moves(wanted.abs(), t)
        else:
            sides = 1 / norm.norm(torch.eye(self.d).to(x))
            moved = torch.minimum(wanted.abs(), t * sides)
        step = moved * wanted.sign()
        step = torch.where(x.isnan(), x, step)
        reached = moved >= wanted.abs()
        point = torch.where(reached, star, x + step)
        subgradient = torch.where(reached, 0.0, point.sin())
        return BallStep.of(x, t, norm, step, subgradient, point)
