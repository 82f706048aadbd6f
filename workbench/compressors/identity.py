"""No compression."""

import math
from dataclasses import dataclass
from fractions import Fraction

from torch import Tensor

from assumptions.norms import Norm
from workbench.compressors.base import ENTRY, Compressor, Shape, require_shape, shape_of
from workbench.compressors.norms import require_fits


@dataclass(frozen=True)
class Identity(Compressor):
    """C(x) = x; every entry is sent."""

    def __call__(self, x: Tensor, u: Tensor, shape: Shape | None = None) -> Tensor:
        """x itself."""
        del u
        shape_of(x, shape)
        return x

    def bits(self, shape: Shape, entry: int = ENTRY) -> int:
        """d numbers."""
        require_shape(shape)
        return math.prod(shape) * entry

    @property
    def unbiased(self) -> bool:
        """It is exact."""
        return True

    def squared_error(self, shape: Shape) -> Fraction:
        """0."""
        require_shape(shape)
        return Fraction(0)

    def shrinks(self, norm: Norm, shape: Shape) -> float | None:
        """0 in every norm."""
        require_shape(shape)
        require_fits(norm, shape)
        return 0.0
