"""AdaGO: its steps by hand, what it refuses, and its bounds with their numbers."""

import math
from types import SimpleNamespace

import pytest
import torch

from assumptions.column_norms import MaxColumn
from assumptions.matrix_norms import Nuclear
from problems import CoupledQuadratic, GaussianNoise, LayerSum, Noisy, SpectralQuadratic
from problems.noise.sign import SignNoise
from workbench import run
from workbench.methods.adago import AdaGO
from workbench.methods.layer_gradients import averaged, smallest_rho_i
from workbench.theorems import adago as theorems
from workbench.verify import Budget, judge_unit
from workbench.verify.plan import Unit

LAYERS = LayerSum(
    (
        SpectralQuadratic(((2.0, 0.5), (0.5, 1.0)), 3),
        SpectralQuadratic(((3.0, 0.0), (0.0, 1.0)), 2, norm=MaxColumn(2, 2)),
    )
)
NOTHING = SimpleNamespace()
LINE = SpectralQuadratic(((1.0,),), 1, start=(3.0,))


def test_two_steps_on_a_line():
    """f = x^2 / 2 from 3, gamma = 2, v0 = 1: v = sqrt 5, then the gradient is 3 - 2 eta / sqrt 5."""
    t = run(AdaGO(1.0, eps=0.0, gamma=2.0, v0=1.0, beta=0.0), LINE, steps=2, keep_state=True, record=("v_i",))
    one = 3 - 2 / math.sqrt(5)
    assert t.x[0, :, 0].tolist() == pytest.approx([3.0, one, one - 2 / 3], rel=1e-14)
    assert t["v_i"][0, :, 0].tolist() == pytest.approx([1.0, math.sqrt(5), 3.0], rel=1e-14)


def test_the_radius_is_at_least_eps_and_momentum_starts_with_the_gradient():
    t = run(AdaGO(1e-3, eps=0.25, gamma=1.0, v0=1.0, beta=0.9), LINE, steps=3, keep_state=True)
    assert t.x[0, :, 0].tolist() == pytest.approx([3.0, 2.75, 2.5, 2.25], rel=1e-14)


def test_every_layer_has_a_radius_of_its_own():
    method, x = AdaGO(0.5, eps=0.0, gamma=1.0, v0=2.0, beta=0.5), LAYERS.x0
    g = LAYERS.grad(x)
    after = run(method, LAYERS, steps=1, keep_state=True).x[0, 1]
    clipped = LAYERS.layers.length_i(g).clamp(max=1.0)
    expected = 0.5 * clipped / torch.sqrt(4 + clipped**2)
    torch.testing.assert_close(LAYERS.layers.norm_i(x - after), expected, rtol=1e-12, atol=0)
    inner = sum(
        (a * b).sum() for a, b in zip(LAYERS.layers.split(g), LAYERS.layers.split(x - after), strict=True)
    )
    assert float(inner) == pytest.approx(float((expected * LAYERS.layers.dual_i(g)).sum()), rel=1e-12)


def test_a_batch_equals_its_rows_and_nan_stays_in_its_row():
    method, draw = AdaGO(torch.tensor([[0.1], [0.3], [0.5]], dtype=torch.float64), beta=0.5), NOTHING
    x = torch.randn(3, LAYERS.d, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    x[1, 4] = torch.nan
    two = method.step(LAYERS, method.step(LAYERS, method.init(LAYERS, x, draw), NOTHING), NOTHING)
    assert two.x.isfinite().all(-1).tolist() == [True, False, True]
    for row, eta in ((0, 0.1), (2, 0.5)):
        one = AdaGO(eta, beta=0.5)
        alone = one.step(LAYERS, one.step(LAYERS, one.init(LAYERS, x[row], draw), NOTHING), NOTHING)
        torch.testing.assert_close(two.x[row], alone.x, rtol=1e-13, atol=1e-14)
        torch.testing.assert_close(two.v[row], alone.v, rtol=1e-13, atol=0)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"eta": 0.0}, "eta must be finite and > 0"),
        ({"eps": -1e-3}, "eps must be finite and >= 0"),
        ({"gamma": math.inf}, "gamma must be finite and > 0"),
        ({"v0": 0.0}, "v0 must be finite and > 0"),
        ({"beta": 1.0}, r"beta must be in \[0, 1\)"),
        ({"minibatch": 0}, "minibatch must be an integer >= 1"),
        ({"eta": torch.ones(3)}, "eta must be a float or have shape"),
    ],
)
def test_wrong_numbers(change, said):
    with pytest.raises(ValueError, match=said):
        AdaGO(**{"eta": 0.1, **change})


def test_the_mean_of_gradients_starts_with_the_first():
    old, new = torch.tensor([[5.0], [5.0]]), torch.tensor([[1.0], [1.0]])
    assert averaged(0.75, old, new, torch.tensor([0, 1])).tolist() == [[1.0], [4.0]]


