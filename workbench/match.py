"""Which problems satisfy a theorem, with which certificates; if not, why not."""

import itertools
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from assumptions import IMPLICATIONS, ONE_TERM, Certificate, Implies, Norm, closure
from problems.base import Problem
from problems.composite.views import certificates
from workbench.claims import free_symbols
from workbench.methods.base import Method
from workbench.theorem import Theorem


@dataclass(frozen=True)
class Case:
    """A theorem on a problem with one choice of certificates, method and parameter rules."""

    theorem: Theorem
    problem: Problem
    methods: tuple[type[Method], ...]
    rules: dict[str, Any]
    certificates: tuple[Certificate, ...]

    @property
    def constants(self) -> dict[str, Any]:
        """Constant name -> certified value."""
        found = {}
        for certificate in self.certificates:
            for name in (*certificate.assumption.constants(), *certificate.assumption.derived):
                found[name] = getattr(certificate.assumption, name)
        return found

    @property
    def options(self) -> dict[str, Any]:
        """Hyperparameters that are objects, not numbers."""
        return {name: rule for name, rule in self.rules.items() if name in self.theorem.options}

    @property
    def number_rules(self) -> dict[str, Any]:
        """The rules that are evaluated."""
        return {name: rule for name, rule in self.rules.items() if name not in self.theorem.options}

    @property
    def norm(self) -> Norm:
        """The geometry of the theorem, and of a method that has one."""
        return self.theorem.geometry

    @property
    def horizon_only(self) -> bool:
        """True if the case is checked at k = K alone."""
        return self.theorem.horizon_only(self.rules)

    @property
    def declared(self) -> bool:
        """True if a constant rests on the user's word."""
        return any(c.status == "declared" for c in self.certificates)


def match(
    theorem: Theorem, problem: Problem, implications: Sequence[Implies] = IMPLICATIONS
) -> list[Case] | str:
    """The cases of a theorem on a problem, or the reason why it does not apply.

    Reasons in this order: missing oracle; error of an oracle not stated; missing fact; assumption not
    certified. Certificates are closed under the implications; when several remain that none implies (a
    front of constants), each makes cases of its own. Norms of certificates must be the theorem's; a
    theorem stated in several norms has the cases of all, or the reason of the first.
    """
    if isinstance(theorem.norm, tuple):
        each = [match(stated, problem, implications) for stated in theorem.in_norms()]
        return [case for cases in each if not isinstance(cases, str) for case in cases] or each[0]
    lacking = [n for m in theorem.methods for n in m.needs if not problem.offers(n)]
    if lacking:
        return f"lacks the oracle {', '.join(dict.fromkeys(lacking))}"
    reason = _unfit(theorem, problem) or _unstated_error(theorem, problem) or _missing_fact(theorem, problem)
    if reason:
        return reason
    rows = (*implications, *(ONE_TERM if problem.n_terms == 1 else ()))
    available = closure(_proved(problem), rows)
    choices: list[list[Certificate]] = []
    for wanted in theorem.assumes:
        fitting = [
            c
            for c in available
            if type(c.assumption) is wanted
            and getattr(c.assumption, "norm", theorem.geometry) == theorem.geometry
        ]
        if not fitting:
            return f"{wanted.__name__} is not certified"
        choices.append(fitting)
    compared = (theorem.methods,) if theorem.kind == "equal" else tuple((m,) for m in theorem.methods)
    return [
        Case(theorem, problem, methods, _of(methods, rules), chosen)
        for chosen in itertools.product(*choices)
        for methods in compared
        for rules in theorem.variants()
    ]


_PROVED: dict[int, tuple[Certificate, ...]] = {}
"""Certificates of the problems that are alive, by ``id``: equal problems may print unequal constants."""


def _proved(problem: Problem) -> tuple[Certificate, ...]:
    """What is proved of a problem, which does not change: asked of each object once, not by each theorem."""
    key = id(problem)
    if key not in _PROVED:
        _PROVED[key] = certificates(problem)
        weakref.finalize(problem, _PROVED.pop, key, None).atexit = False
    return _PROVED[key]


def _of(methods: tuple[type[Method], ...], rules: dict[str, Any]) -> dict[str, Any]:
    """Rules of these methods' fields; another method's are left out."""
    names = {name for m in methods for name in m.fields()}
    return {name: rule for name, rule in rules.items() if name in names}


def _unfit(theorem: Theorem, problem: Problem) -> str:
    """Why the methods cannot be run on the problem, exactly and in the theorem's norm."""
    norm = theorem.geometry
    if not norm.fits(problem.d):
        return f"{norm!r} is no norm in dimension {problem.d}"
    for method in theorem.methods:
        if method.unfit(problem):
            return f"{method.__name__} does not fit: {method.unfit(problem)}"
    if any("brox" in m.needs for m in theorem.methods) and not problem.offers_brox(norm):
        return f"its balls in the norm {norm!r} are not minimised over exactly"
    return ""


def _unstated_error(theorem: Theorem, problem: Problem) -> str:
    """Why the error of a step would be unknown: stated call by call, to a method that does not ask."""
    for method in theorem.methods:
        open_ended = [n for n in method.needs if problem.oracle_errors.get(n, 0.0) == float("inf")]
        if open_ended and method.x_error is Method.x_error:
            return (
                f"the error of {open_ended[0]} is known call by call only, {method.__name__} has no x_error"
            )
    return ""


def _missing_fact(theorem: Theorem, problem: Problem) -> str:
    for name in theorem.quantities_used:
        for need in theorem.all_quantities[name].needs:
            if need == "nearest_star" and not problem.offers_dist(theorem.geometry):
                return f"{name} needs the solution set in the norm {theorem.norm!r}, which is not known"
            if need == "f_star" and not problem.offers("f_star") and lower_bound_suffices(theorem, problem):
                continue
            if not problem.offers(need):
                return f"{name} needs {need}, which is not known"
    return ""


def lower_bound_suffices(theorem: Theorem, problem: Problem) -> bool:
    """True if a certified lower bound of f can stand for f_star.

    Sound only where the gap appears as ``gap0`` in the bound of an inequality (a larger gap0 makes a
    claim weaker there); never in what is measured, in a domain or in a parameter rule.
    """
    if not problem.offers("f_lower") or theorem.kind != "path":
        return False
    elsewhere = [theorem.measured, theorem.when, theorem.requires, *theorem.rules]
    in_bound = {s.name for s in free_symbols(theorem.bound) if theorem.meaning(s.name).base == "gap"}
    outside = {s.name for e in elsewhere for s in free_symbols(e) if theorem.meaning(s.name).base == "gap"}
    return in_bound <= {"gap0"} and not outside
