"""The five forms of (L0, L1)-smoothness: what samples say, trajectories, specifications, wrong input."""

import math

import pytest
import torch

from assumptions.l0l1.exponential import ExponentialL0L1
from assumptions.l0l1.form import L0L1Form, product, rate, relative_growth
from assumptions.l0l1.hessian import HessianL0L1
from assumptions.l0l1.literal import LiteralL0L1
from assumptions.l0l1.local import LocalL0L1
from assumptions.l0l1.segment import SegmentL0L1
from assumptions.norms import Lp
from assumptions.specification import parse_specification
from tests.assumptions.l0l1_toys import diagonal, exponential, hyperbolic, log_uniform, power
from tests.assumptions.toys import L1 as ABSOLUTE

FORMS: tuple[type[L0L1Form], ...] = (HessianL0L1, SegmentL0L1, LocalL0L1, LiteralL0L1, ExponentialL0L1)
EQUIVALENT: tuple[type[L0L1Form], ...] = (HessianL0L1, SegmentL0L1, ExponentialL0L1)


def names(form: type[L0L1Form]) -> str:
    return form.__name__


@pytest.mark.parametrize("form", EQUIVALENT, ids=names)
def test_the_front_of_the_quartic_touches_its_constants(form: type[L0L1Form]):
    x = log_uniform(0.05, 50.0, 2000)
    front = form.front(power(4), x, x * (1 + 1e-4))
    for L1 in (0.5, 1.0, 2.0, 4.0):
        assert front.L0_at(L1) == pytest.approx(4 / L1**2, rel=0.01)
    assert front.pick("L0=0")[1] > 40


def test_the_local_front_is_its_definition():
    x = log_uniform(0.05, 50.0, 400)
    y = x + log_uniform(1e-2, 1e2, 400, seed=1)
    front = LocalL0L1.front(power(4), x, y)
    q, s, r = (x**3).squeeze(-1), ((y**3 - x**3) / (y - x)).squeeze(-1), (y - x).squeeze(-1)
    for L1 in [0.01, 0.1, 0.3, 1.0, 5.0, 20.0]:
        assert front.L0_at(L1) == pytest.approx(max(float((s - L1 * q)[r <= 1 / L1].max()), 0.0), rel=1e-9)
    assert front.L0_at(0.0) == pytest.approx(float(s.max()))


@pytest.mark.parametrize("form", FORMS, ids=names)
@pytest.mark.parametrize("rule", ["mean", "L1=0"])
def test_a_pair_on_the_front_is_not_refuted_by_its_points(form: type[L0L1Form], rule: str):
    x = log_uniform(0.1, 3.0, 200)
    y = x + log_uniform(1e-2, 2.0, 200, seed=1)
    for problem in (power(4), hyperbolic(1.0)):
        seen = form.estimate(problem, x, y, rule=rule)
        fitted = [seen[f"{name}_seen"] for name in form.constants()]
        assert form(*fitted).check(problem, x, y).verdict == "not refuted"
        if rule == "L1=0":
            assert form(0.99 * fitted[0], 0.0).check(problem, x, y).verdict == "refuted"
        assert (fitted[0], fitted[1]) in seen["front"]
        assert 0 <= seen["outside"] < 0.1


@pytest.mark.parametrize("form", FORMS, ids=names)
def test_estimates_are_below_the_constants(form: type[L0L1Form]):
    x = log_uniform(1e-3, 20.0, 300)
    seen = form.estimate(diagonal(2.0), x, -0.3 * x)
    L0, L1 = form.constants()
    assert seen[f"{L0}_seen"] == pytest.approx(2.0)
    assert seen[f"{L1}_seen"] == 0.0
    assert seen["rule"] == "mean"
    assert seen["outside"] == 0.0
    assert form.estimate(diagonal(2.0), x, x)[f"{L0}_seen"] == 0.0


def test_the_tail_is_fitted_by_L1_alone():
    x = log_uniform(1.0, 30.0, 300)
    seen = HessianL0L1.estimate(exponential(1.0), x, x + 1, rule="L0=0")
    assert seen["L1_hessian_seen"] == pytest.approx(1.0)
    assert seen["L0_hessian_seen"] == 0.0
    assert ExponentialL0L1.estimate(exponential(1.0), x + 1, x, rule="L0=0")["L1_exp_seen"] == pytest.approx(
        1.0
    )


