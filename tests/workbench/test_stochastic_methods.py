"""Stochastic and accelerated gradient methods: known answers, exact means, exact costs, wrong input."""

import itertools
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from assumptions import EUCLIDEAN
from problems import (
    Box,
    GaussianNoise,
    Huber,
    LinkSum,
    Noisy,
    Quadratic,
    QuadraticSum,
    SignNoise,
    SineNoise,
    WeightedL1,
)
from problems.composite.composite import Composite
from problems.composite.indicator import Indicator
from workbench import run
from workbench.methods import GradientDescent, ProximalPoint
from workbench.methods.conditional_gradient import ConditionalGradient
from workbench.methods.loopless_svrg import LooplessSVRG
from workbench.methods.nesterov import Nesterov
from workbench.methods.proximal_gradient import AcceleratedProximalGradient, ProximalGradient
from workbench.methods.saga import SAGA
from workbench.methods.sgd import SGD
from workbench.methods.stochastic_gradient import grad_where
from workbench.methods.svrg import SVRG
from workbench.quantity import Reading, as_quantity

AXES = QuadraticSum.coordinates(4)
ROUND = QuadraticSum.isotropic(2.0, ((1.0, 0.0), (0.0, 3.0), (-1.0, -1.0)))
ROWS = LinkSum("logistic", ((1.0, 0.5), (0.3, 1.0), (2.0, -0.5)))
SUMS = (AXES, ROUND, ROWS, QuadraticSum.opposite_pair(5.0, 1.0))
NOTHING = SimpleNamespace()
OF_TERMS = (SGD(0.1), SGD(0.1, 2), SVRG(0.1, 2), SVRG(0.1, 2, 2), LooplessSVRG(0.1, 0.3, 2), SAGA(0.1))


def trajectory(method, problem, steps):
    found = run(method, problem, steps=steps, keep_state=True).x
    assert found is not None
    return found[0]


def name(x):
    return f"{x!r}"[:40]


def points(problem, *batch):
    generator = torch.Generator().manual_seed(3)
    return 2 * torch.randn(*batch, problem.d, dtype=torch.float64, generator=generator)


def some_state(method, problem, x, seed=0):
    start = method.init(problem, x, NOTHING)
    return method.random_state(problem, start, torch.Generator().manual_seed(seed))


def listed(method, problem, batch):
    """Every draw of one step for all rows, with its probability."""
    spaces = method.draws(problem)
    outcomes = [space.outcomes() for space in spaces.values()]
    for choice in itertools.product(*(range(len(p)) for _, p in outcomes)):
        draw, weight = SimpleNamespace(), 1.0
        for n, (values, p), i in zip(spaces, outcomes, choice, strict=True):
            setattr(draw, n, values[i].expand(*batch, *values[i].shape))
            weight *= float(p[i])
        yield draw, weight


def mean(method, problem, state, of):
    return sum(w * of(method.step(problem, state, d)) for d, w in listed(method, problem, state.x.shape[:-1]))


@pytest.mark.parametrize("problem", SUMS, ids=name)
@pytest.mark.parametrize("method", OF_TERMS, ids=name)
def test_the_mean_step_is_a_gradient_step_from_any_state(method, problem):
    state = some_state(method, problem, points(problem, 5))
    found = mean(method, problem, state, lambda new: new.x)
    expected = state.x - 0.1 * problem.grad(state.x)
    scale = float(max(f.abs().max() for f in state if f.is_floating_point()))
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-13 * scale)


