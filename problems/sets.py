"""Closed convex sets with their Euclidean projections."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from assumptions.base import EPS
from assumptions.guards import require_finite, require_points
from assumptions.outward import root_up, round_up
from assumptions.specification import Specified
from problems.oracle_guards import require_vector

ROOM = 8 * EPS
"""A point outside by roundings of its own size counts as inside: a projection is its own projection."""


class ConvexSet(Specified, ABC):
    """A nonempty closed convex set C in R^d, not the whole space."""

    @property
    @abstractmethod
    def d(self) -> int:
        """Dimension."""

    @property
    @abstractmethod
    def exterior(self) -> Tensor:
        """A point outside, (d,)."""

    @abstractmethod
    def contains(self, x: Tensor) -> Tensor:
        """Whether x is in C, up to a few roundings of |x|. x: (*batch, d). Returns bool (*batch,)."""

    @property
    def diameter(self) -> float:
        """A bound on the distance of two points of C, rounded up; inf of an unbounded set."""
        return math.inf

    def lmo(self, g: Tensor) -> Tensor:
        """A point of C where <g, .> is least, for a bounded C. Shapes (*batch, d). TypeError for others."""
        require_points(g, self.d, "g")
        raise TypeError(
            f"a linear function has no minimum over every direction of {self!r}, which is unbounded"
        )

    @abstractmethod
    def _pull(self, x: Tensor) -> Tensor:
        """Projection of points outside; any point for others. Shapes (*batch, d)."""

    @abstractmethod
    def conic(self, z: Any, cp: Any) -> list[Any]:
        """Constraints of cvxpy (the module ``cp``) that say z in C; z: (d,)."""

    @abstractmethod
    def conic_distance(self, z: Any, cp: Any) -> Any:
        """min {|z - w| : w in C}, Euclidean, as an expression of cvxpy; z: (d,)."""

    def project(self, x: Tensor) -> Tensor:
        """The nearest point of C; x itself where it is inside. Shapes (*batch, d)."""
        inside = self.contains(x).unsqueeze(-1)
        return torch.where(inside, x, self._pull(x))


@dataclass(frozen=True)
class Box(ConvexSet):
    """{x : low_i <= x_i <= high_i}.

    low: entries < inf. high: entries > -inf, >= low. One of them finite. ValueError otherwise.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]

    def __post_init__(self) -> None:
        """Tuples of floats, checked."""
        for name in ("low", "high"):
            try:
                entries = tuple(float(entry) for entry in getattr(self, name))
            except (TypeError, ValueError):
                raise ValueError(f"{name} must be a tuple of numbers, got {getattr(self, name)!r}") from None
            object.__setattr__(self, name, entries)
        got = f"got {self.low!r} and {self.high!r}"
        if not self.low or len(self.low) != len(self.high):
            raise ValueError(f"low and high must be of one length > 0, {got}")
        sides = zip(self.low, self.high, strict=True)
        if not all(a <= b and a < math.inf and b > -math.inf for a, b in sides):
            raise ValueError(f"low must be <= high, low < inf and high > -inf, {got}")
        if not any(abs(side) < math.inf for side in (*self.low, *self.high)):
            raise ValueError(f"one entry of low or high must be finite, {got}")

    @property
    def d(self) -> int:
        """Number of sides."""
        return len(self.low)

    @cached_property
    def _sides(self) -> tuple[Tensor, Tensor]:
        return torch.tensor(self.low, dtype=torch.float64), torch.tensor(self.high, dtype=torch.float64)

    @property
    def exterior(self) -> Tensor:
        """One unit beyond each finite side, the upper one first, (d,)."""
        low, high = self._sides
        free = torch.zeros_like(low)
        return torch.where(high.isfinite(), high + 1, torch.where(low.isfinite(), low - 1, free))

    def contains(self, x: Tensor) -> Tensor:
        """Exact: no rounding is involved. x: (*batch, d). Returns bool (*batch,)."""
        require_points(x, self.d)
        low, high = self._sides
        return ((low.to(x) <= x) & (x <= high.to(x))).all(dim=-1)

    @cached_property
    def diameter(self) -> float:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The length of the diagonal, rounded up; inf if a side is missing."""
        if not all(abs(side) < math.inf for side in (*self.low, *self.high)):
            return math.inf
        widths = (Fraction(b) - Fraction(a) for a, b in zip(self.low, self.high, strict=True))
        return round_up(root_up(sum((width**2 for width in widths), Fraction(0))))

    def lmo(self, g: Tensor) -> Tensor:
        """The corner against g; the lower side where g_i = 0. TypeError if a side is missing."""
        if self.diameter == math.inf:
            return super().lmo(g)
        require_points(g, self.d, "g")
        low, high = self._sides
        corner = torch.where(g < 0, high.to(g), low.to(g))
        return torch.where(g.isnan(), g, corner)

    def _pull(self, x: Tensor) -> Tensor:
        low, high = self._sides
        return torch.minimum(torch.maximum(x, low.to(x)), high.to(x))

    def conic(self, z: Any, cp: Any) -> list[Any]:
        """low <= z <= high, finite sides alone."""
        del cp
        low, high = (side.numpy() for side in self._sides)
        below, above = np.isfinite(low), np.isfinite(high)
        constraints = [z[below] >= low[below]] if below.any() else []
        return constraints + ([z[above] <= high[above]] if above.any() else [])

    def conic_distance(self, z: Any, cp: Any) -> Any:
        """The length of all that is missing; of the two sides of a coordinate one at most counts."""
        low, high = (side.numpy() for side in self._sides)
        below, above = np.isfinite(low), np.isfinite(high)
        missing = [cp.pos(low[below] - z[below])] if below.any() else []
        return cp.norm(cp.hstack(missing + ([cp.pos(z[above] - high[above])] if above.any() else [])))


@dataclass(frozen=True)
class HalfSpace(ConvexSet):
    """{x : <a, x> <= b}. a: nonzero. b: finite. ValueError otherwise."""

    a: tuple[float, ...]
    b: float = 0.0

    def __post_init__(self) -> None:
        """A tuple of floats, checked."""
        object.__setattr__(self, "a", require_vector("a", self.a))
        if not any(self.a):
            raise ValueError(f"a must not be 0, got {self.a!r}")
        require_finite(b=self.b)

    @property
    def d(self) -> int:
        """Length of a."""
        return len(self.a)

    @cached_property
    def _plane(self) -> tuple[Tensor, float]:
        """The normal of length 1, (d,), and the distance of the plane from 0, signed."""
        length = math.hypot(*self.a)
        return torch.tensor(self.a, dtype=torch.float64) / length, self.b / length

    @property
    def exterior(self) -> Tensor:
        """One unit from the plane, (d,)."""
        normal, offset = self._plane
        return normal * (offset + 1)

    def contains(self, x: Tensor) -> Tensor:
        """x: (*batch, d). Returns bool (*batch,)."""
        require_points(x, self.d)
        normal, offset = self._plane
        terms = normal.to(x) * x
        room = ROOM * (terms.abs().sum(dim=-1) + abs(offset))
        return terms.sum(dim=-1) - offset <= room

    def _pull(self, x: Tensor) -> Tensor:
        normal, offset = self._plane
        n = normal.to(x)
        return x - n * ((n * x).sum(dim=-1, keepdim=True) - offset)

    def conic(self, z: Any, cp: Any) -> list[Any]:
        """<a, z> <= b."""
        del cp
        return [np.array(self.a) @ z <= self.b]

    def conic_distance(self, z: Any, cp: Any) -> Any:
        """(<n, z> - offset)_+, n the unit normal."""
        normal, offset = self._plane
        return cp.pos(normal.numpy() @ z - offset)
