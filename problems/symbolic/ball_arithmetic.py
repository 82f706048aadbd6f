"""Arithmetic of balls [m - r, m + r] that enclose every result: Arb, through python-flint.

Rounding is outward, so an upper end is an upper bound and a ball that is not finite proves nothing.
"""

import math

import sympy as sp
from flint import arb, fmpq

INF = math.inf
NOT_A_NUMBER = arb("nan")
"""No later step makes it finite: atan of an infinite ball would be."""


class Balls:
    """Balls for ``Tape``: the image of a ball holds the image of each of its points."""

    def constant(self, number: sp.Expr) -> arb:
        """A ball around a rational, pi or E."""
        if number is sp.pi:
            return arb.pi()
        if number is sp.E:
            return arb(1).exp()
        return arb(fmpq(int(number.p), int(number.q)))  # pyright: ignore[reportAttributeAccessIssue]

    def apply(self, name: str, a: arb) -> arb:
        """exp, log, sin, cos, tan, cot, sinh, cosh, tanh, atan; not finite where ``a`` is not."""
        return getattr(a, name)() if a.is_finite() else NOT_A_NUMBER

    def power(self, a: arb, n: int) -> arb:
        """a^n from its ends: tighter than a product of balls; not finite where ``a`` is not."""
        if not a.is_finite():
            return NOT_A_NUMBER
        if n < 0:
            return 1 / self.power(a, -n)
        if n % 2:
            return a if n == 1 else (a.lower() ** n).union(a.upper() ** n)
        return (a.abs_lower() ** n).union(a.abs_upper() ** n)

    def real_power(self, a: arb, exponent: arb) -> arb:
        """exp(exponent log a); not finite unless a > 0."""
        return (exponent * a.log()).exp()

    def square_root(self, a: arb) -> arb:
        """Not finite unless a >= 0 in whole."""
        return a.sqrt()


BALLS = Balls()


def ball(low: float, high: float) -> arb:
    """A ball that holds [low, high]."""
    return arb(low) if low == high else arb(low).union(arb(high))


def above(a: arb) -> float:
    """The smallest float >= every point of the ball, or the next one; inf if it is not finite."""
    if not a.is_finite():
        return INF
    end = a.upper()
    near = float(end)
    return near if arb(near) >= end else math.nextafter(near, INF)


def below(a: arb) -> float:
    """The largest float <= every point of the ball, or the one before; -inf if it is not finite."""
    return -above(-a)


def size(a: arb) -> arb:
    """An exact upper bound of |a|."""
    return a.abs_upper()


def greatest(*balls: arb) -> arb:
    """A ball that holds the largest of one point from each."""
    result, *others = balls
    for other in others:
        result = result.max(other)
    return result


def root(a: arb) -> arb:
    """The root of a number known to be >= 0, whatever its ball says below 0."""
    return a.nonnegative_part().sqrt() if a.contains(0) else a.sqrt()
