"""The largest coordinate distance to a point."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Certificate, Convex, Lipschitz, Lp, Norm
from assumptions.guards import require_dimension, require_points
from assumptions.rounding import ROUNDINGS
from problems.arguments import require_start, start_point
from problems.ball_oracle import BallOracle
from problems.ball_step import BallStep
from problems.level import cut_at_level, cut_weights
from problems.lp_form import has_lp_form, lp_form
from problems.oracle_guards import positive_step, project_unique, require_vector
from problems.space import Integers, Range
from problems.zero_minimum import ZeroMinimum


@dataclass(frozen=True)
class LInfNorm(ZeroMinimum, BallOracle):
    """f(x) = max_i |x_i - c_i|.

    d: dimension. center: c, (d,), 0 if empty. start: overrides x0, by default c + (1, ..., d).
    ValueError otherwise. Source: definition.

    Over a ball of |w z|_p the point u with y = x - c clipped to [-v, v] is a minimiser if |u - x| = t:
    every point with f < v changes each coordinate more, and these norms grow with |z_i|. The
    proximal point is that for p = 1 and t = stepsize (Moreau: x minus the projection on an l1 ball).
    """

    d: int = 3  # pyright: ignore[reportIncompatibleMethodOverride]
    center: tuple[float, ...] = ()
    start: tuple[float, ...] = ()

    space: ClassVar[Mapping[str, Range]] = {"d": Integers(1, 6)}

    def __post_init__(self) -> None:
        """Check the arguments."""
        require_dimension(d=self.d)
        if self.center:
            object.__setattr__(self, "center", require_vector("center", self.center, self.d))
        require_start(self.start, self.d)

    @cached_property
    def x_star(self) -> Tensor:
        """The center, (d,)."""
        return torch.tensor(self.center or (0.0,) * self.d, dtype=torch.float64)

    @property
    def x0(self) -> Tensor:
        """c + (1, ..., d), (d,)."""
        return start_point(self, self.start, self.x_star + torch.arange(1.0, self.d + 1).to(self.x_star))

    @property
    def unique_star(self) -> bool:
        """True."""
        return True

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """The subgradients have |g|_1 <= 1."""
        return (
            Certificate(Convex(), proof="a norm of x - c"),
            Certificate(Lipschitz(1.0), proof="|g|_2 <= |g|_1 <= 1, with equality at a coordinate vector"),
        )

    def _offset(self, x: Tensor) -> Tensor:
        """x - c, (*batch, d)."""
        require_points(x, self.d)
        return x - self.x_star.to(x)

    def value(self, x: Tensor) -> Tensor:
        """x: (*batch, d). Returns (*batch,)."""
        return self._offset(x).abs().amax(dim=-1)

    def grad(self, x: Tensor) -> Tensor:
        """The sign of the first largest coordinate, in its place; 0 at c. Shapes (*batch, d)."""
        return Lp(1).lmo_direction(self._offset(x))

    def nearest_star(self, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        """The center, in every norm on R^d. Shapes (*batch, d). ValueError for others."""
        return project_unique(self, x, self.x_star, norm)

    def offers_brox(self, norm: Norm = EUCLIDEAN) -> bool:
        """True for Lp and Weighted norms, every p."""
        return has_lp_form(norm, self.d)

    def _ball_step(self, x: Tensor, t: Tensor, norm: Norm) -> BallStep:
        """Clip to the level v. Multiplier: sign(y_i) q_i / sum q, q_i = w_i (w_i (|y_i| - v)_+)^(p-1).

        Where q_i > 0 the coordinate is at the level, so the multiplier is a convex combination of
        signed unit vectors, a subgradient; it is a normal of the ball at the step (Hoelder).
        """
        y = self._offset(x)
        cut, _ = cut_at_level(y.abs(), t, norm)
        arrived = norm.norm(y).unsqueeze(-1) <= t
        # torch.sign maps nan to 0
        sign = torch.where(y.isnan(), y, y.sign())
        step = torch.where(arrived, -y, -sign * cut)
        p, w = lp_form(norm, y)
        if p == math.inf:
            # only coordinates whose step is t / w_i bound the level; one of them is enough
            g = Lp(1).lmo_direction(w * cut) * sign
        else:
            longest = (w * cut).amax(dim=-1, keepdim=True)
            q = w * cut_weights(cut, w, p, torch.where(longest == 0, 1.0, longest))
            g = sign * q / q.sum(dim=-1, keepdim=True)
        point = torch.where(arrived, self.x_star.to(x), x + step)
        return BallStep.of(x, t, norm, step, torch.where(arrived, 0.0, g), point)

    def prox(self, x: Tensor, stepsize: float | Tensor) -> Tensor:
        """Clip to the level where |x - u|_1 = stepsize, to c if that reaches it. Shapes (*batch, d)."""
        return self._ball_step(x, positive_step(x, self.d, stepsize=stepsize), Lp(1)).point

    def conjugate(self, g: Tensor) -> Tensor:
        """<g, c> if |g|_1 <= 1 up to 64 roundings, else inf. g: (*batch, d). Returns (*batch,)."""
        require_points(g, self.d, "g")
        inner = (g * self.x_star.to(g)).sum(dim=-1)
        return torch.where(Lp(1).norm(g) > 1 + ROUNDINGS, torch.inf, inner)

    def conic(self, z: Any, cp: Any) -> Any:
        """|z - c|_inf."""
        return cp.norm_inf(z - self.x_star.numpy())
