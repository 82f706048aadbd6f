"""Ways to a wrong verdict about balls that were once open: each stays closed."""

import math
from dataclasses import dataclass, replace

import pytest
import torch

from assumptions import EUCLIDEAN, Convex, Lp, Smooth
from problems import Cosine, GeneralQuadratic, Huber, LInfNorm, Quadratic, WeightedL1, from_function
from problems.ball_step import BallStep
from workbench import run
from workbench.methods import BPM, NormalisedGradientDescent, ProximalPoint, TrustRegion
from workbench.parts import Source
from workbench.symbols import symbols
from workbench.theorem import Theorem
from workbench.theorems import THEOREMS
from workbench.verify import Budget, Verdict, judge_unit
from workbench.verify.plan import Unit

BY_ID = {t.id: t for t in THEOREMS}
radius, dist, dist0, slope, slope_next, k = symbols("radius dist dist0 slope slope_next k")
STRETCHED = Quadratic((1.0, 4.0), center=(0.0, 0.0), seed=None, start=(5.0, 5.0))
VALLEY = GeneralQuadratic(((2.02, -6.0), (-6.0, 18.02)), start=(0.0, 2.0))


def judged(theorem, problem, steps=50, starts=1, **change):
    changed = replace(theorem, **{"mutants": (), "tight": (), **change})
    return judge_unit(Unit(changed, problem, Budget("test", steps, starts), 0, ""))


def verdicts(*arguments, **options):
    return {r.verdict for r in judged(*arguments, **options)}


@pytest.mark.parametrize("start", [3 * math.pi, -3 * math.pi])
def test_two_minimisers_at_the_radius_are_no_domain_of_the_ball_convex_claims(start):
    for name in ("bpm/ball-convex-distance", "bpm/ball-convex-radius"):
        assert Verdict.REFUTED not in verdicts(BY_ID[name], Cosine(1, start=(start,)))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("bpm-norm/decrease", {"measured": 2 * radius * slope_next}),
        ("bpm-norm/slope", {"bound": slope * 9 / 10}),
        ("bpm-norm/slope-rate", {"bound": BY_ID["bpm-norm/slope-rate"].bound / 2}),
    ],
)
def test_a_kink_at_the_iterate_excuses_nothing(name, change):
    """At a point of a kink, gradients on both sides differ by far more than the slope."""
    corner = WeightedL1((1.0, 1.0), start=(5.0, 0.0))
    assert verdicts(BY_ID[name], corner, norm=EUCLIDEAN, **change) == {Verdict.REFUTED}


def equal(methods, parameters, when=True):
    return Theorem(
        id="test/equal",
        title="",
        source=Source("test", "DERIVED"),
        method=methods,
        parameters=parameters,
        assumes=(Convex,),
        when=when,
        kind="equal",
    )


@pytest.mark.parametrize(
    ("theorem", "problem"),
    [
        (equal((BPM, NormalisedGradientDescent), {"radius": dist0 * 6 / 10}, radius < dist), STRETCHED),
        (equal((BPM, NormalisedGradientDescent), {"radius": dist0 / 10}, k < 1), STRETCHED),
        (
            equal((BPM, ProximalPoint), {"radius": 1, "stepsize": 1}, radius < dist),
            Huber(L=1.0, delta=1.0, d=1, start=(1.5,)),
        ),
    ],
    ids=["half way", "first step", "last step"],
)
def test_the_step_from_the_last_point_of_the_domain_is_compared(theorem, problem):
    assert verdicts(theorem, problem) == {Verdict.REFUTED}


def test_an_event_that_the_horizon_is_too_short_for_refutes_nothing():
    long = WeightedL1(tuple(10.0 ** (-2 * i) for i in range(60)), start=(1.01,) * 60)
    by_radius = {tuple(r.parameters.items()): r for r in judged(BY_ID["bpm/termination-count"], long)}
    short = by_radius[("radius", "1"),]
    assert short.verdict == Verdict.OUT_OF_DOMAIN
    enough = {tuple(r.parameters.items()): r for r in judged(BY_ID["bpm/termination-count"], long, steps=80)}
    assert enough[("radius", "1"),].verdict == Verdict.NOT_REFUTED


