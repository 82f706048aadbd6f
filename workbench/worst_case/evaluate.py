"""The worst case of a theorem: solved in floats, proved in rationals."""

import functools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from workbench.theorem import Theorem
from workbench.worst_case.active import solve
from workbench.worst_case.certificate import Certificate, CertificateError
from workbench.worst_case.conic import Solution
from workbench.worst_case.primal import Point, inner_point, repaired
from workbench.worst_case.programme import Programme
from workbench.worst_case.result import WorstCase, WorstCaseVerdict, rounded_down, rounded_up
from workbench.worst_case.rounding import certify, certify_value
from workbench.worst_case.translate import NoExactClassError, Question, question

ATTEMPTS = tuple(
    (margin, scaled) for margin in (1e-9, 1e-10, 1e-8, 1e-7, 1e-6, 1e-5) for scaled in (True, False)
)
"""Margins on the dual relative to the bound, each with and without equilibration, tried in turn."""
CLOSE = 1e-7
"""Relative distance of the proved bound from the point found at which no further attempt is made."""
CLOSE_CALL = 1e-4
"""A proof that misses the bound by less than this share of it says that the bound is tight."""
TIGHT = 1e-6
"""Relative distance of the solver's value from a number that is tried as the exact optimum."""
SIMPLE = 2000
"""Largest denominator of such a number, relative to the bound of the theorem."""
EXACT = ", the exact worst case"
"""Said of a bound that is reached."""
ENOUGH = 1e-8
"""The largest margin that is tried once something is proved."""


def exact_class(theorem: Theorem) -> str | None:
    """Why a theorem has no exact worst case, None if it has one."""
    try:
        question(theorem, steps=2)
    except ValueError as error:
        return str(error)
    return None


def worst_case(
    theorem: Theorem, *, steps: int = 5, values: Mapping[str, Any] | None = None, parameter: int = 0
) -> WorstCase:
    """The worst case of measured over all functions that the theorem speaks of, after ``steps`` steps.

    values: constants, hyperparameters, starts by name; by default L = G = diameter = 1, mu = 1/10, starts 1
    and the theorem's rules, of which ``parameter`` counts the combinations of swept values.
    NoExactClassError where no class has interpolation conditions; ProgrammeError for an infeasible or
    unbounded programme; ValueError for values or steps that make no sense.
    """
    started = time.perf_counter()
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise ValueError(f"steps must be an integer >= 1, got {steps!r}")
    asked = question(theorem, steps, values, parameter)
    return answer(asked, started)


def answer(asked: Question, started: float) -> WorstCase:
    """The worst case of a claim written as a programme; ``started``: ``time.perf_counter()`` before."""
    found = bounded(asked.programme, asked.bound)
    return _result(asked, found, started)


@dataclass(frozen=True)
class Bounded:
    """The optimum of a programme between what a point reaches and what multipliers prove.

    proof: the multipliers, checked. point: None where rounding left none feasible. solution: the solver's.
    """

    proof: Certificate
    point: Point | None
    solution: Solution


def bounded(programme: Programme, claimed: Fraction = Fraction(1)) -> Bounded:
    """Enclose the optimum of a programme of which it is claimed that it is at most ``claimed``.

    ``claimed`` sets the scale. If the optimum is a simple multiple of it, as far as floats tell, that value
    is proved where its multipliers are rational. The solver is asked with several margins until proof and
    point are ``CLOSE``; the best of each are kept. Constraints that ``without_idle`` drops are met by the
    point in the limit only, by vectors that nothing else bounds. CertificateError if no attempt proves
    anything, ProgrammeError if there is no finite optimum.
    """
    unit = claimed if claimed > 0 else Fraction(1)
    programme = programme.without_idle()
    scaled = replace(programme, objective=tuple(form / unit for form in programme.objective))
    inner = functools.cache(lambda: inner_point(scaled))
    proof: Certificate | None = None
    point: Point | None = None
    solution: Solution | None = None
    for margin, equilibrate in ATTEMPTS:
        if proof is not None and margin > ENOUGH:
            break
        solution = solve(scaled, above=margin, equilibrate=equilibrate)
        point = _best(point, repaired(scaled, solution, inner), key=lambda p: p.value)
        proof = _best(proof, _proof(scaled, solution), key=lambda p: -p.value)
        if proof is not None and point is not None and float(proof.value) - point.value <= CLOSE:
            break
    if proof is None or solution is None:
        raise CertificateError("none of the solver's answers proves an upper bound")
    return _unscaled(Bounded(proof, point, solution), unit)


