"""The search finds what is there, refutes nothing that is true, and says what it could not try."""

import dataclasses
import json
import warnings

import pytest
import sympy as sp
import torch

from assumptions import Certificate, ComponentConvex, Convex, Smooth, StronglyConvex
from problems import INSTANCES, AbsAffine, CoshRidge, Huber, Problem, Quadratic, QuadraticSum, Shifted
from problems.space import LogUniform
from tests.workbench.falsifier_toys import case_of, claim
from workbench import symbols
from workbench.falsifier.attempts import LENGTH, Attempts, Point
from workbench.falsifier.candidate import NOTHING
from workbench.falsifier.climb import climbed_starts
from workbench.falsifier.encode import Around, Family
from workbench.falsifier.evaluate import afresh, evaluate, evaluate_one, evaluate_states
from workbench.falsifier.free import free_fields, moved
from workbench.falsifier.search import NothingToTryError, falsify
from workbench.falsifier.spaces import MADE, sources
from workbench.falsifier.starting import starting
from workbench.registry import Registry
from workbench.verify.setting import NotApplicableError
from workbench.verify.states import given_state, joined
from workbench.verify.weaken import dropped_values, without

stepsize, L, mu, dist, dist_next, gap, k = symbols("stepsize L mu dist dist_next gap k")
REGISTRY = Registry()
FEW = tuple(p for p in INSTANCES if type(p).__name__ in {"AbsAffine", "Huber", "Quadratic", "WeightedL1"})


# -- it finds what is there ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["gd/convex", "gd/strongly-convex", "gd/nonconvex", "subgradient/horizon", "ppm/convex", "bpm/line"],
)
def test_the_worst_function_is_found_where_a_family_has_it(name):
    found = falsify(REGISTRY.theorem(name), FEW, budget=600, simplify=False)
    assert found.verdict == "none found"
    assert found.smallest_c == pytest.approx(1.0, abs=0.01)


def test_parameters_of_a_family_are_searched():
    """A bound that fails where L times the kink is in a narrow interval, far from all members."""
    narrow = claim(
        bound=dist**2 * (1 - sp.Piecewise((sp.Rational(1, 10), (L > 3) & (sp.Rational(7, 2) > L)), (0, True)))
    )
    steep = Huber(L=50.0, delta=0.01)
    assert not falsify(narrow, [steep], budget=32, simplify=False).refuted
    found = falsify(narrow, [steep], budget=2500, simplify=False)
    assert found.refuted
    assert 3 < found.best.candidate.case.problem.L < 3.5


def test_the_climb_through_the_run_reaches_the_worst_start():
    """GD on an ellipse contracts least along an axis; a start off it gains until it lies there."""
    theorem = REGISTRY.theorem("gd/strongly-convex")
    problem = Quadratic((1.0, 10.0), (0.0, 0.0), seed=None, start=(0.5, 1.0))
    case = case_of(theorem, problem)
    x0 = problem.x0[None]
    before, after = (evaluate(case, x, 1)[0].ratio for x in (x0, climbed_starts(case, x0, 1, 0, 30)))
    assert before < 0.3
    assert after > 0.999


def test_states_of_a_step_claim_are_climbed():
    found = falsify(
        REGISTRY.theorem("saga/step"), [QuadraticSum((((2.0,),), ((0.5,),)))], budget=200, simplify=False
    )
    assert found.best.candidate.state is not None
    assert found.smallest_c > 0.9
    again = evaluate_one(found.best.candidate)
    assert again.ratio == pytest.approx(found.best.ratio, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "assumption"),
    [
        ("bpm/distance", Convex),
        ("page/convex-step", ComponentConvex),
        ("gd/strongly-convex", StronglyConvex),
        ("nesterov/strongly-convex", StronglyConvex),
    ],
)
def test_without_an_assumption_a_counterexample_is_found(name, assumption):
    few = [
        p
        for p in INSTANCES
        if type(p).__name__ in {"PiecewiseLinear", "CosineRidge", "Huber", "QuadraticSum"}
    ]
    found = falsify(REGISTRY.theorem(name), few, budget=6000, drop=assumption.__name__, simplify=False)
    assert found.refuted
    assert found.dropped == assumption.__name__
    again = evaluate_one(found.best.candidate)
    assert again.refutes
    held = {type(c.assumption) for c in found.best.candidate.case.certificates}
    assert assumption not in held
    assert held == set(REGISTRY.theorem(name).assumes) - {assumption}
    if assumption is StronglyConvex:
        assert set(found.values) == {"mu"}


