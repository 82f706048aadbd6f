"""Sides of a claim as forms: quantities along a chain, reductions over steps, numbers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy as sp

from workbench.claims import Recurrence
from workbench.symbols import avg, best, product, total
from workbench.worst_case.gram import NOTHING, Form
from workbench.worst_case.setting import DIGITS, Setting

SQUARED = {"dist", "gradnorm", "estimate_dist", "moved"}
LINEAR = {"gap"}
"""Quantities whose square, or which themselves, are forms."""


class UnreadableError(ValueError):
    """A side of a claim that is not a form of the Gram matrix and the function values."""


@dataclass(frozen=True)
class Side:
    """A side of a claim, or its square: sum of coefficients times quantities at steps.

    ``terms`` maps (quantity, step) to the coefficient of its form (of its square if in ``SQUARED``).
    """

    terms: Mapping[tuple[str, int], Fraction]
    const: Fraction

    def form(self, read: Callable[[str, int], Form]) -> Form:
        """As a form; ``read(quantity, step)`` gives the form of each."""
        return sum((read(*key) * c for key, c in self.terms.items()), start=NOTHING) + self.const


def expanded(e: Any, setting: Setting, k: int) -> Any:
    """The side at step k: numbers put in, reductions written out, quantities as symbols "name@step".

    UnreadableError for a reduction that has no sum (``best`` stays as sympy's Min).
    """
    if isinstance(e, Recurrence):
        raise UnreadableError("a bound given by recursion has no closed form")
    if isinstance(e, (total, avg, best, product)):
        if k < 1:
            raise UnreadableError(f"{e} is undefined at k = 0")
        parts = [expanded(e.args[0], setting, j) for j in range(k)]
        if isinstance(e, best):
            return sp.Min(*parts)
        whole = sp.prod(parts) if isinstance(e, product) else sp.Add(*parts)
        return whole / k if isinstance(e, avg) else whole
    if isinstance(e, sp.Symbol):
        return _symbol(e, setting, k)
    return e.func(*(expanded(a, setting, k) for a in e.args)) if e.args else e


def _symbol(s: sp.Symbol, setting: Setting, k: int) -> Any:
    meaning = setting.theorem.meaning(s.name)
    if meaning.kind != "quantity":
        numbers = setting.numbers(k)
        if s not in numbers:
            raise UnreadableError(f"it speaks of {s.name}, which a class does not fix")
        return numbers[s]
    if meaning.base not in SQUARED | LINEAR:
        raise UnreadableError(f"it speaks of {meaning.base}, which is not a form of the Gram matrix")
    fixed = setting.starts.get(s.name)
    if fixed is not None:
        return sp.Rational(fixed.numerator, fixed.denominator)
    step = {"now": k, "next": k + 1, "start": 0}[meaning.when]
    return sp.Symbol(f"{meaning.base}@{step}", nonnegative=True)


def choices(e: Any) -> list[Any]:
    """A side that grows with one ``Min``: a side for each of its arguments; the smallest counts.

    UnreadableError where that is not seen.
    """
    found = sorted(e.atoms(sp.Min), key=str)
    if not found:
        return [e]
    hidden = sp.Symbol("smallest", nonnegative=True)
    outer = e.subs(found[0], hidden)
    slope = sp.diff(outer, hidden)
    if len(found) > 1 or not slope.is_nonnegative:
        raise UnreadableError(f"{e} does not grow with one smallest value")
    return [outer.subs(hidden, part) for part in found[0].args]


def linear(e: sp.Expr, up: bool) -> Side:
    """The side as a ``Side``, irrational coefficients rounded up or down. UnreadableError if not linear."""
    quantities = sorted(e.free_symbols, key=str)
    if not quantities:
        return Side({}, rational(e, up))
    poly = e.as_poly(*quantities)
    if poly is None:
        raise UnreadableError(f"{e} is not a polynomial")
    terms: dict[tuple[str, int], Fraction] = {}
    const = Fraction(0)
    for powers, c in poly.terms():
        used = [(q, p) for q, p in zip(quantities, powers, strict=True) if p]
        if not used:
            const += rational(c, up)
            continue
        name, step = str(used[0][0]).split("@")
        if len(used) > 1 or used[0][1] != (2 if name in SQUARED else 1):
            raise UnreadableError(f"{e} is not linear in squared lengths and gaps")
        terms[name, int(step)] = rational(c, up)
    return Side(terms, const)


def pair(measured: list[sp.Expr], bound: sp.Expr) -> tuple[list[Side], Side, bool]:
    """Both sides as forms, or both squared (then True). UnreadableError otherwise."""
    try:
        return [linear(e, up=True) for e in measured], linear(bound, up=False), False
    except UnreadableError as error:
        if not all(e.is_nonnegative for e in [*measured, bound]):
            raise
        try:
            squares = [linear(sp.expand(e**2), up=True) for e in measured]
            return squares, linear(sp.expand(bound**2), up=False), True
        except UnreadableError:
            raise error from None


def rational(e: Any, up: bool) -> Fraction:
    """An exact rational; of an irrational number one just above or below it."""
    e = sp.sympify(e)
    if e.is_Rational:
        return Fraction(int(e.p), int(e.q))
    decimal = Fraction(str(e.evalf(DIGITS)))
    return decimal + (1 if up else -1) * abs(decimal) / 10 ** (DIGITS - 2)