def test_points_outside_show_in_the_held_out_share():
    """The odd samples lie where the curvature is twice that of the even ones."""
    x = torch.tensor([[1.0], [2.0]], dtype=torch.float64).repeat(10, 1)
    seen = HessianL0L1.estimate(power(4), x, x + 1, rule="L1=0")
    assert seen["L0_hessian_seen"] == pytest.approx(12.0)
    assert seen["outside"] == 1.0


@pytest.mark.parametrize("form", FORMS, ids=names)
def test_along_reads_consecutive_points(form: type[L0L1Form]):
    path = torch.tensor([[[2.0], [2.1], [2.3]], [[1.0], [1.5], [1.6]]], dtype=torch.float64)
    ratio = form(4.0, 1.0).along(power(4), path)
    assert ratio.shape == (2, 2)
    assert ratio[1, 0] == pytest.approx(float(form(4.0, 1.0).ratio(power(4), path[1, 0], path[1, 1])))


@pytest.mark.parametrize("form", FORMS, ids=names)
def test_the_specification_makes_the_form_again(form: type[L0L1Form]):
    made = form(1, 0.25, norm=Lp(1.0))
    known = {form.__name__: form, "Lp": Lp}
    assert parse_specification(repr(made), known) == made
    assert made.implied_by(form(0.5, 0.25, norm=Lp(1.0)))
    assert not made.implied_by(form(0.5, 0.26, norm=Lp(1.0)))
    assert not made.implied_by(form(0.5, 0.25))


@pytest.mark.parametrize("form", FORMS, ids=names)
def test_wrong_input(form: type[L0L1Form]):
    L0, L1 = form.constants()
    with pytest.raises(ValueError, match=f"{L0} must be finite and >= 0, got -1"):
        form(-1.0, 1.0)
    with pytest.raises(ValueError, match=f"{L1} must be finite and >= 0, got nan"):
        form(1.0, math.nan)
    with pytest.raises(TypeError, match="norm must be a Norm"):
        form(1.0, 1.0, norm=2)  # pyright: ignore
    x = log_uniform(1.0, 2.0, 4)
    with pytest.raises(TypeError, match="the only option is norm, got colour"):
        form.estimate(power(4), x, x + 1, colour=1)
    with pytest.raises(ValueError, match="rule must be one of mean, L1=0, L0=0, got 'best'"):
        form.estimate(power(4), x, x + 1, rule="best")


def test_the_hessian_form_says_what_it_lacks():
    x = torch.ones(2, 3, dtype=torch.float64)
    lacking = r"HessianL0L1 needs hvp, .*; SegmentL0L1, with the same constants"
    for call in (HessianL0L1(1.0, 1.0).check, HessianL0L1.front, HessianL0L1.estimate):
        with pytest.raises(TypeError, match=lacking):
            call(ABSOLUTE, x, x + 1)
    with pytest.raises(TypeError, match=lacking):
        HessianL0L1(1.0, 1.0).refute(ABSOLUTE)
    assert SegmentL0L1(1.0, 1.0).refute(ABSOLUTE, budget=500).verdict == "refuted"


def test_growth_and_rate():
    u = torch.tensor([0.0, 1e-300, 1e-8, 1.0, 800.0], dtype=torch.float64)
    assert relative_growth(u).tolist() == pytest.approx([1.0, 1.0, 1.0, math.e - 1, math.inf], rel=1e-7)
    assert rate((2.0, 0.0), torch.tensor([math.inf])).tolist() == [2.0]
    assert rate((2.0, 3.0), torch.tensor([1.0])).tolist() == [5.0]
    x, y = torch.zeros(1, dtype=torch.float64), torch.full((1,), 800.0, dtype=torch.float64)
    infinite = torch.tensor([math.inf], dtype=torch.float64)
    assert product(x, infinite) == 0
    # a gradient of 0 may have underflowed: so far away it says nothing, nearer it is as good as 0
    zero_rate = ExponentialL0L1(0.0, 1.0)
    assert zero_rate.sides(power(4), y, x).rhs == math.inf
    assert zero_rate.sides(power(4), y / 80, x).rhs < 1e-300
    assert zero_rate.check(power(4), y / 80, x).verdict == "refuted"
