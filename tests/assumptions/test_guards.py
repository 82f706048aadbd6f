"""Guards of arguments, and regions."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch

from assumptions import (
    EVERYWHERE,
    Ball,
    ComponentConvex,
    Convex,
    Interpolation,
    QuasiConvex,
    Smooth,
    StarConvex,
    Weighted,
)
from assumptions.guards import (
    as_float,
    as_floats,
    require_finite,
    require_nonnegative,
    require_positive,
    require_seed,
)
from assumptions.region import require_region
from problems import Huber
from tests.assumptions.toys import rotated

LARGE = 10**400


@pytest.mark.parametrize("guard", [require_positive, require_nonnegative, require_finite])
def test_integers_beyond_the_floats_are_named(guard):
    guard(a=1, b=2.0, c=np.float32(1.0), d=np.int64(3), e=np.float64(1e308))
    with pytest.raises(ValueError, match=r"a must be finite.*, got an integer of 1329 bits"):
        guard(a=LARGE)
    for bad in (math.inf, math.nan, np.float32(math.inf)):
        with pytest.raises(ValueError, match="a must be finite"):
            guard(a=bad)
    for bad in (True, "1", None, Fraction(1, 3), np.True_):
        with pytest.raises(TypeError, match="a must be a number"):
            guard(a=bad)


def test_assumptions_take_numbers_of_numpy():
    assert Smooth(np.float32(1.5)) == Smooth(1.5)
    assert repr(Huber(L=np.float64(0.5), delta=np.float32(0.5))) == "Huber(L=0.5, delta=0.5)"
    with pytest.raises(ValueError, match="L must be finite and > 0, got an integer"):
        Smooth(LARGE)


def test_as_float_keeps_infinity():
    assert as_float("p", math.inf) == math.inf
    assert as_float("p", np.int64(2)) == 2.0
    with pytest.raises(ValueError, match="p must fit a float, got an integer of 1329 bits"):
        as_float("p", LARGE)
    with pytest.raises(TypeError, match="p must be a number, got True"):
        as_float("p", True)


@pytest.mark.parametrize("bad", [("a",), (True,), (1.0, None), (LARGE,), "12"])
def test_tuples_hold_numbers_and_no_text_or_bool(bad):
    with pytest.raises(ValueError, match="weights must be a tuple of numbers"):
        as_floats("weights", bad)
    if isinstance(bad, tuple):
        with pytest.raises(ValueError, match="center must be a tuple of numbers"):
            Ball(bad, 1.0)
        with pytest.raises(ValueError, match="weights must be a tuple of numbers"):
            Weighted(bad)


@pytest.mark.parametrize("bad", ["a", 2**63, -(2**63) - 1, 1.0, True, None])
def test_seeds_are_integers_that_generators_take(bad):
    with pytest.raises(ValueError, match="seed must be an integer"):
        require_seed(bad)
    for seed in (0, -5, 2**63 - 1, -(2**63)):
        require_seed(seed)
        torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("bad", [3, None, "ball", Ball])
def test_regions_are_sets(bad):
    require_region(EVERYWHERE)
    require_region(Ball((0.0,), 1.0))
    with pytest.raises(TypeError, match="region must be a set such as"):
        require_region(bad)


@pytest.mark.parametrize("radius", [1e-300, 1e-200, 1.0, 1e200, 1e300])
def test_balls_hold_their_points_at_every_size(radius: float):
    ball = Ball((0.0, 0.0), radius)
    direction = torch.tensor([0.6, 0.8], dtype=torch.float64)
    factors = torch.tensor([0.0, 1e-10, 0.999, 1.001, 1e10], dtype=torch.float64)
    inside = ball.contains(factors.unsqueeze(-1) * (radius * direction))
    assert inside.tolist() == [True, True, True, False, False]


def test_balls_print_floats():
    ball = Ball((0, np.float64(1.0)), np.float32(2.0))
    assert repr(ball) == "Ball(center=(0.0, 1.0), radius=2.0)"


@pytest.mark.parametrize("kind", [Convex, QuasiConvex, StarConvex, ComponentConvex, Interpolation])
def test_options_that_do_not_exist_are_refused(kind):
    toy = rotated(1.0, 2.0, seed=0)
    assert kind.estimate(toy, toy.x0) == {}
    with pytest.raises(TypeError, match=f"{kind.__name__}.estimate has no options, got foo, norm"):
        kind.estimate(toy, toy.x0, norm=3, foo=1)
