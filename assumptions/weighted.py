"""Norms with a weight for each coordinate."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from assumptions.guards import as_floats, require_dimension, require_points
from assumptions.norms import Lp, Norm


@dataclass(frozen=True)
class Weighted(Norm):
    """|x| = |(w_1 x_1, ..., w_d x_d)|_p: balls are ellipsoids, boxes, cross-polytopes for p = 2, inf, 1.

    weights: w > 0, finite, one per coordinate. 1 <= p <= inf. ValueError otherwise. With z_i = w_i x_i,
    <g, x> = <g / w, z>: the dual norm is |g / w|_q, 1/p + 1/q = 1, and a maximiser of <g, x> is that of
    <g / w, z> divided by w.
    """

    weights: tuple[float, ...]
    p: float = 2.0

    def __post_init__(self) -> None:
        """A tuple of floats, checked."""
        object.__setattr__(self, "p", Lp(self.p).p)
        weights = as_floats("weights", self.weights)
        if not weights or not all(0 < w < math.inf for w in weights):
            raise ValueError(f"weights must be finite and > 0, at least one, got {self.weights!r}")
        object.__setattr__(self, "weights", weights)

    @property
    def unweighted(self) -> Lp:
        """The norm of w x."""
        return Lp(self.p)

    def fits(self, d: int) -> bool:
        """True in the dimension of the weights alone."""
        return d == len(self.weights)

    def of(self, x: Tensor) -> Tensor:
        """The weights as a tensor like x, (d,). ValueError for an x of another last axis."""
        require_points(x, len(self.weights))
        return x.new_tensor(self.weights)

    def norm(self, x: Tensor) -> Tensor:
        """|w x|. x: (*batch, d). Returns (*batch,)."""
        return self.unweighted.norm(x * self.of(x))

    def dual(self, g: Tensor) -> Tensor:
        """|g / w|_*. g: (*batch, d). Returns (*batch,)."""
        return self.unweighted.dual(g / self.of(g))

    def lmo_direction(self, g: Tensor) -> Tensor:
        """A maximiser of <g, z> over the unit ball. Shapes as g."""
        w = self.of(g)
        return self.unweighted.lmo_direction(g / w) / w

    def rho(self, d: int) -> float:
        """With h = 1 / w: max h if q >= 2, else |h|_r with 1/r = 1/q - 1/2 (Hoelder).

        ValueError unless d is the number of weights.
        """
        require_dimension(d=d)
        if not self.fits(d):
            raise ValueError(f"d must be {len(self.weights)}, the number of weights, got {d!r}")
        h, inner = 1 / torch.tensor(self.weights, dtype=torch.float64), self.unweighted
        if inner.q >= 2:
            return float(h.max())
        return float(Lp(1 / (1 / inner.q - 0.5)).norm(h))
