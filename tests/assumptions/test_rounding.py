"""True statements about formulas that round inside are not refuted, and false ones still are."""

import math
import sys
from fractions import Fraction
from typing import Any

import pytest
import torch
from torch import Tensor

from assumptions import (
    PL,
    Convex,
    ErrorBound,
    ExponentialL0L1,
    ExponentialPhi,
    HessianL0L1,
    Inequality,
    LocalL0L1,
    PhiSmooth,
    QuadraticGrowth,
    SegmentL0L1,
    Smooth,
)
from assumptions.l0l1.form import anchor
from assumptions.rounding import _grain, gradient_errors, gradient_noise, value_noise
from problems import ExpRidge, LogLoss
from problems.function import from_function

from .term_toys import Known
from .toys import quadratic

BUDGET = 4000
SEEDS = (0, 1)
SELF_BOUNDED: tuple[Inequality, ...] = (
    HessianL0L1(0.0, 1.0),
    ExponentialL0L1(0.0, 1.0),
    SegmentL0L1(0.0, 1.0),
    LocalL0L1(0.0, 1.45),
    PhiSmooth(ExponentialPhi(0.0, 1.0)),
)


class Logistic(Known):
    """log(1 + e^(-x)) with a gradient that cancels: sigmoid(x) - 1, all zeros beyond x = 37."""

    def hvp(self, x: Tensor, v: Tensor) -> Tensor:
        return x.sigmoid() * (-x).sigmoid() * v


LOGISTIC: Any = Logistic(lambda x: torch.nn.functional.softplus(-x).sum(-1), lambda x: x.sigmoid() - 1)


def refuted(assumption: Inequality, problem: Any) -> bool:
    return any(assumption.refute(problem, BUDGET, seed).verdict == "refuted" for seed in SEEDS)


@pytest.mark.parametrize(
    "problem", [ExpRidge(a=(1.0,), start=(10.0,)), LogLoss(a=(1.0,), start=(10.0,))], ids=repr
)
@pytest.mark.parametrize(
    "assumption", [ExponentialL0L1(0.0, 1.0), PhiSmooth(ExponentialPhi(0.0, 1.0))], ids=repr
)
def test_a_gradient_that_underflows_is_no_zero(problem: Any, assumption: Inequality):
    assert not refuted(assumption, problem)


def test_an_anchor_is_a_normal_number():
    q = torch.tensor([0.0, 5e-324, 1e-300, 1.0, math.inf], dtype=torch.float64)
    assert torch.equal(anchor(q)[2:], q[2:])
    assert (anchor(q)[:2] == torch.finfo(torch.float64).tiny).all()
    assert anchor(q[:1] * math.nan).isnan().all()


@pytest.mark.parametrize("assumption", SELF_BOUNDED, ids=lambda a: type(a).__name__)
def test_a_gradient_that_cancels_to_zero_is_as_exact_as_at_the_start(assumption: Inequality):
    assert not refuted(assumption, LOGISTIC)


def test_the_floor_hides_no_false_constant():
    assert refuted(HessianL0L1(0.0, 0.97), LOGISTIC)
    assert refuted(ExponentialL0L1(0.0, 0.9), LOGISTIC)
    assert refuted(SegmentL0L1(0.0, 0.9), LOGISTIC)
    assert refuted(LocalL0L1(0.0, 1.3), LOGISTIC)


def test_the_noise_of_a_flat_part_is_the_grain_at_the_start():
    x = torch.tensor([[40.0], [50.0], [1000.0]], dtype=torch.float64)
    assert (gradient_noise(LOGISTIC, x) == 2.0**-53).all()
    # an entry of the start that is 0 moves too
    at_zero: Any = Known(lambda x: (x.cosh() - 1).sum(-1), lambda x: (1 + x) - 1, d=2, start=0.0)
    assert (gradient_errors(at_zero, torch.full((2,), 1e-9, dtype=torch.float64)) >= 2.0**-53).all()


