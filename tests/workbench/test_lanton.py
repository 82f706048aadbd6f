"""LANTON: which layers get shorter steps, what it sees of noise, and its bound."""

from types import SimpleNamespace

import pytest
import torch

from assumptions.column_norms import MaxColumn
from problems import GaussianNoise, LayerSum, Noisy, SpectralQuadratic
from problems.noise.sign import SignNoise
from problems.noise.skewed import SkewedNoise
from workbench import run
from workbench.methods.gluon import Gluon
from workbench.methods.lanton import LANTON
from workbench.theorems.lanton import ANY_RADII
from workbench.verify import Budget, judge_unit
from workbench.verify.plan import Unit

NOTHING = SimpleNamespace()
PAIR = LayerSum(
    (SpectralQuadratic(((1.0, 0.0), (0.0, 1.0)), 2), SpectralQuadratic(((1.0, 0.0), (0.0, 1.0)), 2))
)
MIXED = LayerSum(
    (PAIR.problems[0], PAIR.problems[1], SpectralQuadratic(((2.0, 0.0), (0.0, 1.0)), 2, norm=MaxColumn(2, 2)))
)
ONE_SIDED = SkewedNoise(2.0, direction=(0.0,) * 4 + (1.0,) + (0.0,) * 7)
"""In the first entry of the second layer of MIXED."""


@pytest.mark.parametrize("difference", ["previous", "fresh"])
def test_the_layer_with_noise_takes_shorter_steps_than_its_group(difference):
    method = LANTON(0.02, noise_scale=1.0, difference=difference)
    t = run(method, Noisy(MIXED, ONE_SIDED), replicates=3, steps=40, record=("used_i", "seen_i"))
    used = t["used_i"][:, 20:].mean((0, 1))
    assert (t["used_i"][:, 1:] > 0).all()
    assert (t["used_i"] <= 0.02 * (1 + 1e-15)).all()
    assert used[0] == pytest.approx(0.02, rel=1e-12)
    assert 0.005 < used[1] < 0.015
    assert used[2] == pytest.approx(0.02, rel=1e-12)  # alone with its norm
    assert (t["seen_i"][:, 20:, 1] > t["seen_i"][:, 20:, 0]).all()


def test_the_share_by_hand():
    """Fresh samples, beta_h = 0: H = |G - G'|_*^2, a = 1 / sqrt(1 + H), t = radius sqrt(a_i / max a_j)."""
    problem = Noisy(MIXED, ONE_SIDED)
    t = run(
        LANTON(0.1, beta_h=0.0, difference="fresh"),
        problem,
        replicates=20,
        steps=1,
        record=("used_i", "seen_i"),
    )
    h = t["seen_i"][:, 1]
    assert set(h[:, 1].round(decimals=9).tolist()) == {0.0, 64.0}  # 6 - (-2) = 8
    assert (h[:, [0, 2]] == 0).all()
    expected = 0.1 * (1 + h[:, 1]) ** -0.25
    torch.testing.assert_close(t["used_i"][:, 1, 1], expected, rtol=1e-12, atol=0)


def test_fresh_differences_see_twice_the_variance():
    """Spectral norm of one row: the dual norm is the length, E |G - G'|^2 = 2 sigma^2."""
    problem = Noisy(SpectralQuadratic(((1.0,),), 3), GaussianNoise(0.7))
    t = run(
        LANTON(0.1, beta_h=0.0, difference="fresh"), problem, replicates=4000, steps=1, record=("seen_i",)
    )
    assert float(t["seen_i"][:, 1, 0].mean()) == pytest.approx(2 * 0.7**2, rel=0.06)


def test_without_noise_previous_sees_the_change_of_the_gradient():
    problem = SpectralQuadratic(((1.0, 0.0), (0.0, 1.0)), 2, start=(2.0, 0.0, 0.0, 2.0))
    t = run(LANTON(0.5, beta=0.0, beta_h=0.0), problem, steps=2, record=("seen_i",))
    assert t["seen_i"][0, :, 0].tolist() == pytest.approx([0.0, 0.0, 1.0])  # (0.5 + 0.5)^2
    fresh = run(LANTON(0.5, beta=0.0, difference="fresh"), problem, steps=2, record=("seen_i",))
    assert fresh["seen_i"].tolist() == [[[0.0], [0.0], [0.0]]]


def test_a_single_layer_is_gluon():
    problem = Noisy(SpectralQuadratic(((2.0, 0.3), (0.3, 1.0)), 3), SignNoise(0.5))
    one = run(LANTON(0.1, beta=0.7), problem, replicates=3, steps=20, keep_state=True).x
    two = run(Gluon(0.1, beta=0.7), problem, replicates=3, steps=20, keep_state=True).x
    torch.testing.assert_close(one, two, rtol=1e-12, atol=1e-13)


def test_cost_counts_both_samples():
    for difference, calls in (("previous", 1), ("fresh", 2)):
        t = run(LANTON(0.1, difference=difference), MIXED, steps=1, record=("grad_calls", "lmo_calls"))
        assert (t["grad_calls"][0, 1], t["lmo_calls"][0, 1]) == (calls, 3)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"radius_i": -1.0}, "radius_i must be finite and > 0"),
        ({"noise_scale": 0.0}, "noise_scale must be finite and > 0"),
        ({"beta": 1.0}, r"beta must be in \[0, 1\)"),
        ({"beta_h": -0.5}, r"beta must be in \[0, 1\)"),
        ({"difference": "none"}, "difference must be one of previous, fresh, got 'none'"),
        ({"minibatch": 1.5}, "minibatch must be an integer >= 1"),
    ],
)
def test_wrong_arguments(change, said):
    with pytest.raises(ValueError, match=said):
        LANTON(**{"radius_i": 0.1, **change})


def test_radii_must_fit_the_layers():
    with pytest.raises(
        ValueError, match="radius_i must have one entry, or one for each of the 3 layers, got 2"
    ):
        run(LANTON(torch.tensor([[0.1, 0.2]], dtype=torch.float64)), MIXED, steps=1)
    radii = torch.tensor([[0.1, 0.2, 0.3]], dtype=torch.float64)
    used = run(LANTON(radii), MIXED, steps=1, record=("used_i",))["used_i"][0, 1]
    assert used.tolist() == pytest.approx([0.1, 0.2, 0.3])


def test_nan_stays_in_its_row():
    x, method = MIXED.x0.repeat(2, 1), LANTON(0.1)
    x[0, 0] = torch.nan
    state = method.init(MIXED, x, NOTHING)
    for _ in range(3):
        state = method.step(MIXED, state, NOTHING)
    assert state.x.isfinite().all(-1).tolist() == [False, True]


def test_the_bound_holds_for_radii_that_depend_on_the_noise():
    """Two-point noise in one of two layers, all runs of 5 steps."""
    problem = Noisy(
        LayerSum((SpectralQuadratic(((1.0,),), 1), SpectralQuadratic(((3.0,),), 1))),
        SkewedNoise(0.5, direction=(0.0, 1.0)),
    )
    records = judge_unit(Unit(ANY_RADII, problem, Budget("tree", 5, 1), 0, ""))
    assert len(records) == 4
    assert all(r.verdict == "not refuted" and 0.05 < r.tightness < 1 for r in records), [
        r.reason for r in records
    ]
