"""Smoothness with a modulus that grows: the moduli, tight scales, rounding where phi is steep."""

import math

import pytest
import torch
from torch import Tensor

from assumptions.l0l1.exponential import ExponentialL0L1
from assumptions.norms import Lp
from assumptions.phi import ConstantPhi, ExponentialPhi, Phi, PowerPhi
from assumptions.phi_smooth import PhiSmooth
from assumptions.smooth import Smooth
from assumptions.specification import parse_specification
from tests.assumptions.l0l1_toys import (
    Smooth2,
    cancelling,
    diagonal,
    exponential,
    hyperbolic,
    log_uniform,
    power,
)
from tests.assumptions.toys import L1 as ABSOLUTE

# |x^3 - y^3| = |x - y| (r^2 + 3 |y| r + 3 y^2) for x beyond y, and |y| = q^(1/3)
QUARTIC = PowerPhi(((1.0, 2.0, 0.0), (3.0, 1.0, 1 / 3), (3.0, 0.0, 2 / 3)))
# the same for t = x_1 + x_2 - 1000: q = sqrt(2) |t|^3, and r counts sqrt(2) r in t
RIDGE = PowerPhi(((4.0, 2.0, 0.0), (6 * 2**0.5 / 2 ** (1 / 6), 1.0, 1 / 3), (6 / 2 ** (1 / 3), 0.0, 2 / 3)))
CASES = {
    "quartic": (power(4), QUARTIC, 1.0),
    "quartic-3d": (power(4, d=3), QUARTIC, 1.0),
    "ridge-cancels": (cancelling(), RIDGE, 1.0),
    "exp": (exponential(1.0), ExponentialPhi(0.0, 1.0), 1.0),
    "cosh": (hyperbolic(0.5), ExponentialPhi(0.25, 0.5), 1.0),
    "cubic": (power(3), PowerPhi(((1.0, 1.0, 0.0), (2.0, 0.0, 0.5))), 1.0),
    "quadratic": (diagonal(2.0, -5.0), ConstantPhi(), 5.0),
}


