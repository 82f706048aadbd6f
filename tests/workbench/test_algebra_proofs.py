"""Identities, derivations and multiplier proofs hold exactly; each false variant is rejected."""

import dataclasses
from fractions import Fraction

import pytest
import sympy as sp

from workbench.algebra.forms import Form, combined, inner, squares, text
from workbench.algebra.identities import Derivation, Given, Identity, of_theorem, vanishes
from workbench.algebra.multipliers import (
    convex_steps,
    multiplier_proofs,
    nonconvex_step,
    proximal_step,
    strongly_convex_step,
)
from workbench.algebra.proofs import PROOFS
from workbench.algebra.published import LINE_IS_BETTER, PUBLISHED, point_saga_factors
from workbench.algebra.rate import rates
from workbench.algebra.rounding import rational_proof
from workbench.algebra.vectors import square, vectors
from workbench.registry import Registry
from workbench.worst_case import NoExactClassError

THEOREMS = {t.id: t for t in Registry().theorems}
ALL = (*PROOFS, LINE_IS_BETTER)
HALF = Fraction(1, 2)


@pytest.mark.parametrize("entry", ALL, ids=lambda e: e.name)
def test_it_holds_and_its_false_variants_do_not(entry):
    assert entry.holds
    assert entry.wrong
    for wrong in entry.wrong:
        assert not dataclasses.replace(entry, **wrong.change).holds, wrong.why


@pytest.mark.parametrize("entry", ALL, ids=lambda e: e.name)
def test_it_names_theorems_of_the_library(entry):
    assert entry.theorems
    assert set(entry.theorems) <= set(THEOREMS)


def test_names_are_different():
    assert len({e.name for e in ALL}) == len(ALL)
    assert [e.name for e in of_theorem(PROOFS, "bpm/next-distance")] == ["the gap over the next distance"]


def test_a_negative_weight_is_no_derivation():
    a, b = sp.symbols("a b", positive=True)
    good = Derivation(name="", says="", theorems=(), claim=a * b, given=(Given(a, b, ""),))
    assert good.holds
    below = dataclasses.replace(good, claim=-a * b, given=(Given(-a, b, ""),))
    assert vanishes(below.claim + a * b)
    assert not below.holds
    difference = dataclasses.replace(good, claim=(a - 1) * b, given=(Given(a - 1, b, ""),))
    assert not difference.holds
    assert dataclasses.replace(difference, domain={a: 1 + sp.Symbol("c", positive=True)}).holds


def test_vectors_are_compared_in_every_dimension():
    x, y = vectors("x y")
    law = Identity(
        name="", says="", theorems=(), left=square(x + y) + square(x - y), right=2 * square(x) + 2 * square(y)
    )
    assert law.holds
    assert not dataclasses.replace(law, right=2 * square(x) + 3 * square(y)).holds


@pytest.mark.parametrize("proof", multiplier_proofs(), ids=lambda p: f"{p.theorem}-{p.says}")
def test_multipliers_prove_their_claim(proof):
    assert proof.holds
    total = Form()
    for used in proof.used:
        assert used.weight >= 0
        total = total + used.weight * used.form
    for weight, direction in proof.squares:
        assert weight > 0
        total = total + weight * inner(direction, direction)
    left = proof.slack - total
    assert not left.gram
    assert not left.values


@pytest.mark.parametrize("proof", multiplier_proofs(), ids=lambda p: f"{p.theorem}-{p.says}")
def test_a_smaller_bound_has_no_such_proof(proof):
    """The claims are tight: one per cent less of the distance or the gap at the start is not proved."""
    name = "f0" if proof.theorem == "gd/nonconvex" else None
    start = Form({}, {name: Fraction(1)}) if name else inner({"x0": Fraction(1)}, {"x0": Fraction(1)})
    assert not dataclasses.replace(proof, slack=proof.slack - Fraction(1, 1000) * start).holds