def test_the_class_may_be_dropped_itself():
    few = [*FEW, next(p for p in INSTANCES if p.family == "PiecewiseLinear")]
    found = falsify(REGISTRY.theorem("bpm/distance"), few, budget=2000, drop=Convex, simplify=False)
    assert found.refuted


def test_a_false_mean_is_judged_on_draws_that_did_not_choose_it():
    theorem = REGISTRY.theorem("sgd/strongly-convex")
    mutant = theorem.mutated(theorem.mutants[0])
    problem = QuadraticSum((((2.0,),), ((1.0,),)), ((1.0,), (-1.0,)))
    found = falsify(mutant, [problem], budget=3000, simplify=False)
    assert found.refuted
    if found.best.how == "replicates":
        assert found.best.candidate.seed != found.seed


# -- it refutes nothing that is true ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "families"),
    [
        ("gd/pl", {"Quadratic", "CoupledQuadratic", "Regularised"}),
        ("bpm/distance", {"WeightedL1", "MaxAffine", "PiecewiseLinear"}),
        ("gluon/descent", {"SpectralQuadratic", "LinkMatrix"}),
        ("subgradient/smooth", {"Quadratic", "Huber"}),
        ("sgd/interpolation", {"LinkSum", "QuadraticSum"}),
        ("sppm/lipschitz", {"AbsAffine", "AbsSum"}),
    ],
)
def test_a_true_claim_is_not_refuted(name, families):
    some = [p for p in INSTANCES if p.family in families]
    found = falsify(REGISTRY.theorem(name), some, budget=400, simplify=False)
    assert found.verdict == "none found"
    assert found.best is not None
    assert found.smallest_c is None or found.smallest_c <= 1
    assert not any(reason.startswith("bad certificate") for reason in found.refused)


def test_overflow_refutes_nothing():
    """cosh overflows at such a start: what is measured is nan."""
    problem = Shifted(CoshRidge((76.0,)), (0.0,))
    case = case_of(REGISTRY.theorem("bpm/distance"), problem)
    far = torch.tensor([[-12.0], [0.01]], dtype=torch.float64)
    assert not any(t.refutes for t in evaluate(case, far, 3))
    assert evaluate(case, far, 3)[0].excess == NOTHING


@dataclasses.dataclass(frozen=True)
class Liar(Problem):
    """(slope/2) x^2, certified to be flatter than it is."""

    slope: float = 8.0
    space = {"slope": LogUniform(6.0, 9.0)}  # noqa: RUF012

    @property
    def d(self):
        return 1

    @property
    def x0(self):
        return torch.ones(1, dtype=torch.float64)

    x_star = torch.zeros(1, dtype=torch.float64)
    f_star = 0.0

    def nearest_star(self, x, norm=None):
        del norm
        return torch.zeros_like(x)

    def value(self, x):
        return self.slope / 2 * x.square().sum(-1)

    def grad(self, x):
        return self.slope * x

    @property
    def certified(self):
        return (Certificate(Convex(), "a square"), Certificate(Smooth(L=1.0), "a lie"))


def test_a_wrong_constant_does_not_look_like_a_wrong_theorem():
    found = falsify(claim(), [Liar()], budget=300, simplify=False)
    assert found.verdict == "none found"
    assert any("Smooth(L=1.0" in r and r.startswith("bad certificate") for r in found.refused)


def test_out_of_the_domain_nothing_is_said():
    found = falsify(claim(bound=0, when=dist < 0), FEW, budget=300, simplify=False)
    assert found.best is None
    assert found.smallest_c is None
    assert found.verdict == "none found"


# -- hyperparameters ----------------------------------------------------------------------------------


def test_a_hyperparameter_in_requires_is_free_and_the_rule_prints():
    theorem = claim(requires=stepsize <= 1 / L, bound=dist**2 - stepsize**2 * L**2 * dist**2 / 1000)
    case = case_of(theorem, Huber(L=2.0))
    assert free_fields(case) == ("stepsize",)
    assert free_fields(case_of(claim(), Huber(L=2.0))) == ()
    rules = [moved(case, u).rules["stepsize"] for u in (0.5, 0.0, 1.0)]
    assert rules == [1 / L, 1 / (10 * L), 10 / L]
    with pytest.raises(NotApplicableError, match="requires"):
        evaluate(moved(case, 1.0), torch.ones(2, 1, dtype=torch.float64), 3)


def test_a_claim_that_fails_for_a_small_stepsize_alone_is_refuted():
    false = claim(
        requires=(stepsize <= 1 / L) & (stepsize > 0),
        bound=sp.Piecewise((dist**2 / 2, stepsize * L < sp.Rational(1, 4)), (dist**2, True)),
    )
    found = falsify(false, [Huber()], budget=1500, simplify=False)
    assert found.refuted
    assert sp.simplify(found.best.candidate.case.rules["stepsize"] * L) < sp.Rational(1, 4)


