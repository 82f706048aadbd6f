"""What is read about a minimisation over a ball: known answers, and wrong oracles that must show."""

import dataclasses
import math

import pytest
import torch

from assumptions import Lp
from problems import AbsAffine, Quadratic, WeightedL1
from problems.ball_step import BallStep
from workbench import run
from workbench.methods import BPM
from workbench.methods.ball_quantities import BALL_QUANTITIES
from workbench.theorems import THEOREMS
from workbench.verify import Budget, judge_unit
from workbench.verify.plan import Unit

MAX = Lp(math.inf)
STRETCHED = Quadratic((1.0, 4.0), center=(0.0, 0.0), seed=None, start=(5.0, 5.0))


def read(method, problem, name, steps=3, **options):
    trace = run(method, problem, steps=steps, record=(name,), **options)
    return trace[name][0].tolist()


def test_the_slope_of_the_start_is_the_problems_own():
    assert read(BPM(1.0), AbsAffine((3.0,), start=(5.0,)), "slope", 6) == [3.0] * 5 + [0.0, 0.0]


def test_the_multiplier_of_weighted_l1_is_its_threshold():
    """w = (1, 1/2), x = (4, 4), t = 1: u = x - m w with m = 1 / |w|, g = w."""
    problem = WeightedL1((1.0, 0.5), start=(4.0, 4.0))
    assert read(BPM(1.0), problem, "slope", 1)[1] == pytest.approx(math.hypot(1, 0.5))
    assert read(BPM(1.0, MAX), problem, "slope", 1)[1] == pytest.approx(1.5)
    assert read(BPM(1.0, Lp(1.0)), problem, "slope", 1)[1] == pytest.approx(1.0)


@pytest.mark.parametrize("norm", [Lp(2.0), MAX], ids=repr)
def test_residuals_vanish(norm):
    assert max(read(BPM(0.7, norm), STRETCHED, "residual", 12)) < 1e-12


def test_steps_point_against_the_gradient_in_euclidean_balls_only():
    """f = (x_1^2 + 4 x_2^2) / 2 from (5, 5) with radius 1: u = (4, 4), grad f(u) = (4, 16)."""
    assert read(BPM(1.0), STRETCHED, "misalignment", 1)[1] == pytest.approx(0, abs=1e-14)
    found = read(BPM(1.0, MAX), STRETCHED, "misalignment", 1)[1]
    assert found == pytest.approx(1 - 20 / (math.sqrt(2) * math.hypot(4, 16)), rel=1e-12)


def test_a_face_of_minimisers_has_rivals_and_a_sphere_has_none():
    face = AbsAffine((1.0, 0.0), start=(3.0, 0.0))
    assert read(BPM(1.0, MAX), face, "rival", 1)[1] == pytest.approx(1.0)
    assert read(BPM(1.0), face, "rival", 1)[1] == 0.0
    assert read(BPM(0.1), STRETCHED, "rival", 20) == [0.0] * 21


def test_two_half_balls_give_the_value_and_two_half_steps_do_not():
    trace = run(BPM(1.0), STRETCHED, steps=4, record=("value", "nested", "composed"))
    value, nested, composed = (trace[n][0] for n in ("value", "nested", "composed"))
    assert torch.allclose(nested[1:], value[1:], rtol=1e-13)
    assert (composed[1:4] > value[1:4] + 1e-3).all()


def test_fenchels_equality_holds_at_the_multipliers_subgradient():
    for problem in (STRETCHED, WeightedL1((1.0, 0.3), start=(2.0, -1.0))):
        assert max(abs(v) for v in read(BPM(0.5), problem, "fenchel", 8)) < 1e-12


def test_reach_is_the_largest_distance_so_far():
    found = read(BPM(0.5), AbsAffine((1.0,), start=(5.0,)), "reach", 4)
    assert found == [5.0] * 5


def test_every_quantity_says_what_it_is():
    for name, quantity in BALL_QUANTITIES.items():
        assert quantity.meaning, name
        assert quantity.latex, name


@dataclasses.dataclass(frozen=True)
class Short(WeightedL1):
    """Steps one per cent short of the best point."""

    def _ball_step(self, x, t, norm):
        found = super()._ball_step(x, t, norm)
        return BallStep.of(x, t, norm, 0.99 * found.step, found.subgradient)


@dataclasses.dataclass(frozen=True)
class Tilted(WeightedL1):
    """The point is right, the subgradient is not one."""

    def _ball_step(self, x, t, norm):
        found = super()._ball_step(x, t, norm)
        return BallStep.of(x, t, norm, found.step, 1.01 * found.subgradient, point=found.point)


@pytest.mark.parametrize(
    ("theorem", "problem"),
    [
        ("bpm/multiplier", Short((1.0, 0.3), start=(2.0, 1.0))),
        ("bpm/step-length", Short((1.0, 0.3), start=(2.0, 1.0))),
        ("bpm/conjugate", Tilted((1.0, 0.3), start=(2.0, 1.0))),
        ("bpm-norm/decrease", Tilted((1.0, 0.3), start=(2.0, 1.0))),
    ],
)
def test_a_wrong_oracle_is_refuted(theorem, problem):
    (claim,) = (t for t in THEOREMS if t.id == theorem)
    records = judge_unit(Unit(claim, problem, Budget("toy", 20, 4), 0, ""))
    assert "refuted" in {r.verdict for r in records}
