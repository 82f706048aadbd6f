"""What a search has found, made simpler: the same violation on a smaller instance with rounder numbers."""

import json
from dataclasses import replace

import pytest
import sympy as sp
import torch

from problems import GeneralQuadratic, Huber, Quadratic, QuadraticSum, WeightedL1
from tests.workbench.falsifier_toys import case_of
from workbench import Source, Theorem, symbols
from workbench.falsifier.candidate import NOTHING, Candidate
from workbench.falsifier.confirm import confirmed, replayable
from workbench.falsifier.evaluate import evaluate, evaluate_one
from workbench.falsifier.shrink import CLEARLY, alike, shrink
from workbench.falsifier.simpler import settled, simpler, weight
from workbench.falsifier.trees import at, mapped, numbers, put, sequences, shorter
from workbench.falsifier.witness import witness
from workbench.match import match
from workbench.methods import SGD
from workbench.registry import Registry
from workbench.theorems.gradient_descent import NONCONVEX
from workbench.theorems.gruntkowska2025 import DISTANCE
from workbench.theorems.li2021 import NONCONVEX as PAGE_NONCONVEX
from workbench.theorems.li2021 import NONCONVEX_STEP
from workbench.verify.replay import replay

L = symbols("L")
GAINS_TWICE = DISTANCE.mutated(DISTANCE.mutants[0])
ROUGH = WeightedL1(weights=(1.2345, 0.7183, 0.00123))


def tried_on(theorem, problem, start, horizon=20, place=0):
    case = case_of(theorem, problem, place)
    return evaluate(case, torch.tensor([start], dtype=torch.float64), horizon)[0]


# -- the whole --------------------------------------------------------------------------------------


def test_a_violation_becomes_small_short_and_round():
    found = tried_on(GAINS_TWICE, ROUGH, [1.234, 5.678, -0.777])
    assert found.refutes
    small = shrink(found, evaluate_one)
    assert small.refutes
    problem = small.candidate.case.problem
    assert problem.d == 1
    assert small.candidate.horizon == 1
    assert problem == WeightedL1(weights=(1.0,))
    assert small.candidate.x0.tolist() == [1.0]
    assert weight(small.candidate) < weight(found.candidate)


def test_shrinking_is_deterministic_and_bounded():
    found = tried_on(GAINS_TWICE, ROUGH, [1.234, 5.678, -0.777])
    once, twice = shrink(found, evaluate_one), shrink(found, evaluate_one)
    assert repr(once.candidate.case.problem) == repr(twice.candidate.case.problem)
    assert torch.equal(once.candidate.x0, twice.candidate.x0)
    calls = []

    def counted(candidate):
        calls.append(candidate)
        return evaluate_one(candidate)

    shrink(found, counted, most=5)
    assert 0 < len(calls) <= 6


def test_what_is_never_accepted_stays():
    found = tried_on(GAINS_TWICE, ROUGH, [1.234, 5.678, -0.777])
    assert shrink(found, evaluate_one, accept=lambda other: False) is found


def test_whatever_raises_is_no_change():
    found = tried_on(GAINS_TWICE, ROUGH, [1.234, 5.678, -0.777])

    def fragile(candidate):
        if candidate.case.problem.d < 3:
            raise RuntimeError("this family breaks")
        return evaluate_one(candidate)

    small = shrink(found, fragile)
    assert small.candidate.case.problem.d == 3
    assert small.candidate.horizon == 1


def test_an_interruption_is_not_swallowed():
    def interrupted(candidate):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shrink(tried_on(GAINS_TWICE, ROUGH, [1.234, 5.678, -0.777]), interrupted)


def test_the_best_that_does_not_refute_keeps_its_ratio():
    found = tried_on(NONCONVEX, Huber(L=2.345, delta=7.777, d=3), [1.234, -0.71, 0.33], place=0)
    assert not found.refutes
    small = shrink(found, evaluate_one)
    assert small.ratio >= 0.999 * found.ratio
    assert small.candidate.case.problem.d == 1
    assert small.candidate.case.problem == Huber(start=tuple(small.candidate.x0.tolist()))


def test_terms_are_dropped_and_a_mean_keeps_its_start_in_the_problem():
    mutant = PAGE_NONCONVEX.mutants[0]
    hessians = (((1.5,),), ((1.25,),), ((1.5,),))
    found = tried_on(PAGE_NONCONVEX.mutated(mutant), QuadraticSum(hessians, start=(3.21,)), [3.21], 3)
    assert found.refutes
    small = shrink(found, evaluate_one)
    problem = small.candidate.case.problem
    assert problem.n_terms == 1
    assert problem.hessians == (((1.0,),),)
    assert torch.equal(problem.x0, small.candidate.x0)


def test_a_state_is_made_rounder():
    mutant = NONCONVEX_STEP.mutants[0]
    theorem = NONCONVEX_STEP.mutated(mutant)
    cases = match(theorem, mutant.on)
    assert not isinstance(cases, str)
    state = {"x": [-0.0123], "g": [1.0456]}
    found = evaluate_one(
        Candidate(cases[0], torch.tensor([-0.0123], dtype=torch.float64), 1, state=state, k=7)
    )
    assert found.refutes
    small = shrink(found, evaluate_one)
    assert small.refutes
    assert small.candidate.k == 0
    assert small.candidate.state == {"x": [0.0], "g": [1.0], "steps": 0}
    again = replay(json.loads(json.dumps(witness(confirmed(small, 0), mutant=mutant.why))), Registry())
    assert again.reproduced
    assert again.identical


