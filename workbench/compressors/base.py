"""What a compressor is: a random map of vectors that is cheap to send, with proved errors.

Two classes: B(alpha), E|C(x) - x|_2^2 <= (1 - alpha) |x|_2^2; U(omega), E C(x) = x and
E|C(x) - x|_2^2 <= omega |x|_2^2. The theorems of error feedback ask for E|C(x) - x| <= q |x| with q < 1,
in the norm in which they measure.
"""

import math
from abc import ABC, abstractmethod
from fractions import Fraction

import torch
from torch import Tensor

from assumptions.guards import require_dimension, require_points
from assumptions.norms import Norm, require_norm
from assumptions.outward import root_up, round_down, round_up
from assumptions.specification import Specified
from workbench.compressors.draws import Nothing
from workbench.compressors.norms import distortion, exponent, require_fits
from workbench.spaces import Space

Shape = tuple[int, ...]

ENTRY = 64
"""Bits of a number that is sent as it is: float64; 32 for float32."""


class Compressor(Specified, ABC):
    """C(x), x flat: (*batch, d), of an array of some shape. Rows are compressed one by one.

    C is a pure function of x and a draw of ``space(shape)``, so it can be sampled and enumerated.
    """

    def space(self, shape: Shape) -> Space:
        """What C draws for one array of this shape; nothing by default."""
        require_shape(shape)
        return Nothing()

    @abstractmethod
    def __call__(self, x: Tensor, u: Tensor, shape: Shape | None = None) -> Tensor:
        """C(x). x: (*batch, d). u: a draw of ``space(shape)``, batch first. Returns (*batch, d).

        shape: that of the array, (d,) by default. ValueError unless it has d entries.
        """

    @abstractmethod
    def bits(self, shape: Shape, entry: int = ENTRY) -> int:
        """Most bits of one message; entry: those of one number, an index takes ceil(log2 d)."""

    def spent(self, u: Tensor, shape: Shape, entry: int = ENTRY) -> Tensor:
        """Bits of the message that the draw u makes, (*batch,); by default ``bits`` for any."""
        axes = u.dim() - 1
        return torch.full(
            u.shape[:axes], float(self.bits(shape, entry)), dtype=torch.float64, device=u.device
        )

    @abstractmethod
    def squared_error(self, shape: Shape) -> Fraction:
        """The least c that is proved with E|C(x) - x|_2^2 <= c |x|_2^2."""

    @property
    def unbiased(self) -> bool:
        """True if E C(x) = x for all x."""
        return False

    def contraction(self, shape: Shape) -> float | None:
        """The alpha of B(alpha), in (0, 1], rounded down; None where no alpha > 0 is proved."""
        alpha = 1 - self.squared_error(shape)
        return round_down(alpha) if alpha > 0 else None

    def variance(self, shape: Shape) -> float | None:
        """The omega of U(omega), rounded up; None for a biased compressor."""
        return round_up(self.squared_error(shape)) if self.unbiased else None

    def shrinks(self, norm: Norm, shape: Shape) -> float | None:
        """q with E|C(x) - x| <= q |x| for all x in this norm, rounded up; None where none is proved.

        What the class knows of the norm itself (such a q may be 1 or more); or, by E|z| <= (E|z|^2)^(1/2),
        the Euclidean one times the distortion between the norms, where that is below 1. Scales of norms do
        not matter. ValueError unless the norm fits d entries.
        """
        require_norm(norm)
        require_shape(shape)
        require_fits(norm, shape)
        d, p = math.prod(shape), exponent(norm)
        known = [self._in_norm(norm, shape), None if p is None else self._in_entries(p, shape)]
        far = distortion(norm, d)
        if far is not None:
            square = self.squared_error(shape) * far
            known.append(root_up(square) if square < 1 or p == 2 else None)
        found = [q for q in known if q is not None]
        return round_up(min(found)) if found else None

    def _in_norm(self, norm: Norm, shape: Shape) -> Fraction | None:
        """What the class knows of this norm."""
        del norm, shape
        return None

    def _in_entries(self, p: float, shape: Shape) -> Fraction | None:
        """What the class knows of |.|_p of the entries."""
        del p, shape
        return None

    def outcomes(self, x: Tensor, shape: Shape | None = None) -> tuple[Tensor, Tensor]:
        """Every C(x), (size, *batch, d), with probabilities that broadcast to (size, *batch).

        TypeError where the outcomes are not finitely many.
        """
        shape = shape_of(x, shape)
        draws, weights = self.space(shape).outcomes()
        axes = (1,) * (x.dim() - 1)
        spread = [u.reshape(*axes, *u.shape).expand(*x.shape[:-1], *u.shape) for u in draws.to(x.device)]
        return torch.stack([self(x, u, shape) for u in spread]), weights.to(x).reshape(-1, *axes)


def require_shape(shape: Shape) -> None:
    """ValueError unless a non-empty tuple of integers >= 1."""
    if not isinstance(shape, tuple) or not shape:
        raise ValueError(f"shape must be a non-empty tuple of integers >= 1, got {shape!r}")
    for size in shape:
        require_dimension(shape=size)


def shape_of(x: Tensor, shape: Shape | None) -> Shape:
    """The shape of the array in each row of x, (d,) by default. ValueError unless it has d entries."""
    if shape is None:
        shape = (x.shape[-1],) if x.dim() else ()
    require_shape(shape)
    require_points(x, math.prod(shape))
    return shape


def index_bits(d: int) -> int:
    """Bits of a number in 0..d-1: ceil(log2 d)."""
    return (d - 1).bit_length()


def kept_bits(k: int, d: int, entry: int) -> int:
    """Bits of k of d entries with their places; of all d entries without."""
    return k * (entry + index_bits(d)) if k < d else d * entry


def root_of(c: Fraction, p: float) -> Fraction:
    """At least c^(1/p) for 0 <= c, 1 <= p <= inf: c itself for p = 1; 1 (0 if c = 0) for p = inf."""
    if p == 1 or c == 0:
        return c
    if p == 2:
        return root_up(c)
    if p == math.inf:
        return Fraction(1)
    # pow is off by one unit in the last place, 1/p and c by half of one, which |log c| < 2^10 enlarges
    return Fraction(float(c) ** (1 / p)) * (1 + Fraction(1, 2**40))
