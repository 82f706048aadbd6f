"""Magnitudes rounded to powers of two at random."""

import itertools
import math
from dataclasses import dataclass
from fractions import Fraction

import torch
from torch import Tensor

from workbench.compressors.base import ENTRY, Compressor, Shape, require_shape, shape_of
from workbench.compressors.draws import Uniforms
from workbench.spaces import Space

EXPONENT = {64: 11, 32: 8}
"""Bits of the exponent in a float of so many bits."""

MOST_ENTRIES = 16
"""2^16 outcomes are listed at most."""

FIRST = Fraction(34315, 100000)
"""Above 6 - 4 sqrt(2) = 0.343145..., the largest E|C(x) - x| / |x| of a number."""


@dataclass(frozen=True)
class Natural(Compressor):
    """Each x_j = +-2^a (1 + s), 0 <= s < 1, becomes +-2^(a+1) with probability s, else +-2^a; 0 stays.

    Class U(1/8): E(C - x)^2 / x^2 = s (1 - s) / (1 + s)^2, largest at s = 1/3, where x = +-(4/3) 2^a.
    E|C - x| / |x| = 2 s (1 - s) / (1 + s) is largest at s = sqrt(2) - 1. Entries of 2^1023 or more, in
    float64, would leave the floats.
    """

    def space(self, shape: Shape) -> Space:
        """One uniform for each entry."""
        require_shape(shape)
        return Uniforms(math.prod(shape))

    def __call__(self, x: Tensor, u: Tensor, shape: Shape | None = None) -> Tensor:
        """Up where u < s; u in [0, 1): (*batch, d). nan and inf stay. Shapes as ``Compressor``."""
        shape_of(x, shape)
        low, s = _split(x)
        return torch.where(u < s, 2 * low, low)

    def outcomes(self, x: Tensor, shape: Shape | None = None) -> tuple[Tensor, Tensor]:
        """Up or down in each entry, 2^d outcomes for d <= 16. TypeError for more."""
        shape_of(x, shape)
        d = x.shape[-1]
        if d > MOST_ENTRIES:
            raise TypeError(f"{d} entries have too many outcomes; at most {MOST_ENTRIES} are listed")
        up = torch.tensor(list(itertools.product((False, True), repeat=d)), device=x.device)
        up = up.reshape(-1, *[1] * (x.dim() - 1), d)
        low, s = _split(x)
        return torch.where(up, 2 * low, low), torch.where(up, s, 1 - s).prod(dim=-1)

    def bits(self, shape: Shape, entry: int = ENTRY) -> int:
        """A sign and an exponent for each entry. ValueError unless entry is 64 or 32."""
        require_shape(shape)
        if entry not in EXPONENT:
            raise ValueError(f"entry must be 64 or 32, got {entry!r}")
        return math.prod(shape) * (1 + EXPONENT[entry])

    @property
    def unbiased(self) -> bool:
        """2^a (1 - s) + 2^(a+1) s = 2^a (1 + s)."""
        return True

    def squared_error(self, shape: Shape) -> Fraction:
        """1/8."""
        require_shape(shape)
        return Fraction(1, 8)

    def _in_entries(self, p: float, shape: Shape) -> Fraction | None:
        """Entry by entry, for p = 1."""
        del shape
        return FIRST if p == 1 else None


def _split(x: Tensor) -> tuple[Tensor, Tensor]:
    """+-2^a and s of x = +-2^a (1 + s); 0 of 0; x itself and 0 where it is not finite."""
    mantissa, _ = torch.frexp(x)
    usual = x.isfinite() & (x != 0)
    twice = torch.where(usual, 2 * mantissa.abs(), 1.0)
    return torch.where(usual, x / twice, x), twice - 1
