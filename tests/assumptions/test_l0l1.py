"""The five forms of (L0, L1)-smoothness: true and tight constants, false ones, rounding."""

import math

import pytest
import torch
from torch import Tensor

from assumptions.l0l1.exponential import ExponentialL0L1
from assumptions.l0l1.form import L0L1Form
from assumptions.l0l1.hessian import HessianL0L1
from assumptions.l0l1.literal import LiteralL0L1
from assumptions.l0l1.local import LocalL0L1
from assumptions.l0l1.segment import SegmentL0L1
from assumptions.norms import Lp
from assumptions.region import Ball
from tests.assumptions.l0l1_toys import (
    Smooth2,
    cancelling,
    diagonal,
    exponential,
    hyperbolic,
    log_uniform,
    logistic,
    power,
)
from tests.assumptions.toys import NAN_GRADIENT

BUDGET = 2500
FORMS: tuple[type[L0L1Form], ...] = (HessianL0L1, SegmentL0L1, LocalL0L1, LiteralL0L1, ExponentialL0L1)
EQUIVALENT: tuple[type[L0L1Form], ...] = (HessianL0L1, SegmentL0L1, ExponentialL0L1)
# power p: (((p - 2) / L1)^(p - 2), L1) for every L1 > 0
TABLE = {
    "cubic": (power(3), (0.5, 2.0)),
    "cubic-steep": (power(3), (2.0, 0.5)),
    "quartic": (power(4), (4.0, 1.0)),
    "quartic-3d": (power(4, d=3), (1.0, 2.0)),
    "sixth": (power(6), ((4 / 3) ** 4, 3.0)),
    "fractional": (power(2.5), (0.5**0.5, 1.0)),
    "cosh": (hyperbolic(1.0), (1.0, 1.0)),
    "exp": (exponential(0.6, -0.8), (0.0, 1.0)),
    "logistic": (logistic(2.0), (0.0, 2.0)),
    "quadratic": (diagonal(1.0, -3.0, 0.5), (3.0, 0.0)),
}
TAILS = {"exp": (exponential(1.0), 0.0), "cosh": (hyperbolic(1.0), 1.0), "logistic": (logistic(1.0), 0.0)}


def names(form: type[L0L1Form]) -> str:
    return form.__name__


@pytest.mark.parametrize("form", EQUIVALENT, ids=names)
@pytest.mark.parametrize("case", TABLE)
def test_the_constants_of_the_table_hold_and_are_tight(form: type[L0L1Form], case: str):
    problem, (L0, L1) = TABLE[case]
    held = form(L0, L1).refute(problem, budget=BUDGET)
    assert held.verdict == "not refuted"
    assert held.ratio > 0.98
    if L0 > 0:
        assert form(0.97 * L0, L1).refute(problem, budget=BUDGET).verdict == "refuted"
    if L1 > 0:
        assert form(L0, 0.97 * L1).refute(problem, budget=BUDGET).verdict == "refuted"


@pytest.mark.parametrize("case", TAILS)
def test_the_local_form_needs_the_factor_1_over_ln_2(case: str):
    problem, l0 = TAILS[case]
    found = LocalL0L1(l0, 1.0).refute(problem, budget=8000)
    assert found.verdict == "refuted"
    assert found.ratio == pytest.approx(math.e - 1, rel=1e-3)
    assert LocalL0L1(l0 / math.log(2), 1 / math.log(2)).refute(problem, budget=8000).verdict == "not refuted"
    shorter = LocalL0L1(0.97 * l0 / math.log(2), 0.97 / math.log(2)).refute(problem, budget=8000)
    assert shorter.ratio == pytest.approx(1.0433, rel=1e-3)


def test_the_literal_form_excludes_the_quartic():
    quartic = power(4)
    found = LiteralL0L1(4.0, 1.0).refute(quartic, budget=BUDGET)
    assert found.verdict == "refuted"
    assert found.ratio > 9
    x, y = torch.tensor([0.0], dtype=torch.float64), torch.tensor([6.0], dtype=torch.float64)
    assert LiteralL0L1(4.0, 1.0).check(quartic, x, y).ratio == pytest.approx(216 / 24)


