"""Drop-Muon: what a step changes, exact expectations, special cases, costs, the cheapest law by measuring."""

import importlib.util
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from assumptions import Lp, closure
from assumptions.layerwise.block_descent import BlockDescent
from problems import LayerSum, Problem, Quadratic, SpectralQuadratic
from problems.calculus.noisy import Noisy
from problems.coupled_quadratic import CoupledQuadratic
from problems.link_matrix import LinkMatrix
from problems.noise.sign import SignNoise
from workbench import run
from workbench.layer_costs import cost_per_step, layer_cost
from workbench.layer_laws import RPT, AnyLaw, Full
from workbench.methods.adaptive_drop_muon import AdaptiveDropMuon
from workbench.methods.adaptive_gluon import AdaptiveGluon
from workbench.methods.coupled_drop_muon import CoupledDropMuon
from workbench.methods.drop_muon import DropMuon
from workbench.methods.gluon import Gluon
from workbench.methods.layer_draws import reached
from workbench.orthogonal import NewtonSchulz
from workbench.samplings import Independent, Nice
from workbench.theorems import drop_muon, drop_muon_cases
from workbench.trace import Trace

NOTHING = SimpleNamespace()
MIXED = LayerSum(
    (
        SpectralQuadratic(((2.0, 0.5), (0.5, 1.0)), 3),
        LinkMatrix("cosh", 2, 2, weights=(1.0, 2.0)),
        SpectralQuadratic(((4.0,),), 3, norm=Lp(math.inf)),
    )
)
"""Three layers: a spectral quadratic, cosh in the spectral norm, the largest entry."""
L0 = torch.tensor([[3.1, 5.0, 12.0]], dtype=torch.float64)
L1 = torch.tensor([[0.0, 2.0, 0.0]], dtype=torch.float64)
TWO = drop_muon.TWO
COUPLED = drop_muon.COUPLED
NOISY = drop_muon_cases.NOISY
LAWS = (RPT(), RPT((0.2, 0.0, 0.8)), Full(), Nice(2), Independent(0.3), AnyLaw(((0, 2), ()), (0.25, 0.75)))


def random(seed, *shape):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def mask(*rows):
    return SimpleNamespace(active=torch.tensor(rows))


def iterates(trace: Trace) -> torch.Tensor:
    assert trace.x is not None
    return trace.x


def outcomes(method, problem):
    """Each draw of the layers as a row that broadcasts, with its probability."""
    active, weights = method.draws(problem)["active"].outcomes()
    return [
        (SimpleNamespace(active=one[None]), float(weight))
        for one, weight in zip(active, weights, strict=True)
    ]


# -- one step ----------------------------------------------------------------------------------------


def test_layers_that_are_not_drawn_keep_weights_and_momentum():
    method = DropMuon(0.1, 0.5, RPT())
    x = random(0, 4, MIXED.d)
    state = method.init(MIXED, x, NOTHING)._replace(m=random(1, 4, MIXED.d))
    drawn = torch.tensor([[0, 0, 0], [0, 0, 1], [0, 1, 0], [1, 1, 1]]).bool()
    new = method.step(MIXED, state, SimpleNamespace(active=drawn))
    entries = MIXED.layers.per_entry(drawn)
    assert torch.equal(new.x[~entries], x[~entries])
    assert torch.equal(new.m[~entries], state.m[~entries])
    assert torch.equal(MIXED.layers.norm_i(new.x - x) > 0.09, drawn)
    torch.testing.assert_close(MIXED.layers.norm_i(new.x - x), 0.1 * drawn.double(), rtol=1e-12, atol=0)
    assert torch.equal(new.updates, drawn.long())
    assert new.steps.tolist() == [1, 1, 1, 1]


