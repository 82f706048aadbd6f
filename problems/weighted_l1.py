"""Weighted l1 distance to a point."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Certificate, Convex, Lipschitz, Norm
from assumptions.guards import require_points
from problems.base import Problem, require_start, start_point
from problems.oracle_guards import positive_step, require_euclidean, require_vector
from problems.space import LogUniform, Range, Vector


@dataclass(frozen=True)
class WeightedL1(Problem):
    """f(x) = sum_i w_i |x_i - c_i|.

    weights: w >= 0, at least one > 0, units of f per unit of x; where w_i = 0, x_i is free. center:
    c, (d,), 0 if empty. start: overrides x0, by default c + 1. ValueError otherwise. Source: definition.
    """

    weights: tuple[float, ...]
    center: tuple[float, ...] = ()
    start: tuple[float, ...] = ()
    f_star: ClassVar[float] = 0.0

    space: ClassVar[Mapping[str, Range]] = {"weights": Vector(LogUniform(1e-4, 10.0), 1, 6)}

    def __post_init__(self) -> None:
        """Tuples of floats, checked."""
        object.__setattr__(self, "weights", require_vector("weights", self.weights))
        if not (min(self.weights) >= 0 and max(self.weights) > 0):
            raise ValueError(f"weights must be >= 0 and one of them > 0, got {self.weights!r}")
        if self.center:
            object.__setattr__(self, "center", require_vector("center", self.center, self.d))
        require_start(self.start, self.d)

    @property
    def d(self) -> int:
        """Number of weights."""
        return len(self.weights)

    @cached_property
    def _w(self) -> Tensor:
        return torch.tensor(self.weights, dtype=torch.float64)

    @cached_property
    def x_star(self) -> Tensor:
        """The center, (d,)."""
        return torch.tensor(self.center or (0.0,) * self.d, dtype=torch.float64)

    @property
    def x0(self) -> Tensor:
        """The center plus 1, (d,)."""
        return start_point(self, self.start, self.x_star + 1)

    @property
    def unique_star(self) -> bool:
        """True if no weight is 0."""
        return min(self.weights) > 0

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """Each subgradient has |g_i| <= w_i."""
        return (
            Certificate(Convex(), proof="a sum of absolute values with weights >= 0"),
            Certificate(Lipschitz(float(self._w.norm())), proof="|g_i| <= w_i, so |g| <= |w|"),
        )

    def value(self, x: Tensor) -> Tensor:
        """x: (*batch, d). Returns (*batch,)."""
        require_points(x, self.d)
        return (self._w.to(x) * (x - self.x_star.to(x)).abs()).sum(dim=-1)

    def gap(self, x: Tensor) -> Tensor:
        """The value: f_star = 0. x: (*batch, d). Returns (*batch,)."""
        return self.value(x)

    def gap_cancellation(self, x: Tensor, gap: Tensor) -> Tensor:
        """Nothing cancels: the gap itself, (*batch,)."""
        del x
        return gap

    def grad(self, x: Tensor) -> Tensor:
        """w_i sign(x_i - c_i), 0 at the kink: a subgradient. Shapes (*batch, d)."""
        require_points(x, self.d)
        y = x - self.x_star.to(x)
        # torch.sign maps nan to 0
        return torch.where(y.isnan(), y, self._w.to(x) * y.sign())

    def nearest_star(self, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        """c where w > 0, x elsewhere. Shapes (*batch, d)."""
        require_points(x, self.d)
        require_euclidean(self, norm)
        return torch.where(self._w.to(x) > 0, self.x_star.to(x), x)

    def _soften(self, x: Tensor, threshold: Tensor) -> Tensor:
        """X moved by ``threshold`` towards c, coordinate by coordinate, not beyond."""
        c = self.x_star.to(x)
        y = x - c
        return torch.where((y.abs() <= threshold) & (threshold > 0), c, x - y.sign() * threshold)

    def prox(self, x: Tensor, stepsize: float | Tensor) -> Tensor:
        """Soft thresholding at stepsize w_i. Shapes (*batch, d)."""
        return self._soften(x, positive_step(x, self.d, stepsize=stepsize) * self._w.to(x))

    def brox(self, x: Tensor, radius: float | Tensor) -> Tensor:
        """Soft thresholding at m w_i with sum_i min(|x_i - c_i|, m w_i)^2 = radius^2. Shapes (*batch, d).

        The sum is piecewise quadratic in m with breaks at |x_i - c_i| / w_i; after sorting, the piece
        that holds the root is solved exactly. Proof: (x - u) / m is a subgradient at u.
        """
        t = positive_step(x, self.d, radius=radius)
        w, y = self._w.to(x), (x - self.x_star.to(x)).abs()
        kept = w > 0
        near = y[..., kept].norm(dim=-1, keepdim=True) <= t
        m = t * _unit_multiplier(y[..., kept] / t, w[kept])
        return torch.where(near, self.nearest_star(x), self._soften(x, m * w))


def _unit_multiplier(y: Tensor, w: Tensor) -> Tensor:
    """The root m of sum_i min(y_i, m w_i)^2 = 1, y >= 0, |y| > 1, w > 0; (*batch, d) -> (*batch, 1)."""
    breaks, order = (y / w).sort(dim=-1)
    y_sq, w_sq = y.gather(-1, order).square(), w.expand_as(y).gather(-1, order).square()
    # of the coordinates that reach c before this one; a difference of sums would cancel
    passed = torch.cat([torch.zeros_like(y_sq[..., :1]), y_sq.cumsum(dim=-1)[..., :-1]], dim=-1)
    moving = w_sq.flip(-1).cumsum(dim=-1).flip(-1)
    reached = passed + breaks.square() * moving >= 1
    reached = torch.cat([reached[..., :-1], torch.ones_like(reached[..., -1:])], dim=-1)
    piece = reached.int().argmax(dim=-1, keepdim=True)
    left = (1 - passed.gather(-1, piece)).clamp(min=0)
    return (left / moving.gather(-1, piece)).sqrt()
