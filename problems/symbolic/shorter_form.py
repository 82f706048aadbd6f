"""Shorter forms of derivatives: where less cancels, enclosures are tighter."""

from fractions import Fraction
from math import gcd, lcm
from typing import Any

import sympy as sp

LONGEST = 300
"""Operations of an expression that is factored."""
STEEPEST = 12
"""Largest exponent of an expression that is factored."""
KINDS = 6
"""Functions and roots in it, at most."""


def shorter(e: sp.Expr) -> sp.Expr:
    """The expression or its factors as a rational function, whichever is shorter.

    Functions and roots are letters meanwhile, so that the time is that of small polynomials: exponentials
    whose exponents have whole ratios are powers of one letter.
    """
    if sp.count_ops(e) > LONGEST:
        return e
    letters = _Letters(e)
    hidden = letters.hide(e)
    if len(letters.meaning) > KINDS or _steepest(hidden) > STEEPEST:
        return e
    factors: Any = sp.factor(hidden).xreplace(letters.meaning)
    return factors if sp.count_ops(factors) < sp.count_ops(e) else e


def _steepest(e: Any) -> int:
    return max((abs(int(p.exp)) for p in e.atoms(sp.Pow)), default=0)


class _Letters:
    """Letters for the functions and roots of an expression."""

    def __init__(self, e: sp.Expr) -> None:
        self.meaning: dict[Any, Any] = {}
        self._known: dict[Any, sp.Dummy] = {}
        self._unit: dict[Any, Fraction] = {}
        for node in e.atoms(sp.exp):
            coefficient, part = _split(node.args[0])
            old = self._unit.get(part, Fraction(0))
            self._unit[part] = _common(old, coefficient)

    def hide(self, e: Any) -> Any:
        """The expression with letters, a rational function with whole exponents."""
        if isinstance(e, sp.exp):
            coefficient, part = _split(e.args[0])
            unit = self._unit[part]
            whole = coefficient / unit
            exponent = sp.Rational(unit.numerator, unit.denominator) * part
            return self._letter(("exp", part), sp.exp(exponent)) ** int(whole)
        if isinstance(e, sp.Pow) and not e.exp.is_Integer:
            if not isinstance(e.exp, sp.Rational):
                return self._letter(e, e)
            p, q = int(e.exp.p), int(e.exp.q)
            return self._letter((e.base, q), e.base ** sp.Rational(1, q)) ** p
        if isinstance(e, sp.Function) or e in (sp.pi, sp.E):
            return self._letter(e, e)
        if e.args:
            return e.func(*(self.hide(a) for a in e.args))
        return e

    def _letter(self, key: Any, meaning: Any) -> sp.Dummy:
        if key not in self._known:
            self._known[key] = sp.Dummy(positive=True)
            self.meaning[self._known[key]] = meaning
        return self._known[key]


def _split(exponent: Any) -> tuple[Fraction, Any]:
    """A rational number and an expression of which the exponent is the product."""
    coefficient, part = exponent.primitive()
    if part.could_extract_minus_sign():
        coefficient, part = -coefficient, -part
    return Fraction(int(coefficient.p), int(coefficient.q)), part


def _common(a: Fraction, b: Fraction) -> Fraction:
    """The largest number of which both are whole multiples."""
    bottom = lcm(a.denominator, b.denominator)
    return Fraction(gcd(int(a * bottom), int(b * bottom)), bottom)
