"""Muon with extrapolation: its steps by hand, no lag on quadratics, a lag of second order elsewhere."""

import math
from itertools import pairwise
from types import SimpleNamespace

import pytest
import torch

from problems import LayerSum, LinkMatrix, Noisy, SpectralQuadratic
from problems.noise.sign import SignNoise
from workbench import run
from workbench.methods.gluon import Gluon
from workbench.methods.trust_region_muon import TrustRegionMuon
from workbench.theorems.trust_region_muon import LAG, STOCHASTIC, THEOREMS
from workbench.verify import Budget, judge_unit
from workbench.verify.plan import Unit

NOTHING = SimpleNamespace()
PAIR = LayerSum(
    (SpectralQuadratic(((2.0, 0.5), (0.5, 1.0)), 3), SpectralQuadratic(((3.0, 0.0), (0.0, 1.0)), 2))
)
LINE = SpectralQuadratic(((1.0,),), 1, start=(1.0,))
WAVES = LayerSum((LinkMatrix("cosine", 2, 2, (1.0, 2.0)), LinkMatrix("log-cosh", 2, 3, (3.0, 1.0))))


def states(method, problem, steps):
    found = [method.init(problem, problem.x0, NOTHING)]
    for _ in range(steps):
        found.append(method.step(problem, found[-1], NOTHING))
    return found


def test_two_steps_on_a_line():
    """beta = 1/2: y = 2 x_next - x = 0.8, M = (1 + 0.8) / 2, the gradient at x_1 = 0.9."""
    _, one, two = states(TrustRegionMuon(0.1, beta=0.5), LINE, 2)
    assert (one.x.item(), one.y.item(), one.m.item()) == pytest.approx((0.9, 0.8, 1.0))
    assert (two.x.item(), two.y.item(), two.m.item()) == pytest.approx((0.8, 0.7, 0.9))


def test_without_momentum_it_is_gluon():
    one = run(TrustRegionMuon(0.1, beta=0.0), PAIR, steps=20, keep_state=True).x
    two = run(Gluon(0.1, beta=0.0), PAIR, steps=20, keep_state=True).x
    torch.testing.assert_close(one, two, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 0.99])
def test_on_a_quadratic_the_momentum_is_the_gradient(beta):
    found = states(TrustRegionMuon(0.05, beta=beta), PAIR, 30)
    for old, new in pairwise(found):
        torch.testing.assert_close(new.m, PAIR.grad(old.x), rtol=1e-11, atol=1e-11)
    plain = states(Gluon(0.05, beta=0.9), PAIR, 30)
    assert (plain[-1].m - PAIR.grad(plain[-2].x)).norm() > 0.1


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_no_lag_beyond_its_resolution_at_all_scales(scale):
    problem = SpectralQuadratic(((2.0 * scale, 0.5 * scale), (0.5 * scale, scale)), 3)
    for size in (1e-9, 1e-3, 1e3):
        t = run(TrustRegionMuon(size, beta=0.9), problem, steps=200, record=("lag_i",))
        assert (t["lag_i"] <= t.resolutions["lag_i"]).all()
        assert (t.resolutions["lag_i"] < 1e-9 * scale * max(1.0, size) * 30).all()


def test_the_lag_is_of_second_order_in_the_radius():
    """Halving the radius quarters the bound; a plain momentum lags in proportion."""
    problem = LinkMatrix("cosine", 1, 1, (1.0,), seed=None, start=(1.5,))
    steep = LinkMatrix("cosine", 1, 1, (1.0,), seed=None, start=(3.1,))
    lags, plain = [], []
    for radius in (0.02, 0.01, 0.005):
        t = run(TrustRegionMuon(radius, beta=0.9), problem, steps=40, record=("lag_i",))
        bound = 0.9 * radius**2 / (2 * 0.1**2)
        assert (t["lag_i"] <= bound + t.resolutions["lag_i"]).all()
        lags.append(float(t["lag_i"].max()))
        last = states(Gluon(radius, beta=0.9), steep, 41)
        plain.append(max(abs(b.m - a.x.sin()).item() for a, b in pairwise(last)))
    assert lags[0] / lags[1] == pytest.approx(4, rel=0.25)
    assert lags[1] / lags[2] == pytest.approx(4, rel=0.25)
    assert plain[0] / plain[1] == pytest.approx(2, rel=0.25)
    assert lags[0] == pytest.approx(0.9 * 0.02**2 / (2 * 0.1**2), rel=0.35)


def test_the_lag_of_each_layer_is_below_its_bound():
    """cosine: L_h = 1 + 2 in the spectral norm; log cosh: (3 + 1) 4 / (3 sqrt 3)."""
    L_h = torch.tensor([3.0, 16 / (3 * math.sqrt(3))], dtype=torch.float64)
    radii = torch.tensor([[0.03, 0.01]], dtype=torch.float64)
    t = run(TrustRegionMuon(radii, beta=0.8), WAVES, steps=60, record=("lag_i",))
    bound = 0.8 * L_h * radii[0] ** 2 / (2 * 0.2**2)
    assert (t["lag_i"] <= bound).all()
    assert (t["lag_i"].amax((0, 1)) > 0.2 * bound).all()


def test_a_batch_equals_its_rows_and_nan_stays_in_its_row():
    x = torch.randn(3, PAIR.d, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    x[2, 0] = torch.nan
    method = TrustRegionMuon(torch.tensor([[0.1, 0.2]], dtype=torch.float64).expand(3, 2), beta=0.7)
    both = method.init(PAIR, x, NOTHING)
    for _ in range(3):
        both = method.step(PAIR, both, NOTHING)
    assert both.x.isfinite().all(-1).tolist() == [True, True, False]
    one = TrustRegionMuon(torch.tensor([0.1, 0.2], dtype=torch.float64), beta=0.7)
    alone = one.init(PAIR, x[1], NOTHING)
    for _ in range(3):
        alone = one.step(PAIR, alone, NOTHING)
    torch.testing.assert_close(both.x[1], alone.x, rtol=1e-12, atol=1e-13)
    torch.testing.assert_close(both.y[1], alone.y, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"radius_i": 0.0}, "radius_i must be finite and > 0"),
        ({"beta": 1.0}, r"beta must be in \[0, 1\)"),
        ({"minibatch": True}, "minibatch must be an integer >= 1"),
    ],
)
def test_wrong_numbers(change, said):
    with pytest.raises(ValueError, match=said):
        TrustRegionMuon(**{"radius_i": 0.1, **change})


def test_radii_must_fit_the_layers():
    with pytest.raises(
        ValueError, match="radius_i must have one entry, or one for each of the 2 layers, got 3"
    ):
        run(TrustRegionMuon(torch.ones(1, 3, dtype=torch.float64)), PAIR, steps=1)


def test_with_noise_the_bound_holds_on_the_whole_tree():
    problem = Noisy(LinkMatrix("cosine", 1, 1, (1.0,), seed=None, start=(1.5,)), SignNoise(0.3))
    records = judge_unit(Unit(STOCHASTIC, problem, Budget("tree", 8, 1), 0, ""))
    assert records
    assert all(r.verdict == "not refuted" and 0 < r.tightness < 1 for r in records)
    assert max(r.tightness for r in records) > 0.4


def test_theorems_say_where_they_come_from():
    assert [t.id for t in THEOREMS] == [
        "trust-region-muon/affine",
        "trust-region-muon/lag",
        "trust-region-muon/stochastic",
    ]
    assert LAG in THEOREMS
    assert all(t.source.status == "DERIVED" and t.mutants and t.proof for t in THEOREMS)
