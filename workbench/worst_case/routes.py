"""Which worst case a theorem has: a chain of exact steps, one enumerated step, or a step over a ball."""

import time
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import sympy as sp

from assumptions import EUCLIDEAN, Convex
from workbench.methods import BPM
from workbench.symbols import symbols
from workbench.theorem import Theorem
from workbench.worst_case import evaluate
from workbench.worst_case.bpm import one_step
from workbench.worst_case.one_step import step_question
from workbench.worst_case.result import WorstCase
from workbench.worst_case.setting import as_fraction, number_of
from workbench.worst_case.step_chain import STEPS

gap, gap_next, radius, dist = symbols("gap gap_next radius dist")
RELAXED = "of a programme whose conditions on f itself are necessary, not sufficient"


def worst_case(
    theorem: Theorem, *, steps: int = 5, values: Mapping[str, Any] | None = None, parameter: int = 0
) -> WorstCase:
    """The worst case of measured over all functions that the theorem speaks of, after ``steps`` steps.

    Claims about one step ignore ``steps``: those of random methods, whose draws are enumerated, for
    n_terms = 2 unless ``values`` says otherwise, and of one ball step. The rest as ``evaluate.worst_case``.
    """
    if _line(theorem):
        return one_step(_ratio(theorem, values, parameter), theorem.id)
    if _enumerated(theorem):
        return _one_random_step(theorem, values, parameter)
    return evaluate.worst_case(theorem, steps=steps, values=values, parameter=parameter)


def exact_class(theorem: Theorem) -> str | None:
    """Why a theorem has no exact worst case, None if it has one."""
    if _line(theorem):
        return None
    if not _enumerated(theorem):
        return evaluate.exact_class(theorem)
    try:
        step_question(theorem)
    except ValueError as error:
        return str(error)
    return None


def _line(theorem: Theorem) -> bool:
    """True for the claim that one ball step on a convex function contracts the gap by 1 - radius / dist."""
    if theorem.methods != (BPM,) or theorem.assumes != (Convex,) or theorem.norm != EUCLIDEAN:
        return False
    if theorem.kind not in ("path", "step") or theorem.measured != gap_next or theorem.quantities:
        return False
    return sp.simplify(sp.sympify(theorem.bound) - gap * (1 - radius / dist)) == 0


def _enumerated(theorem: Theorem) -> bool:
    return theorem.kind == "step" and len(theorem.methods) == 1 and theorem.methods[0] in STEPS


def _one_random_step(theorem: Theorem, values: Mapping[str, Any] | None, parameter: int) -> WorstCase:
    started = time.perf_counter()
    asked, attained = step_question(theorem, values, parameter)
    found = evaluate.answer(asked, started)
    if "mu_f" not in theorem.constants:
        found = replace(found, reason=f"{found.reason}, for n_terms = {asked.setting.constants['n_terms']}")
    if attained:
        return found
    if found.verdict == "certified":
        reason = found.reason.replace(evaluate.EXACT, "")
        return replace(found, lower=None, reason=f"{reason}, {RELAXED}")
    reason = f"the optimum {found.upper:.9g} times the bound is {RELAXED}"
    return replace(found, lower=None, verdict="inconclusive", reason=reason)


def _ratio(theorem: Theorem, values: Mapping[str, Any] | None, parameter: int) -> Fraction:
    """radius / dist at the start: of ``values``, else of the theorem's rule, with dist0 = 1."""
    given = {name: as_fraction(name, value) for name, value in (values or {}).items()}
    if set(given) - {"radius", "dist0"}:
        unknown = ", ".join(sorted(set(given) - {"radius", "dist0"}))
        raise ValueError(f"{theorem.id}: values names {unknown}; it may name radius and dist0")
    variants = theorem.variants()
    if not 0 <= parameter < len(variants):
        raise ValueError(f"{theorem.id}: parameter must be in 0..{len(variants) - 1}, got {parameter!r}")
    dist0 = given.get("dist0", Fraction(1))
    if not dist0 > 0:
        raise ValueError(f"{theorem.id}: dist0 must be > 0, got {dist0}")
    if "radius" in given:
        return given["radius"] / dist0
    rule = sp.sympify(variants[parameter]["radius"])
    return number_of(rule, {"dist0": dist0, "k": Fraction(0)})[0] / dist0
