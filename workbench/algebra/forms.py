"""Exact forms: quadratic in vectors, linear in function values, with fractions as coefficients."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

Combination = Mapping[str, Fraction]
"""Basis vector -> coefficient."""


@dataclass(frozen=True)
class Form:
    """sum of gram[a, b] <a, b> over names a <= b, plus sum of values[v] v."""

    gram: Mapping[tuple[str, str], Fraction] = field(default_factory=dict)
    values: Mapping[str, Fraction] = field(default_factory=dict)

    def __add__(self, other: "Form") -> "Form":
        """Sum; entries that cancel are left out."""
        return Form(_merged(self.gram, other.gram), _merged(self.values, other.values))

    def __rmul__(self, weight: Fraction | int) -> "Form":
        """Multiple."""
        w = Fraction(weight)
        return Form({k: w * c for k, c in self.gram.items()}, {v: w * c for v, c in self.values.items()})

    def __sub__(self, other: "Form") -> "Form":
        """Difference."""
        return self + -1 * other


def value(name: str) -> Form:
    """A function value."""
    return Form({}, {name: Fraction(1)})


def inner(u: Combination, v: Combination) -> Form:
    """<u, v>."""
    entries: dict[tuple[str, str], Fraction] = {}
    for a, c in u.items():
        for b, e in v.items():
            key = (a, b) if a <= b else (b, a)
            entries[key] = entries.get(key, Fraction(0)) + c * e
    return Form({k: c for k, c in entries.items() if c})


def combined(*parts: tuple[Fraction | int, Combination]) -> dict[str, Fraction]:
    """A weighted sum of combinations."""
    names = dict.fromkeys(name for _, part in parts for name in part)
    total = {
        n: sum((Fraction(w) * part.get(n, Fraction(0)) for w, part in parts), Fraction(0)) for n in names
    }
    return {n: c for n, c in total.items() if c}


def squares(form: Form) -> list[tuple[Fraction, dict[str, Fraction]]] | None:
    """The quadratic part as a sum of weight * |combination|^2 with weights > 0; None if it is none.

    Completing squares one vector after the other in exact arithmetic (LDL^T): it fails only where the form
    is negative somewhere.
    """
    names = sorted({n for pair in form.gram for n in pair})
    rest, found = form, []
    for name in names:
        pivot = rest.gram.get((name, name), Fraction(0))
        row = {n: rest.gram.get((min(name, n), max(name, n)), Fraction(0)) for n in names if n != name}
        if pivot < 0 or (pivot == 0 and any(row.values())):
            return None
        if pivot == 0:
            continue
        direction = {name: Fraction(1), **{n: c / (2 * pivot) for n, c in row.items() if c}}
        found.append((pivot, direction))
        rest = rest - pivot * inner(direction, direction)
    return None if rest.gram else found


def _merged(a: Mapping[Any, Fraction], b: Mapping[Any, Fraction]) -> dict[Any, Fraction]:
    total = {k: a.get(k, Fraction(0)) + b.get(k, Fraction(0)) for k in dict.fromkeys((*a, *b))}
    return {k: c for k, c in total.items() if c}


def text(parts: Sequence[tuple[Fraction, str]]) -> str:
    """A sum for people: ``x - 1/2 g``; 0 where there is nothing."""
    words = []
    for c, name in parts:
        size = "" if abs(c) == 1 else f"{abs(c)} "
        words.append(f"{'- ' if c < 0 else '+ ' if words else ''}{size}{name}")
    return " ".join(words) or "0"
