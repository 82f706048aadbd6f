"""The K largest entries."""

import math
from dataclasses import dataclass
from fractions import Fraction

import torch
from torch import Tensor

from assumptions.guards import require_dimension
from workbench.compressors.base import ENTRY, Compressor, Shape, kept_bits, require_shape, root_of, shape_of


@dataclass(frozen=True)
class TopK(Compressor):
    """C(x) keeps the K entries of largest magnitude, all of them if d <= K. K: an integer >= 1.

    ValueError otherwise. Class B(K/d): the d - K entries left out have at most the share 1 - K/d of every
    sum of |x_j|^p. Not of the nuclear norm: of the 9 x 9 matrix of ones plus 0.01 I, K = 9, the diagonal
    goes and leaves nuclear norm 16, more than 9.09.
    """

    K: int

    def __post_init__(self) -> None:
        """Guard the count."""
        require_dimension(K=self.K)

    def __call__(self, x: Tensor, u: Tensor, shape: Shape | None = None) -> Tensor:
        """Among equal magnitudes any; nan stays. Shapes as ``Compressor``."""
        del u
        shape_of(x, shape)
        if x.shape[-1] <= self.K:
            return x
        places = x.abs().topk(self.K, dim=-1).indices
        return torch.zeros_like(x).scatter(-1, places, x.gather(-1, places))

    def bits(self, shape: Shape, entry: int = ENTRY) -> int:
        """K numbers with their places."""
        require_shape(shape)
        return kept_bits(self.K, math.prod(shape), entry)

    def squared_error(self, shape: Shape) -> Fraction:
        """1 - K/d, attained where all entries are equal in magnitude."""
        require_shape(shape)
        return max(Fraction(0), 1 - Fraction(self.K, math.prod(shape)))

    def _in_entries(self, p: float, shape: Shape) -> Fraction:
        """(1 - K/d)^(1/p); 1 in the largest entry unless K = d."""
        return root_of(self.squared_error(shape), p)