def test_a_layer_starts_its_momentum_at_its_first_update():
    """Layer 2 first moves at the second step: its momentum is that gradient alone; layer 1's is a mean."""
    problem = LayerSum((Quadratic((1.0,), (0.0,), seed=None),) * 2, start=(5.0, 7.0))
    method = DropMuon(1.0, 0.75, Independent(0.5))
    state = method.init(problem, problem.x0, NOTHING)
    state = method.step(problem, state, mask(True, False))
    assert (state.x.tolist(), state.m.tolist()) == ([4.0, 7.0], [5.0, 0.0])
    state = method.step(problem, state, mask(True, True))
    assert (state.x.tolist(), state.m.tolist()) == ([3.0, 6.0], [0.75 * 5 + 0.25 * 4, 7.0])
    state = method.step(problem, state, mask(False, True))
    assert state.m.tolist() == [4.75, 0.75 * 7 + 0.25 * 6]
    assert state.updates.tolist() == [2, 2]
    assert state.reached.tolist() == [2, 3]


def naive(problem: Problem, x: torch.Tensor, draws: list[Any], radii: Any, beta: float) -> torch.Tensor:
    """Layer by layer in a loop; x: (d,)."""
    layers = problem.layers
    momentum: list[Any] = [None] * layers.n_layers
    for active in draws:
        parts = [p.flatten() for p in layers.split(x)]
        grads = [p.flatten() for p in layers.split(problem.grad(x))]
        for i in range(layers.n_layers):
            if active[i]:
                old = momentum[i]
                momentum[i] = grads[i] if old is None else beta * old + (1 - beta) * grads[i]
                parts[i] = parts[i] - radii[i] * layers.norms[i].lmo_direction(momentum[i])
        x = torch.cat(parts)
    return x


