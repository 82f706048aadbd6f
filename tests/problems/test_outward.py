"""Constants are rounded outward, exactly, and left out where no float serves."""

import math
import random
from fractions import Fraction

import pytest
from mpmath import mp

from assumptions import PL, Lipschitz, Smooth
from assumptions.balls.ball_convex import BallConvex
from assumptions.outward import certify, length_up, round_down, round_up, square_sum
from problems import (
    AbsAffine,
    Cosine,
    Hinge,
    Huber,
    Linear,
    LogLoss,
    PiecewiseLinear,
    Problem,
    SquaredHinge,
    WeightedL1,
)

LARGEST = math.nextafter(math.inf, 0.0)


def constants(problem: Problem, kind: type) -> list[float]:
    """The first field of each certificate of this kind."""
    found = [c.assumption for c in problem.certified if isinstance(c.assumption, kind)]
    return [float(getattr(a, kind.constants()[0])) for a in found]


def test_the_next_float_on_the_right_side():
    draw = random.Random(0)
    for _ in range(500):
        a = tuple(draw.gauss(0, 1) * 10 ** draw.uniform(-150, 150) for _ in range(draw.randint(1, 6)))
        square, length = square_sum(a), length_up(a)
        assert Fraction(math.nextafter(length, 0)) ** 2 < square <= Fraction(length) ** 2
        third = square / 3
        assert Fraction(round_down(third)) <= third <= Fraction(round_up(third))
        assert round_up(third) in (round_down(third), math.nextafter(round_down(third), math.inf))


def test_exact_values_stay():
    assert length_up((3.0, -4.0)) == 5
    assert length_up((0.1,)) == 0.1
    assert round_up(Fraction(9)) == round_down(Fraction(9)) == 9
    assert length_up((5e-324,)) == 5e-324
    assert length_up((1.0,) * 4) == 2


def test_beyond_the_floats():
    assert round_up(Fraction(10) ** 400) == round_down(Fraction(10) ** 400) == math.inf
    assert length_up((LARGEST, LARGEST)) == math.inf
    assert length_up((LARGEST,)) == LARGEST
    assert round_up(Fraction(1, 10**400)) == 5e-324
    assert round_down(Fraction(1, 10**400)) == 0
    assert certify(Lipschitz, 0.0, "") == certify(Lipschitz, math.inf, "") == ()
    assert [c.assumption for c in certify(Lipschitz, 2.0, "two")] == [Lipschitz(2.0)]


@pytest.mark.parametrize("seed", range(20))
def test_families_state_bounds_that_hold_exactly(seed: int):
    draw = random.Random(seed)
    a = tuple(draw.uniform(0.1, 3) for _ in range(draw.randint(1, 5)))
    square = square_sum(a)
    for problem in (WeightedL1(a), AbsAffine(a), Hinge(a), Linear(a), LogLoss(a)):
        (bound,) = constants(problem, Lipschitz)
        assert square <= Fraction(bound) ** 2
        assert bound == pytest.approx(math.hypot(*a), rel=3e-16)
    assert square <= 4 * Fraction(constants(LogLoss(a), Smooth)[0])
    bowl = Huber(L=a[0], delta=a[-1])
    assert Fraction(a[0]) * Fraction(a[-1]) <= Fraction(constants(bowl, Lipschitz)[0])
    line = PiecewiseLinear((-a[0], a[-1]), (0.0, 1.0))
    assert Fraction(a[0]) + Fraction(a[-1]) <= Fraction(constants(line, BallConvex)[0])
    loss = SquaredHinge(a)
    assert Fraction(constants(loss, PL)[0]) <= square <= Fraction(constants(loss, Smooth)[0])


@pytest.mark.parametrize("d", [1, 2, 5, 100])
def test_balls_of_the_cosine_reach_pi(d: int):
    """The next floats below the thresholds are below pi sqrt(d) and pi: there the claim would be false."""
    with mp.workdps(40):
        for bound, exact in zip(constants(Cosine(d), BallConvex), (mp.pi * mp.sqrt(d), +mp.pi), strict=True):
            assert exact < mp.mpf(bound) <= exact * (1 + mp.mpf(5e-16))


@pytest.mark.parametrize(
    ("problem", "kinds"),
    [
        (WeightedL1((1e-200, 1e-200)), {"Convex", "Lipschitz"}),
        (WeightedL1((1e308, 1e308)), {"Convex", "Lipschitz"}),
        (WeightedL1((1.7e308, 1.7e308)), {"Convex"}),
        (SquaredHinge((1e200,)), {"Convex"}),
        (SquaredHinge((1e-200,)), {"Convex", "Smooth"}),
        (AbsAffine((1e-200, 1e-200)), {"Convex", "Lipschitz"}),
        (Hinge((1.7e308, 1.7e308)), {"Convex"}),
        (LogLoss((1e200,)), {"Convex", "Lipschitz", "HessianL0L1"}),
        (Linear((1.7e308, 1.7e308)), {"Convex", "Affine"}),
        (Huber(L=1e-200, delta=1e-200), {"Convex", "Smooth", "Lipschitz"}),
        (Huber(L=1e200, delta=1e200), {"Convex", "Smooth"}),
    ],
    ids=lambda x: "" if isinstance(x, set) else repr(x),
)
def test_data_of_any_size_have_certificates(problem: Problem, kinds: set[str]):
    assert {type(c.assumption).__name__ for c in problem.certified} == kinds