def test_the_least_ratio_of_dual_norm_to_length():
    """Spectral: nuclear over Frobenius, 1 at rank one; Nuclear 2 x 3: 1 / sqrt 2 at equal singular values."""
    problem = SpectralQuadratic(((2.0, 0.0), (0.0, 1.0)), 3, norm=Nuclear(2, 3))
    assert smallest_rho_i(LAYERS.layers).tolist() == pytest.approx([1.0, 1.0], abs=1e-14)
    assert smallest_rho_i(problem.layers).tolist() == pytest.approx([0.5**0.5], rel=1e-14)
    g = torch.eye(2, 3, dtype=torch.float64).flatten()
    assert float(problem.layers.dual_i(g)) / float(g.norm()) == pytest.approx(0.5**0.5)
    x = torch.randn(500, LAYERS.d, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    low = LAYERS.layers.dual_i(x) / LAYERS.layers.length_i(x)
    assert (low >= smallest_rho_i(LAYERS.layers)).all()


def test_the_floor_of_a_step_of_length_eps_is_in_the_bound():
    """x^2 / 2 from 1/4 with eps = 1/2: steps to -1/4 and back for ever, while gap0 / (eps k) vanishes."""
    problem = SpectralQuadratic(((1.0,),), 1, start=(0.25,))
    method = AdaGO(0.01, eps=0.5, gamma=1.0, v0=1.0, beta=0.0)
    t = run(method, problem, steps=1000, record=("gradnorm_i", "gap", "v_i"))
    mean = float(t["gradnorm_i"][0, :1000].mean())
    logs = 2 * 0.01**2 * math.log(float(t["v_i"][0, -1]))
    without = (float(t["gap"][0, 0]) + logs / 2) / (0.5 * 1000)
    assert mean == pytest.approx(0.25, rel=1e-12)
    assert without == pytest.approx(6.3e-5, rel=0.01)
    assert mean <= without + 0.5 / 2
    assert mean == pytest.approx(without + 0.25, rel=1e-3)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_the_lengths_grow_as_the_theorem_says_at_all_scales(scale):
    problem = SpectralQuadratic(((2.0 * scale, 0.0), (0.0, scale)), 2)
    for eta in (0.05, 1.0, 20.0):
        method = AdaGO(eta, eps=0.0, gamma=1e9 * scale, v0=0.1 * scale, beta=0.0)
        t = run(method, problem, steps=200, record=("gap", "v_i"))
        v, gap0 = t["v_i"][0, :, 0], float(t["gap"][0, 0])
        bound = gap0 + eta**2 * 3 * scale * torch.log(v / v[0])
        assert (eta * (v - v[0]) <= bound * (1 + 1e-12)).all()


def test_noise_is_drawn_once_a_step_and_counted():
    noisy = Noisy(LAYERS, GaussianNoise(0.5))
    t = run(AdaGO(0.1), noisy, replicates=2, steps=5, record=("grad_calls", "lmo_calls"), keep_state=True)
    assert t["grad_calls"][0].tolist() == [0, 1, 2, 3, 4, 5]
    assert t["lmo_calls"][0].tolist() == [0, 2, 4, 6, 8, 10]
    assert not torch.equal(t.x[0], t.x[1])


def test_a_layer_on_which_f_does_not_depend_costs_nothing():
    """x^2 / 2 of (x, y), eta = 1/8 and v0 = 1, 20 steps: the bound of the best squared length is finite."""
    problem = CoupledQuadratic(((1.0, 0.0), (0.0, 0.0)), (1, 1), start=(1.0, 1.0))
    records = judge_unit(Unit(theorems.UNTUNED, problem, Budget("one", 20, 1), 0, ""))
    assert len(records) == 3
    assert all(r.verdict == "not refuted" and 0.001 < r.tightness < 1 for r in records)


def test_theorems_say_where_they_come_from():
    assert [t.id for t in theorems.THEOREMS] == [
        "adago/deterministic",
        "adago/growth",
        "adago/untuned",
        "adago/stochastic",
    ]
    assert {t.source.status for t in theorems.THEOREMS} == {"DERIVED"}
    assert all(t.mutants and t.tight and t.proof for t in theorems.THEOREMS)


def test_the_bound_with_noise_holds_on_the_whole_tree():
    """Two-point noise, k = 8: all 256 runs."""
    problem = Noisy(SpectralQuadratic(((1.0,),), 1, start=(0.3,)), SignNoise(0.4))
    records = judge_unit(Unit(theorems.STOCHASTIC, problem, Budget("tree", 8, 1), 0, ""))
    assert len(records) == 4
    assert all(r.verdict == "not refuted" and 0.01 < r.tightness < 1 for r in records)
