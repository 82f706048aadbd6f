"""Balls as convex sets, with their Euclidean projections."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Lp
from assumptions.guards import require_points, require_positive
from problems.level import cut_at_level
from problems.oracle_guards import require_vector
from problems.sets import ROOM, ConvexSet


class _NormBall(ConvexSet):
    """{x : |x - c|_p <= radius}."""

    radius: float
    center: tuple[float, ...]
    norm: ClassVar[Lp]

    def _check(self) -> None:
        """Arguments as floats, checked."""
        require_positive(radius=self.radius)
        object.__setattr__(self, "radius", float(self.radius))
        object.__setattr__(self, "center", require_vector("center", self.center))

    @property
    def d(self) -> int:
        """Length of the center."""
        return len(self.center)

    @cached_property
    def _c(self) -> Tensor:
        return torch.tensor(self.center, dtype=torch.float64)

    @property
    def exterior(self) -> Tensor:
        """The center plus radius + 1 in every coordinate, (d,)."""
        return self._c + (self.radius + 1)

    @property
    def diameter(self) -> float:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Twice the radius: |x|_2 <= |x|_p for p <= 2."""
        return 2 * self.radius

    def lmo(self, g: Tensor) -> Tensor:
        """C - radius v, v of norm 1 with <g, v> = |g|_*; the center where g = 0. Shapes (*batch, d)."""
        require_points(g, self.d, "g")
        return self._c.to(g) - self.radius * self.norm.lmo_direction(g)

    def contains(self, x: Tensor) -> Tensor:
        """x: (*batch, d). Returns bool (*batch,)."""
        require_points(x, self.d)
        c = self._c.to(x)
        return self.norm.norm(x - c) <= self.radius + ROOM * (self.norm.norm(x) + self.norm.norm(c))


@dataclass(frozen=True)
class EuclideanBall(_NormBall):
    """{x : |x - c| <= radius}, |.| Euclidean. radius > 0. center: c, (d,). ValueError otherwise."""

    radius: float
    center: tuple[float, ...]
    norm: ClassVar[Lp] = EUCLIDEAN

    def __post_init__(self) -> None:
        """Check the arguments."""
        self._check()

    def _pull(self, x: Tensor) -> Tensor:
        c = self._c.to(x)
        r = EUCLIDEAN.norm(x - c).unsqueeze(-1)
        return c + (x - c) * (self.radius / torch.where(r == 0, 1.0, r))

    def conic(self, z: Any, cp: Any) -> list[Any]:
        """|z - c| <= radius."""
        return [cp.norm(z - self._c.numpy()) <= self.radius]

    def conic_distance(self, z: Any, cp: Any) -> Any:
        """(|z - c| - radius)_+."""
        return cp.pos(cp.norm(z - self._c.numpy()) - self.radius)


@dataclass(frozen=True)
class L1Ball(_NormBall):
    """{x : sum_i |x_i - c_i| <= radius}. radius > 0. center: c, (d,). ValueError otherwise."""

    radius: float
    center: tuple[float, ...]
    norm: ClassVar[Lp] = Lp(1)

    def __post_init__(self) -> None:
        """Check the arguments."""
        self._check()

    def _pull(self, x: Tensor) -> Tensor:
        """Soft thresholding of x - c at the level where what is left has l1 norm radius."""
        y = x - self._c.to(x)
        return self._c.to(x) + y.sign() * cut_at_level(y.abs(), x.new_tensor(self.radius), self.norm)[0]

    def conic(self, z: Any, cp: Any) -> list[Any]:
        """|z - c|_1 <= radius."""
        return [cp.norm1(z - self._c.numpy()) <= self.radius]

    def conic_distance(self, z: Any, cp: Any) -> Any:
        """max {<g, z - c> - radius s : |g| <= 1, |g|_inf <= s}: the dual of the projection."""
        g = cp.Variable(self.d + 1)
        bounded = [cp.norm(g[:-1]) <= 1, cp.norm_inf(g[:-1]) <= g[-1], g[-1] <= 1]
        return cp.suppfunc(g, bounded)(cp.hstack([z - self._c.numpy(), -self.radius]))