def grain_written_out(results: tuple[float, ...]) -> float:
    """The largest power of two that divides all results that are finite and not 0; slow and exact."""
    if results[0] == results[1] == results[2]:
        return 0.0
    places = []
    for number in (r for r in results if math.isfinite(r) and r):
        whole, under = number.as_integer_ratio()
        places.append(float(Fraction(whole & -whole, under)))
    return max(min(places), sys.float_info.min) if places else 0.0


def test_the_grain_is_the_last_binary_place():
    special = [0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, 1e-310, sys.float_info.min, 1.0, -1.0, 3.0]
    special += [0.1, 2.0**-700 * 3, 2.0**1023, sys.float_info.max]
    numbers = torch.cartesian_prod(*[torch.tensor(special, dtype=torch.float64)] * 3)
    drawn = torch.randn(200, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    numbers = torch.cat([numbers, drawn, (drawn * 64).round() / 64, drawn.round()])
    expected = [grain_written_out(tuple(row)) for row in numbers.tolist()]
    assert _grain(numbers.unbind(-1)).tolist() == expected
    assert _grain(drawn.float().unbind(-1)).dtype is torch.float32


@pytest.mark.parametrize("width", [1.0, 100.0, 1e4])
def test_values_that_cancel_near_the_start(width: float):
    problem = from_function(
        lambda x: ((x / width).cosh() - 1).sum(-1), 1, f_star=0.0, x_star=[0.0], unique_star=True
    )
    mu = 1 / width**2
    for true in (QuadraticGrowth(mu), PL(mu), Convex()):
        assert not refuted(true, problem)
    for false in (QuadraticGrowth(1.03 * mu), PL(1.03 * mu)):
        assert refuted(false, problem)


def test_a_gradient_that_cancels_near_the_minimiser():
    problem: Any = Known(lambda x: x.square().sum(-1) / 2, lambda x: (1 + x) - 1, nearest=torch.zeros_like)
    for true in (PL(1.0), ErrorBound(1.0), Smooth(1.0)):
        assert not refuted(true, problem)
    assert refuted(PL(1.03), problem)
    x = torch.tensor([[1e-17], [1e-6], [1.0]], dtype=torch.float64)
    assert PL.estimate(problem, x)["mu_pl_seen"] == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize("shift", [10.0, 1e3])
def test_steps_wider_than_the_roundings_of_x_are_seen(shift: float):
    problem: Any = Known(
        lambda x: ((x + shift) - shift).pow(4).sum(-1) / 4, lambda x: ((x + shift) - shift) ** 3
    )
    generator = torch.Generator().manual_seed(0)
    x = 0.5 + torch.rand(2000, 1, dtype=torch.float64, generator=generator)
    error = (problem.value(x) - x.squeeze(-1) ** 4 / 4).abs()
    assert float((error <= 4 * value_noise(problem, x)).double().mean()) > 0.7
    assert not refuted(Convex(), problem)


def test_noise_is_small_where_nothing_cancels():
    x = torch.tensor([[1e-3, 2.0, 50.0]], dtype=torch.float64)
    exact: Any = quadratic(1.0, 2.0, 3.0)
    assert (value_noise(exact, x) <= 64 * 2.0**-52 * exact.value(x)).all()
    assert (gradient_errors(exact, x) <= 64 * 2.0**-52 * 150).all()
    assert value_noise(exact, x[0]).shape == ()
    # growth is no noise: two last places of the result at most, and what 4 roundings of x make of it
    steep: Any = Known(lambda x: x.exp().sum(-1), lambda x: x.exp())
    far = torch.tensor([[300.0]], dtype=torch.float64)
    assert float(value_noise(steep, far)) <= 2000 * 2.0**-52 * math.exp(300)


def test_rows_do_not_mix():
    x = torch.tensor([[math.nan], [math.inf], [1.0], [1e-8]], dtype=torch.float64)
    both = gradient_errors(LOGISTIC, x)
    assert both.isfinite().all()
    assert torch.equal(both[2:], gradient_errors(LOGISTIC, x[2:]))
    assert torch.equal(both, gradient_errors(LOGISTIC, x.expand(3, 4, 1))[1])
