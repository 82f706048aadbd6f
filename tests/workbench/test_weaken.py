"""A theorem without one of its assumptions, rules from their text, and witnesses of both."""

import json
from dataclasses import replace

import pytest
import sympy as sp
import torch

from assumptions import PL, Convex, Smooth, StronglyConvex
from problems import AbsAffine, Quadratic, WeightedL1
from workbench import symbols
from workbench.claims import Recurrence
from workbench.falsifier.candidate import Candidate
from workbench.falsifier.evaluate import evaluate_one
from workbench.falsifier.witness import witness
from workbench.match import match
from workbench.registry import Registry
from workbench.theorems import THEOREMS
from workbench.theorems.gradient_descent import LINEAR_RATE, NONCONVEX, STRONGLY_CONVEX
from workbench.theorems.gruntkowska2025 import DISTANCE
from workbench.verify.replay import replay, rule_texts
from workbench.verify.rule_text import read_rule
from workbench.verify.weaken import assumed, dropped_values, used_constants, without

L, mu, stepsize, dist, gap, gap0, k = symbols("L mu stepsize dist gap gap0 k")
FLAT = Quadratic(eigenvalues=(1.0, 10.0), center=(0.0, 0.0), seed=None)


# -- the theorem ------------------------------------------------------------------------------------


def test_a_constant_is_replaced_wherever_the_theorem_speaks_of_it():
    weaker = without(STRONGLY_CONVEX, StronglyConvex, {"mu": L / 100})
    assert weaker.assumes == (Smooth,)
    assert weaker.parameters["stepsize"] == (1 / L, 200 / (101 * L), sp.Rational(9, 5) / L)
    expected = sp.Max((1 - stepsize * L / 100) ** 2, (1 - stepsize * L) ** 2) * dist**2
    assert sp.simplify(weaker.bound - expected) == 0
    assert weaker.measured == STRONGLY_CONVEX.measured
    assert (weaker.id, weaker.mutants, weaker.tight) == ("gd/strongly-convex", (), ())


def test_an_assumption_without_constants_leaves_the_claim_as_it_is():
    weaker = without(DISTANCE, Convex, {})
    assert weaker.assumes == ()
    assert (weaker.measured, weaker.bound, weaker.when) == (DISTANCE.measured, DISTANCE.bound, DISTANCE.when)


def test_requires_and_recurrences_are_replaced_too():
    weaker = without(NONCONVEX, Smooth, {"L": 3})
    assert weaker.requires == (stepsize < sp.Rational(2, 3))
    recursive = replace(
        LINEAR_RATE, bound=Recurrence({"a": gap0}, {"a": (1 - symbols("mu_pl") / L) * symbols("a")}, "a")
    )
    weaker = without(recursive, PL, {"mu_pl": L / 10})
    assert isinstance(weaker.bound, Recurrence)
    assert weaker.bound.update["a"] == sp.Rational(9, 10) * symbols("a")
    assert weaker.bound.start == {"a": gap0}


def test_without_its_assumption_a_theorem_applies_to_more():
    convex_only = AbsAffine(a=(1.0,))
    assert isinstance(match(STRONGLY_CONVEX, convex_only), str)
    assert not isinstance(match(without(DISTANCE, Convex, {}), convex_only), str)


@pytest.mark.parametrize(
    ("theorem", "kind", "values", "said"),
    [
        (STRONGLY_CONVEX, PL, {}, "does not assume PL; it assumes StronglyConvex, Smooth"),
        (STRONGLY_CONVEX, StronglyConvex, {}, "missing: mu"),
        (STRONGLY_CONVEX, StronglyConvex, {"mu": 1, "L": 2}, "not one of them: L"),
        (DISTANCE, Convex, {"mu": 1}, "values must name nothing"),
        (STRONGLY_CONVEX, StronglyConvex, {"mu": symbols("mu") / 2}, "unknown symbol 'mu'"),
    ],
    ids=["not-assumed", "missing", "foreign", "no-constants", "of-itself"],
)
def test_wrong_drops_are_refused(theorem, kind, values, said):
    with pytest.raises(ValueError, match=said):
        without(theorem, kind, values)


def test_assumptions_are_found_by_name():
    assert assumed(STRONGLY_CONVEX, "Smooth") is Smooth
    with pytest.raises(ValueError, match="does not assume smooth; it assumes StronglyConvex, Smooth"):
        assumed(STRONGLY_CONVEX, "smooth")


def test_a_namesake_is_not_the_assumption():
    class Convex(Smooth): ...

    with pytest.raises(ValueError, match="another class of the name Convex"):
        without(DISTANCE, Convex, {})


# -- constants --------------------------------------------------------------------------------------


def test_fractions_of_another_constant_or_one():
    values = dropped_values(STRONGLY_CONVEX, StronglyConvex)
    assert values == [{"mu": L * sp.Integer(10) ** -j} for j in range(7)]
    assert dropped_values(STRONGLY_CONVEX, Smooth) == [{"L": mu * sp.Integer(10) ** j} for j in range(7)]
    assert dropped_values(NONCONVEX, Smooth) == [{"L": 1}]
    assert dropped_values(DISTANCE, Convex) == [{}]