def test_flat_directions_do_not_refute_the_descent_on_the_envelope():
    theorem = BY_ID["bpm/equals-envelope-descent"]
    for eigenvalues in ((1.0, 1e-6), (1e6, 1.0, 1e-6), (1.0, 0.0, 1e-5)):
        d = len(eigenvalues)
        problem = Quadratic(eigenvalues, center=(0.0,) * d, seed=None, start=(5.0,) * d)
        assert verdicts(theorem, problem, starts=16) <= {Verdict.NOT_REFUTED}, eigenvalues


@dataclass(frozen=True)
class Scaled(WeightedL1):
    """Half of the multiplier's subgradient: parallel to it, and none."""

    def _ball_step(self, x, t, norm):
        found = super()._ball_step(x, t, norm)
        return BallStep.of(x, t, norm, found.step, found.subgradient / 2, found.point)


def test_a_vector_that_is_only_parallel_is_no_subgradient():
    assert Verdict.REFUTED in verdicts(BY_ID["bpm/multiplier"], Scaled((1.0, 0.3), start=(3.0, 2.0)))
    assert Verdict.REFUTED not in verdicts(BY_ID["bpm/multiplier"], WeightedL1((1.0, 0.3), start=(3.0, 2.0)))


def test_quantities_that_need_every_step_say_so():
    with pytest.raises(ValueError, match="every must be 1 to record reach"):
        run(BPM(0.5), STRETCHED, steps=4, record=("reach",), every=2)


def test_balls_keep_their_norm_where_distances_are_measured_in_another():
    trace = run(BPM(0.5, Lp(math.inf)), VALLEY, steps=6, norm=EUCLIDEAN, record=("value", "nested", "rival"))
    assert torch.allclose(trace["nested"], trace["value"], rtol=1e-12, atol=1e-12)
    assert trace["rival"].max() == 0


def test_a_quantity_of_one_method_is_no_quantity_of_two():
    shared = {"id": "test/two", "title": "", "source": Source("test", "DERIVED"), "parameters": {"radius": 1}}
    with pytest.raises(ValueError, match="unknown symbol 'slope_next'"):
        Theorem(method=(BPM, NormalisedGradientDescent), measured=slope_next, bound=slope, **shared)
    theorem = Theorem(method=(BPM, TrustRegion), kind="equal", when=slope > 0, assumes=(Convex,), **shared)
    assert verdicts(theorem, STRETCHED) <= {Verdict.NOT_REFUTED}


def test_a_norm_is_named_once():
    with pytest.raises(ValueError, match="names a norm twice"):
        replace(BY_ID["bpm/multiplier"], norm=(EUCLIDEAN, Lp(2)))
    with pytest.raises(ValueError, match="norm must be a Norm"):
        replace(BY_ID["bpm/multiplier"], norm=())


def test_a_solver_for_euclidean_balls_is_not_asked_for_others():
    mine = from_function(lambda x: x.square().sum(-1), d=2, name="mine", assume=(Convex(), Smooth(2.0)))
    with pytest.raises(TypeError, match="Euclidean balls only"):
        run(BPM(0.1, Lp(1.0)), mine, steps=1)


def test_every_norm_of_a_sweep_has_its_record():
    records = judged(BY_ID["bpm-norm/line"], LInfNorm(3, start=(3.0, -2.0, 0.5)))
    assert {r.norm for r in records} == {repr(Lp(p)) for p in (math.inf, 1.0, 3.0)}
    records = judged(BY_ID["bpm-norm/line"], STRETCHED)
    assert {(r.norm, r.verdict) for r in records} >= {(repr(Lp(1.0)), Verdict.NOT_APPLICABLE)}