@pytest.mark.parametrize(("case", "step"), [("exp", (-10.0, 10.0)), ("logistic", (10.0, -10.0))])
def test_the_literal_form_excludes_long_steps(case: str, step: tuple[float, float]):
    problem, _ = TAILS[case]
    assert LiteralL0L1(0.0, 1.0).refute(problem, budget=BUDGET).ratio > 100
    assert LiteralL0L1(0.0, 1.0).check(problem, *pair(*step)).verdict == "refuted"


def test_the_literal_form_holds_for_quadratics():
    problem, (L0, _) = TABLE["quadratic"]
    assert LiteralL0L1(L0, 0.0).refute(problem, budget=BUDGET).verdict == "not refuted"
    assert LiteralL0L1(0.97 * L0, 0.0).refute(problem, budget=BUDGET).verdict == "refuted"


def pair(x: float, y: float) -> tuple[Tensor, Tensor]:
    return torch.tensor([x], dtype=torch.float64), torch.tensor([y], dtype=torch.float64)


@pytest.mark.parametrize("form", FORMS, ids=names)
def test_nan_is_seen(form: type[L0L1Form]):
    x = torch.tensor([[0.1, 0.2, 0.3], [0.8, 0.2, 0.1]], dtype=torch.float64)
    problem = Smooth2(
        NAN_GRADIENT.value, NAN_GRADIENT.grad, lambda x, v: torch.where(x > 0.7, torch.nan, 2 * v), d=3
    )
    assert form(2.0, 0.0).check(problem, x, x + 0.01).verdict != "not refuted"
    assert form(2.0, 0.0).check(problem, x[:1], x[:1] + 0.01).verdict == "not refuted"
    assert math.isnan(form.estimate(problem, x, x + 0.01)[f"{form.constants()[0]}_seen"])
    ratio = form(2.0, 0.0).ratio(problem, x, x + 0.01)
    assert ratio[0] == pytest.approx(1.0)
    assert ratio[1].isnan()


@pytest.mark.parametrize("form", FORMS, ids=names)
@pytest.mark.parametrize(("c", "scale"), [(1.0, 1e-6), (1.0, 1e6), (1e-6, 1.0), (1e6, 1.0), (1e6, 1e-6)])
def test_true_constants_at_all_scales(form: type[L0L1Form], c: float, scale: float):
    """(4 c / scale^2, 1 / scale) for c (x / scale)^4 / 4; the tight pair is at x = 2 scale."""
    problem, L0, L1 = power(4, c=c, scale=scale), 4 * c / scale**2, 1 / scale
    if form is LiteralL0L1:
        problem, L0, L1 = diagonal(c), c, 0.0
    if form is LocalL0L1:
        L0, L1 = L0 / math.log(2), L1 / math.log(2)
    assert form(L0, L1).refute(problem, budget=600).verdict == "not refuted"
    x = torch.tensor([2.0 * scale], dtype=torch.float64)
    if form in EQUIVALENT:
        assert form(L0, L1).check(problem, x, x * (1 + 1e-6)).verdict == "not refuted"
        assert form(0.97 * L0, L1).check(problem, x, x * (1 + 1e-6)).verdict == "refuted"


@pytest.mark.parametrize("form", EQUIVALENT, ids=names)
@pytest.mark.parametrize("c", [1e-6, 1.0, 1e6])
def test_cancellation_refutes_nothing(form: type[L0L1Form], c: float):
    L1 = math.sqrt(2)
    assert form(8 * c, L1).refute(cancelling(c), budget=BUDGET).verdict == "not refuted"
    x = torch.tensor([[500.0, 500.0 + gap] for gap in (0.0, 1e-12, 1e-9, 1e-6, 1e-3)], dtype=torch.float64)
    for step in (1e-13, 1e-10, 1e-7, 1e-4):
        assert form(8 * c, L1).check(cancelling(c), x, x + step).verdict == "not refuted"
    at_two = torch.tensor([501.0, 501.0], dtype=torch.float64)
    assert form(0.97 * 8 * c, L1).check(cancelling(c), at_two, at_two + 1e-5).verdict == "refuted"


