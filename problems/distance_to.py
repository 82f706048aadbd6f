"""The Euclidean distance to a convex set."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Certificate, Convex, Lipschitz, Norm
from assumptions.guards import require_points
from problems.arguments import require_start, start_point
from problems.ball_oracle import BallOracle
from problems.ball_step import BallStep
from problems.oracle_guards import positive_step, require_euclidean
from problems.radial import length
from problems.sets import ConvexSet


@dataclass(frozen=True)
class DistanceTo(BallOracle):
    """f(x) = min {|x - z| : z in C}, Euclidean.

    within: C, closed, convex, not the whole space, for example Box((0.0,), (1.0,)). start:
    overrides x0, by default a point outside. TypeError or ValueError otherwise. Source: definition.
    """

    within: ConvexSet
    start: tuple[float, ...] = ()
    f_star: ClassVar[float] = 0.0

    def __post_init__(self) -> None:
        """Check the arguments."""
        if not isinstance(self.within, ConvexSet):
            raise TypeError(f"within must be a ConvexSet such as Box((0.0,), (1.0,)), got {self.within!r}")
        require_start(self.start, self.d)

    @property
    def d(self) -> int:
        """Dimension of the set."""
        return self.within.d

    @cached_property
    def x_star(self) -> Tensor:
        """The point of C nearest to 0, (d,)."""
        return self.within.project(torch.zeros(self.d, dtype=torch.float64))

    @property
    def x0(self) -> Tensor:
        """A point outside, (d,)."""
        return start_point(self, self.start, self.within.exterior)

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """From f(x) = |x - P(x)|, P the projection on C."""
        return (
            Certificate(Convex(), proof="the least of a convex function of (x, z) over z in the convex C"),
            Certificate(Lipschitz(1.0), proof="a subgradient is (x - P(x)) / |x - P(x)|, or 0 in C"),
        )

    def _offset(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x - P(x), (*batch, d), and its length, (*batch, 1)."""
        require_points(x, self.d)
        y = x - self.within.project(x)
        return y, length(y)

    def value(self, x: Tensor) -> Tensor:
        """x: (*batch, d). Returns (*batch,)."""
        return self._offset(x)[1].squeeze(-1)

    def gap(self, x: Tensor) -> Tensor:
        """The value: f_star = 0. x: (*batch, d). Returns (*batch,)."""
        return self.value(x)

    def gap_cancellation(self, x: Tensor, gap: Tensor) -> Tensor:
        """|x| + |P(x)| outside, where they are subtracted, and 0 inside, (*batch,)."""
        sizes = EUCLIDEAN.norm(x) + EUCLIDEAN.norm(self.within.project(x))
        return torch.where(gap == 0, 0.0, sizes)

    def grad(self, x: Tensor) -> Tensor:
        """(x - P(x)) / |x - P(x)|, 0 in C: a subgradient. Shapes (*batch, d)."""
        y, r = self._offset(x)
        return y / torch.where(r == 0, 1.0, r)

    def nearest_star(self, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        """P(x). Shapes (*batch, d)."""
        require_points(x, self.d)
        require_euclidean(self, norm)
        return self.within.project(x)

    def _ball_step(self, x: Tensor, t: Tensor, norm: Norm) -> BallStep:
        """Towards P(x) by ``t``, not beyond. P is the same on the whole segment, so f falls by t.

        No point of the ball is better, for f is 1-Lipschitz. Multiplier: the unit vector from P(x).
        """
        y, r = self._offset(x)
        unit = y / torch.where(r == 0, 1.0, r)
        arrived = r <= t
        step = torch.where(arrived, -y, -unit * t)
        point = torch.where(arrived, self.within.project(x), x + step)
        return BallStep.of(x, t, norm, step, torch.where(arrived, 0.0, unit), point)

    def prox(self, x: Tensor, stepsize: float | Tensor) -> Tensor:
        """Towards P(x) by min(stepsize, |x - P(x)|). Shapes (*batch, d)."""
        return self._ball_step(x, positive_step(x, self.d, stepsize=stepsize), EUCLIDEAN).point

    def conic(self, z: Any, cp: Any) -> Any:
        """min {|z - w| : w in C}."""
        return self.within.conic_distance(z, cp)