@pytest.mark.parametrize("law", LAWS, ids=repr)
def test_a_run_is_that_of_the_naive_loop(law):
    radii = torch.tensor([[0.3, 0.1, 0.05]], dtype=torch.float64)
    method = DropMuon(radii, 0.6, law)
    space = method.draws(MIXED)["active"]
    u = torch.rand(12, 5, space.width, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    x0 = random(2, 5, MIXED.d)
    state = method.init(MIXED, x0, NOTHING)
    drawn = [space.value(step) for step in u]
    for active in drawn:
        state = method.step(MIXED, state, SimpleNamespace(active=active))
    for row in range(5):
        expected = naive(MIXED, x0[row], [a[row] for a in drawn], radii[0], 0.6)
        torch.testing.assert_close(state.x[row], expected, rtol=1e-10, atol=1e-12)


def test_a_row_of_nan_stays_in_its_row():
    methods: list[Any] = [DropMuon(0.1, 0.5, Full()), AdaptiveDropMuon(1.0, 1.0, Full())]
    for method in methods:
        x = random(4, 3, MIXED.d)
        x[1, 0] = math.nan
        state = method.init(MIXED, x, NOTHING)
        new = method.step(MIXED, state, mask(*[[True] * 3] * 3)).x
        alone = method.step(MIXED, method.init(MIXED, x[2:], NOTHING), mask([True] * 3)).x
        assert torch.equal(new[2:], alone)
        assert bool(new[1].isnan().any())
        assert bool(new[0].isfinite().all())


def test_a_layer_with_gradient_zero_stays():
    method = AdaptiveDropMuon(0.0, 2.0, Full())
    state = method.step(TWO, method.init(TWO, TWO.x0, NOTHING), mask(True, True))
    assert state.x.tolist() == [2.5, 0.0]


def test_an_inexact_polar_factor_may_be_chosen():
    exact, rough = (
        DropMuon(0.1, 0.0, Full(), orthogonaliser=one).step(
            MIXED, DropMuon(0.1, 0.0, Full()).init(MIXED, MIXED.x0, NOTHING), mask(True, True, True)
        )
        for one in (DropMuon(0.1, 0.0, Full()).orthogonaliser, NewtonSchulz(5))
    )
    off = MIXED.layers.norm_i(rough.x - exact.x) / 0.1
    assert bool((off[:2] > 0.01).all())
    assert bool((off < 0.4).all())
    assert float(off[2]) == 0.0


# -- exact expectations ------------------------------------------------------------------------------


@pytest.mark.parametrize("law", LAWS, ids=repr)
def test_the_mean_over_the_draws_falls_as_the_theorem_says(law):
    """D1 at 200 random points of every size, with the constants of the parts; sharp on the quadratics."""
    (constants,) = (c.assumption for c in closure(MIXED.certified) if isinstance(c.assumption, BlockDescent))
    offset, slope = (
        torch.tensor([c], dtype=torch.float64) for c in (constants.L0_descent_i, constants.L1_descent_i)
    )
    method = AdaptiveDropMuon(offset, slope, law)
    x = random(5, 200, MIXED.d) * 10 ** (3 * torch.rand(200, 1, dtype=torch.float64) - 2)
    state = method.init(MIXED, x, NOTHING)
    mean = sum(
        weight * MIXED.value(method.step(MIXED, state, draw).x) for draw, weight in outcomes(method, MIXED)
    )
    g = MIXED.layers.dual_i(MIXED.grad(x))
    p = torch.tensor(law.probabilities(3), dtype=torch.float64)
    bound = MIXED.value(x) - (p * g**2 / (2 * (offset + slope * g))).sum(-1)
    assert bool((mean <= bound + 1e-9 * MIXED.value(x)).all())


def test_the_bound_without_the_probabilities_is_exceeded_eightfold():
    """X^0 = (3, 0), p = (0.05, 1), 10 steps: E is 7.22; 0.90 without 1 / p_i, 18 with it."""
    law, K = RPT((0.05, 0.95)), 10
    x, weights = TWO.x0[None], torch.ones(1, dtype=torch.float64)
    method = AdaptiveDropMuon(1.0, 0.0, law)
    average = 0.0
    for _ in range(K):
        average += float((weights * TWO.grad(x).square().sum(-1)).sum()) / K
        draws = outcomes(method, TWO)
        state = method.init(TWO, x, NOTHING)
        x = torch.cat([method.step(TWO, state, draw).x for draw, _ in draws])
        weights = torch.cat([weight * weights for _, weight in draws])
    assert average == pytest.approx(9 * (1 - 0.95**K) / (0.05 * K), rel=1e-12)
    assert average == pytest.approx(7.22273509, rel=1e-8)
    gap = float(TWO.value(TWO.x0))
    assert 2 * gap / K == pytest.approx(0.9)
    assert 2 * gap / K * max(1 / p for p in law.probabilities(2)) == pytest.approx(18.0)


def test_single_runs_exceed_the_bound_that_holds_in_the_mean():
    """Why D1 is checked by expectations: a run that misses the first layer keeps its gradient."""
    law, K = RPT((0.5, 0.5)), 8
    x0 = torch.tensor([3.0, 0.0], dtype=torch.float64)
    trace = run(AdaptiveDropMuon(1.0, 0.0, law), TWO, x0, steps=K, replicates=2000, record=("gradnorm_i",))
    totals = trace["gradnorm_i"].square().sum(-1)[:, :K].sum(1)
    bound = 2 * 4.5 * 2
    assert float(totals.max()) / bound > 2
    assert float(totals.mean()) <= bound


def test_coupled_layers_need_the_sums_and_few_of_them_may_step_further():
    """(x + y)^2 / 2 at (1, 1): f = 2. Alone each layer reaches 0; together with 1 / h_ii nothing is won."""
    x = COUPLED.x0[None]

    def falls(method):
        state = method.init(COUPLED, x, NOTHING)
        steps = [method.step(COUPLED, state, draw) for draw, _ in outcomes(method, COUPLED)]
        return [float(COUPLED.value(new.x)) for new in steps]

    assert falls(AdaptiveDropMuon(1.0, 0.0, Full())) == pytest.approx([2.0])
    assert falls(AdaptiveDropMuon(2.0, 0.0, Full())) == pytest.approx([0.0], abs=1e-15)
    assert falls(AdaptiveDropMuon(2.0, 0.0, Nice(1))) == pytest.approx([0.5, 0.5])
    assert falls(CoupledDropMuon(1.0, Nice(1))) == pytest.approx([0.0, 0.0], abs=1e-15)
    assert falls(CoupledDropMuon(1.0, Full())) == pytest.approx([0.0], abs=1e-15)
    gains = CoupledDropMuon.known(COUPLED, {"law": Independent(0.5)})["gain_i"]
    assert torch.as_tensor(gains).tolist() == pytest.approx([0.25 * 1 + 0.25 / 2] * 2, rel=1e-14)


# -- special cases and costs -------------------------------------------------------------------------


@pytest.mark.parametrize("beta", [0.0, 0.9])
@pytest.mark.parametrize(
    "problem", [MIXED, Noisy(MIXED, SignNoise(0.5)), NOISY], ids=["exact", "noisy", "two"]
)
def test_with_all_layers_it_is_gluon_on_the_same_draws(problem, beta):
    kept = {"steps": 20, "replicates": 4, "record": ("value",), "keep_state": True}
    one, two = (run(m, problem, **kept) for m in (DropMuon(0.05, beta, Full()), Gluon(0.05, beta)))
    assert torch.equal(iterates(one), iterates(two))
    assert torch.equal(one["value"], two["value"])
    other = run(DropMuon(0.05, beta, RPT()), problem, **kept)
    assert not torch.equal(iterates(one), iterates(other))


def test_with_all_layers_the_adaptive_one_is_adaptive_gluon():
    kept = {"steps": 20, "keep_state": True, "record": ("grad_calls", "lmo_calls")}
    one, two = (run(m, MIXED, **kept) for m in (AdaptiveDropMuon(L0, L1, Full()), AdaptiveGluon(L0, L1)))
    assert torch.equal(iterates(one), iterates(two))
    for unit in ("grad_calls", "lmo_calls"):
        assert torch.equal(one[unit], two[unit])


@pytest.mark.parametrize("law", LAWS, ids=repr)
def test_costs_are_counted_layer_by_layer(law):
    c_i, c_0, K, rows = (1.0, 10.0, 100.0), 1000.0, 40, 500
    trace = run(
        AdaptiveDropMuon(L0, L1, law),
        MIXED,
        steps=K,
        replicates=rows,
        record=("lmo_calls", "grad_calls", "updates_i", "reached_i", "cost"),
        quantities={"cost": layer_cost(c_i, c_0)},
    )
    updates, passed = trace["updates_i"], trace["reached_i"]
    assert torch.equal(trace["lmo_calls"], updates.sum(-1))
    assert torch.equal(trace["grad_calls"], passed[..., -1])
    assert bool((updates <= passed).all())
    by_hand = c_0 * torch.arange(K + 1) + passed @ torch.tensor(c_i, dtype=torch.float64)
    assert torch.equal(trace["cost"], by_hand)
    spread = 5 * (K / (4 * rows)) ** 0.5
    expected = K * torch.tensor(law.probabilities(3), dtype=torch.float64)
    assert bool(((updates[:, -1].mean(0) - expected).abs() <= spread + 1e-12).all())
    mean = float(trace["cost"][:, -1].mean())
    assert mean == pytest.approx(K * cost_per_step(law, c_i, c_0), abs=spread * sum(c_i))


def test_backpropagation_passes_all_layers_from_the_first_drawn_one_on():
    drawn = torch.tensor([[0, 1, 0], [0, 0, 0], [1, 0, 0]]).bool()
    assert reached(drawn).long().tolist() == [[0, 1, 1], [0, 0, 0], [1, 1, 1]]


def test_the_cheapest_law_is_found_by_measuring():
    """Costs of ten laws until the mean of sum g_i^2 is EPS: the least is that of ``optimal_rpt``."""
    path = Path(__file__).parents[2] / "docs/examples/drop_muon.py"
    spec = importlib.util.spec_from_file_location("drop_muon_example", path)
    assert spec is not None
    assert spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    rows = example.swept(4, replicates=128)
    assert len(rows) == 10
    best, measured, predicted = min(rows, key=lambda row: row[1])
    assert best == example.optimal_rpt(example.L, example.COSTS) == RPT((0.25, 0.25, 0.5))
    assert predicted == pytest.approx(56.0, rel=1e-12)
    assert measured == pytest.approx(56.0, rel=0.1)
    ((full, everything),) = [(m, p) for law, m, p in rows if law == RPT((1.0, 0.0, 0.0))]
    assert (full, everything) == (96.0, 96.0)
    for _, found, told in rows:
        assert found == pytest.approx(told, rel=0.15)


# -- wrong input -------------------------------------------------------------------------------------


@pytest.mark.parametrize("law", [None, (0.5, 0.5), "RPT", RPT])
def test_a_law_is_needed(law):
    for made in (
        lambda: DropMuon(0.1, 0.0, law),
        lambda: AdaptiveDropMuon(1.0, 0.0, law),
        lambda: CoupledDropMuon(1.0, law),
    ):
        with pytest.raises(TypeError, match=r"^law must be a LayerLaw"):
            made()


@pytest.mark.parametrize("radius", [0.0, -1.0, math.nan, math.inf, torch.tensor([[0.1, 0.0]])])
def test_radii_must_be_positive(radius):
    with pytest.raises(ValueError, match=r"^radius_i must be"):
        DropMuon(radius, 0.0, Full())


@pytest.mark.parametrize("beta", [-0.1, 1.0, math.nan])
def test_momentum_must_be_a_weight(beta):
    with pytest.raises(ValueError, match=r"^beta must be in"):
        DropMuon(0.1, beta, Full())


def test_lengths_need_an_offset_or_a_slope():
    with pytest.raises(ValueError, match=r"must not both be 0 in every layer"):
        AdaptiveDropMuon(torch.tensor([[1.0, 0.0], [0.0, 0.0]]), 0.0, Full())
    AdaptiveDropMuon(torch.tensor([[1.0, 0.0]]), 0.0, Full())
    with pytest.raises(ValueError, match=r"^offset_i must be"):
        AdaptiveDropMuon(-1.0, 0.0, Full())


def test_what_does_not_fit_the_layers_is_refused():
    with pytest.raises(ValueError, match=r"^law must have one entry for each of 3 layers"):
        DropMuon(0.1, 0.0, RPT((0.5, 0.5))).draws(MIXED)
    with pytest.raises(ValueError, match=r"^radius_i must have one entry, or one for each of the 3 layers"):
        DropMuon(torch.tensor([[0.1, 0.2]]), 0.0, RPT()).draws(MIXED)
    with pytest.raises(ValueError, match=r"^slope_i must have one entry"):
        AdaptiveDropMuon(1.0, torch.tensor([[0.1, 0.2]]), RPT()).draws(MIXED)
    cost = layer_cost((1.0, 2.0))
    with pytest.raises(ValueError, match=r"^c_i must have one entry for each of 3 layers"):
        run(DropMuon(0.1, 0.0, RPT()), MIXED, steps=1, record=("cost",), quantities={"cost": cost})


def test_lengths_for_sets_need_a_certified_coupling_and_a_list_of_sets():
    assert "not certified" in CoupledDropMuon.unfit(MIXED)
    assert CoupledDropMuon.unfit(COUPLED) == ""
    method = CoupledDropMuon(1.0, Full())
    start = method.init(MIXED, MIXED.x0, NOTHING)
    with pytest.raises(TypeError, match="not certified"):
        method.step(MIXED, start, mask(True, True, True))
    many = CoupledQuadratic(tuple(tuple(float(i == j) for j in range(13)) for i in range(13)), (1,) * 13)
    with pytest.raises(ValueError, match=r"^law must have at most 4096 sets"):
        CoupledDropMuon.known(many, {"law": Independent(0.5)})