def test_the_segment_form_sees_what_the_ends_hide():
    """cosh on [-a, a]: M is at the ends; on halves the ratio is near that of the true supremum."""
    x = log_uniform(1e-2, 1.0, 50)
    problem, form = hyperbolic(1.0), SegmentL0L1(1.0, 1.0)
    lhs, rhs, _ = form.sides(problem, x, -x / 2)
    true = (1 + x.sinh()) * 1.5 * x
    assert (lhs <= rhs).all()
    assert (rhs >= true.squeeze(-1)).all()
    assert (rhs <= 1.05 * true.squeeze(-1)).all()


def test_the_segment_form_survives_peaks_between_nodes():
    """sin(400 s) / 400: the gradient cos(400 s) peaks between the nodes; f'' = -400 sin, so (400, 0)."""
    wave = Smooth2(
        lambda x: (400 * x).sin().sum(-1) / 400,
        lambda x: (400 * x).cos(),
        lambda x, v: -400 * (400 * x).sin() * v,
    )
    assert SegmentL0L1(400.0, 0.0).refute(wave, budget=BUDGET).verdict == "not refuted"
    assert SegmentL0L1(400.0, 7.0).refute(wave, budget=BUDGET).verdict == "not refuted"
    assert SegmentL0L1(0.97 * 400.0, 7.0).refute(wave, budget=BUDGET).verdict == "refuted"


def test_the_local_form_speaks_of_near_pairs_alone():
    form = LocalL0L1(0.0, 2.0)
    x = torch.tensor([[0.0], [0.0], [0.0]], dtype=torch.float64)
    y = torch.tensor([[0.5], [0.5000001], [3.0]], dtype=torch.float64)
    lhs, rhs, _ = form.sides(exponential(1.0), x, y)
    assert lhs[0] == pytest.approx(math.expm1(0.5))
    assert rhs[0] == pytest.approx(1.0)
    assert lhs[1:].tolist() == rhs[1:].tolist() == [0.0, 0.0]
    moved = form.admissible(exponential(1.0), x, y)
    assert (moved[1] <= 0.5).all()
    assert moved[1].squeeze(-1).tolist() == pytest.approx([0.5, 0.5, 0.5])
    assert LocalL0L1(1.0, 0.0).admissible(exponential(1.0), x, y)[1] is y
    assert LocalL0L1(1.0, 0.0).radius == math.inf


def test_other_norms():
    """f = x_1 x_2 with the l1 norm: |H v|_inf = max |v_j| <= |v|_1."""
    cross = Smooth2(
        lambda x: x[..., 0] * x[..., 1], lambda x: x.flip(-1), lambda _, v: v.flip(-1), d=2, start=0.3
    )
    for form in FORMS:
        assert form(1.0, 0.0, norm=Lp(1.0)).refute(cross, budget=500).verdict == "not refuted"
        assert form(0.97, 0.0, norm=Lp(1.0)).refute(cross, budget=500).verdict == "refuted"
        assert form(1.0, 0.0, norm=Lp(math.inf)).refute(cross, budget=500).verdict == "refuted"
        assert form(2.0, 0.0, norm=Lp(math.inf)).refute(cross, budget=500).verdict == "not refuted"


@pytest.mark.parametrize("form", FORMS, ids=names)
def test_zero_constants_mean_affine(form: type[L0L1Form]):
    affine = Smooth2(lambda x: 3 * x.sum(-1), lambda x: 0 * x + 3, lambda _, v: 0 * v, d=2)
    assert form(0.0, 0.0).refute(affine, budget=500).verdict == "not refuted"
    assert form(0.0, 0.0).refute(diagonal(1e-6, 1e-6), budget=500).verdict == "refuted"


@pytest.mark.parametrize("form", FORMS, ids=names)
def test_overflow_is_undefined_and_a_region_keeps_it_out(form: type[L0L1Form]):
    steep = exponential(30.0, -40.0)
    L1 = 50 / math.log(2) if form is LocalL0L1 else 50.0
    if form is not LiteralL0L1:
        ball = Ball((0.7, 0.7), 2.0)
        assert form(0.0, L1).refute(steep, budget=BUDGET, region=ball).verdict == "not refuted"
    far = torch.tensor([100.0, 0.0], dtype=torch.float64)
    assert form(0.0, L1).check(steep, far, far - 0.001).verdict == "undefined"
