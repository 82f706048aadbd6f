"""Everything or nothing."""

import math
from dataclasses import dataclass
from fractions import Fraction

import torch
from torch import Tensor

from assumptions.guards import as_float
from assumptions.norms import Norm
from assumptions.outward import round_up
from workbench.compressors.base import ENTRY, Compressor, Shape, require_shape, shape_of
from workbench.compressors.norms import require_fits
from workbench.spaces import Coin, Space


@dataclass(frozen=True)
class RandomSkip(Compressor):
    """C(x) = x with probability p, else 0. 0 < p <= 1, ValueError otherwise.

    E|C(x) - x| = (1 - p) |x| in every norm, for every x; class B(p), with equality for every x. A message
    that is skipped takes no bits.
    """

    p: float

    def __post_init__(self) -> None:
        """The probability as a float."""
        p = as_float("p", self.p)
        if not 0 < p <= 1:
            raise ValueError(f"p must be in (0, 1], got {self.p!r}")
        object.__setattr__(self, "p", p)

    def space(self, shape: Shape) -> Space:
        """A coin."""
        require_shape(shape)
        return Coin(self.p)

    def __call__(self, x: Tensor, u: Tensor, shape: Shape | None = None) -> Tensor:
        """u: bool (*batch, 1). Shapes as ``Compressor``."""
        shape_of(x, shape)
        return torch.where(u, x, torch.zeros_like(x))

    def bits(self, shape: Shape, entry: int = ENTRY) -> int:
        """d numbers."""
        require_shape(shape)
        return math.prod(shape) * entry

    def spent(self, u: Tensor, shape: Shape, entry: int = ENTRY) -> Tensor:
        """d numbers at heads."""
        return u.squeeze(-1).to(torch.float64) * self.bits(shape, entry)

    def squared_error(self, shape: Shape) -> Fraction:
        """1 - p."""
        require_shape(shape)
        return 1 - Fraction(self.p)

    def shrinks(self, norm: Norm, shape: Shape) -> float | None:
        """1 - p in every norm."""
        require_shape(shape)
        require_fits(norm, shape)
        return round_up(1 - Fraction(self.p))
