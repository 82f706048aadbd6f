"""Continuity: jumps are found, slopes are not taken for jumps."""

import math

import pytest
import torch

from assumptions import sample_points
from assumptions.continuous import Continuous
from tests.assumptions.toys import Toy, quadratic, uneven


def toy(value, d: int = 1) -> Toy:
    return Toy(value, lambda x: torch.zeros_like(x), d=d)


CONTINUOUS = (
    toy(lambda x: x.abs().sum(-1), 3),
    toy(lambda x: x.abs().sqrt().sum(-1)),
    toy(lambda x: (1e6 * x).tanh().sum(-1)),
    toy(lambda x: (1e20 * x).tanh().sum(-1)),
    toy(lambda x: 0 * x.sum(-1) + 3),
    toy(lambda x: 1 / (1 - x.abs().clamp(1e-300, 0.5).log()).sum(-1)),
    toy(lambda x: (1e8 + x.sum(-1)) - 1e8, 2),
    toy(lambda x: x.norm(dim=-1).log1p() * 1e9, 2),
    quadratic(1.0, 100.0),
    uneven(1e-3, 1.0, 10.0, seed=1),
)
JUMPS = (
    toy(lambda x: (x.sum(-1) > 0.3).double(), 2),
    toy(lambda x: x.abs().sum(-1) + 1e-6 * (x > 0.1).double().sum(-1)),
    toy(lambda x: x.round().sum(-1), 2),
    toy(lambda x: x.abs().sum(-1) + (x != x.round()).double().sum(-1)),
    toy(lambda x: torch.where(x.sum(-1) < 5, x.sum(-1), torch.inf)),
    toy(lambda x: 1 / x.sum(-1)),
    toy(lambda x: x.log().sum(-1)),
)


@pytest.mark.parametrize("problem", CONTINUOUS)
def test_what_is_continuous_is_not_refuted(problem: Toy):
    assert Continuous().check(problem, *sample_points(problem, 2000, 2, seed=1)).verdict == "not refuted"
    for seed in range(3):
        assert Continuous().refute(problem, 1000, seed=seed).verdict == "not refuted"


@pytest.mark.parametrize("problem", JUMPS)
def test_jumps_are_found(problem: Toy):
    found = Continuous().refute(problem, 1000)
    assert found.verdict == "refuted"
    x, y = found.witness
    change = abs(float(problem.value(x) - problem.value(y)))
    assert not change < 1e-7
    again = Continuous().refute(problem, 1000)
    assert torch.equal(again.witness[0], x)


def test_the_witness_stands_on_both_sides_of_the_jump():
    found = Continuous().check(JUMPS[0], torch.zeros(2).double(), torch.ones(2).double())
    x, y = found.witness
    assert float(x.sum()) <= 0.3 < float(y.sum())
    assert float((x - y).norm()) <= 1e-15


def test_a_point_twice_says_nothing_and_batches_lead():
    x = torch.ones(2, 3, 2, dtype=torch.float64)
    check = Continuous().check(quadratic(1.0, 100.0), x, x)
    assert (check.verdict, check.points, check.ratio) == ("not refuted", 6, 0.0)
    with pytest.raises(ValueError, match="2 points"):
        Continuous().check(quadratic(1.0), x[..., :1])
    with pytest.raises(ValueError, match="at least one"):
        Continuous().check(quadratic(1.0), x[:0, :, :1], x[:0, :, :1])
    with pytest.raises(ValueError, match="budget"):
        Continuous().refute(quadratic(1.0), 0)
    assert Continuous().estimate(quadratic(1.0), x[..., :1], x[..., :1]) == {}
    assert Continuous.constants() == ()
    assert math.isfinite(check.ratio)
