"""Ranges of parameters: what a family's ``space`` is made of.

Each range draws with numpy's seeded generator and returns plain Python values, so that the object
made from them prints as the call that makes it. It is a picture of a unit cube too, for searches.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np


class Range(Protocol):
    """A set of values that can be sampled, and reached from the cube [0, 1]^width."""

    @property
    def width(self) -> int:
        """Numbers that ``at`` takes."""
        ...

    def draw(self, rng: np.random.Generator) -> Any:
        """One value."""
        ...

    def at(self, u: Sequence[float]) -> Any:
        """The value at a point of the cube; uniform points give values distributed as ``draw``'s."""
        ...


@dataclass(frozen=True)
class Uniform:
    """[low, high]."""

    low: float
    high: float
    width = 1

    def draw(self, rng: np.random.Generator) -> float:
        """Uniform on the interval."""
        return float(rng.uniform(self.low, self.high))

    def at(self, u: Sequence[float]) -> float:
        """low + u (high - low)."""
        (share,) = require_cube(u, 1)
        return self.low + share * (self.high - self.low)


@dataclass(frozen=True)
class LogUniform:
    """[low, high], 0 < low, sampled uniformly in the logarithm."""

    low: float
    high: float
    width = 1

    def draw(self, rng: np.random.Generator) -> float:
        """exp of a uniform draw."""
        return float(np.exp(rng.uniform(np.log(self.low), np.log(self.high))))

    def at(self, u: Sequence[float]) -> float:
        """low (high / low)^u."""
        (share,) = require_cube(u, 1)
        return float(np.exp((1 - share) * np.log(self.low) + share * np.log(self.high)))


@dataclass(frozen=True)
class Integers:
    """{low, ..., high}."""

    low: int
    high: int
    width = 1

    def draw(self, rng: np.random.Generator) -> int:
        """Uniform on the set."""
        return int(rng.integers(self.low, self.high, endpoint=True))

    def at(self, u: Sequence[float]) -> int:
        """Each number from an interval of the same length."""
        (share,) = require_cube(u, 1)
        return self.low + place(share, self.high - self.low + 1)


@dataclass(frozen=True)
class Choice:
    """A finite set of values."""

    values: tuple[Any, ...]
    width = 1

    def draw(self, rng: np.random.Generator) -> Any:
        """Uniform on the set."""
        return self.values[int(rng.integers(len(self.values)))]

    def at(self, u: Sequence[float]) -> Any:
        """Each value from an interval of the same length."""
        (share,) = require_cube(u, 1)
        return self.values[place(share, len(self.values))]


@dataclass(frozen=True)
class Vector:
    """A tuple of ``low`` to ``high`` independent draws of ``entry``."""

    entry: Range
    low: int
    high: int

    @property
    def width(self) -> int:
        """The length where it is free, then the entries of the longest."""
        return int(self.high > self.low) + self.high * self.entry.width

    def draw(self, rng: np.random.Generator) -> tuple[Any, ...]:
        """Length first, then the entries."""
        return tuple(
            self.entry.draw(rng) for _ in range(int(rng.integers(self.low, self.high, endpoint=True)))
        )

    def at(self, u: Sequence[float]) -> tuple[Any, ...]:
        """The numbers of entries that are not there are left unused."""
        u = require_cube(u, self.width)
        length, rest = self.low, u
        if self.high > self.low:
            length, rest = self.low + place(u[0], self.high - self.low + 1), u[1:]
        each = self.entry.width
        return tuple(self.entry.at(rest[i * each : (i + 1) * each]) for i in range(length))


def require_cube(u: Sequence[float], width: int) -> Sequence[float]:
    """``u`` itself. ValueError unless it holds ``width`` numbers in [0, 1]."""
    if len(u) != width or not all(0 <= share <= 1 for share in u):
        raise ValueError(f"u must hold {width} numbers in [0, 1], got {list(u)!r}")
    return u


def place(share: float, count: int) -> int:
    """Which of ``count`` equal parts of [0, 1] a number lies in."""
    return min(int(share * count), count - 1)
