"""Ranges of matrices, as tuples of rows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from problems.space import place, require_cube

Rows = tuple[tuple[float, ...], ...]

FARTHEST = 1e-9
"""A normal entry comes from a number at least this far from 0 and 1: at most 6 in size."""


@dataclass(frozen=True)
class Matrices:
    """m x n with independent standard normal entries, m and n uniform on {low, ..., high}."""

    low: int
    high: int

    @property
    def width(self) -> int:
        """Both sizes, then the entries of the largest."""
        return 2 + self.high**2

    def draw(self, rng: np.random.Generator) -> Rows:
        """The size first, then the entries."""
        m, n = rng.integers(self.low, self.high, size=2, endpoint=True)
        return as_rows(rng.standard_normal((m, n)))

    def at(self, u: Sequence[float]) -> Rows:
        """The numbers of entries that are not there are left unused."""
        u = require_cube(u, self.width)
        m, n = (self.low + place(share, self.high - self.low + 1) for share in u[:2])
        return as_rows(normals(u[2 : 2 + m * n]).reshape(m, n))


@dataclass(frozen=True)
class Semidefinite:
    """G G' / m for a Gaussian m x m matrix G; m uniform on {low, ..., high}. Symmetric to the last digit."""

    low: int
    high: int

    @property
    def width(self) -> int:
        """The size, then the entries of the largest G."""
        return 1 + self.high**2

    def draw(self, rng: np.random.Generator) -> Rows:
        """The size first, then the entries."""
        m = int(rng.integers(self.low, self.high, endpoint=True))
        return _squared(rng.standard_normal((m, m)))

    def at(self, u: Sequence[float]) -> Rows:
        """The numbers of entries that are not there are left unused."""
        u = require_cube(u, self.width)
        m = self.low + place(u[0], self.high - self.low + 1)
        return _squared(normals(u[1 : 1 + m * m]).reshape(m, m))


def _squared(g: np.ndarray) -> Rows:
    square = g @ g.T / len(g)
    return as_rows((square + square.T) / 2)


def normals(u: Sequence[float] | np.ndarray) -> np.ndarray:
    """Quantiles of the normal law."""
    from scipy.special import ndtri  # import problems stays quick without it

    return np.asarray(ndtri(np.clip(np.asarray(u, dtype=float), FARTHEST, 1 - FARTHEST)))


def as_rows(matrix: np.ndarray) -> Rows:
    """A tuple of tuples of floats."""
    return tuple(tuple(row) for row in matrix.tolist())
