"""Which hyperparameters a search may choose: swept values, and what ``requires`` allows beside them."""

import dataclasses
from typing import Any

import sympy as sp

from workbench.claims import Recurrence, free_symbols
from workbench.match import Case

FACTOR = 10
"""A free hyperparameter moves up to so many times beyond its rule, either way."""
DIGITS = 2
"""Significant digits of the factor."""


def free_fields(case: Case) -> tuple[str, ...]:
    """Fields with a rule of which ``requires`` and the claim speak: other values are claimed too.

    A bound that does not name a field may hold for the stated rule alone. Whole numbers stay as they are.
    """
    theorem = case.theorem
    claimed = {s.name for e in (theorem.measured, theorem.bound, theorem.when) for s in free_symbols(e)}
    named = {s.name for s in free_symbols(theorem.requires)} & claimed
    fields = [f for m in case.methods for f in dataclasses.fields(m)]  # pyright: ignore[reportArgumentType]
    whole = {f.name for f in fields if f.type in (int, "int")}
    return tuple(n for n, rule in case.number_rules.items() if n in named - whole and not _fixed(rule))


def _fixed(rule: Any) -> bool:
    return isinstance(rule, Recurrence) or sp.sympify(rule).has(sp.Mod, sp.floor, sp.ceiling)


def moved(case: Case, u: float) -> Case:
    """The case with its free hyperparameters multiplied by 1 (u in the middle third) to 10^(+-1).

    The factor has few digits, so that the rule's text is short; u in [0, 1].
    """
    shift = 0.0 if abs(u - 0.5) < 1 / 6 else (u - 0.5) * 2
    factor = sp.Rational(f"{FACTOR**shift:.{DIGITS}g}")
    names = free_fields(case)
    if not names or factor == 1:
        return case
    changed = {name: factor * sp.sympify(case.rules[name]) for name in names}
    return dataclasses.replace(case, rules={**case.rules, **changed})
