"""The numbers of a claim about one step of a random method, and its sides as combinations of forms."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import sympy as sp

from workbench.claims import Recurrence, free_symbols
from workbench.theorem import Theorem
from workbench.worst_case.reading import Side, rational
from workbench.worst_case.setting import DEFAULTS, Setting, as_fraction, number_of
from workbench.worst_case.translate import no_class

CONSTANTS: Mapping[str, Fraction] = {
    **DEFAULTS,
    "L_max": Fraction(1),
    "L_avg": Fraction(1),
    "mu_component": Fraction(1, 10),
}
"""Constants where the caller gives none."""
SPREAD = "sigma_star"
"""A constant that is itself a form: sigma_star^2 = mean |g_j*|^2."""
LENGTHS = {
    "dist",
    "gradnorm",
    "table_error",
    "snapshot_error",
    "control_error",
    "est_error",
    "est_norm",
    SPREAD,
}
"""Quantities whose square is a form."""
PAIRS = (("mu", "L"), ("mu", "L_max"), ("mu_component", "L_max"), ("mu_f", "L_f"))
"""A modulus of convexity, and what it must be below."""


def side(theorem: Theorem, e: Any, numbers: Mapping[sp.Symbol, sp.Rational], up: bool) -> Side:
    """A side of the claim, irrational coefficients rounded up or down.

    NoExactClassError if it is no combination of squared lengths and gaps.
    """
    if isinstance(e, Recurrence):
        raise no_class(theorem, "a bound given by recursion has no closed form")
    swaps: dict[Any, Any] = {}
    for s in free_symbols(e):
        meaning = theorem.meaning(s.name)
        if s.name == SPREAD:
            swaps[s] = sp.Symbol(f"{SPREAD}@0", nonnegative=True)
        elif meaning.kind == "quantity":
            step = 1 if meaning.when == "next" else 0
            swaps[s] = sp.Symbol(f"{meaning.base}@{step}", nonnegative=True)
        elif s in numbers:
            swaps[s] = numbers[s]
        else:
            raise no_class(theorem, f"it speaks of {s.name}, which has no number here")
    quantities = sorted((s for s in swaps.values() if s.is_Symbol), key=str)
    expanded = sp.expand(sp.sympify(e).subs(swaps, simultaneous=True))
    if not quantities or not expanded.is_polynomial(*quantities):
        raise no_class(theorem, f"{e} is not linear in squared lengths and gaps")
    return _linear(theorem, sp.Poly(expanded, *quantities), quantities, up)


def _linear(theorem: Theorem, poly: sp.Poly, quantities: list[Any], up: bool) -> Side:
    terms: dict[tuple[str, int], Fraction] = {}
    const = Fraction(0)
    for powers, c in poly.terms():
        number = rational(c, up)
        used = [(q, power) for q, power in zip(quantities, powers, strict=True) if power]
        if not used:
            const += number
            continue
        name, step = str(used[0][0]).split("@")
        if len(used) > 1 or used[0][1] != (2 if name in LENGTHS else 1):
            raise no_class(theorem, f"{poly.as_expr()} is not linear in squared lengths and gaps")
        terms[name, int(step)] = number
    return Side(terms, const)


def step_setting(theorem: Theorem, values: Mapping[str, Any] | None, parameter: int) -> Setting:
    """Numbers of the constants, of n_terms (2 by default) and of the hyperparameters.

    values: any of them by name. ValueError for a name that is none of these, constants that contradict one
    another, n_terms < 1, and where ``requires`` fails; NoExactClassError for rules that are no numbers.
    """
    given = {name: as_fraction(name, value) for name, value in (values or {}).items()}
    known = {*theorem.constants, *theorem.fields, "n_terms"} - {SPREAD}
    if set(given) - known:
        unknown = ", ".join(sorted(set(given) - known))
        raise ValueError(f"{theorem.id}: values names {unknown}; it may name {', '.join(sorted(known))}")
    variants = theorem.variants()
    if not 0 <= parameter < len(variants):
        raise ValueError(f"{theorem.id}: parameter must be in 0..{len(variants) - 1}, got {parameter!r}")
    constants = _constants(theorem, given)
    rule, rounded = _rule(theorem, variants[parameter], given, constants)
    setting = Setting(theorem, constants, {}, (rule,), 1, 0, rounded)
    if sp.sympify(theorem.requires).subs(setting.numbers(0)) != sp.true:
        shown = ", ".join(f"{name} = {value}" for name, value in {**constants, **rule}.items())
        raise ValueError(f"{theorem.id}: requires {theorem.requires}, which fails with {shown}")
    return setting


def _constants(theorem: Theorem, given: Mapping[str, Fraction]) -> dict[str, Fraction]:
    numbers = {name: given.get(name, CONSTANTS[name]) for name in theorem.constants if name != SPREAD}
    for low, high in PAIRS:
        if low in numbers and high in numbers and not numbers[low] < numbers[high]:
            got = f"{low} = {numbers[low]} and {high} = {numbers[high]}"
            raise ValueError(f"{theorem.id}: {low} must be < {high}, got {got}")
    n = given.get("n_terms", Fraction(2))
    if n.denominator != 1 or n < 1:
        raise ValueError(f"{theorem.id}: n_terms must be an integer >= 1, got {n}")
    return {**numbers, "n_terms": n, "with_noise": Fraction(0)}


def _rule(
    theorem: Theorem,
    rules: Mapping[str, Any],
    given: Mapping[str, Fraction],
    constants: Mapping[str, Fraction],
) -> tuple[dict[str, Fraction], tuple[str, ...]]:
    """Hyperparameters at step 0, and which of them were irrational."""
    rule = {name: Fraction(rules[name]) for name in theorem.options if isinstance(rules.get(name), bool)}
    if len(rule) < len(theorem.options):
        raise no_class(theorem, f"{', '.join(set(theorem.options) - set(rule))} is not enumerated")
    rule |= {name: value for name, value in given.items() if name in theorem.fields}
    rounded: list[str] = []
    left = {name: e for name, e in rules.items() if name not in rule and name not in theorem.options}
    while left:
        known = {**constants, **rule, "k": Fraction(0)}
        plain = [name for name, e in left.items() if not isinstance(e, Recurrence)]
        ready = [name for name in plain if {s.name for s in free_symbols(left[name])} <= set(known)]
        if not ready:
            raise no_class(theorem, f"the rules of {', '.join(left)} are no numbers")
        for name in ready:
            rule[name], irrational = number_of(left.pop(name), known)
            rounded += [name] if irrational else []
    return rule, tuple(rounded)