def test_a_free_hyperparameter_becomes_the_theorems_own():
    half = NONCONVEX.mutated(NONCONVEX.mutants[0])
    cases = match(half, Quadratic(eigenvalues=(2.0,), center=(0.0,), seed=None))
    assert not isinstance(cases, str)
    free = replace(cases[0], rules={"stepsize": sp.Rational(97, 100) / L})
    found = evaluate_one(Candidate(free, torch.tensor([1.0], dtype=torch.float64), 1))
    assert found.refutes
    assert str(shrink(found, evaluate_one).candidate.case.rules["stepsize"]) == "1/L"


def test_sampled_claims_are_confirmed_on_other_draws():
    theorem = Theorem(
        id="test/too-good",
        title="a false claim about a mean",
        source=Source("a test", "DERIVED"),
        method=SGD,
        parameters={"stepsize": sp.Rational(1, 10), "minibatch": 1},
        measured=symbols("dist") ** 2,
        bound=sp.Rational(1, 2) * symbols("dist0") ** 2,
        when=symbols("k") >= 1,
        kind="mean",
    )
    problem = QuadraticSum(tuple(((1.0 + j,),) for j in range(3)), linear=((1.0,), (-1.0,), (0.0,)))
    found = tried_on(theorem, problem, [1.0], horizon=12)
    sampled = replace(found, how="replicates")
    judged = confirmed(sampled, seed=0)
    assert judged.candidate.seed != found.candidate.seed
    assert judged.replicates >= 64


# -- acceptance -------------------------------------------------------------------------------------


def test_alike():
    found = tried_on(GAINS_TWICE, ROUGH, [1.234, 5.678, -0.777])
    clear = replace(found, measured=2.0, bound=1.0)
    accept = alike(clear)
    assert accept(replace(clear, measured=CLEARLY))
    assert not accept(replace(clear, measured=1.0 + 1e-6))
    assert not accept(replace(clear, bad="Smooth is wrong"))
    assert not accept(replace(clear, excess=0.0))
    assert not accept(replace(clear, measured=float("nan"), excess=0.0))
    weak = replace(found, measured=1.0 + 1e-6, bound=1.0)
    assert alike(weak)(weak)
    best = replace(found, excess=0.0, ratio=0.5)
    assert alike(best)(replace(best, ratio=0.4996))
    assert not alike(best)(replace(best, ratio=0.49))
    nothing = replace(found, excess=0.0, ratio=NOTHING)
    assert not alike(nothing)(nothing)
    estimate = replace(found, how="replicates", ratio=1.4, excess=1e9)
    assert alike(estimate)(replace(estimate, ratio=1.2, excess=NOTHING))
    assert not alike(estimate)(replace(estimate, ratio=1.1, excess=NOTHING))


# -- parts ------------------------------------------------------------------------------------------


def test_numbers_in_trees():
    tree = ((1.0, 2), (True, "word", (3.5,)))
    assert list(numbers(tree)) == [((0, 0), 1.0), ((0, 1), 2), ((1, 2, 0), 3.5)]
    assert put(tree, (1, 2, 0), 4.0) == ((1.0, 2), (True, "word", (4.0,)))
    assert at(tree, (1, 2, 0)) == 3.5
    assert mapped(tree, lambda v: -v) == ((-1.0, -2), (True, "word", (-3.5,)))
    assert [path for path, _ in sequences(tree)] == [(), (0,), (1,), (1, 2)]
    assert shorter(((1, 2, 3), (4, 5, 6), (7, 8, 9)), 3, 1) == ((1, 3), (7, 9))


def test_numbers_in_the_fields_of_objects():
    problem = Huber(L=2.0, delta=0.5, d=3)
    found = {path: value for path, value in numbers(problem)}
    assert found[("L",)] == 2.0
    assert found[("d",)] == 3
    assert put(problem, ("delta",), 0.25) == Huber(L=2.0, delta=0.25, d=3)
    with pytest.raises(ValueError, match="delta"):
        put(problem, ("delta",), -1.0)


def test_a_symmetric_matrix_stays_symmetric():
    theorem = NONCONVEX.mutated(NONCONVEX.mutants[0])
    hessian = ((2.125, 0.5625), (0.5625, 1.375))
    found = tried_on(theorem, GeneralQuadratic(hessian=hessian), [1.5, 2.5], 1)
    made = []
    for change in simpler(found):
        try:
            made.append(change().case.problem)
        except Exception:  # not every change can be made
            continue
    off_diagonal = {p.hessian[0][1] for p in made if p.d == 2}
    assert {0.0, 0.56} <= off_diagonal
    assert any(p.d == 1 for p in made)


def test_the_start_goes_into_the_problem():
    found = tried_on(GAINS_TWICE, ROUGH, [1.5, 2.5, -1.0], 2)
    moved = settled(found.candidate)
    assert moved.case.problem.start == (1.5, 2.5, -1.0)
    default = tried_on(GAINS_TWICE, ROUGH, [1.0, 1.0, 1.0], 2)
    assert settled(default.candidate).case.problem.start == ()


def test_rules_are_used_as_they_print():
    cases = match(NONCONVEX, Huber(d=2))
    assert not isinstance(cases, str)
    rule = sp.Float(1 / 3) / L
    printed = replayable(
        Candidate(replace(cases[0], rules={"stepsize": rule}), torch.ones(2, dtype=torch.float64), 1)
    )
    text = str(printed.case.rules["stepsize"])
    assert text == str(rule)
    assert printed.case.rules["stepsize"] != rule
    assert replayable(printed).case.rules == printed.case.rules
