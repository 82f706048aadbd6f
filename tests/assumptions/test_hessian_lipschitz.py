"""A Lipschitz Hessian: tight constants, false ones, rounding, what the problem must offer."""

import math

import pytest
import torch

from assumptions.hessian_lipschitz import HessianLipschitz
from assumptions.hessian_rounding import hessian_noise, hessian_rounding
from assumptions.norms import EUCLIDEAN, Lp
from assumptions.specification import parse_specification
from tests.assumptions.l0l1_toys import (
    Smooth2,
    cancelling,
    diagonal,
    hyperbolic,
    log_uniform,
    logistic,
    power,
    ridge,
)
from tests.assumptions.toys import FOURTH_POWER

SINE = ridge(lambda s: -s.sin(), lambda s: -s.cos(), lambda s: s.sin(), (3.0, 4.0))
# the third derivative of log(1 + e^-s) is at most 1 / (6 sqrt 3)
TIGHT = {
    "cubic": (power(3), 2.0),
    "sine": (SINE, 125.0),
    "logistic": (logistic(1.0), 1 / (6 * math.sqrt(3))),
}


@pytest.mark.parametrize("case", TIGHT)
def test_tight_constants(case: str):
    problem, L_h = TIGHT[case]
    held = HessianLipschitz(L_h).refute(problem, budget=4000)
    assert held.verdict == "not refuted"
    assert held.ratio > 0.98
    assert HessianLipschitz(0.97 * L_h).refute(problem, budget=4000).verdict == "refuted"


def test_the_cubic_in_space():
    """|x|^3 / 3 has the third derivative 2 along x, and no larger."""
    assert HessianLipschitz(2.0).refute(power(3, d=3), budget=2000).verdict == "not refuted"
    assert HessianLipschitz(1.0).refute(power(3, d=3), budget=2000).verdict == "refuted"


@pytest.mark.parametrize("problem", [power(4), hyperbolic(1.0)], ids=["quartic", "cosh"])
def test_functions_without_it(problem: Smooth2):
    assert HessianLipschitz(50.0).refute(problem, budget=2000).verdict == "refuted"


def test_quadratics_have_it_with_every_constant():
    problem = diagonal(1.0, -1e6, 3e-6)
    assert HessianLipschitz(1e-12).refute(problem, budget=1000).verdict == "not refuted"
    x = log_uniform(1.0, 2.0, 20).expand(20, 3)
    assert HessianLipschitz.estimate(problem, x, 2 * x, 3 * x) == {"L_h_seen": 0.0}


@pytest.mark.parametrize(("c", "scale"), [(1.0, 1e-6), (1.0, 1e6), (1e-6, 1.0), (1e6, 1.0), (1e-6, 1e6)])
def test_true_constants_at_all_scales(c: float, scale: float):
    L_h = 2 * c / scale**3
    problem = power(3, c=c, scale=scale)
    assert HessianLipschitz(L_h).refute(problem, budget=1000).verdict == "not refuted"
    x = torch.tensor([scale], dtype=torch.float64)
    assert HessianLipschitz(0.97 * L_h).check(problem, x, 2 * x, 3 * x).verdict == "refuted"
    assert HessianLipschitz.estimate(problem, x, 2 * x, 3 * x)["L_h_seen"] == pytest.approx(L_h)


def test_cancellation_refutes_nothing_near_the_minimiser():
    """(x_1 + x_2 - 1000)^4 / 4 with |t| <= 1: the third derivative is at most 6 2^(3/2)."""
    x = torch.tensor([[500.0, 500.0 + gap] for gap in (0.0, 1e-12, 1e-9, 1e-6)], dtype=torch.float64)
    for step in (1e-13, 1e-11, 1e-9, 1e-6, 1e-3):
        found = HessianLipschitz(6 * 2**1.5).check(cancelling(), x, x + step, x - 2 * step)
        assert found.verdict == "not refuted"
    assert HessianLipschitz(6 * 2**1.5).check(cancelling(), x, x + 2, x + 1).verdict == "refuted"


