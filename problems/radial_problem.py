"""Functions phi(|x - c|) of the Euclidean distance to a point, with all their oracles."""

from abc import abstractmethod
from collections.abc import Callable
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Certificate, Norm
from assumptions.guards import require_points
from problems.arguments import start_point
from problems.ball_oracle import BallOracle
from problems.ball_step import BallStep
from problems.oracle_guards import positive_step, project_unique
from problems.profiles import Profile
from problems.radial import approach, approaches, length
from problems.zero_minimum import ZeroMinimum


class RadialProblem(ZeroMinimum, BallOracle):
    """f(x) = phi(|x - c|), phi increasing on r >= 0 with phi(0) = 0.

    A minimiser over a ball is the same for every phi: the point of the ball nearest to c.
    """

    center: tuple[float, ...]
    start: tuple[float, ...]

    @property
    @abstractmethod
    def _phi(self) -> Profile: ...

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

    @property
    def hvp(self) -> Callable[[Tensor, Tensor], Tensor] | None:
        """(x, v) -> Hessian times v, (*batch, d); None unless f is twice differentiable everywhere."""
        return None if self._phi.curvature is None else self._hvp

    def _hvp(self, x: Tensor, v: Tensor) -> Tensor:
        """(phi'(r) / r) v + (phi''(r) - phi'(r) / r) <u, v> u with u = (x - c) / r; phi''(0) v at c."""
        assert self._phi.curvature is not None
        y, r = self._offset(x)
        unit = y / torch.where(r == 0, 1.0, r)
        curvature = self._phi.curvature(r)
        across = torch.where(r == 0, curvature, self._phi.slope(r) / torch.where(r == 0, 1.0, r))
        return across * v + (curvature - across) * (unit * v).sum(dim=-1, keepdim=True) * unit

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
        """phi(|z - c|); NotImplementedError where phi has no conic form, as "log", which is not convex."""
        if self._phi.conic is None:
            raise NotImplementedError(f"{self!r} is not convex, or its power has no conic form")
        return self._phi.conic(z - self.x_star.numpy(), cp)