def _best(a: Any, b: Any, key: Callable[[Any], Any]) -> Any:
    """The better of two, of which either may be None."""
    return max((found for found in (a, b) if found is not None), key=key, default=None)


def _proof(scaled: Programme, solution: Solution) -> Certificate | None:
    """What the solution proves: the exact optimum, where that and its multipliers are simple rationals.

    Tried: 1, which is the claim itself, and the simplest number next to the solver's value.
    """
    for guess in dict.fromkeys((Fraction(1), Fraction(solution.value).limit_denominator(SIMPLE))):
        if guess > 0 and abs(solution.value / guess - 1) <= TIGHT:
            try:
                return certify_value(scaled, solution, guess)
            except CertificateError:
                continue
    try:
        return certify(scaled, solution)
    except CertificateError:
        return None


def _unscaled(found: Bounded, unit: Fraction) -> Bounded:
    proof, point = found.proof, found.point
    multipliers = {name: number * unit for name, number in proof.multipliers.items()}
    if point is not None:
        point = replace(point, value=point.value * float(unit))
    return Bounded(Certificate(proof.value * unit, proof.weights, multipliers), point, found.solution)


def _result(asked: Question, found: Bounded, started: float) -> WorstCase:
    proof, point, solution = found.proof, found.point, found.solution
    lower = None if point is None else min(point.value, rounded_down(proof.value))
    verdict, reason = _verdict(asked, proof.value, lower)
    setting = asked.setting
    numbers = {**setting.constants, **setting.starts, **setting.rules[0]}
    return WorstCase(
        theorem=setting.theorem.id,
        steps=setting.steps,
        values={name: float(value) for name, value in numbers.items()},
        upper=rounded_up(proof.value),
        lower=lower,
        bound=rounded_down(asked.bound),
        squared=asked.squared,
        verdict=verdict,
        reason=reason,
        multipliers=proof.multipliers,
        weights=proof.weights,
        gram=solution.gram if point is None else point.gram,
        function_values=solution.values if point is None else point.values,
        seconds=time.perf_counter() - started,
        solver_seconds=solution.seconds,
        exact_upper=proof.value,
        exact_bound=asked.bound,
        programme=asked.programme,
        functions=asked.functions,
    )


def _verdict(asked: Question, upper: Fraction, lower: float | None) -> tuple[WorstCaseVerdict, str]:
    rounded = asked.setting.rounded
    note = f"; {', '.join(rounded)} rounded to floats" if rounded else ""
    if upper <= asked.bound and asked.signed and upper <= 0:
        return "inconclusive", f"measured is 0, but the bound may be negative{note}"
    if upper <= asked.bound:
        tight = EXACT if upper == asked.bound and lower is not None and _close(lower, upper) else ""
        return (
            "certified",
            f"proved for the whole class, at these numbers, with exact multipliers{tight}{note}",
        )
    over = float(upper / asked.bound) - 1 if asked.bound > 0 else float("inf")
    if lower is not None and Fraction(lower) > asked.bound + Fraction(TIGHT) * (abs(asked.bound) or 1):
        return "refuted", f"a function of the class goes above the bound{note}"
    if over > CLOSE_CALL:
        return "inconclusive", f"the proof reaches {over:.1e} of the bound above it only{note}"
    return "inconclusive", f"the bound is tight to rounding: {over:.1e} above it is proved{note}"


def _close(lower: float, upper: Fraction) -> bool:
    return abs(Fraction(lower) - upper) <= Fraction(TIGHT) * abs(upper)


__all__ = ["NoExactClassError", "bounded", "exact_class", "worst_case"]
