"""One minus the cosine of an affine function: smooth, not convex, with parallel planes of minimisers."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Certificate, Norm
from assumptions.guards import require_finite, require_points
from assumptions.rounding import ROUNDINGS
from problems.arguments import require_start, start_point
from problems.base import Problem
from problems.link_facts import link_facts
from problems.links import LINKS
from problems.oracle_guards import require_norm_fits, require_vector
from problems.space import Range, Uniform, Vector

PERIOD = 2 * math.pi


@dataclass(frozen=True)
class CosineRidge(Problem):
    """f(x) = 1 - cos(<a, x> - b) = 2 sin^2((<a, x> - b) / 2).

    a: nonzero, 1 / units of x. b: finite. start: overrides x0, by default the point on the line of a with
    <a, x> - b = 1. ValueError otherwise. Minimisers: the planes <a, x> - b = 2 pi k, up to the rounding of
    that product. Source: definition.
    """

    a: tuple[float, ...]
    b: float = 0.0
    start: tuple[float, ...] = ()
    f_star: ClassVar[float] = 0.0

    space: ClassVar[Mapping[str, Range]] = {"a": Vector(Uniform(-3.0, 3.0), 1, 5), "b": Uniform(-2.0, 2.0)}

    def __post_init__(self) -> None:
        """Tuples of floats, checked."""
        object.__setattr__(self, "a", require_vector("a", self.a))
        if not any(self.a):
            raise ValueError(f"a must not be 0, got {self.a!r}")
        require_finite(b=self.b)
        require_start(self.start, self.d)

    @property
    def d(self) -> int:
        """Length of a."""
        return len(self.a)

    @cached_property
    def _a(self) -> Tensor:
        return torch.tensor(self.a, dtype=torch.float64)

    def _preimage(self, s: float) -> Tensor:
        """The shortest x with <a, x> - b = s, (d,)."""
        size = math.hypot(*self.a)
        return self._a / size * ((s + self.b) / size)

    @cached_property
    def x_star(self) -> Tensor:
        """The point of the plane <a, x> = b nearest to 0, (d,)."""
        return self._preimage(0.0)

    @property
    def x0(self) -> Tensor:
        """Where the argument of the cosine is 1, (d,)."""
        return start_point(self, self.start, self._preimage(1.0))

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """What the bounds of the sine and the cosine prove."""
        return link_facts(LINKS["cosine"], self.a)

    def _inner(self, x: Tensor) -> Tensor:
        """<a, x> - b, (*batch,)."""
        require_points(x, self.d)
        return (self._a.to(x) * x).sum(dim=-1) - self.b

    def value(self, x: Tensor) -> Tensor:
        """2 sin^2(s / 2), without cancellation. x: (*batch, d). Returns (*batch,)."""
        return LINKS["cosine"].h(self._inner(x))

    def gap(self, x: Tensor) -> Tensor:
        """The value: f_star = 0. x: (*batch, d). Returns (*batch,)."""
        return self.value(x)

    def gap_cancellation(self, x: Tensor, gap: Tensor) -> Tensor:
        """The gap, and the terms of the inner product times the slope nearby, (*batch,)."""
        size = (self._a.to(x) * x).abs().sum(dim=-1) + abs(self.b)
        return gap + size * (self._inner(x).sin().abs() + ROUNDINGS * size)

    def grad(self, x: Tensor) -> Tensor:
        """sin(<a, x> - b) a. Shapes (*batch, d)."""
        return self._a.to(x) * self._inner(x).sin().unsqueeze(-1)

    def hvp(self, x: Tensor, v: Tensor) -> Tensor:
        """cos(<a, x> - b) <a, v> a. Shapes (*batch, d)."""
        a = self._a.to(x)
        return a * (self._inner(x).cos() * (a * v).sum(dim=-1)).unsqueeze(-1)

    def offers_dist(self, norm: Norm = EUCLIDEAN) -> bool:
        """True for every norm."""
        return norm.fits(self.d)

    def nearest_star(self, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        """The nearest plane, at distance |s - 2 pi k| / |a|_*. Shapes (*batch, d).

        Hoelder: no shorter step changes s as much. ValueError for a norm that is none on R^d.
        """
        require_norm_fits(self, norm)
        s = self._inner(x).unsqueeze(-1)
        a = self._a.to(x)
        missing = PERIOD * (s / PERIOD).round() - s
        return x + norm.lmo_direction(a) * (missing / norm.dual(a))
