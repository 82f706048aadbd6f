"""Constants rounded to the side on which a statement stays true, by exact arithmetic."""

import math
from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import lru_cache

from assumptions.base import Assumption, Certificate


def round_up(exact: Fraction) -> float:
    """The smallest float >= ``exact``; inf beyond the largest float."""
    near = _nearest(exact)
    return near if near == math.inf or Fraction(near) >= exact else math.nextafter(near, math.inf)


def round_down(exact: Fraction) -> float:
    """The largest float <= ``exact`` >= 0; inf beyond the largest float."""
    near = _nearest(exact)
    return near if near == math.inf or Fraction(near) <= exact else math.nextafter(near, 0.0)


def square_sum(a: Iterable[float]) -> Fraction:
    """|a|^2 without rounding; a: finite."""
    return sum((Fraction(entry) ** 2 for entry in a), Fraction(0))


def root_down(exact: Fraction) -> Fraction:
    """At most the square root of ``exact`` >= 0, by 2^-60 of it; the root itself for squares of floats."""
    return _root(exact)[0]


def root_up(exact: Fraction) -> Fraction:
    """At least the square root of ``exact`` >= 0, as ``root_down``."""
    return _root(exact)[1]


@lru_cache(maxsize=256)
def length_up(a: tuple[float, ...]) -> float:
    """The smallest float >= |a|_2; inf beyond the largest float. a: finite."""
    square, near = square_sum(a), math.hypot(*a)
    while near < math.inf and Fraction(near) ** 2 < square:
        near = math.nextafter(near, math.inf)
    while near > 0 and (near == math.inf or Fraction(near) ** 2 > square):
        below = math.nextafter(near, 0.0)
        if Fraction(below) ** 2 < square:
            break
        near = below
    return near


def certify(kind: Callable[[float], Assumption], constant: float, proof: str) -> tuple[Certificate, ...]:
    """The certificate of kind(constant); none where the constant vanishes or overflows as a float."""
    return (Certificate(kind(constant), proof=proof),) if 0 < constant < math.inf else ()


def _root(exact: Fraction) -> tuple[Fraction, Fraction]:
    """The root lies between the two: the integer root r of q 4^k has r^2 <= q 4^k < (r + 1)^2."""
    top, bottom = exact.numerator, exact.denominator
    bits = top.bit_length() - bottom.bit_length()
    k = max(0, 64 - bits // 2)
    r = math.isqrt((top << 2 * k) // bottom)
    low = Fraction(r, 1 << k)
    return low, low if low * low == exact else Fraction(r + 1, 1 << k)


def _nearest(exact: Fraction) -> float:
    try:
        return float(exact)
    except OverflowError:
        return math.inf
