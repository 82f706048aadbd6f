"""nan or inf from any oracle of a problem: an error or an unfavourable verdict, never "not refuted"."""

import dataclasses
import itertools
import math
from functools import cache

import pytest

from problems import Problem
from problems.well_formed import IllFormedError
from tests.robustness.poison import ERRORS, ORACLES, poisoned
from workbench.registry import Registry
from workbench.theorem import Theorem
from workbench.verify import Budget, Verdict, verify

SHORT = Budget("short", steps=4, starts=8, replicates=64, states=16, ascent=2, pairs=256)
SAFE = {
    *(Verdict.REFUTED, Verdict.UNDEFINED, Verdict.BAD_CERTIFICATE),
    *(Verdict.INCONCLUSIVE, Verdict.ROUNDING, Verdict.STOPPED),
}
AN_ERROR = "an error"
SPOILT = {*SAFE, AN_ERROR}
GOOD = {Verdict.NOT_REFUTED, Verdict.CERTIFIED, Verdict.CONSISTENT}

QUICK = {
    "gd/strongly-convex": "Quadratic(eigenvalues=(1.0, 2.0, 5.0), f_star=7.0, seed=1)",
    "bpm/distance": "AbsAffine(a=(1.0,), start=(5.3,))",
    "ppm/convex": "AbsAffine(a=(1.0,), start=(5.3,))",
    "conditional-gradient/convex": "",
    "sppm/distance": "EuclideanNorm(profile='quartic', start=(2.0, 1.0))",
}
SLOW = (
    *(
        "bpm/conjugate",
        "gluon/descent",
        "gd/nonconvex",
        "bpm/line",
        "proximal-gradient/strongly-convex",
        "sgd/strongly-convex-step",
    ),
    *("sgd/interpolation", "svrp/similarity-step", "saga/step", "point-saga/kinks", "page/nonconvex-step"),
)
CASES = {**QUICK, **dict.fromkeys(SLOW, "")}
"""Theorem -> a problem, or, for "", the first on which it stands."""

UNREAD = {
    ("conditional-gradient/convex", "grad"): {"problems.well_formed", "workbench.quantities"},
    ("proximal-gradient/strongly-convex", "grad"): {"problems.well_formed"},
}
"""Oracle -> its only readers: the first look at the problem, and bounds on errors. No verdict rests on it:
the methods take the gradient of the smooth part."""

SWEPT = {"page/nonconvex-step": {"p": 0.02, "minibatch": 1}}
"""Of a sweep, what has batches that count: at p = 1 they have probability 0, of one term there are none."""


@cache
def case(theorem_id: str) -> tuple[Theorem, Problem]:
    """The theorem alone, without instances of its own, and a problem on which it stands."""
    registry = Registry()
    theorem, swept = registry.theorem(theorem_id), SWEPT.get(theorem_id, {})
    theorem = dataclasses.replace(theorem, tight=(), mutants=(), parameters={**theorem.parameters, **swept})
    named, terms = CASES[theorem_id], 2 if swept else 1
    problems = [p for p in registry.instances() if p.d <= 20 and p.n_terms >= terms]
    problems = [registry.problem(named)] if named else problems
    stands = (p for p in problems if ends(theorem, p) & GOOD)
    return theorem, next(stands)


def ends(theorem: Theorem, problem: Problem) -> set[str]:
    """Verdicts of the records, or the error that came instead of them."""
    try:
        return {r.verdict for r in verify([theorem], [problem], budget=SHORT, report_untested=False)}
    except IllFormedError:
        return {AN_ERROR}


def struck(theorem_id: str, number: float, places: tuple[bool, ...]) -> set[str]:
    """The oracles of the problem that the verdict rests on; each of them spoils it."""
    theorem, problem = case(theorem_id)
    found = set()
    for oracle, spared in itertools.product(ORACLES, places):
        if not problem.offers(oracle) or (theorem_id, oracle) in UNREAD:
            continue
        bad, doses = poisoned(problem, oracle, number, spared=spared)
        told = ends(theorem, bad)
        if not doses.given:
            continue
        found.add(oracle)
        assert told <= SPOILT, (oracle, spared, told)
    return found


@pytest.mark.parametrize(
    ("theorem_id", "oracle"),
    [pytest.param(t, o, marks=pytest.mark.slow if t in SLOW else ()) for t, o in UNREAD],
)
def test_what_is_exempt_is_read_by_no_verdict(theorem_id, oracle):
    theorem, problem = case(theorem_id)
    found, readers = [], set()
    for given, doses in ((problem, None), poisoned(problem, oracle), poisoned(problem, oracle, spared=True)):
        records = verify([theorem], [given], budget=SHORT, report_untested=False)
        found.append([(r.verdict, r.tightness, r.measured, r.bound, r.checked) for r in records])
        readers |= doses.readers if doses else set()
    assert readers == UNREAD[theorem_id, oracle]
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("theorem_id", [*QUICK, *(pytest.param(t, marks=pytest.mark.slow) for t in SLOW)])
def test_no_oracle_can_return_nan_and_the_claim_stand(theorem_id):
    found = struck(theorem_id, math.nan, (False, True))
    assert len(found) >= 3
    assert theorem_id not in SWEPT or "batch_change" in found


@pytest.mark.parametrize("number", [math.inf, -math.inf])
@pytest.mark.parametrize(
    ("theorem_id", "oracle"),
    [("gd/strongly-convex", "grad"), ("bpm/distance", "brox_step"), ("ppm/convex", "prox")],
)
def test_no_step_can_be_infinite_and_the_claim_stand(theorem_id, oracle, number):
    theorem, problem = case(theorem_id)
    bad, doses = poisoned(problem, oracle, number, spared=True)
    told = ends(theorem, bad)
    assert doses.given
    assert told <= SPOILT


def test_a_start_at_which_a_rule_is_nan_is_not_left_out():
    theorem, problem = case("bpm/distance")
    bad, _ = poisoned(problem, "nearest_star", spared=True)
    (record, *_) = verify([theorem], [bad], budget=SHORT, report_untested=False)
    assert (record.verdict, record.expected) == (Verdict.BAD_CERTIFICATE, False)
    assert record.reason.startswith("dist0 is nan at the start [")


def test_a_certificate_that_cannot_be_told_is_not_trusted():
    theorem, problem = case("bpm/distance")
    bad, _ = poisoned(problem, "grad", spared=True)
    (record, *_) = verify([theorem], [bad], budget=SHORT, report_untested=False)
    assert record.verdict == Verdict.BAD_CERTIFICATE
    assert "Convex() is certified but cannot be told, for nan at (" in record.reason


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_bound_that_is_nan_excuses_nothing(name):
    theorem, problem = case("bpm/distance")
    false = dataclasses.replace(theorem, bound=-1 - theorem.bound**2)
    assert ends(false, poisoned(problem, name)[0]) <= {Verdict.REFUTED, AN_ERROR}