@pytest.mark.parametrize("b", [1, 2, 3, 4])
def test_a_minibatch_without_replacement_has_the_variance_of_the_formula(b):
    """(n - b) / (b (n - 1)) times that of one term."""
    x = points(AXES, 3)
    one = (AXES.part_grads(x) - AXES.grad(x).unsqueeze(-2)).square().sum(-1).mean(-1)
    state = SGD(1.0, b).init(AXES, x, NOTHING)
    moved = mean(SGD(1.0, b), AXES, state, lambda new: (new.x - x + AXES.grad(x)).square().sum(-1))
    torch.testing.assert_close(moved, (4 - b) / (b * 3) * one, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("problem", SUMS, ids=name)
def test_all_terms_at_once_are_gradient_descent_bit_for_bit(problem):
    full = trajectory(GradientDescent(0.1), problem, 9)
    assert torch.equal(trajectory(SGD(0.1, problem.n_terms), problem, 9), full)
    assert torch.equal(trajectory(SVRG(0.1, 1), problem, 9), full)
    assert spent(SGD(0.1, problem.n_terms), problem, 9) == spent(GradientDescent(0.1), problem, 9)


def test_one_term_leaves_nothing_to_chance():
    alone = Quadratic((1.0, 3.0), seed=1)
    full = trajectory(GradientDescent(0.1), alone, 6)
    for method in (SGD(0.1), SVRG(0.1, 3), LooplessSVRG(0.1, 0.5), SAGA(0.1)):
        torch.testing.assert_close(trajectory(method, alone, 6), full, rtol=1e-13, atol=0)


@pytest.mark.parametrize("method", OF_TERMS, ids=name)
def test_a_batch_equals_its_rows_and_nothing_is_written(method):
    state = some_state(method, ROWS, points(ROWS, 4))
    before = [f.clone() for f in state]
    space = method.draws(ROWS)
    u = torch.rand(4, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    draw = SimpleNamespace(**{n: s.value(u[:, : s.width]) for n, s in space.items()})
    new = method.step(ROWS, state, draw)
    assert all(torch.equal(a, b) for a, b in zip(state, before, strict=True))
    assert [f.shape for f in new] == [f.shape for f in state]
    assert type(new) is type(state)
    for i in range(4):
        row = type(state)(*(f[i] for f in state))
        alone = method.step(ROWS, row, SimpleNamespace(**{n: v[i] for n, v in vars(draw).items()}))
        for a, b in zip(alone, new, strict=True):
            torch.testing.assert_close(a, b[i], rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("method", OF_TERMS, ids=name)
def test_nan_stays_in_its_row(method):
    x = points(ROWS, 3)
    x[1] = torch.nan
    draw, _ = next(iter(listed(method, ROWS, (3,))))
    new = method.step(ROWS, method.init(ROWS, x, NOTHING), draw)
    assert new.x[1].isnan().all()
    assert new.x[[0, 2]].isfinite().all()


# -- costs ----------------------------------------------------------------------------------------


def spent(method, problem, steps, **kwargs):
    return run(method, problem, steps=steps, record=(), **kwargs).costs["grad_calls"][0].diff().tolist()


def test_costs_count_gradients_of_terms():
    assert spent(SGD(0.1, 3), AXES, 3) == [3, 3, 3]
    assert spent(SVRG(0.1, 3), AXES, 7) == [6, 2, 2, 6, 2, 2, 6]
    assert spent(SVRG(0.1, 2, 2), AXES, 4) == [8, 4, 8, 4]
    assert spent(SAGA(0.1), AXES, 3) == [5, 1, 1]
    assert spent(LooplessSVRG(0.1, 1.0), AXES, 3) == [10, 6, 6]
    assert spent(SGD(0.1, 3), Noisy(Quadratic((1.0, 2.0)), SignNoise(1.0)), 2) == [3, 3]
    assert spent(Nesterov(0.1, 0.5), AXES, 2) == [4, 4]


def test_the_cost_of_a_refresh_is_paid_where_the_coin_says_so():
    method, x = LooplessSVRG(0.1, 0.5), points(AXES, 2)
    state = method.init(AXES, x, NOTHING)._replace(steps=torch.tensor([3, 0]))
    draw = SimpleNamespace(refresh=torch.tensor([[True], [False]]), j=torch.tensor([[0], [1]]))
    assert method.cost(AXES, state, draw)["grad_calls"].tolist() == [6, 6]
    kept = SimpleNamespace(refresh=torch.tensor([[False], [True]]), j=draw.j)
    assert method.cost(AXES, state, kept)["grad_calls"].tolist() == [2, 10]


class Counted(QuadraticSum):
    """Notes how many rows its full gradient was asked for."""

    rows: int = 0

    def grad(self, x):
        object.__setattr__(self, "rows", self.rows + x[..., 0].numel())
        return super().grad(x)


def test_full_gradients_are_computed_in_the_rows_that_need_them_alone():
    problem = Counted(AXES.hessians)
    x = points(problem, 6)
    where = torch.tensor([True, False, False, True, False, False])
    found = grad_where(problem, x, where, torch.zeros_like(x))
    assert problem.rows == 2
    torch.testing.assert_close(found, AXES.grad(x) * where.unsqueeze(-1), rtol=0, atol=0)
    assert torch.equal(grad_where(problem, x, ~torch.ones(6, dtype=torch.bool), x), x)
    assert problem.rows == 2


def test_a_refresh_is_differentiable_in_x():
    x = points(ROWS, 3).requires_grad_()
    grad_where(
        ROWS, x, torch.tensor([True, False, True]), torch.zeros(3, 2, dtype=torch.float64)
    ).sum().backward()
    assert x.grad is not None
    assert (x.grad[[0, 2]] != 0).all()
    assert (x.grad[1] == 0).all()


# -- memory ---------------------------------------------------------------------------------------


def walk(method, problem, x, steps):
    """States of a run in which every draw is the first that is listed."""
    states = [method.init(problem, x, NOTHING)]
    for _ in range(steps):
        draw, _ = next(iter(listed(method, problem, x.shape[:-1])))
        states.append(method.step(problem, states[-1], draw))
    return states


def test_svrg_takes_the_iterate_as_snapshot_when_an_epoch_begins():
    states = walk(SVRG(0.1, 3), ROUND, points(ROUND, 2), 7)
    for k, opened in ((1, 0), (2, 0), (3, 0), (4, 3), (6, 3), (7, 6)):
        assert torch.equal(states[k].snapshot, states[opened].x)
        assert torch.equal(states[k].full, ROUND.grad(states[opened].x))
    assert states[7].steps.tolist() == [7, 7]


def test_loopless_svrg_moves_the_snapshot_to_where_it_stood():
    method, x = LooplessSVRG(0.1, 0.5), points(ROUND, 2)
    state = some_state(method, ROUND, x)
    assert torch.equal(state.full, ROUND.grad(state.snapshot))
    assert not torch.equal(state.snapshot, x)
    draw = SimpleNamespace(refresh=torch.tensor([[True], [False]]), j=torch.tensor([[0], [2]]))
    new = method.step(ROUND, state, draw)
    assert torch.equal(new.snapshot[0], state.x[0])
    assert torch.equal(new.snapshot[1], state.snapshot[1])
    torch.testing.assert_close(new.full, ROUND.grad(new.snapshot), rtol=1e-14, atol=1e-14)


def test_saga_changes_one_row_of_its_table():
    x = points(ROUND, 2)
    state = some_state(SAGA(0.1), ROUND, x)
    new = SAGA(0.1).step(ROUND, state, SimpleNamespace(j=torch.tensor([[2], [0]])))
    for row, j in ((0, 2), (1, 0)):
        kept = [i for i in range(3) if i != j]
        assert torch.equal(new.table[row, kept], state.table[row, kept])
        torch.testing.assert_close(
            new.table[row, j], ROUND.part_grads(state.x)[row, j], rtol=1e-14, atol=1e-14
        )


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_the_error_of_a_memory_is_read_with_an_honest_resolution(unit):
    centers = tuple((unit * a, unit * b) for a, b in ((1.0, 0.0), (0.0, 3.0), (-1.0, -3.0)))
    problem = replace(QuadraticSum.isotropic(2.0, centers), start=(unit, unit))
    x = torch.tensor([[[3.0, 4.0], [1e-9, 0.0]]], dtype=torch.float64) * unit
    for method, kind in ((SAGA(0.1), "table_error"), (LooplessSVRG(0.1, 0.5), "snapshot_error")):
        state = method.init(problem, x, NOTHING)
        reading = Reading(problem, method, state, EUCLIDEAN, torch.zeros(1, 2, dtype=torch.float64))
        quantity = as_quantity(kind, type(method).quantities[kind])
        value = quantity.read(reading)
        error = quantity.error(reading, value)
        # |2 (x - c_j) + 2 c_j| = 2 |x| for every term
        exact = torch.tensor([[10.0, 2e-9]], dtype=torch.float64) * unit
        assert ((value - exact).abs() <= error).all(), kind
        assert (error <= 1e-12 * unit).all()
        assert quantity.nonnegative


# -- noise ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("noise", [SignNoise(2.0), SineNoise(SignNoise(1.0))], ids=name)
def test_noise_is_averaged_over_its_draws(noise):
    problem = Noisy(Quadratic((1.0, 2.0), center=(0.0, 0.0), seed=None), noise)
    x = points(problem, 3)
    variance = {}
    for b in (1, 2):
        method = SGD(0.5, b)
        state = method.init(problem, x, NOTHING)
        found = mean(method, problem, state, lambda new: new.x)
        torch.testing.assert_close(found, x - 0.5 * problem.grad(x), rtol=1e-13, atol=1e-13)
        expected = x - 0.5 * problem.grad(x)
        variance[b] = mean(method, problem, state, lambda new, e=expected: (new.x - e).square().sum(-1))
    torch.testing.assert_close(variance[1], 2 * variance[2], rtol=1e-12, atol=1e-14)


def test_noise_of_a_run_repeats_and_differs_between_replicates():
    problem = Noisy(Quadratic((1.0, 2.0)), GaussianNoise(1.0))
    one = run(SGD(0.1), problem, steps=5, replicates=3, keep_state=True)
    two = run(SGD(0.1), problem, steps=5, replicates=3, keep_state=True)
    assert one.x is not None
    assert two.x is not None
    assert torch.equal(one.x, two.x)
    assert not torch.equal(one.x[0], one.x[1])


@pytest.mark.parametrize("method", [SVRG(0.1, 2), LooplessSVRG(0.1, 0.5), SAGA(0.1)], ids=name)
def test_methods_of_terms_do_not_fit_noise(method):
    with pytest.raises(TypeError, match=r"its gradients come with noise, not as those of terms"):
        run(method, Noisy(Quadratic((1.0, 2.0)), GaussianNoise(1.0)), steps=1)
    assert SGD.known(Noisy(Quadratic((1.0,)), GaussianNoise(1.0)), {}) == {"with_noise": 1.0}
    assert SGD.known(AXES, {}) == {"with_noise": 0.0}


# -- wrong input ----------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [SGD, lambda s, b: SVRG(s, 2, b), lambda s, b: LooplessSVRG(s, 0.5, b)])
def test_a_minibatch_is_an_integer_between_one_and_n(make):
    for bad in (0, -1, 1.5, 2.0, True, "2"):
        with pytest.raises(ValueError, match="minibatch must be an integer"):
            make(0.1, bad)
    with pytest.raises(ValueError, match=r"minibatch must be an integer in 1\.\.4, .*got 5"):
        run(make(0.1, 5), AXES, steps=1)


@pytest.mark.parametrize("bad", [0, 1.5, True])
def test_a_period_is_a_positive_integer(bad):
    with pytest.raises(ValueError, match="period must be an integer >= 1"):
        SVRG(0.1, bad)


@pytest.mark.parametrize("kind", [SGD, SAGA, ProximalGradient])
@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan"), float("inf")])
def test_stepsizes_are_positive(kind, bad):
    with pytest.raises(ValueError, match=r"^stepsize must be finite and > 0"):
        kind(bad)


def test_probabilities_momenta_and_weights_have_their_ranges():
    for bad in (0.0, 1.5, -0.1):
        with pytest.raises(ValueError, match=rf"^p must be in \(0, 1\], got {bad}"):
            LooplessSVRG(0.1, bad)
    for bad in (1.0, -0.1, float("nan"), torch.tensor([[0.5], [1.0]])):
        for kind in (Nesterov, AcceleratedProximalGradient):
            with pytest.raises(ValueError, match=r"^beta must be"):
                kind(0.1, bad)
    for bad in (0.0, 1.5, float("nan")):
        with pytest.raises(ValueError, match=r"^weight must be"):
            ConditionalGradient(bad)
    with pytest.raises(ValueError, match="must be a float or have shape"):
        Nesterov(torch.full((3,), 0.1), 0.5)


# -- acceleration and composite problems ----------------------------------------------------------

BALL = Composite(
    smooth=Quadratic((1.0, 4.0), center=(0.0, 0.0), seed=None),
    prox_part=Indicator(Box((0.5, -1.0), (2.0, 1.0))),
    minimiser=(0.5, 0.0),
    start=(2.0, 1.0),
)
LASSO = Composite(
    smooth=Quadratic((1.0, 2.0), center=(2.0, 0.25), seed=None),
    prox_part=WeightedL1((1.0, 1.0)),
    minimiser=(1.0, 0.0),
    start=(3.0, 3.0),
)


def test_without_momentum_acceleration_is_the_plain_method():
    problem = Huber(L=2.0, delta=0.5, d=3)
    assert torch.equal(
        trajectory(Nesterov(0.3, 0.0), problem, 8), trajectory(GradientDescent(0.3), problem, 8)
    )
    plain = trajectory(ProximalGradient(0.2), LASSO, 8)
    assert torch.equal(trajectory(AcceleratedProximalGradient(0.2, 0.0), LASSO, 8), plain)


def test_momentum_carries_the_last_step_on():
    """f = x^2 / 2 from 1, stepsize 1/2, beta 1/2: x = 1/2, y = 1/4; x = 1/8, y = -1/16."""
    problem = Quadratic((1.0,), center=(0.0,), seed=None, start=(1.0,))
    assert trajectory(Nesterov(0.5, 0.5), problem, 3)[:, 0].tolist() == [1.0, 0.5, 0.125, -0.03125]


def test_the_estimate_point_of_nesterov():
    """z = y + (y - x) / s with beta = (1 - s) / (1 + s): 3 times y - x for beta 1/2."""
    problem = Quadratic((1.0,), center=(0.0,), seed=None, start=(1.0,))
    method = Nesterov(0.5, 0.5)
    one = torch.ones(1, 1, 1, dtype=torch.float64)
    state = method.init(problem, one, NOTHING)._replace(y=2 * one)
    reading = Reading(problem, method, state, EUCLIDEAN, torch.zeros(1, 1, dtype=torch.float64))
    assert as_quantity("z", Nesterov.quantities["estimate_dist"]).read(reading).item() == 5.0


def test_a_proximal_gradient_step_on_the_lasso():
    """From (3, 3), stepsize 1/2: gradient step (2.5, 0.25), then both coordinates shrink by 1/2."""
    assert trajectory(ProximalGradient(0.5), LASSO, 1)[1].tolist() == [2.0, 0.0]
    assert run(ProximalGradient(0.5), LASSO, steps=60)["dist"][0, -1] == pytest.approx(0, abs=1e-12)


def test_the_proximal_gradient_method_without_a_smooth_part_is_the_proximal_point_method():
    alone = Composite(prox_part=WeightedL1((1.0, 2.0)), minimiser=(0.0, 0.0), start=(3.0, 3.0))
    expected = trajectory(ProximalPoint(0.25), WeightedL1((1.0, 2.0), start=(3.0, 3.0)), 5)
    assert torch.equal(trajectory(ProximalGradient(0.25), alone, 5), expected)


def test_a_conditional_gradient_step_goes_towards_a_corner():
    """grad f(2, 1) = (2, 4): the corner is (0.5, -1); half the way is (1.25, 0)."""
    assert trajectory(ConditionalGradient(0.5), BALL, 1)[1].tolist() == [1.25, 0.0]
    inside = run(
        ConditionalGradient(1.0), BALL, steps=30, schedule={"weight": lambda k: 2 / (k + 2)}, keep_state=True
    )
    assert inside.x is not None
    assert BALL.contains(inside.x).all()
    assert inside["gap"][0, -1] < 0.1
    assert inside.costs["lmo_calls"][0, -1] == 30


@pytest.mark.parametrize("method", [ProximalGradient(0.1), AcceleratedProximalGradient(0.1, 0.5)], ids=name)
def test_terms_beside_f_and_g_have_no_place(method):
    with pytest.raises(TypeError, match="beside f and g it has 1 terms"):
        run(method, Quadratic((1.0, 2.0)), steps=1)


def test_conditional_gradients_need_a_bounded_set():
    with pytest.raises(TypeError, match="ConditionalGradient needs lmo"):
        run(ConditionalGradient(0.5), LASSO, steps=1)


EVERY = (*OF_TERMS, Nesterov(0.1, 0.5), ProximalGradient(0.1), ConditionalGradient(0.5))


@pytest.mark.parametrize("method", EVERY, ids=name)
def test_a_method_prints_as_the_call_that_makes_it(method):
    assert eval(repr(method), {type(method).__name__: type(method)}) == method
    assert type(method).source