@pytest.mark.parametrize("theorem", THEOREMS[::9], ids=lambda t: t.id)
def test_values_of_every_assumption_make_a_theorem(theorem):
    for kind in theorem.assumes:
        names = used_constants(theorem, kind)
        values = dropped_values(theorem, kind)
        assert values
        assert all(set(v) == set(names) for v in values)
        assert kind not in without(theorem, kind, values[-1]).assumes


# -- rules from their text --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["1/L", "9/(5*L)", "dist0/7", "dist0/(5*sqrt(k + 1))", "Max(1/L, 2/(L + mu))", "0.25", "-3", "p*(1 - p)"],
)
def test_rules_print_as_they_were_read(text):
    rule = read_rule(text)
    assert read_rule(str(rule)) == rule
    assert sp.simplify(rule - sp.sympify(text, locals={s.name: s for s in rule.free_symbols})) == 0


def test_rules_of_the_library_are_read_as_they_are():
    rules = {str(rule): rule for t in THEOREMS for rule in t.rules if isinstance(rule, sp.Basic)}
    assert len(rules) > 50
    for text, rule in rules.items():
        if not rule.atoms(sp.Float):
            assert sp.simplify(read_rule(text) - rule) == 0, text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1/", "is not an expression"),
        ("__import__('os')", "not accepted"),
        ("L.__class__", "not accepted"),
        ("open(x)", "not accepted"),
        ("[1]", "not accepted"),
        ("'L'", "not accepted"),
        ("Max(1, x=2)", "not accepted"),
    ],
)
def test_other_texts_are_refused(text, said):
    with pytest.raises(ValueError, match=said):
        read_rule(text)


# -- witnesses --------------------------------------------------------------------------------------


def _dropped(mu_value):
    weaker = without(STRONGLY_CONVEX, StronglyConvex, {"mu": mu_value})
    cases = match(weaker, FLAT)
    assert not isinstance(cases, str)
    start = torch.tensor([3.0, 0.0], dtype=torch.float64)
    tried = evaluate_one(Candidate(cases[0], start, 4))
    return json.loads(json.dumps(witness(tried, dropped="StronglyConvex", values={"mu": mu_value})))


def test_a_counterexample_without_an_assumption_replays():
    found = _dropped(L / 5)  # the curvature along the start is L / 10
    assert found["refutes"]
    assert (found["dropped"], found["values"], found["start"]) == (
        "StronglyConvex",
        {"mu": "L/5"},
        [3.0, 0.0],
    )
    again = replay(found, Registry())
    assert again.reproduced
    assert again.identical
    assert again.measured > again.bound


def test_what_does_not_refute_says_so():
    found = _dropped(L / 20)
    assert not found["refutes"]
    assert replay(found, Registry()).reproduced
    assert not replay({**found, "measured": 1.0}, Registry()).reproduced
    assert not replay({**found, "refutes": True}, Registry()).reproduced


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"dropped": "PL"}, "does not assume PL"),
        ({"values": {}}, "missing: mu"),
        ({"values": {"mu": "L +"}}, "is not an expression"),
        ({"start": [1.0]}, "the start has 1 numbers"),
        ({"rules": {"stepsize": "1/(3*L)"}}, "rules or certificates changed"),
        ({"dropped": None, "values": {}}, "rules or certificates changed"),
        ({"mutant": "none such"}, "has no mutant"),
    ],
    ids=["assumption", "values", "text", "start", "rule", "not-dropped", "mutant"],
)
def test_a_witness_that_does_not_fit_is_refused(change, said):
    with pytest.raises(ValueError, match=said):
        replay({**_dropped(L / 5), **change}, Registry())


def test_a_hyperparameter_that_requires_allows_is_replayed():
    cases = match(NONCONVEX, FLAT)
    assert not isinstance(cases, str)
    free = replace(cases[0], rules={"stepsize": sp.Rational(63, 100) / L})
    found = witness(evaluate_one(Candidate(free, torch.tensor([1.0, 2.0], dtype=torch.float64), 3)))
    assert rule_texts(free) == found["rules"] == {"stepsize": "63/(100*L)"}
    assert replay(found, Registry()).identical
    beyond = {**found, "rules": {"stepsize": "3/L"}}
    with pytest.raises(ValueError, match="does not apply to the witness any more: requires"):
        replay(beyond, Registry())


def test_a_start_is_replayed_alone():
    mutant = DISTANCE.mutants[0]
    cases = match(DISTANCE.mutated(mutant), WeightedL1(weights=(1.0, 1e-3)))
    assert not isinstance(cases, str)
    tried = evaluate_one(Candidate(cases[0], torch.tensor([1.25, 5.5], dtype=torch.float64), 6))
    again = replay(json.loads(json.dumps(witness(tried, mutant=mutant.why))), Registry())
    assert again.reproduced
    assert again.identical
    assert "from the start (1.25, 5.5)" in again.place
    assert again.table