def test_other_norms():
    """x_1^3 / 6 + x_2^3 / 6: H = diag(x); in l1 the dual of a product is max |x_j v_j| <= |x|_1 |v|_1."""
    cubes = Smooth2(lambda x: x.pow(3).sum(-1) / 6, lambda x: x.square() / 2, lambda x, v: x * v, d=2)
    for norm, L_h in ((Lp(1.0), 1.0), (EUCLIDEAN, 1.0), (Lp(math.inf), 2.0)):
        assert HessianLipschitz(L_h, norm=norm).refute(cubes, budget=1500).verdict == "not refuted"
        assert HessianLipschitz(0.9 * L_h, norm=norm).refute(cubes, budget=1500).verdict == "refuted"


def test_along_reads_the_step_as_direction():
    path = torch.tensor([[1.0], [2.0], [4.0]], dtype=torch.float64)
    assert HessianLipschitz(4.0).along(power(3), path).tolist() == pytest.approx([0.5, 0.5])


def test_estimates_leave_rounding_out():
    x = log_uniform(1.0, 5.0, 50)
    assert HessianLipschitz.estimate(power(3), x, x + 1, x + 2)["L_h_seen"] == pytest.approx(2.0)
    assert HessianLipschitz.estimate(power(3), x, x * (1 + 1e-14), x + 2)["L_h_seen"] == 0.0


def test_the_noise_of_a_product_sees_cancellation_in_x_and_in_v():
    x = torch.tensor([[501.0, 501.0], [0.1, 0.2]], dtype=torch.float64)
    v = torch.tensor([[1.0, -1.0], [1.0, -1.0]], dtype=torch.float64)
    noise = hessian_noise(cancelling(), x, v, EUCLIDEAN)
    assert cancelling().hvp(x, v).abs().max() == 0
    assert (noise > 1e-15).all()
    assert (hessian_rounding(cancelling(), x, v, EUCLIDEAN) > 1e-15).all()
    assert hessian_noise(diagonal(1.0, 1.0), 0 * x, 0 * v, EUCLIDEAN).tolist() == [0.0, 0.0]


def test_nan_stays_in_its_row():
    problem = Smooth2(
        lambda x: x.sum(-1), lambda x: x, lambda x, v: torch.where(x > 5, torch.nan, x.abs() * v), start=0.5
    )
    x, y = (
        torch.tensor([[1.0], [9.0]], dtype=torch.float64),
        torch.tensor([[2.0], [3.0]], dtype=torch.float64),
    )
    ratio = HessianLipschitz(1.0).ratio(problem, x, y, y + 1)
    assert ratio[0] == pytest.approx(1.0)
    assert ratio[1].isnan()
    assert HessianLipschitz(1.0).check(problem, x, y, y + 1).verdict != "not refuted"


def test_wrong_input():
    with pytest.raises(ValueError, match=r"L_h must be finite and >= 0, got -1\.0"):
        HessianLipschitz(-1.0)
    with pytest.raises(TypeError, match="norm must be a Norm"):
        HessianLipschitz(1.0, norm=2)  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match="HessianLipschitz needs hvp"):
        HessianLipschitz(1.0).refute(FOURTH_POWER)
    with pytest.raises(ValueError, match="HessianLipschitz speaks of 3 points, got 2"):
        HessianLipschitz(1.0).check(power(3), *[torch.ones(1, dtype=torch.float64)] * 2)


def test_the_specification_and_the_order():
    made = HessianLipschitz(2, norm=Lp(1.0))
    assert parse_specification(repr(made), {"HessianLipschitz": HessianLipschitz, "Lp": Lp}) == made
    assert made.implied_by(HessianLipschitz(1.5, norm=Lp(1.0)))
    assert not made.implied_by(HessianLipschitz(2.5, norm=Lp(1.0)))