# -- the same every time, within the budget, told and kept --------------------------------------------


def test_same_seed_same_result_and_the_budget_is_kept():
    kept, told = [], []
    args = {"budget": 500, "simplify": False}
    one = falsify(
        REGISTRY.theorem("gd/convex"), FEW, keep=kept.append, progress=lambda *a: told.append(a), **args
    )
    two = falsify(REGISTRY.theorem("gd/convex"), FEW, **args)
    assert json.dumps(one.to_json()) == json.dumps(two.to_json())
    assert one.best.candidate.x0.tolist() == two.best.candidate.x0.tolist()
    assert 400 <= one.evaluations <= 500 + 32
    ranks = [t.rank for t in kept]
    assert ranks == sorted(ranks)
    assert kept[-1] is one.best
    assert all(total == 500 and 0 <= done <= total for done, total, _ in told)


def test_interrupted_it_returns_the_best_so_far():
    kept, told = [], []

    def stop(done, total, label):
        told.append((done, label))
        if done > 200:
            raise KeyboardInterrupt

    found = falsify(REGISTRY.theorem("gd/convex"), FEW, keep=kept.append, progress=stop)
    assert found.stopped
    assert found.best is kept[-1]
    assert found.smallest_c == found.best.ratio > 0.5
    assert found.evaluations == told[-1][0]
    assert set(found.families) == {label for _, label in told}
    assert found.shrunk is None
    assert found.to_json()["interrupted"] is True


def test_interrupted_without_an_assumption_it_names_the_constant_of_the_best():
    """A claim that holds for every mu is interrupted while the second constant is tried: all is counted."""
    theorem, done_before = claim(assumes=(Smooth, StronglyConvex), bound=dist**2 * (1 + mu / L)), []

    def stop(done, total, label):
        if done_before and done < done_before[-1]:
            raise KeyboardInterrupt
        done_before.append(done)

    found = falsify(theorem, [Huber()], drop=StronglyConvex, budget=700, progress=stop)
    assert found.stopped
    assert found.evaluations > done_before[-1]
    assert found.dropped == "StronglyConvex"
    first, second = dropped_values(theorem, StronglyConvex)[::-1][:2]
    best = found.best.candidate.case.theorem
    (values,) = (v for v in (first, second) if without(theorem, StronglyConvex, v).bound == best.bound)
    assert found.values == {"mu": str(values["mu"])}


def test_the_report_is_json_and_what_is_printed_makes_the_problem():
    found = falsify(REGISTRY.theorem("gd/nonconvex"), FEW, budget=400)
    text = json.dumps(found.to_json(), allow_nan=False)
    best = json.loads(text)["shrunk"]
    assert REGISTRY.problem(best["problem"]) == found.shrunk.candidate.case.problem
    assert best["ratio"] >= 0.999 * found.best.ratio


# -- bad input ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("budget", [0, -3, 2.5], ids=repr)
def test_a_budget_that_is_none(budget):
    with pytest.raises((ValueError, TypeError), match="budget"):
        falsify(claim(), FEW, budget=budget)


def test_steps_and_seed_that_are_none():
    with pytest.raises(ValueError, match="steps"):
        falsify(claim(), FEW, steps=0)
    with pytest.raises(ValueError, match="seed"):
        falsify(claim(), FEW, seed="one")


def test_an_assumption_that_the_theorem_does_not_make():
    with pytest.raises(ValueError, match=r"does not assume StronglyConvex; it assumes Convex, Smooth"):
        falsify(claim(), FEW, drop="StronglyConvex")


class Bare(Liar):
    """A family without a space, to which the claim does not apply."""

    space = {}  # noqa: RUF012

    @property
    def certified(self):
        return ()


def test_nothing_to_try_is_said_with_the_reasons():
    with pytest.raises(NothingToTryError, match=r"Convex is not certified.*without a space.*Bare"):
        falsify(claim(), [Bare()])
    with pytest.raises(NothingToTryError, match="0 problems"):
        falsify(claim(), [])
    with pytest.raises(ValueError, match="Bare declares no space"):
        Family(Bare)


class Drawn:
    """A range that can be sampled only."""

    def draw(self, rng):
        return float(rng.uniform())


class Half(Liar):
    """A family with such a range."""

    space = {"slope": Drawn()}  # noqa: RUF012


def test_a_range_that_cannot_be_searched_is_named():
    with pytest.raises(ValueError, match=r"Half.space: the range of 'slope' has no at"):
        Family(Half)


