"""The Huber function of the Euclidean norm."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar

import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Certificate, Convex, Lipschitz, Norm, Smooth
from assumptions.guards import require_dimension, require_points, require_positive
from assumptions.outward import certify, round_up
from assumptions.rounding import ROUNDINGS
from problems.arguments import require_start, start_point
from problems.ball_oracle import BallOracle
from problems.ball_step import BallStep
from problems.oracle_guards import positive_step, project_unique
from problems.radial import approach, approaches, length
from problems.space import Integers, LogUniform, Range
from problems.zero_minimum import ZeroMinimum


@dataclass(frozen=True)
class Huber(ZeroMinimum, BallOracle):
    """f(x) = L/2 |x|^2 if |x| <= delta, else L delta (|x| - delta/2); |.| Euclidean.

    L > 0: units of f per squared unit of x. delta > 0: units of x. d >= 1: dimension. start: overrides x0, by
    default (5, ..., 5). ValueError otherwise. Source: definition.
    """

    L: float = 1.0
    delta: float = 1.0
    d: int = 1  # pyright: ignore[reportIncompatibleMethodOverride]
    start: tuple[float, ...] = ()

    space: ClassVar[Mapping[str, Range]] = {
        "L": LogUniform(1e-2, 1e2),
        "delta": LogUniform(1e-2, 10.0),
        "d": Integers(1, 6),
    }

    def __post_init__(self) -> None:
        """Check the arguments."""
        require_positive(L=self.L, delta=self.delta)
        object.__setattr__(self, "L", float(self.L))
        object.__setattr__(self, "delta", float(self.delta))
        require_dimension(d=self.d)
        require_start(self.start, self.d)

    @cached_property
    def x_star(self) -> Tensor:
        """The origin, (d,)."""
        return torch.zeros(self.d, dtype=torch.float64)

    @property
    def x0(self) -> Tensor:
        """(5, ..., 5), (d,)."""
        return start_point(self, self.start, self.x_star + 5)

    @property
    def unique_star(self) -> bool:
        """True."""
        return True

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """From grad f(x) = L P(x), P the projection on B(0, delta)."""
        slope = round_up(Fraction(self.L) * Fraction(self.delta))
        return (
            Certificate(Convex(), proof="L times a convex increasing function of |x|"),
            Certificate(Smooth(self.L), proof="grad f is L times a projection, which is 1-Lipschitz"),
            *certify(Lipschitz, slope, "grad f is L times a point of B(0, delta)"),
        )

    def value(self, x: Tensor) -> Tensor:
        """x: (*batch, d). Returns (*batch,)."""
        require_points(x, self.d)
        s = length(x).squeeze(-1)
        inner = s.clamp(max=self.delta)
        return self.L * inner * (s - inner / 2)

    def grad(self, x: Tensor) -> Tensor:
        """L x min(1, delta / |x|). Shapes (*batch, d)."""
        require_points(x, self.d)
        return self.L * x * (self.delta / length(x)).clamp(max=1)

    def nearest_star(self, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        """The origin, in every norm. Shapes (*batch, d)."""
        return project_unique(self, x, self.x_star, norm)

    def prox(self, x: Tensor, stepsize: float | Tensor) -> Tensor:
        """x / (1 + stepsize L) if that lies in B(0, delta), else x (1 - stepsize L delta / |x|)."""
        step = positive_step(x, self.d, stepsize=stepsize) * self.L
        s = length(x)
        inside = s <= self.delta * (1 + step)
        return torch.where(inside, x / (1 + step), x * (1 - step * self.delta / s))

    def offers_brox(self, norm: Norm = EUCLIDEAN) -> bool:
        """True for Lp with p = 1, 2, inf and Weighted with p = 2, inf (``approaches``)."""
        return approaches(norm, self.d)

    def _ball_step(self, x: Tensor, t: Tensor, norm: Norm) -> BallStep:
        """To the point of the ball nearest to 0: f increases with |x|. Multiplier: the gradient there."""
        step, rest, arrived = approach(x, t, norm)
        point = torch.where(arrived, 0.0, x + step)
        return BallStep.of(x, t, norm, step, self.grad(rest), point)

    def conjugate(self, g: Tensor) -> Tensor:
        """|g|^2 / (2 L) if |g| <= L delta up to 64 roundings, else inf. g: (*batch, d). Returns (*batch,)."""
        require_points(g, self.d, "g")
        size, largest = EUCLIDEAN.norm(g), self.L * self.delta
        inside = size.clamp(max=largest)
        return torch.where(size > largest * (1 + ROUNDINGS), torch.inf, inside * (inside / (2 * self.L)))

    def conic(self, z: Any, cp: Any) -> Any:
        """L/2 times the Huber function of |z|."""
        return self.L / 2 * cp.huber(cp.norm(z), self.delta)
