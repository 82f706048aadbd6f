"""Signs, scaled by the mean magnitude."""

import math
from dataclasses import dataclass
from fractions import Fraction

from torch import Tensor

from workbench.compressors.base import ENTRY, Compressor, Shape, require_shape, shape_of


@dataclass(frozen=True)
class L1Sign(Compressor):
    """C(x) = (|x|_1 / d) sign(x), sign(0) = 0.

    Class B(1/d): with c nonzero entries |C(x) - x|_2^2 = |x|_2^2 - (2 - c/d) |x|_1^2 / d, and |x|_1 >= |x|_2.
    Approached by (1, e, ..., e) as e -> 0, without zeros.
    """

    def __call__(self, x: Tensor, u: Tensor, shape: Shape | None = None) -> Tensor:
        """Shapes as ``Compressor``; nan in a row makes it nan."""
        del u
        shape_of(x, shape)
        return x.abs().mean(dim=-1, keepdim=True) * x.sign()

    def bits(self, shape: Shape, entry: int = ENTRY) -> int:
        """One number, and two bits for each of three signs."""
        require_shape(shape)
        return entry + 2 * math.prod(shape)

    def squared_error(self, shape: Shape) -> Fraction:
        """1 - 1/d."""
        require_shape(shape)
        return 1 - Fraction(1, math.prod(shape))
