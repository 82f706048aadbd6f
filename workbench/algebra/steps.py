"""What one step does to the measure of a claim: the factor by which it contracts, and what is added."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sympy as sp

from workbench.algebra.orders import N, NoOrderError
from workbench.algebra.samples import Place, numbers
from workbench.claims import Recurrence, free_symbols
from workbench.symbols import OVER_STEPS, symbols
from workbench.theorem import Theorem

PATH = "the bound speaks of the path"


def is_path(theorem: Theorem, name: str) -> bool:
    """True if the name is a quantity that a run decides, at k or k + 1."""
    meaning = theorem.meaning(name)
    return meaning.kind == "quantity" and meaning.when != "start"


def step_rate(
    theorem: Theorem, rules: Mapping[str, Any], where: Sequence[Place]
) -> tuple[Any, Any, Any, Any]:
    """(factor, noise, measure, less): measure_next <= factor * measure + noise - less.

    The measure is what the claim measures at the next step. ``less`` are the terms, nonnegative at all
    places, that the claim has on top and that name other quantities. The factor may name quantities of the
    path where the bound is a product. NoOrderError where the claim is not of this form.
    """
    if isinstance(theorem.measured, Recurrence):
        raise NoOrderError(PATH)
    terms = sp.Add.make_args(sp.sympify(theorem.measured))
    ahead = [t for t in terms if _names(t) & theorem.next_names]
    later, beside = sp.Add(*ahead), sp.Add(*(t for t in terms if t not in ahead))
    if later == 0 or later.has(*OVER_STEPS):
        raise NoOrderError(PATH)
    bound = sp.sympify(theorem.bound)
    if later.has(N):
        later, bound = (e.subs({symbols(n): rule for n, rule in rules.items()}) for e in (later, bound))
    earlier = {symbols(n): symbols(n.removesuffix("_next")) for n in theorem.next_names}
    now = later.subs(N, N - 1).subs(earlier)
    factor = bound / now
    noise, less = sp.Integer(0), sp.Integer(0)
    if factor.free_symbols & {s for s in now.free_symbols if is_path(theorem, s.name)}:
        factor, noise, less = _by_terms(theorem, now, bound)
    elif factor.has(N):
        factor = sp.cancel(factor)
    less += beside
    if less != 0 and any((numbers(less, place) < 0).any() for place in where):
        raise NoOrderError(PATH)
    return factor, noise, now, less


def _names(e: Any) -> set[str]:
    return {s.name for s in e.free_symbols}


def _by_terms(theorem: Theorem, now: Any, bound: Any) -> tuple[Any, Any, Any]:
    """The worst ratio over the terms of the measure; what names no quantity is noise."""
    measures = sp.Add.make_args(now)
    ratios = dict.fromkeys(measures, sp.Integer(0))
    noise, less = sp.Integer(0), sp.Integer(0)
    for term in _terms(theorem, bound):
        if not any(is_path(theorem, s.name) for s in term.free_symbols):
            noise += term
            continue
        found = [(m, term / m) for m in measures]
        own = [(m, r) for m, r in found if not any(is_path(theorem, s.name) for s in r.free_symbols)]
        if own:
            ratios[own[0][0]] += own[0][1]
        else:
            less -= term
    factors = [sp.cancel(r) if r.has(N) else r for r in ratios.values()]
    if all(f == 0 for f in factors):
        raise NoOrderError(PATH)
    if noise.could_extract_minus_sign():
        noise, less = sp.Integer(0), less - noise
    return (sp.Max(*factors) if len(factors) > 1 else factors[0]), noise, less


def _terms(theorem: Theorem, e: Any) -> Iterator[Any]:
    """Terms of a sum, and of a product of a sum that names quantities of the path; nothing else expanded."""
    if isinstance(e, sp.Add):
        for a in e.args:
            yield from _terms(theorem, a)
        return
    sums = [f for f in sp.Mul.make_args(e) if isinstance(f, sp.Add)]
    moving = [f for f in sums if any(is_path(theorem, s.name) for s in free_symbols(f))]
    if not moving:
        yield e
        return
    for a in moving[0].args:
        yield from _terms(theorem, a * (e / moving[0]))
