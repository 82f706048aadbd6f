"""Ranges of parameters: what a family's ``space`` is made of.

Each range draws with numpy's seeded generator and returns plain Python values, so that the object
made from them prints as the call that makes it.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np


class Range(Protocol):
    """A set of values that can be sampled."""

    def draw(self, rng: np.random.Generator) -> Any:
        """One value."""
        ...


@dataclass(frozen=True)
class Uniform:
    """[low, high]."""

    low: float
    high: float

    def draw(self, rng: np.random.Generator) -> float:
        """Uniform on the interval."""
        return float(rng.uniform(self.low, self.high))


@dataclass(frozen=True)
class LogUniform:
    """[low, high], 0 < low, sampled uniformly in the logarithm."""

    low: float
    high: float

    def draw(self, rng: np.random.Generator) -> float:
        """exp of a uniform draw."""
        return float(np.exp(rng.uniform(np.log(self.low), np.log(self.high))))


@dataclass(frozen=True)
class Integers:
    """{low, ..., high}."""

    low: int
    high: int

    def draw(self, rng: np.random.Generator) -> int:
        """Uniform on the set."""
        return int(rng.integers(self.low, self.high, endpoint=True))


@dataclass(frozen=True)
class Choice:
    """A finite set of values."""

    values: tuple[Any, ...]

    def draw(self, rng: np.random.Generator) -> Any:
        """Uniform on the set."""
        return self.values[int(rng.integers(len(self.values)))]


@dataclass(frozen=True)
class Vector:
    """A tuple of ``low`` to ``high`` independent draws of ``entry``."""

    entry: Range
    low: int
    high: int

    def draw(self, rng: np.random.Generator) -> tuple[Any, ...]:
        """Length first, then the entries."""
        return tuple(
            self.entry.draw(rng) for _ in range(int(rng.integers(self.low, self.high, endpoint=True)))
        )
