"""The numbers of a programme: constants of the classes, starts, hyperparameters by the theorem's rules."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import sympy as sp

from assumptions import Lipschitz
from workbench.claims import Recurrence, free_symbols
from workbench.theorem import Theorem
from workbench.worst_case.gram import exact, to_fraction

DEFAULTS: Mapping[str, Fraction] = {
    "L": Fraction(1),
    "L_f": Fraction(1),
    "G": Fraction(1),
    "diameter": Fraction(1),
    "mu": Fraction(1, 10),
    "mu_f": Fraction(1, 10),
    "mu_g": Fraction(1, 10),
}
"""Constants where the caller gives none; a modulus of convexity that the theorem never names is 0."""

MODULI = ("mu", "mu_f", "mu_g")
DIGITS = 40
"""Decimal digits in which irrational numbers are evaluated before they are rounded."""


@dataclass(frozen=True)
class Setting:
    """A theorem with numbers.

    constants   of the assumed classes
    starts      quantities at the start that are fixed, such as dist0: those that the rules mention, and those
                of the bound where the class fixes the scale (Lipschitz)
    rules       rules[k]: hyperparameter -> number at step k, exact (``rounded``: names that were irrational
                and stand for the float below)
    steps       K; at: the k at which the claim is read
    after       the rules at step K, which no step uses but a claim read there may name; none where undefined
    """

    theorem: Theorem
    constants: Mapping[str, Fraction]
    starts: Mapping[str, Fraction]
    rules: tuple[Mapping[str, Fraction], ...]
    steps: int
    at: int
    rounded: tuple[str, ...]
    after: Mapping[str, Fraction] = field(default_factory=dict)

    def numbers(self, k: int) -> dict[sp.Symbol, Any]:
        """What every symbol that is a number at step k stands for."""
        rule = self.rules[k] if k < len(self.rules) else self.after
        values = {**self.constants, **rule, "k": Fraction(k), "K": Fraction(self.steps)}
        return {sp.Symbol(n, real=True): sp.Rational(v.numerator, v.denominator) for n, v in values.items()}


def as_fraction(name: str, value: Any) -> Fraction:
    """An exact number; a float is read as the decimal that it prints. TypeError, ValueError name it."""
    if isinstance(value, float) and value == value and abs(value) != float("inf"):
        return Fraction(repr(value))
    try:
        return to_fraction(exact(value))
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name} must be a finite number, got {value!r}") from None


def setting_of(
    theorem: Theorem, variant: Mapping[str, Any], steps: int, values: Mapping[str, Any] | None
) -> Setting:
    """The numbers of a theorem for one choice of its swept rules.

    values: constants, hyperparameters or starts (dist0, gap0) by name, where the defaults (L = G = diameter
    = 1, mu = 1/10, starts 1, the theorem's rules) do not suit. ValueError for a name that is none of these,
    for constants that contradict one another, and where ``requires`` fails.
    """
    given = {name: as_fraction(name, value) for name, value in (values or {}).items()}
    known = {*theorem.constants, *theorem.fields, *(n for n in given if _is_start(theorem, n))}
    unknown = sorted(set(given) - known)
    if unknown:
        raise ValueError(
            f"{theorem.id}: values names {', '.join(unknown)}; it may name constants and hyperparameters "
            f"({', '.join(sorted({*theorem.constants, *theorem.fields}))}) and starts such as dist0"
        )
    constants = {name: given.get(name, _default(theorem, name)) for name in _own_constants(theorem)}
    _require_ordered(theorem, constants)
    starts = {name: value for name, value in given.items() if _is_start(theorem, name)}
    for name, value in starts.items():
        if not value > 0:
            raise ValueError(f"{theorem.id}: {name} must be > 0, got {value}")
    if Lipschitz in theorem.assumes:
        starts |= {name: Fraction(1) for name in start_names(theorem, [theorem.bound]) if name not in starts}
    stated = {**variant, **_as_rules(theorem, given)}
    rules, rounded = [], set()
    for k in range(steps):
        rule, inexact = _rules_at(theorem, stated, constants, starts, k, steps)
        rules.append(rule)
        rounded |= inexact
    try:
        after, _ = _rules_at(theorem, stated, constants, starts, steps, steps)
    except (ValueError, TypeError, ArithmeticError):
        after = {}
    at = steps - 1 if theorem.next_names else steps
    names = tuple(sorted(rounded))
    setting = Setting(theorem, constants, starts, tuple(rules), steps, at, names, after)
    _require_applies(setting)
    return setting


def start_names(theorem: Theorem, sides: list[Any]) -> set[str]:
    """Quantities at the start that these sides mention."""
    return {s.name for side in sides for s in free_symbols(side) if _is_start(theorem, s.name)}


def _is_start(theorem: Theorem, name: str) -> bool:
    try:
        return theorem.meaning(name).when == "start"
    except ValueError:
        return False


def _own_constants(theorem: Theorem) -> list[str]:
    return [name for a in theorem.assumes for name in a.constants()]


def _default(theorem: Theorem, name: str) -> Fraction:
    if name not in DEFAULTS:
        raise ValueError(f"{theorem.id}: the constant {name} has no default; give it in values")
    sides = [theorem.measured, theorem.bound, theorem.requires, *theorem.rules]
    named = any(s.name == name for side in sides for s in free_symbols(side))
    if name in MODULI and not named and name != "mu":
        return Fraction(0)
    return DEFAULTS[name]


def _require_ordered(theorem: Theorem, constants: Mapping[str, Fraction]) -> None:
    """The classes are not empty: moduli of convexity at most the smoothness constants."""
    for low, high in (("mu", "L"), ("mu_f", "L_f")):
        if low in constants and high in constants and not constants[low] < constants[high]:
            raise ValueError(
                f"{theorem.id}: {low} must be < {high}, "
                f"got {low} = {constants[low]} and {high} = {constants[high]}"
            )
    for name, value in constants.items():
        least = "< 0" if name in MODULI else "<= 0"
        if value < 0 or (value == 0 and name not in MODULI):
            raise ValueError(f"{theorem.id}: {name} must not be {least}, got {value}")


def _as_rules(theorem: Theorem, given: Mapping[str, Fraction]) -> dict[str, Any]:
    fields = {n: v for n, v in given.items() if n in theorem.fields}
    return {n: sp.Rational(v.numerator, v.denominator) for n, v in fields.items()}


def _rules_at(
    theorem: Theorem,
    variant: Mapping[str, Any],
    constants: Mapping[str, Fraction],
    starts: dict[str, Fraction],
    k: int,
    steps: int,
) -> tuple[dict[str, Fraction], set[str]]:
    """Numbers of the hyperparameters at step k, and the names of those that were irrational."""
    known: dict[str, Any] = {**constants, "k": Fraction(k), "K": Fraction(steps)}
    rules = {name: rule for name, rule in variant.items() if name not in theorem.options}
    for name in start_names(theorem, list(rules.values())):
        known[name] = starts.setdefault(name, Fraction(1))
    found: dict[str, Fraction] = {}
    rounded: set[str] = set()
    while len(found) < len(rules):
        ready = [
            n for n in rules if n not in found and {s.name for s in free_symbols(rules[n])} <= set(known)
        ]
        if not ready or any(isinstance(rules[n], Recurrence) for n in ready):
            raise ValueError(
                f"{theorem.id}: the rules of {', '.join(set(rules) - set(found))} are no numbers"
            )
        for name in ready:
            found[name], irrational = number_of(rules[name], known)
            known[name] = found[name]
            rounded |= {name} if irrational else set()
    return found, rounded


def number_of(side: Any, known: Mapping[str, Fraction]) -> tuple[Fraction, bool]:
    """(number, True if it was irrational and is the largest float below).

    Below, as ``requires`` often asks for no more than the very rule of a stepsize.
    """
    e = sp.sympify(side)
    swaps = {s: sp.Rational(known[s.name].numerator, known[s.name].denominator) for s in free_symbols(e)}
    e = e.subs(swaps)
    if e.is_Rational:
        return Fraction(int(e.p), int(e.q)), False
    near = Fraction(float(e.evalf(DIGITS)))
    return (near if sp.Rational(near.numerator, near.denominator) < e else _float_below(near)), True


def _float_below(number: Fraction) -> Fraction:
    return Fraction(math.nextafter(float(number), -math.inf))


def _require_applies(setting: Setting) -> None:
    """``requires`` holds at every step of the chain, ``when`` at the step at which the claim is read."""
    theorem = setting.theorem
    for k in range(setting.steps):
        if sp.sympify(theorem.requires).subs(setting.numbers(k)) != sp.true:
            raise ValueError(
                f"{theorem.id}: requires {theorem.requires}, "
                f"which fails at step {k} with {_shown(setting.rules[k])}"
            )
    if sp.sympify(theorem.when).subs(setting.numbers(setting.at)) != sp.true:
        raise ValueError(f"{theorem.id}: speaks of steps with {theorem.when}, not of step {setting.at}")


def _shown(numbers: Mapping[str, Fraction]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in numbers.items())
