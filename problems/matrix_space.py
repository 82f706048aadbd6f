"""Ranges of matrices, as tuples of rows."""

from dataclasses import dataclass

import numpy as np

Rows = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Matrices:
    """m x n with independent standard normal entries, m and n uniform on {low, ..., high}."""

    low: int
    high: int

    def draw(self, rng: np.random.Generator) -> Rows:
        """The size first, then the entries."""
        m, n = rng.integers(self.low, self.high, size=2, endpoint=True)
        return as_rows(rng.standard_normal((m, n)))


@dataclass(frozen=True)
class Semidefinite:
    """G G' / m for a Gaussian m x m matrix G; m uniform on {low, ..., high}. Symmetric to the last digit."""

    low: int
    high: int

    def draw(self, rng: np.random.Generator) -> Rows:
        """The size first, then the entries."""
        m = int(rng.integers(self.low, self.high, endpoint=True))
        g = rng.standard_normal((m, m))
        square = g @ g.T / m
        return as_rows((square + square.T) / 2)


def as_rows(matrix: np.ndarray) -> Rows:
    """A tuple of tuples of floats."""
    return tuple(tuple(row) for row in matrix.tolist())
