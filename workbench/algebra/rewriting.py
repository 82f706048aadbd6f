"""Rewriting of bounds before their rate is read: rules put in, sums over steps and layers taken apart."""

import re
from collections.abc import Mapping
from typing import Any

import sympy as sp

from workbench.algebra.orders import N, NoOrderError
from workbench.claims import axes_of, free_symbols
from workbench.symbols import OVER_STEPS, avg, client_mean, layer_sum, symbols, total

K: Any = symbols("K")


def substituted(side: Any, rules: Mapping[str, Any], per: str) -> Any:
    """The side with these rules in it, and with per "K" the horizon named k: then k alone grows.

    Sums over steps of what does not change with the step are products. NoOrderError for a sum over steps
    that mixes step and horizon.
    """
    e = sp.sympify(side)
    for _ in rules:
        e = e.subs({symbols(n): rule for n, rule in rules.items()})
    return _closed(_horizon(e) if per == "K" else e)


def _horizon(e: Any) -> Any:
    """K by k, outside of sums over steps: inside these k counts the steps."""
    if isinstance(e, total | avg):
        inner: Any = e.args[0]
        steady, shape = inner.as_independent(N, as_Add=False)
        if shape.has(K):
            raise NoOrderError("a sum over steps of what depends on the horizon")
        return steady.subs(K, N) * type(e)(shape)
    if not e.args:
        return N if e == K else e
    return e.func(*(_horizon(a) for a in e.args))


def _closed(e: Any) -> Any:
    if not e.has(*OVER_STEPS):
        return e
    inner: Any = e.args[0]
    if isinstance(e, total | avg) and not inner.has(N, *OVER_STEPS):
        return inner * N if isinstance(e, total) else inner
    return e.func(*(_closed(a) for a in e.args))


def abstracted(e: Any) -> tuple[Any, dict[Any, Any]]:
    """The expression with one letter for each largest part that is free of k, and what the letters stand for.

    Algebra on the result is quick, however long the parts are.
    """
    letters: dict[Any, Any] = {}
    small = _abstract(e, letters)
    return small, {letter: part for part, letter in letters.items()}


def _abstract(e: Any, letters: dict[Any, Any]) -> Any:
    if not e.has(N):
        return (
            e if e.is_Number else letters.setdefault(e, sp.Dummy(positive=e.is_positive or None, real=True))
        )
    if isinstance(e, sp.Add | sp.Mul):
        steady, moving = e.as_independent(N, as_Add=isinstance(e, sp.Add))
        parts = [_abstract(a, letters) for a in e.func.make_args(moving)]
        return e.func(_abstract(steady, letters), *parts)
    return e.func(*(_abstract(a, letters) for a in e.args)) if e.args else e


def spread(e: Any) -> Any:
    """A sum of terms of different growth: products that depend on k expanded, k taken out of layer sums."""
    if not e.has(N) or not e.args:
        return e
    inner = e.func(*(spread(a) for a in e.args))
    if isinstance(inner, layer_sum | client_mean):
        return _taken_out(inner)
    small, parts = abstracted(inner)
    return sp.expand(small).xreplace(parts)


def _taken_out(reduction: Any) -> Any:
    """sum_i (a_i + b_i / k) as sum_i a_i + (sum_i b_i) / k."""
    by_growth: dict[Any, Any] = {}
    for term in sp.Add.make_args(reduction.args[0]):
        steady, moving = term.as_independent(N, as_Add=False)
        if any(axes_of(s.name) for s in free_symbols(moving)):
            steady, moving = term, sp.Integer(1)
        by_growth[moving] = by_growth.get(moving, sp.Integer(0)) + steady
    reduced = {g: type(reduction)(s) if _has_axis(s) else None for g, s in by_growth.items()}
    return reduction if None in reduced.values() else sp.Add(*(g * s for g, s in reduced.items()))


def _has_axis(e: Any) -> bool:
    return any(axes_of(s.name) for s in free_symbols(e))


def shown(e: Any) -> str:
    """An expression as text, long whole numbers by their exponents."""
    return re.sub(r"\d{20,}", lambda digits: f"1e{len(digits[0]) - 1}", str(e))
