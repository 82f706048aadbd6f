"""K entries at random."""

import math
from dataclasses import dataclass
from fractions import Fraction

import torch
from torch import Tensor

from assumptions.guards import require_dimension
from workbench.compressors.base import ENTRY, Compressor, Shape, kept_bits, require_shape, root_of, shape_of
from workbench.compressors.draws import Nothing
from workbench.spaces import Space, Subset

MOST_POWER = 64
"""Powers of larger exponents are not taken."""


@dataclass(frozen=True)
class RandK(Compressor):
    """C(x) keeps K entries, every set equally likely; all if d <= K. scaled: times d/K.

    K: an integer >= 1; scaled: a bool. ValueError otherwise. Class B(K/d), with equality for every x; scaled
    class U(d/K - 1), with equality for every x.
    """

    K: int
    scaled: bool = False

    def __post_init__(self) -> None:
        """Guard the count and the flag."""
        require_dimension(K=self.K)
        if not isinstance(self.scaled, bool):
            raise ValueError(f"scaled must be True or False, got {self.scaled!r}")

    def space(self, shape: Shape) -> Space:
        """The set of entries; nothing where all are kept."""
        require_shape(shape)
        d = math.prod(shape)
        return Subset(d, self.K) if d > self.K else Nothing()

    def __call__(self, x: Tensor, u: Tensor, shape: Shape | None = None) -> Tensor:
        """u: the places, int64 (*batch, K). Shapes as ``Compressor``."""
        shape_of(x, shape)
        d = x.shape[-1]
        if d <= self.K:
            return x
        kept = torch.zeros_like(x).scatter(-1, u, x.gather(-1, u))
        return kept * (d / self.K) if self.scaled else kept

    def bits(self, shape: Shape, entry: int = ENTRY) -> int:
        """K numbers with their places."""
        require_shape(shape)
        return kept_bits(self.K, math.prod(shape), entry)

    @property
    def unbiased(self) -> bool:
        """Where it is scaled."""
        return self.scaled

    def squared_error(self, shape: Shape) -> Fraction:
        """1 - K/d; d/K - 1 where it is scaled."""
        return self._moment(2, shape)

    def _in_entries(self, p: float, shape: Shape) -> Fraction | None:
        """(E|C(x) - x|_p^p)^(1/p), the same multiple of |x|_p for all x; for p = inf the largest outcome."""
        c = self._moment(1, shape)
        if p == math.inf:
            largest = Fraction(math.prod(shape), self.K) - 1 if self.scaled else Fraction(0)
            return max(Fraction(1), largest) if c else c
        return root_of(self._moment(p, shape), p) if p <= MOST_POWER else None

    def _moment(self, p: float, shape: Shape) -> Fraction:
        """E|C(x) - x|_p^p over |x|_p^p, rounded up where p is not an integer."""
        require_shape(shape)
        kept = min(Fraction(1), Fraction(self.K, math.prod(shape)))
        if not self.scaled or kept == 1:
            return 1 - kept
        grown = 1 / kept - 1
        if p == int(p):
            return kept * grown ** int(p) + 1 - kept
        return kept * Fraction(float(grown) ** p) * (1 + Fraction(1, 2**40)) + 1 - kept
