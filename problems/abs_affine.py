"""Absolute value of an affine function."""

import math
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
from problems.space import Range, Uniform, Vector


@dataclass(frozen=True)
class AbsAffine(Problem):
    """f(x) = |<a, x> - b|.

    a: nonzero, units of f per unit of x. b: finite, units of f. start: overrides x0, by default the
    point x_star + a / |a|. ValueError otherwise. Source: definition.
    """

    a: tuple[float, ...]
    b: float = 0.0
    start: tuple[float, ...] = ()
    f_star: ClassVar[float] = 0.0

    space: ClassVar[Mapping[str, Range]] = {"a": Vector(Uniform(-3.0, 3.0), 1, 5), "b": Uniform(-2.0, 2.0)}

    def __post_init__(self) -> None:
        """A tuple of floats, checked."""
        object.__setattr__(self, "a", require_vector("a", self.a))
        if not any(self.a):
            raise ValueError(f"a must not be 0, got {self.a!r}")
        if not abs(self.b) < float("inf"):
            raise ValueError(f"b must be finite, got {self.b!r}")
        require_start(self.start, self.d)

    @property
    def d(self) -> int:
        """Length of a."""
        return len(self.a)

    @cached_property
    def _a(self) -> Tensor:
        return torch.tensor(self.a, dtype=torch.float64)

    @cached_property
    def _direction(self) -> Tensor:
        """a / |a|, (d,)."""
        return self._a / self._length

    @cached_property
    def _length(self) -> float:
        return math.hypot(*self.a)

    @cached_property
    def x_star(self) -> Tensor:
        """The minimiser nearest to 0, (d,)."""
        return self._direction * (self.b / self._length)

    @property
    def x0(self) -> Tensor:
        """One unit from the solution set, (d,)."""
        return start_point(self, self.start, self.x_star + self._direction)

    @property
    def unique_star(self) -> bool:
        """True on the line."""
        return self.d == 1

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """The subgradients are s a with |s| <= 1."""
        return (
            Certificate(Convex(), proof="a convex function of an affine one"),
            Certificate(Lipschitz(self._length), proof="a subgradient is s a with |s| <= 1"),
        )

    def _residual(self, x: Tensor) -> Tensor:
        """<a, x> - b, (*batch,)."""
        require_points(x, self.d)
        return (self._a.to(x) * x).sum(dim=-1) - self.b

    def value(self, x: Tensor) -> Tensor:
        """x: (*batch, d). Returns (*batch,)."""
        return self._residual(x).abs()

    def gap(self, x: Tensor) -> Tensor:
        """The value: f_star = 0. x: (*batch, d). Returns (*batch,)."""
        return self.value(x)

    def gap_cancellation(self, x: Tensor, gap: Tensor) -> Tensor:
        """sum_i |a_i x_i| + |b|, the terms of the inner product, (*batch,)."""
        del gap
        return (self._a.to(x) * x).abs().sum(dim=-1) + abs(self.b)

    def grad(self, x: Tensor) -> Tensor:
        """a sign(<a, x> - b), 0 at the kink: a subgradient. Shapes (*batch, d)."""
        r = self._residual(x).unsqueeze(-1)
        # torch.sign maps nan to 0
        return self._a.to(x) * torch.where(r.isnan(), r, r.sign())

    def nearest_star(self, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        """Projection on the hyperplane <a, z> = b. Shapes (*batch, d)."""
        require_euclidean(self, norm)
        distance = self._residual(x).unsqueeze(-1) / self._length
        if self.unique_star:
            return self.x_star.to(x).expand_as(x)
        return x - self._direction.to(x) * distance

    def _walk(self, x: Tensor, length: Tensor) -> Tensor:
        """X moved by ``length`` towards the hyperplane, not beyond."""
        r = self._residual(x).unsqueeze(-1)
        moved = x - self._direction.to(x) * (r.sign() * length)
        return torch.where(r.abs() <= length * self._length, self.nearest_star(x), moved)

    def prox(self, x: Tensor, stepsize: float | Tensor) -> Tensor:
        """X moved by min(stepsize |a|, distance) towards the hyperplane. Shapes (*batch, d)."""
        return self._walk(x, positive_step(x, self.d, stepsize=stepsize) * self._length)

    def brox(self, x: Tensor, radius: float | Tensor) -> Tensor:
        """X moved by min(radius, distance) towards the hyperplane. Shapes (*batch, d)."""
        return self._walk(x, positive_step(x, self.d, radius=radius))
