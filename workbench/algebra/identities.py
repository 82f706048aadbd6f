"""Identities on which proofs rest, checked exactly.

An ``Identity`` says left = right. A ``Derivation`` says that what a theorem claims is nonnegative is a sum of
things that are: claim = sum of weight * given, where each given is nonnegative by a reason that it names and
each weight by the domain. Both are decided by expanding; neither rests on numbers.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy as sp


@dataclass(frozen=True)
class Wrong:
    """A false variant that the check must reject: why it is false, and what changes."""

    why: str
    change: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Identity:
    """left = right for all values of the letters in them. ``theorems``: ids of those whose proofs use it."""

    name: str
    says: str
    theorems: tuple[str, ...]
    left: Any
    right: Any
    wrong: tuple[Wrong, ...] = ()

    @property
    def holds(self) -> bool:
        """True if the difference is 0 identically."""
        return vanishes(self.left - self.right)


@dataclass(frozen=True)
class Given:
    """weight * value, nonnegative as the weight and the value are; ``reason`` says why the value is."""

    weight: Any
    value: Any
    reason: str


@dataclass(frozen=True, kw_only=True)
class Derivation:
    """claim >= 0, as claim = sum of weight * value of ``given``.

    domain  letter -> an expression of letters that are free and positive, by which the weights are seen to be
            nonnegative: their numerators and denominators then have no negative coefficient
    """

    name: str
    says: str
    theorems: tuple[str, ...]
    claim: Any
    given: tuple[Given, ...]
    domain: Mapping[Any, Any] = field(default_factory=dict)
    wrong: tuple[Wrong, ...] = ()

    @property
    def holds(self) -> bool:
        """True if the sum is the claim and every weight is nonnegative on the domain."""
        total = sp.Add(*(g.weight * g.value for g in self.given))
        return vanishes(self.claim - total) and all(self._nonnegative(g.weight) for g in self.given)

    def _nonnegative(self, weight: Any) -> bool:
        above, below = sp.cancel(sp.together(sp.sympify(weight).subs(self.domain))).as_numer_denom()
        return _no_negative_coefficient(above) and _no_negative_coefficient(below)


def vanishes(e: Any) -> bool:
    """True if a rational expression is 0 identically."""
    return sp.expand(numerator_of(sp.expand(e))) == 0


def numerator_of(e: Any) -> Any:
    """The numerator of a rational expression over a common denominator."""
    whole: Any = sp.together(e)
    return whole.as_numer_denom()[0]


def _no_negative_coefficient(e: Any) -> bool:
    return all(term.as_coeff_Mul()[0] >= 0 for term in sp.Add.make_args(sp.expand(e)))


Checked = Identity | Derivation


def of_theorem(table: Iterable[Checked], theorem: str) -> list[Checked]:
    """Those that the proof of a theorem uses, by its id."""
    return [entry for entry in table if theorem in entry.theorems]