def row(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize("case", CASES)
def test_tight_scales(case: str):
    problem, phi, scale = CASES[case]
    held = PhiSmooth(phi, scale).refute(problem, budget=4000)
    assert held.verdict == "not refuted"
    assert held.ratio > 0.99
    assert PhiSmooth(phi, 0.97 * scale).refute(problem, budget=4000).verdict == "refuted"


def test_a_modulus_that_does_not_grow_is_refuted():
    assert PhiSmooth(ConstantPhi(), 1000.0).refute(power(4), budget=2000).verdict == "refuted"
    without_distance = PowerPhi(((30.0, 0.0, 2 / 3),))
    assert PhiSmooth(without_distance).refute(power(4), budget=2000).verdict == "refuted"
    assert PhiSmooth(QUARTIC, 100.0).refute(ABSOLUTE, budget=4000).verdict == "refuted"


@pytest.mark.parametrize(("c", "scale"), [(1.0, 1e-6), (1.0, 1e6), (1e-6, 1.0), (1e6, 1.0), (1e-6, 1e6)])
def test_true_scales_at_all_scales(c: float, scale: float):
    """c (x / scale)^4 / 4: q = (c / scale) |u|^3 with u = x / scale."""
    k = c / scale
    phi = PowerPhi(
        (
            (k / scale**3, 2.0, 0.0),
            (3 * k ** (2 / 3) / scale**2, 1.0, 1 / 3),
            (3 * k ** (1 / 3) / scale, 0.0, 2 / 3),
        )
    )
    problem = power(4, c=c, scale=scale)
    assert PhiSmooth(phi).refute(problem, budget=1000).verdict == "not refuted"
    x = torch.tensor([scale], dtype=torch.float64)
    assert PhiSmooth(phi).check(problem, 1.001 * x, x).ratio == pytest.approx(1.0)
    assert PhiSmooth(phi, 0.97).check(problem, 1.001 * x, x).verdict == "refuted"


def test_a_steep_phi_forgives_a_gradient_that_is_noise():
    """Near the minimiser q is 0 or noise, and q^(1/3) turns 1e-27 into 1e-9."""
    x = torch.tensor([[500.0, 500.0 + gap] for gap in (0.0, 1e-13, 1e-12, 1e-9, 1e-6)], dtype=torch.float64)
    for step in (1e-13, 1e-11, 1e-9, 1e-6):
        assert PhiSmooth(RIDGE).check(cancelling(), x + step, x).verdict == "not refuted"
        assert PhiSmooth(RIDGE).check(cancelling(), x, x + step).verdict == "not refuted"


def test_estimates():
    y = log_uniform(1e-2, 1e2, 200)
    x = y + log_uniform(1e-3, 1e2, 200, seed=1)
    assert PhiSmooth.estimate(power(4, c=7.0), x, y, phi=QUARTIC)["phi_scale_seen"] > 1
    assert PhiSmooth.estimate(power(4), x, y, phi=QUARTIC)["phi_scale_seen"] == pytest.approx(1.0, rel=1e-9)
    seen = PhiSmooth.estimate(diagonal(3.0), x, y, phi=ConstantPhi(), norm=Lp(1.0))
    assert seen["phi_scale_seen"] == pytest.approx(3.0)
    assert PhiSmooth.estimate(power(4), x, x, phi=QUARTIC)["phi_scale_seen"] == 0.0
    with pytest.raises(TypeError, match="phi"):
        PhiSmooth.estimate(power(4), x, y)
    with pytest.raises(TypeError, match="colour"):
        PhiSmooth.estimate(power(4), x, y, phi=QUARTIC, colour=1)


def test_it_is_the_exponential_form_and_smoothness():
    y = log_uniform(1e-2, 3.0, 100)
    x = y - log_uniform(1e-2, 3.0, 100, seed=1)
    ours = PhiSmooth(ExponentialPhi(2.0, 0.5)).ratio(hyperbolic(1.0), x, y)
    assert torch.allclose(ours, ExponentialL0L1(2.0, 0.5).ratio(hyperbolic(1.0), x, y), rtol=1e-14, atol=0)
    ours = PhiSmooth(ConstantPhi(), 4.0).ratio(hyperbolic(1.0), x, y)
    assert torch.allclose(ours, Smooth(4.0).ratio(hyperbolic(1.0), x, y), rtol=1e-14, atol=0)


@pytest.mark.parametrize(
    "phi", [ConstantPhi(), ExponentialPhi(0.5, 2.0), ExponentialPhi(3.0, 0.0), QUARTIC], ids=repr
)
def test_moduli_grow(phi: Phi):
    generator = torch.Generator().manual_seed(0)
    r, q = 10 ** (3 * torch.randn(2, 500, dtype=torch.float64, generator=generator))
    more = 1 + torch.rand(2, 500, dtype=torch.float64, generator=generator)
    assert (phi(r * more[0], q * more[1]) >= phi(r, q)).all()
    assert phi(r, q).shape == (500,)
    assert parse_specification(repr(phi), {type(phi).__name__: type(phi)}) == phi


def test_moduli_by_hand():
    r, q = row(0.0, 2.0, 1.0), row(1.0, 0.0, 8.0)
    assert QUARTIC(r, q).tolist() == pytest.approx([3.0, 4.0, 19.0])
    assert ExponentialPhi(1.0, 2.0)(r, q).tolist() == pytest.approx(
        [3.0, math.expm1(4.0) / 4, 17 * math.expm1(2.0) / 2]
    )
    assert ConstantPhi()(r, row(1.0, math.nan, math.inf)).isnan().tolist() == [False, True, False]
    assert ExponentialPhi(0.0, 1.0)(row(1e4), row(0.0)).tolist() == [0.0]
    assert ExponentialPhi(2.0, 0.0)(row(1.0), row(math.inf)).tolist() == [2.0]
    assert PowerPhi(((0.0, 1.0, 1.0),))(r, q).tolist() == [0.0, 0.0, 0.0]


def test_nan_stays_in_its_row():
    problem = Smooth2(
        lambda x: x.square().sum(-1) / 2, lambda x: torch.where(x > 5, torch.nan, x), lambda _, v: v
    )
    x, y = (
        torch.tensor([[1.0], [9.0]], dtype=torch.float64),
        torch.tensor([[2.0], [3.0]], dtype=torch.float64),
    )
    ratio = PhiSmooth(ConstantPhi()).ratio(problem, x, y)
    assert ratio[0] == pytest.approx(1.0)
    assert ratio[1].isnan()
    assert PhiSmooth(ConstantPhi()).check(problem, x, y).verdict != "not refuted"


def test_wrong_input():
    with pytest.raises(TypeError, match="phi must be a Phi such as ConstantPhi"):
        PhiSmooth(3.0)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match=r"phi_scale must be finite and > 0, got 0\.0"):
        PhiSmooth(ConstantPhi(), 0.0)
    with pytest.raises(ValueError, match="b must be finite and >= 0, got -1"):
        ExponentialPhi(1.0, -1.0)
    with pytest.raises(ValueError, match="terms must be a non-empty tuple"):
        PowerPhi(())
    with pytest.raises(ValueError, match="terms must hold triples"):
        PowerPhi(((1.0, 2.0),))  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match=r"j must be finite and >= 0, got -0\.5"):
        PowerPhi(((1.0, 2.0, -0.5),))


def test_the_specification_and_the_order():
    made = PhiSmooth(QUARTIC, 2, norm=Lp(1.0))
    known = {"PhiSmooth": PhiSmooth, "PowerPhi": PowerPhi, "Lp": Lp}
    assert parse_specification(repr(made), known) == made
    assert made.implied_by(PhiSmooth(QUARTIC, 1.5, norm=Lp(1.0)))
    assert not made.implied_by(PhiSmooth(QUARTIC, 2.5, norm=Lp(1.0)))
    assert not made.implied_by(PhiSmooth(ConstantPhi(), 1.5, norm=Lp(1.0)))
