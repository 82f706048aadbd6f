"""A theorem without one of its assumptions: the question whether it is needed, put as a claim."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import sympy as sp

from assumptions import IMPLICATIONS, ONE_TERM, Assumption, Implies, closure
from problems.composite.views import certificates
from workbench.claims import Recurrence, axes_of, free_symbols
from workbench.match import Case
from workbench.symbols import client_max, client_mean, layer_max, symbols
from workbench.theorem import Theorem

LOWER = ("mu", "mu_component", "mu_f", "mu_g", "mu_pl", "mu_qg", "mu_layers")
"""Curvatures that bound from below."""
UPPER = ("L", "L_max", "L_avg", "L_f", "L_i", "L_mean_i", "L_j", "tau_component", "delta", "delta_star")
"""Curvatures that bound from above, those of the function itself first; units as those of LOWER."""
SLOPES = ("G", "G_max", "sigma", "sigma_star")
"""Lengths of gradients."""

POWERS = range(7)
"""A constant that is not assumed any more is tried at 10^-j (10^j) times another for these j."""
LAYER_UNIT = "rho_i"
"""Stands for 1 in every layer: the fact with that axis which scales like a gradient norm."""


def without(theorem: Theorem, assumption: type[Assumption], values: Mapping[str, Any]) -> Theorem:
    """The theorem without one of its assumptions, in general false; its id, no mutants, nothing tight.

    values: what stands for each constant of that assumption which the claim uses: a number, or an expression
    of constants that are left, as mu -> L / 100. A problem that certifies all the rest and on which
    measured > bound is a counterexample to the theorem without the assumption, at this constant.

    ValueError where the theorem does not assume it, where the names of ``values`` are not those constants,
    and where the claim makes no sense at these values.
    """
    _require_assumed(theorem, assumption)
    used = used_constants(theorem, assumption)
    missing, foreign = sorted(set(used) - set(values)), sorted(set(values) - set(used))
    if missing or foreign:
        raise ValueError(
            f"{theorem.id} without {assumption.__name__}: values must name {', '.join(used) or 'nothing'}; "
            f"missing: {', '.join(missing) or 'none'}; not one of them: {', '.join(foreign) or 'none'}"
        )
    replaced = {symbols(name): sp.sympify(value) for name, value in values.items()}
    parameters = {
        name: rule if name in theorem.options else _each(rule, replaced)
        for name, rule in theorem.parameters.items()
    }
    sides = {
        side: _put(getattr(theorem, side), replaced) for side in ("measured", "bound", "when", "requires")
    }
    left = tuple(a for a in theorem.assumes if a is not assumption)
    title = f"{theorem.title}; without {assumption.__name__}"
    try:
        return dataclasses.replace(
            theorem, title=title, assumes=left, parameters=parameters, **sides, mutants=(), tight=()
        )
    except (ValueError, TypeError) as error:  # a root of a negative number is a TypeError of sympy's
        given = ", ".join(f"{name} = {value}" for name, value in values.items())
        raise ValueError(
            f"{theorem.id} says nothing without {assumption.__name__} at {given}: {error}"
        ) from None


def assumed(theorem: Theorem, name: str) -> type[Assumption]:
    """The assumption of the theorem that has this class name. ValueError lists those that it has."""
    for kind in theorem.assumes:
        if kind.__name__ == name:
            return kind
    listed = ", ".join(a.__name__ for a in theorem.assumes) or "nothing"
    raise ValueError(f"{theorem.id} does not assume {name}; it assumes {listed}")


def satisfies(
    case: Case, assumption: type[Assumption], implications: Sequence[Implies] = IMPLICATIONS
) -> bool:
    """Whether the case's problem certifies the assumption in its norm, with whatever constant.

    Such a problem says nothing about what holds without the assumption, however wrong the constant is that
    stands for its own.
    """
    rows = (*implications, *(ONE_TERM if case.problem.n_terms == 1 else ()))
    return any(
        type(c.assumption) is assumption and getattr(c.assumption, "norm", case.norm) == case.norm
        for c in closure(certificates(case.problem), rows)
    )


def used_constants(theorem: Theorem, assumption: type[Assumption]) -> tuple[str, ...]:
    """Constants of the assumption, and numbers derived from them, of which the theorem speaks."""
    stated = (theorem.measured, theorem.bound, theorem.when, theorem.requires, *theorem.rules)
    named = {s.name for e in stated for s in free_symbols(e)}
    return tuple(name for name in (*assumption.constants(), *assumption.derived) if name in named)


def dropped_values(theorem: Theorem, assumption: type[Assumption]) -> list[dict[str, sp.Expr]]:
    """What ``without`` may put for the constants of the assumption; one empty dict if there are none.

    A constant that bounds from below is 1, 1/10, ..., 10^-6 of another of the same unit that is left (mu of
    L), one that bounds from above so many times the lower one; where there is none it is 1. Several constants
    move together; values at which the claim makes no sense are left out. ValueError where the theorem does
    not assume it, or makes no sense at any.
    """
    _require_assumed(theorem, assumption)
    used = used_constants(theorem, assumption)
    left = {n for a in theorem.assumes if a is not assumption for n in a.constants()}
    if not used:
        return [{}]
    sensible: list[dict[str, sp.Expr]] = []
    said = ""
    for power in POWERS:
        candidate = {name: _value(name, left, power) for name in used}
        try:
            without(theorem, assumption, candidate)
        except ValueError as error:
            said = str(error)
            continue
        if candidate not in sensible:
            sensible.append(candidate)
    if not sensible:
        raise ValueError(said)
    return sensible


def _require_assumed(theorem: Theorem, assumption: type[Assumption]) -> None:
    if assumption not in theorem.assumes:
        assumed(theorem, getattr(assumption, "__name__", repr(assumption)))
        raise ValueError(f"{theorem.id} assumes another class of the name {assumption.__name__}")


def _value(name: str, left: set[str], power: int) -> sp.Expr:
    other = _anchor(name, left)
    if other is None:
        return symbols(LAYER_UNIT) if axes_of(name) == "i" else sp.Integer(1)
    upwards = name in UPPER and other in LOWER
    return symbols(other) * sp.Integer(10) ** (power if upwards else -power)


def _anchor(name: str, left: set[str]) -> str | None:
    """A constant of the same unit that is left and has no axis but those of ``name``."""
    group = (*UPPER, *LOWER) if name in (*UPPER, *LOWER) else SLOPES if name in SLOPES else ()
    return next((n for n in group if n in left and axes_of(n) in ("", axes_of(name))), None)


def _each(rule: Any, replaced: Mapping[sp.Symbol, sp.Expr]) -> Any:
    return tuple(_put(r, replaced) for r in rule) if isinstance(rule, tuple) else _put(rule, replaced)


def _put(side: Any, replaced: Mapping[sp.Symbol, sp.Expr]) -> Any:
    if isinstance(side, Recurrence):
        start, update = (
            {name: _put(e, replaced) for name, e in part.items()} for part in (side.start, side.update)
        )
        return Recurrence(start, update, side.value)
    put = sp.sympify(side).subs(replaced, simultaneous=True)
    flat = [e for e in put.atoms(client_max, client_mean, layer_max) if not _has_axis(e)]
    return put.subs({e: e.args[0] for e in flat})


def _has_axis(reduction: sp.Basic) -> bool:
    return any(axes_of(s.name) for s in reduction.free_symbols)  # pyright: ignore[reportAttributeAccessIssue]
