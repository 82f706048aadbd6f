"""Increasing functions of the Euclidean distance to a point."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Certificate, Norm
from assumptions.guards import require_dimension, require_points
from problems.ball_oracle import BallOracle
from problems.ball_step import BallStep
from problems.base import require_start, start_point
from problems.oracle_guards import positive_step, project_unique, require_vector
from problems.profiles import PROFILES, Profile
from problems.radial import approach, approaches, length
from problems.space import Choice, Integers, Range
from problems.zero_minimum import ZeroMinimum


@dataclass(frozen=True)
class EuclideanNorm(ZeroMinimum, BallOracle):
    """f(x) = phi(|x - c|), |.| Euclidean, phi increasing on r >= 0 with phi(0) = 0.

    d: dimension. center: c, (d,), 0 if empty. profile: the name of phi: "identity" r, "half-square"
    r^2 / 2, "quartic" r^4 / 4, "pseudo-huber" sqrt(1 + r^2) - 1, "log" log(1 + r). All but "log" are
    convex. start: overrides x0, by default c + (5, ..., 5). ValueError otherwise. Source: definition.

    A minimiser over a ball is the same for every phi: the point of the ball nearest to c. Where phi or
    phi' overflows ("quartic" beyond r = 1e77 and 1e102), f is inf and residuals are nan.
    """

    d: int = 2  # pyright: ignore[reportIncompatibleMethodOverride]
    center: tuple[float, ...] = ()
    profile: str = "identity"
    start: tuple[float, ...] = ()

    space: ClassVar[Mapping[str, Range]] = {"d": Integers(1, 6), "profile": Choice(tuple(PROFILES))}

    def __post_init__(self) -> None:
        """Check the arguments."""
        require_dimension(d=self.d)
        if self.center:
            object.__setattr__(self, "center", require_vector("center", self.center, self.d))
        if self.profile not in PROFILES:
            raise ValueError(f"profile must be one of {', '.join(PROFILES)}, got {self.profile!r}")
        require_start(self.start, self.d)

    @property
    def _phi(self) -> Profile:
        return PROFILES[self.profile]

    @cached_property
    def x_star(self) -> Tensor:
        """The center, (d,)."""
        return torch.tensor(self.center or (0.0,) * self.d, dtype=torch.float64)

    @property
    def x0(self) -> Tensor:
        """c + (5, ..., 5), (d,)."""
        return start_point(self, self.start, self.x_star + 5)

    @property
    def unique_star(self) -> bool:
        """True."""
        return True

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """What holds for this phi."""
        return self._phi.certified

    def _offset(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x - c, (*batch, d), and its length, (*batch, 1)."""
        require_points(x, self.d)
        y = x - self.x_star.to(x)
        return y, length(y)

    def value(self, x: Tensor) -> Tensor:
        """x: (*batch, d). Returns (*batch,)."""
        return self._phi.value(self._offset(x)[1].squeeze(-1))

    def _gradient(self, y: Tensor, r: Tensor) -> Tensor:
        """phi'(r) y / r, 0 where r = 0: a subgradient where phi(|.|) has a kink."""
        return y / torch.where(r == 0, 1.0, r) * self._phi.slope(r)

    def grad(self, x: Tensor) -> Tensor:
        """phi'(|x - c|) (x - c) / |x - c|, 0 at c. Shapes (*batch, d)."""
        return self._gradient(*self._offset(x))

    def nearest_star(self, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        """The center, in every norm. Shapes (*batch, d)."""
        return project_unique(self, x, self.x_star, norm)

    def offers_brox(self, norm: Norm = EUCLIDEAN) -> bool:
        """True for Lp with p = 1, 2, inf and Weighted with p = 2, inf (``approaches``)."""
        return approaches(norm, self.d)

    def _ball_step(self, x: Tensor, t: Tensor, norm: Norm) -> BallStep:
        """To the point of the ball nearest to c; the multiplier is the gradient there, or 0 at c."""
        step, rest, arrived = approach(self._offset(x)[0], t, norm)
        point = torch.where(arrived, self.x_star.to(x), x + step)
        g = self._gradient(rest, length(rest))
        return BallStep.of(x, t, norm, step, g, point)

    def prox(self, x: Tensor, stepsize: float | Tensor) -> Tensor:
        """c + (x - c) s / |x - c|, s the proximal point of phi at |x - c|. Shapes (*batch, d)."""
        step = positive_step(x, self.d, stepsize=stepsize)
        y, r = self._offset(x)
        return self.x_star.to(x) + y * self._phi.kept(r, step)

    def conjugate(self, g: Tensor) -> Tensor:
        """<g, c> + phi^*(|g|). g: (*batch, d). Returns (*batch,)."""
        require_points(g, self.d, "g")
        return (g * self.x_star.to(g)).sum(dim=-1) + self._phi.conjugate(EUCLIDEAN.norm(g))

    def conic(self, z: Any, cp: Any) -> Any:
        """phi(|z - c|); NotImplementedError for "log", which is not convex."""
        if self._phi.conic is None:
            raise NotImplementedError(f"{self!r} is not convex, so not written for a conic solver")
        return self._phi.conic(z - self.x_star.numpy(), cp)