def test_a_slope_is_not_searched_and_it_is_said_why():
    slope = next(t for t in REGISTRY.theorems if t.kind == "slope")
    found = falsify(slope, FEW)
    assert (found.verdict, found.best, found.evaluations) == ("none found", None, 0)
    assert any("slope" in reason for reason in found.refused)


@dataclasses.dataclass(frozen=True)
class Brittle(Liar):
    """Right, but it raises for some of its parameters."""

    slope: float = 1.0
    space = {"slope": LogUniform(0.1, 10.0)}  # noqa: RUF012

    def grad(self, x):
        if self.slope > 1:
            raise RuntimeError("too steep")
        return self.slope * x


def test_what_raises_inside_a_family_is_counted_and_the_search_goes_on():
    found = falsify(claim(), [Brittle()], budget=600, simplify=False)
    assert found.refused["RuntimeError: too steep"] > 0
    assert found.families["Brittle"] > 1
    assert found.best is not None


# -- parts --------------------------------------------------------------------------------------------


def test_what_lies_around_a_member_keeps_its_form():
    member = QuadraticSum((((2.0, 1.0), (1.0, 3.0)), ((2.0, 0.0), (0.0, 3.0))))
    source = Around(member)
    assert source.at([0.5] * source.width) == member
    other = source.at([0.7, *[0.5] * (source.width - 1)])
    assert other != member
    assert all(a[0][1] == a[1][0] for a in other.hessians)
    assert other.hessians[1][0][1] == 0


@pytest.mark.parametrize("made", MADE, ids=lambda m: m.label)
def test_families_made_here_have_a_minimiser(made):
    problems = []
    for seed in range(12):
        u = torch.rand(made.width, generator=torch.Generator().manual_seed(seed)).tolist()
        try:
            problems.append(made.at(u))
        except ValueError:
            continue
    assert len(problems) >= 6
    for problem in problems:
        assert type(problem) is made.kind
        around = starting(problem, 16, 0)
        values = problem.value(around)
        assert bool((values >= problem.value(problem.x_star) - 1e-9 * (1 + values.abs())).all())


def test_sources_leave_large_problems_out():
    large = next(p for p in INSTANCES if p.family == "LeastSquares")
    assert sources([large]) == []
    assert [s.label for s in sources([AbsAffine((1.0,))])] == ["AbsAffine"]


def test_starts_hold_the_own_one_axes_and_the_ray():
    problem = Quadratic((1.0, 2.0, 3.0), (1.0, 0.0, 0.0), seed=None, start=(2.0, 2.0, 2.0))
    x0 = starting(problem, 32, 0)
    away = x0 - problem.x_star
    ray = problem.x0 - problem.x_star
    on_axis = ((away != 0).sum(-1) == 1).sum()
    on_ray = ((away @ ray) > (1 - 1e-12) * away.norm(dim=-1) * ray.norm()).sum()
    assert torch.equal(x0[0], problem.x0)
    assert on_axis >= 8
    assert on_ray >= 8
    assert away.norm(dim=-1).min() < 0.05 * ray.norm()
    assert away.norm(dim=-1).max() > 10 * ray.norm()


def test_a_candidate_alone_is_what_it_was_among_others():
    theorem = REGISTRY.theorem("gd/convex")
    case = case_of(theorem, Huber(d=2))
    tried = evaluate(case, starting(case.problem, 16, 3), 10)
    for one in tried[:4]:
        again = evaluate_one(one.candidate)
        assert again.ratio == pytest.approx(one.ratio, rel=1e-9)
        assert again.k == one.k


def test_states_as_plain_numbers_and_back():
    case = case_of(REGISTRY.theorem("saga/step"), QuadraticSum((((2.0,),), ((0.5,),))))
    first = evaluate(case, torch.tensor([[1.0], [3.0]], dtype=torch.float64), 1)
    states = [{**t.candidate.state, "k": t.candidate.k} for t in first]
    again = evaluate_states(case, joined([given_state(case, state) for state in states]))
    assert [t.measured for t in again] == [t.measured for t in first]


def test_a_run_is_not_judged_afresh():
    case = case_of(claim(), Huber())
    tried = evaluate(case, case.problem.x0[None], 2)[0]
    assert afresh(tried, 5) is tried


def test_a_horizon_that_the_claim_names_is_tried_at_several_values():
    theorem = REGISTRY.theorem("subgradient/horizon")
    attempts = Attempts(theorem, 100, 0)
    case = case_of(theorem, AbsAffine((1.0,)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        entry = attempts.on(case, Point(None, ()), "AbsAffine")
    assert entry is not None
    assert entry.tried.candidate.horizon == 1 < LENGTH
    assert entry.tried.ratio == pytest.approx(1.0)
