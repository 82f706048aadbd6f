"""Every theorem: it holds, it is as tight as it says, and every mutant is caught."""

import dataclasses

import pytest

from problems import INSTANCES
from workbench.theorems import THEOREMS
from workbench.verify import QUICK, Budget, Verdict, judge_unit
from workbench.verify.budget import of_mutant
from workbench.verify.plan import Unit, plan

EXPECTED = {Verdict.NOT_REFUTED, Verdict.CONSISTENT, Verdict.NOT_APPLICABLE, Verdict.OUT_OF_DOMAIN}
HELD = {Verdict.NOT_REFUTED, Verdict.CONSISTENT}
MUTANTS = [(t, m) for t in THEOREMS for m in t.mutants]
TIGHT = [(t, place) for t in THEOREMS for place in t.tight]
FEW = 4
SMALL = [p for p in INSTANCES if p.family not in ("LeastSquares", "LogisticRegression", "Distributed")]
"""Theorems on real data are verified by the command that verifies the library."""


@pytest.mark.parametrize("theorem", THEOREMS, ids=lambda t: t.id)
def test_it_holds_on_a_few_families(theorem):
    """The command that verifies the library, at small size, tries all of them."""
    held = []
    for record in judged(theorem):
        assert record.verdict in EXPECTED | undecided(theorem), record.reason
        if record.verdict in HELD:
            assert record.checked > 0
            held.append(record)
        if len(held) == FEW:
            break
    assert len(held) >= 2


def judged(theorem):
    """Record by record; one member of each family, then all members."""
    budget = dataclasses.replace(QUICK, steps=200) if theorem.kind == "slope" else QUICK
    first = plan([theorem], SMALL, budget=budget, mutants=False)
    others = plan([theorem], SMALL, budget=dataclasses.replace(budget, first_only=False), mutants=False)
    seen = {repr(unit.problem) for unit in first}
    for unit in (*first, *(u for u in others if repr(u.problem) not in seen)):
        yield from judge_unit(unit)


def undecided(theorem):
    """Fifty steps do not tell every rate."""
    return {Verdict.INCONCLUSIVE} if theorem.kind == "slope" else set()


@pytest.mark.parametrize(("theorem", "tight"), TIGHT, ids=lambda x: getattr(x, "id", ""))
def test_it_is_as_tight_as_it_says(theorem, tight):
    budget = Budget("tight", steps=tight.steps, starts=1, states=QUICK.states)
    records = judge_unit(Unit(theorem, tight.on, budget, 0, ""))
    if theorem.kind == "slope":
        slopes = [r.statistics["whole"] for r in records if r.statistics]
        assert min(abs(slope - tight.tightness) for slope in slopes) < 0.1
        return
    best = max(r.tightness for r in records if r.tightness is not None)
    assert best == pytest.approx(tight.tightness, rel=1e-4 if tight.tightness < 1 else 1e-9)


@pytest.mark.parametrize(
    ("theorem", "mutant"), MUTANTS, ids=lambda x: getattr(x, "id", getattr(x, "why", ""))
)
def test_the_false_variant_is_refuted(theorem, mutant):
    (record,) = judge_unit(Unit(theorem, mutant.on, of_mutant(mutant.steps), 0, "", mutant))
    assert record.expected is True, record.reason
    assert record.verdict == (Verdict.INCONSISTENT if theorem.kind == "slope" else Verdict.REFUTED)
    assert record.witness is not None or theorem.kind == "slope"


def test_every_theorem_has_mutants_and_every_bound_a_tightest_instance():
    assert all(t.mutants for t in THEOREMS)
    without = {t.id for t in THEOREMS if not t.tight}
    assert without == {t.id for t in THEOREMS if t.kind in ("exact", "equal", "hp") or t.bound == 0}


def test_ids_are_unique():
    assert len({t.id for t in THEOREMS}) == len(THEOREMS)
