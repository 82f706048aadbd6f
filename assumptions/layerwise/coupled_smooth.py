"""Smoothness of layers that act on one another."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import torch
from torch import Tensor

from assumptions.base import Function, Sides
from assumptions.guards import as_floats
from assumptions.inequality import EntryInequality
from assumptions.layerwise.inequality import (
    largest,
    layer_change,
    layers_of,
    replace_layer,
    require_no_options,
)
from assumptions.outward import round_up
from assumptions.rounding import ROUNDINGS


@dataclass(frozen=True)
class CoupledSmooth(EntryInequality):
    """|grad_i f(X) - grad_i f(Y)|_{i*} <= sum_j h_ij |X_j - Y_j|_j for all layers i and all X, Y.

    h: a tuple of rows, square, symmetric, entries finite and >= 0, one row per layer; ValueError otherwise,
    and for a problem with another number of layers. h_ij >= |D^2 f[Z_i, W_j]| over unit Z_i and W_j has it,
    for Z_i and W_i independent also where i = j. h_sum_i: the sum of row i, for claims.
    """

    h: tuple[tuple[float, ...], ...]
    sense: ClassVar[Mapping[str, int]] = {"h": -1}
    derived: ClassVar[tuple[str, ...]] = ("h_sum_i",)
    needs: ClassVar[tuple[str, ...]] = ("layers",)
    instead: ClassVar[str] = "Smooth speaks of the whole variable"

    def __post_init__(self) -> None:
        """Rows of floats, checked."""
        try:
            rows = tuple(as_floats("h", row) for row in self.h)
        except TypeError:
            raise ValueError(f"h must be a tuple of rows of numbers, got {self.h!r}") from None
        if not rows or any(len(row) != len(rows) for row in rows):
            raise ValueError(f"h must be square with at least one row, got {self.h!r}")
        if not all(0 <= entry < float("inf") for row in rows for entry in row):
            raise ValueError(f"h must have finite entries >= 0, got {self.h!r}")
        if any(rows[i][j] != rows[j][i] for i in range(len(rows)) for j in range(i)):
            raise ValueError(f"h must be symmetric, got {self.h!r}")
        object.__setattr__(self, "h", rows)

    @property
    def h_sum_i(self) -> tuple[float, ...]:
        """``row_sums`` of all layers."""
        return self.row_sums()

    def row_sums(self, layers: tuple[int, ...] | None = None) -> tuple[float, ...]:
        """sum_j h_ij over j in ``layers`` (all by default), one for each i in it, rounded up.

        These bound f(X + D) - f(X) - <grad f(X), D> by sum_i (row sum) |D_i|^2 / 2 for a D that moves these
        layers alone: 2 a b <= a^2 + b^2. ValueError for a layer that does not exist or comes twice.
        """
        chosen = tuple(range(len(self.h))) if layers is None else layers
        if not set(chosen) <= set(range(len(self.h))) or len(set(chosen)) != len(chosen) or not chosen:
            raise ValueError(f"layers must be different numbers from 0 to {len(self.h) - 1}, got {layers!r}")
        return tuple(round_up(sum((Fraction(self.h[i][j]) for j in chosen), Fraction(0))) for i in chosen)

    def entry_sides(self, problem: Function, *points: Tensor) -> Sides:
        """Both sides for each layer. X, Y: (*batch, d). Returns (*batch, n_layers).

        Rounding: each gradient moves by 64 roundings of itself, by its ``layer_noise``, and by what h makes
        of 64 roundings of all layers.
        """
        x, y = points
        layers = layers_of(problem, h=self.h)
        h = x.new_tensor(self.h)
        moved = layer_change(problem, layers, x, y)
        with torch.no_grad():
            resolution = moved.rounding + ROUNDINGS * moved.size @ h
        return Sides(moved.change, moved.distance @ h, resolution)

    @classmethod
    def estimate(cls, problem: Function, *points: Tensor, **options: Any) -> dict[str, Any]:
        """h_seen: one layer is moved at a time, then all is scaled by one factor to suit the pairs as well.

        points: X and Y, each (*batch, d). With Z_j = X but for its layer j, which is that of Y:
        h_ij = max |grad_i f(Z_j) - grad_i f(X)|_{i*} / |Y_j - X_j|_j, the larger of h_ij and h_ji taken; the
        factor is the largest ratio of the inequality over the pairs (X, Y), at least 1, returned as "joint".
        Changes that are rounding alone are left out. TypeError for options.
        """
        cls.require(problem)
        require_no_options(options)
        layers = layers_of(problem)
        x, y = torch.broadcast_tensors(*points)
        columns = []
        for j in range(layers.n_layers):
            moved = layer_change(problem, layers, x, replace_layer(layers, x, y, j))
            ratio = moved.change / moved.distance[..., j : j + 1]
            columns.append(largest(torch.where(moved.visible, ratio, 0.0)))
        h = torch.stack(columns, dim=-1)
        h = torch.maximum(h, h.mT)
        moved = layer_change(problem, layers, x, y)
        ratio = moved.change / (moved.distance @ h)
        joint = largest(torch.where(moved.visible, ratio, 0.0)).max().clamp(min=1)
        return {"h_seen": tuple(map(tuple, (joint * h).tolist())), "joint": float(joint)}
