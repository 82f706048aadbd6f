"""Vectors by their coefficients, and inner products as polynomials in the Gram matrix.

Two quadratic expressions in vectors are equal in every dimension exactly if they are equal as polynomials in
the inner products of the vectors: so sympy decides such identities.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sympy as sp


@dataclass(frozen=True)
class Vector:
    """A combination of named vectors."""

    coefficients: Mapping[str, Any]

    def __add__(self, other: "Vector") -> "Vector":
        """Sum."""
        names = dict.fromkeys((*self.coefficients, *other.coefficients))
        return Vector({n: self.coefficients.get(n, 0) + other.coefficients.get(n, 0) for n in names})

    def __neg__(self) -> "Vector":
        """Opposite."""
        return -1 * self

    def __sub__(self, other: "Vector") -> "Vector":
        """Difference."""
        return self + -other

    def __rmul__(self, scalar: Any) -> "Vector":
        """Multiple."""
        return Vector({n: scalar * c for n, c in self.coefficients.items()})


def vectors(names: str) -> tuple[Vector, ...]:
    """One vector for each name; names are separated by spaces."""
    return tuple(Vector({name: sp.Integer(1)}) for name in names.split())


def inner(u: Vector, v: Vector) -> Any:
    """<u, v> as a polynomial in the symbols <a,b> of pairs of names."""
    pairs = ((a, b, c * e) for a, c in u.coefficients.items() for b, e in v.coefficients.items())
    return sp.Add(*(weight * _entry(a, b) for a, b, weight in pairs))


def square(u: Vector) -> Any:
    """|u|^2."""
    return inner(u, u)


def _entry(a: str, b: str) -> Any:
    first, second = sorted((a, b))
    return sp.Symbol(f"<{first},{second}>", real=True)
