"""Smoothness of matrices measured by a matrix from the left."""

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

import torch
from torch import Tensor

from assumptions.base import EPS, Function, Sides
from assumptions.bregman import bregman
from assumptions.guards import as_floats
from assumptions.inequality import Inequality
from assumptions.layerwise.inequality import layers_of
from assumptions.outward import round_up
from assumptions.rounding import ROUNDINGS

Rows = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class LeftSmooth(Inequality):
    """f(Y) <= f(X) + <grad f(X), Y - X> + sum_i tr((Y_i - X_i)' Q_i (Y_i - X_i)) / 2 for all X, Y.

    left: Q_i for each layer, a tuple of m rows of m numbers, symmetric, positive semidefinite up to rounding,
    where layer i has m rows; a layer that is no matrix counts with its first axis as rows, all others as
    columns. ValueError otherwise, and for a problem with other layers. ``trace_i`` = tr Q_i, rounded up, is
    at least the constant of ``BlockDescent`` in spectral norms.
    """

    left: tuple[Rows, ...]
    derived: ClassVar[tuple[str, ...]] = ("trace_i",)
    needs: ClassVar[tuple[str, ...]] = ("layers",)
    instead: ClassVar[str] = "Smooth speaks of the whole variable"

    def __post_init__(self) -> None:
        """Rows of floats, checked."""
        if not isinstance(self.left, tuple) or not self.left:
            raise ValueError(f"left must be a non-empty tuple of matrices, got {self.left!r}")
        object.__setattr__(self, "left", tuple(_semidefinite(q) for q in self.left))

    @property
    def trace_i(self) -> tuple[float, ...]:
        """tr Q_i, one for each layer, rounded up."""
        return tuple(
            round_up(sum((Fraction(q[k][k]) for k in range(len(q))), Fraction(0))) for q in self.left
        )

    def sides(self, problem: Function, *points: Tensor) -> Sides:
        """f(Y) - f(X) - <grad f(X), Y - X>, cut at 0, and the quadratic. X, Y: (*batch, d)."""
        x, y = points
        layers = layers_of(problem, left=self.left)
        gap, _, rounding = bregman(problem, x, y)
        rhs, size = x.new_zeros(()), x.new_zeros(())
        for q, shape, step in zip(self.left, layers.shapes, layers.split(y - x), strict=True):
            if len(q) != shape[0]:
                raise ValueError(
                    f"left must have {shape[0]} rows for the layer {shape} of {problem!r}, got {q!r}"
                )
            step, matrix = step.reshape(*x.shape[:-1], shape[0], -1), step.new_tensor(q)
            rhs = rhs + (step * (matrix @ step)).sum(dim=(-2, -1)) / 2
            with torch.no_grad():
                size = size + (step.abs() * (matrix.abs() @ step.abs())).sum(dim=(-2, -1)) / 2
        return Sides(gap.clamp(min=0), rhs, rounding + ROUNDINGS * size)


def _semidefinite(q: object) -> Rows:
    """The rows as floats. ValueError unless square, finite, symmetric, eigenvalues >= 0 up to rounding."""
    try:
        rows = tuple(as_floats("left", row) for row in q)  # pyright: ignore[reportGeneralTypeIssues]
    except TypeError:
        raise ValueError(f"left must hold matrices, tuples of rows, got {q!r}") from None
    m = len(rows)
    if not rows or any(len(row) != m for row in rows):
        raise ValueError(f"left must hold square matrices with at least one row, got {q!r}")
    matrix = torch.tensor(rows, dtype=torch.float64)
    if not bool(matrix.isfinite().all()) or not torch.equal(matrix, matrix.mT):
        raise ValueError(f"left must hold finite, symmetric matrices, got {q!r}")
    values = torch.linalg.eigvalsh(matrix)
    if not float(values[0]) >= -10 * m * EPS * float(values.abs().amax()):
        raise ValueError(f"left must hold positive semidefinite matrices, got {q!r}")
    return rows
