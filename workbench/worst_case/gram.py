"""Exact algebra of a performance estimation problem: vectors, and forms in their Gram matrix.

Every coefficient is an exact rational (``flint.fmpq``), so that a dual certificate is about the programme
itself and not about its rounding to floats.
"""

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from flint import fmpq

Rational = int | Fraction | float | fmpq
"""What is taken for an exact number; a float stands for the binary fraction that it is."""

ZERO, ONE = fmpq(0), fmpq(1)


def exact(number: Any) -> fmpq:
    """``number`` as a rational: integer, fraction, finite float, sympy rational. TypeError, ValueError."""
    if isinstance(number, fmpq):
        return number
    if isinstance(number, bool):
        raise TypeError(f"a coefficient must be a number, got {number!r}")
    if isinstance(number, float):
        if not math.isfinite(number):
            raise ValueError(f"a coefficient must be finite, got {number!r}")
        return fmpq(*number.as_integer_ratio())
    top, bottom = getattr(number, "numerator", None), getattr(number, "denominator", None)
    if top is None or bottom is None:
        raise TypeError(f"a coefficient must be an integer, a fraction or a float, got {number!r}")
    return fmpq(int(top), int(bottom))


def to_float(number: fmpq) -> float:
    """The nearest float."""
    return int(number.p) / int(number.q)


def to_fraction(number: fmpq) -> Fraction:
    """The same number as a Fraction."""
    return Fraction(int(number.p), int(number.q))


def _added(a: Mapping[Any, fmpq], b: Mapping[Any, fmpq], factor: fmpq) -> dict[Any, fmpq]:
    """a + factor b; entries that cancel are dropped."""
    total = dict(a)
    for key, value in b.items():
        new = total.get(key, ZERO) + factor * value
        if new == 0:
            total.pop(key, None)
        else:
            total[key] = new
    return total


def _scaled(a: Mapping[Any, fmpq], factor: fmpq) -> dict[Any, fmpq]:
    return {} if factor == 0 else {key: factor * value for key, value in a.items()}


@dataclass(frozen=True, slots=True)
class Vector:
    """sum_i terms[i] v_i over the basis vectors v_i. Supports +, -, times and divided by a number."""

    terms: Mapping[int, fmpq]

    def __add__(self, other: "Vector") -> "Vector":
        return Vector(_added(self.terms, other.terms, ONE))

    def __sub__(self, other: "Vector") -> "Vector":
        return Vector(_added(self.terms, other.terms, -ONE))

    def __neg__(self) -> "Vector":
        return Vector(_scaled(self.terms, -ONE))

    def __mul__(self, number: Any) -> "Vector":
        return Vector(_scaled(self.terms, exact(number)))

    __rmul__ = __mul__

    def __truediv__(self, number: Any) -> "Vector":
        return Vector(_scaled(self.terms, 1 / exact(number)))

    def key(self) -> frozenset[tuple[int, fmpq]]:
        """Equal for equal vectors."""
        return frozenset(self.terms.items())


@dataclass(frozen=True, slots=True)
class Form:
    """sum quad[i, j] <v_i, v_j> + sum lin[m] f_m + const; i <= j, each product of the Gram matrix once.

    Supports +, - (a number counts as a constant), times and divided by a number.
    """

    quad: Mapping[tuple[int, int], fmpq] = field(default_factory=dict)
    lin: Mapping[int, fmpq] = field(default_factory=dict)
    const: fmpq = ZERO

    def plus(self, other: "Form | Rational", factor: fmpq) -> "Form":
        """self + factor other."""
        if not isinstance(other, Form):
            return Form(self.quad, self.lin, self.const + factor * exact(other))
        return Form(
            _added(self.quad, other.quad, factor),
            _added(self.lin, other.lin, factor),
            self.const + factor * other.const,
        )

    def __add__(self, other: "Form | Rational") -> "Form":
        return self.plus(other, ONE)

    __radd__ = __add__

    def __sub__(self, other: "Form | Rational") -> "Form":
        return self.plus(other, -ONE)

    def __rsub__(self, other: Rational) -> "Form":
        return (-self).plus(other, ONE)

    def __neg__(self) -> "Form":
        return self * -1

    def __mul__(self, number: Any) -> "Form":
        c = exact(number)
        return Form(_scaled(self.quad, c), _scaled(self.lin, c), c * self.const)

    __rmul__ = __mul__

    def __truediv__(self, number: Any) -> "Form":
        return self * (1 / exact(number))

    def value(self, gram: Any, values: Any) -> Any:
        """The form at a Gram matrix gram[i][j] and function values; numbers of any one kind."""
        quad = sum((c * gram[i][j] for (i, j), c in self.quad.items()), start=self.const * 0)
        return quad + sum((c * values[m] for m, c in self.lin.items()), start=self.const)

    def at(self, gram: Any, values: Any) -> float:
        """The form in floats. gram: (N, N) array; values: (M,) array."""
        quad = sum(to_float(c) * float(gram[i, j]) for (i, j), c in self.quad.items())
        return quad + sum(to_float(c) * float(values[m]) for m, c in self.lin.items()) + to_float(self.const)


def inner(u: Vector, v: Vector) -> Form:
    """<u, v>."""
    quad: dict[tuple[int, int], fmpq] = {}
    for (i, a), (j, b) in itertools.product(u.terms.items(), v.terms.items()):
        pair = (i, j) if i <= j else (j, i)
        quad[pair] = quad.get(pair, ZERO) + a * b
    return Form({pair: c for pair, c in quad.items() if c != 0})


def square(u: Vector) -> Form:
    """<u, u>."""
    return inner(u, u)


class Basis:
    """The unknowns of a programme: named vectors and named function values; grows while a chain runs."""

    def __init__(self) -> None:
        """Empty."""
        self.vectors: list[str] = []
        self.values: list[str] = []

    def vector(self, name: str) -> Vector:
        """A new basis vector. ValueError for a name that is taken."""
        return Vector({self._new(self.vectors, name): ONE})

    def value(self, name: str) -> Form:
        """A new function value. ValueError for a name that is taken."""
        return Form({}, {self._new(self.values, name): ONE})

    @staticmethod
    def _new(names: list[str], name: str) -> int:
        if name in names:
            raise ValueError(f"the name {name!r} is taken")
        names.append(name)
        return len(names) - 1


ORIGIN = Vector({})
NOTHING = Form()
"""The zero vector and the zero form."""