def test_multipliers_at_other_numbers():
    assert all(convex_steps(n, L=Fraction(7, 3)).holds for n in (1, 4, 8))
    for stepsize in (Fraction(1, 3), Fraction(20, 11), Fraction(19, 10)):
        assert strongly_convex_step(stepsize=stepsize).holds
    assert nonconvex_step(L=Fraction(3), stepsize=HALF).holds
    assert proximal_step(Fraction(5, 7)).holds


def test_what_is_no_proof_says_why():
    proof = strongly_convex_step()
    first, second = proof.used
    with pytest.raises(ValueError, match="function values do not cancel: "):
        _ = dataclasses.replace(proof, used=(first,)).squares
    with pytest.raises(ValueError, match=r"negative weight of x\* from x0"):
        _ = dataclasses.replace(proof, used=(first, dataclasses.replace(second, weight=-HALF))).squares
    with pytest.raises(ValueError, match="no sum of squares"):
        _ = dataclasses.replace(proof, slack=proof.slack - inner({"g0": HALF}, {"g0": Fraction(9)})).squares


def test_squares_are_completed_exactly():
    x, y = {"x": Fraction(1)}, {"y": Fraction(1)}
    form = inner(combined((2, x), (3, y)), combined((2, x), (3, y))) + inner(y, y)
    found = squares(form)
    assert found == [(Fraction(4), {"x": Fraction(1), "y": Fraction(3, 2)}), (Fraction(1), y)]
    assert squares(inner(x, y)) is None
    assert squares(inner(x, x) - 2 * inner(y, y)) is None
    assert squares(Form()) == []
    assert text([(Fraction(-1), "x"), (HALF, "y")]) == "- x + 1/2 y"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("gd/strongly-convex", Fraction(81, 100)),
        ("gd/nonconvex", Fraction(2)),
        ("gd/convex", Fraction(1, 6)),
        ("ppm/convex", HALF),
        ("proximal-gradient/strongly-convex", Fraction(81, 121)),
        ("bpm/line", Fraction(6, 7)),
    ],
)
def test_multipliers_of_the_solver_round_to_a_proof(name, value):
    proof = rational_proof(THEOREMS[name])
    assert proof is not None
    assert proof.value == value
    assert all(c.denominator <= 5000 for c in proof.multipliers.values())
    assert proof.lines()[0].startswith(("measured", "squares"))


def test_a_bound_with_room_is_proved_smaller():
    """One step of the accelerated method: 1/6 where the bound says 1/2."""
    proof = rational_proof(THEOREMS["nesterov/convex"])
    assert proof is not None
    assert proof.value == Fraction(1, 6)
    assert proof.worst.bound == pytest.approx(0.5)


def test_outside_every_class_there_is_no_programme():
    with pytest.raises(NoExactClassError, match="gluon/rate"):
        rational_proof(THEOREMS["gluon/rate"])


def test_what_is_published_is_beside_a_theorem():
    assert set(PUBLISHED) <= set(THEOREMS)
    assert all(known.check() for known in PUBLISHED.values() if known.check)
    ours, published = point_saga_factors()
    assert published == pytest.approx(0.973292, abs=1e-6)
    assert ours < 0.9616


def test_our_factors_of_point_saga_are_those_of_the_theorems():
    at = {"L_max": 1.0, "mu_component": 0.01, "n_terms": 10.0, "minibatch": 1.0}
    names = ("point-saga/smooth", "point-saga/defazio")
    found = []
    for name in names:
        theorem = THEOREMS[name]
        rule = theorem.variants()[-3 if name.endswith("smooth") else 0]["stepsize"]
        stepsize = float(rule.subs({s: at[s.name] for s in rule.free_symbols}))
        factor = rates(theorem)[0].factor
        found.append(
            float(factor.subs({s: {**at, "stepsize": stepsize}[s.name] for s in factor.free_symbols}))
        )
    assert found == pytest.approx(point_saga_factors(), rel=1e-12)
