"""Stochastic proximal methods: known answers, special cases, exact means, costs, wrong input."""

import itertools
import math
from types import SimpleNamespace

import pytest
import torch

from problems import Huber, LinkSum, LogisticRegression, Quadratic, QuadraticSum
from workbench import run
from workbench.methods import ProximalPoint
from workbench.methods.stochastic_proximal_point import SPPM
from workbench.methods.svrp import SVRP

CENTRES = QuadraticSum.isotropic(2.0, ((1.0, 0.0), (0.0, 3.0), (-1.0, -1.0)))
COSH = LinkSum("cosh", ((1.0, 0.5), (0.0, 2.0), (1.0, -1.0), (0.3, 0.1)), center=(1.0, -1.0))
SPREAD_SQUARE = 128 / 9
"""mean |2 (x_star - c_j)|^2 of CENTRES."""


def at(*x):
    return torch.tensor(x, dtype=torch.float64)


def drawn(*j):
    return SimpleNamespace(j=torch.tensor(j))


def state_of(method, problem, x):
    return method.init(problem, x, SimpleNamespace())


def enumerated(method, problem, state):
    """Every next state with its probability, one row for each outcome."""
    spaces = method.draws(problem)
    listed = [zip(*space.outcomes(), strict=True) for space in spaces.values()]
    rows = list(itertools.product(*listed))
    draw = {name: torch.stack([row[i][0] for row in rows]) for i, name in enumerate(spaces)}
    weights = torch.tensor(
        [math.prod(float(chance) for _, chance in row) for row in rows], dtype=torch.float64
    )
    spread = type(state)(*(f.expand(len(rows), *f.shape) for f in state))
    return method.step(problem, spread, SimpleNamespace(**draw)), weights


def test_a_step_on_a_square_is_a_weighted_mean_with_its_centre():
    """prox of |z - c|^2 with stepsize 1/2: (x + c) / 2."""
    state = state_of(SPPM(0.5), CENTRES, at(5.0, 1.0))
    assert SPPM(0.5).step(CENTRES, state, drawn(1)).x.tolist() == pytest.approx([2.5, 2.0])
    pair = SPPM(0.5, 2).step(CENTRES, state, drawn(0, 1))
    assert pair.x.tolist() == pytest.approx([2.75, 1.25])


def test_a_step_with_a_snapshot_starts_where_the_gradients_send_it():
    """From (0, 0) with w = (1, 1), term 0: z = -(grad f(w) - grad f_0(w)) / 2, then (z + c_0) / 2."""
    method = SVRP(0.5, 0.5)
    state = state_of(method, CENTRES, at(1.0, 1.0))._replace(x=at(0.0, 0.0))
    for heads in (False, True):
        draw = SimpleNamespace(j=torch.tensor([0]), refresh=torch.tensor([heads]))
        new = method.step(CENTRES, state, draw)
        # grad f(w) = (2, 2/3), grad f_0(w) = (0, 2)
        assert new.x.tolist() == pytest.approx([0.0, 1 / 3])
        kept = new.x if heads else at(1.0, 1.0)
        assert torch.equal(new.snapshot, kept)
        torch.testing.assert_close(new.full, CENTRES.grad(kept))
        assert int(new.steps) == 1


@pytest.mark.parametrize("minibatch", [1, 2, 3])
@pytest.mark.parametrize("stepsize", [0.05, 0.5, 20.0])
def test_the_mean_square_distance_of_a_step_on_isotropic_terms(minibatch, stepsize):
    """Exactly (|x - x_star|^2 + stepsize^2 sigma^2 (n - b) / (b (n - 1))) / (1 + 2 stepsize)^2."""
    method = SPPM(stepsize, minibatch)
    new, weights = enumerated(method, CENTRES, state_of(method, CENTRES, at(5.0, 1.0)))
    assert float(weights.sum()) == pytest.approx(1.0)
    found = float(weights @ (new.x - CENTRES.x_star).square().sum(-1))
    part = (3 - minibatch) / (2 * minibatch)
    start = float((at(5.0, 1.0) - CENTRES.x_star).square().sum())
    assert found == pytest.approx(
        (start + stepsize**2 * SPREAD_SQUARE * part) / (1 + 2 * stepsize) ** 2, rel=1e-12
    )


@pytest.mark.parametrize("problem", [CENTRES, COSH], ids=["squares", "cosines"])
def test_all_terms_make_the_proximal_point_method(problem):
    x, stepsize = torch.randn(6, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)), 0.7
    method = SPPM(stepsize, problem.n_terms)
    new, weights = enumerated(method, problem, state_of(method, problem, x[0]))
    assert weights.tolist() == [1.0]
    # x = u + stepsize grad f(u) says that u is the proximal point
    torch.testing.assert_close(new.x[0] + stepsize * problem.grad(new.x[0]), x[0], rtol=1e-9, atol=1e-9)
    trace = run(method, problem, steps=5, record=("dist",))
    assert trace["dist"][0, -1] < trace["dist"][0, 0]


@pytest.mark.parametrize("method", [SPPM(0.3), SVRP(0.3, 0.2)], ids=repr)
@pytest.mark.parametrize(
    "problem", [Quadratic((1.0, 2.0, 5.0), seed=1), Huber(d=3)], ids=["quadratic", "huber"]
)
def test_one_term_makes_the_proximal_point_method(method, problem):
    found = run(method, problem, steps=8, keep_state=True).x
    expected = run(ProximalPoint(0.3), problem, steps=8, keep_state=True).x
    assert torch.equal(found, expected)


def test_the_mean_of_a_step_with_a_snapshot_at_the_minimiser_is_free_of_noise():
    problem = CENTRES
    method = SVRP(0.4, 0.25)
    state = state_of(method, problem, problem.x_star)._replace(x=at(5.0, 1.0))
    new, weights = enumerated(method, problem, state)
    assert len(weights) == 6
    found = (new.x - problem.x_star).square().sum(-1)
    start = float((at(5.0, 1.0) - problem.x_star).square().sum())
    torch.testing.assert_close(found, torch.full((6,), start / 1.8**2, dtype=torch.float64))


def test_random_states_keep_the_gradient_at_their_snapshot():
    method = SVRP(0.4, 0.25)
    state = state_of(method, CENTRES, torch.ones(5, 2, dtype=torch.float64))
    made = method.random_state(CENTRES, state, torch.Generator().manual_seed(0))
    assert not torch.equal(made.snapshot, state.snapshot)
    assert torch.equal(made.full, CENTRES.grad(made.snapshot))


def test_costs_are_those_of_what_was_drawn():
    x = torch.ones(2, 2, dtype=torch.float64)
    method = SPPM(0.5, 2)
    spent = method.cost(CENTRES, state_of(method, CENTRES, x), drawn([0, 1], [1, 2]))
    assert {unit: c.tolist() for unit, c in spent.items()} == {"prox_calls": [2.0, 2.0]}
    method = SVRP(0.5, 0.5)
    draw = SimpleNamespace(j=torch.tensor([[0], [1]]), refresh=torch.tensor([[True], [False]]))
    state = state_of(method, CENTRES, x)
    first = method.cost(CENTRES, state, draw)
    assert first["grad_calls"].tolist() == [1 + 3 + 3, 1 + 3]
    later = method.cost(CENTRES, method.step(CENTRES, state, draw), draw)
    assert later["grad_calls"].tolist() == [1 + 3, 1]
    assert later["prox_calls"].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("method", [SPPM, SVRP], ids=["SPPM", "SVRP"])
@pytest.mark.parametrize("problem", [CENTRES, COSH], ids=["squares", "cosines"])
def test_a_batch_equals_its_rows_and_a_column_equals_floats(method, problem):
    x = torch.randn(2, 3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    j = torch.tensor([[[0], [1], [2]], [[2], [2], [0]]])
    draw = SimpleNamespace(j=j, refresh=torch.tensor([[[True], [False], [True]], [[False], [False], [True]]]))
    column = torch.tensor([0.1, 1.0, 7.0], dtype=torch.float64).reshape(1, 3, 1).expand(2, 3, 1)
    extra = {} if method is SPPM else {"p": 0.5}
    made = method(stepsize=column, **extra)
    state = state_of(made, problem, x)
    whole = made.step(problem, state, draw)
    for a, b in itertools.product(range(2), range(3)):
        alone = method(stepsize=float(column[a, b, 0]), **extra)
        one = SimpleNamespace(j=j[a, b], refresh=draw.refresh[a, b])
        row = alone.step(problem, state_of(alone, problem, x[a, b]), one)
        for f, g in zip(whole, row, strict=True):
            torch.testing.assert_close(f[a, b], g, rtol=1e-11, atol=1e-12)


def test_the_stated_error_covers_what_the_oracle_missed():
    """|stepsize grad f_j(u) + u - x| bounds the distance of u to the proximal point, as f_j is convex."""
    problem = LogisticRegression("breast_cancer", 0.01)
    method, x = SPPM(3.0), problem.x0.expand(4, problem.d)
    j = torch.tensor([[0], [1], [100], [568]])
    new = method.step(problem, state_of(method, problem, x), SimpleNamespace(j=j))
    residual = (3.0 * problem.part_grad(new.x, j[:, 0]) + new.x - x).norm(dim=-1)
    assert new.error.shape == (4,)
    assert bool((new.error >= 0).all())
    assert bool((new.error < 1e-9).all())
    assert bool((residual <= new.error + 1e-12 * new.x.norm(dim=-1)).all())
    assert torch.equal(method.x_error(problem, state_of(method, problem, x), new), new.error)


def test_steps_can_be_differentiated():
    x = at(5.0, 1.0).requires_grad_()
    method = SVRP(0.5, 0.5)
    draw = SimpleNamespace(j=torch.tensor([0]), refresh=torch.tensor([True]))
    new = method.step(CENTRES, state_of(method, CENTRES, at(1.0, 1.0))._replace(x=x), draw)
    (slope,) = torch.autograd.grad(new.x.sum() + new.full.sum(), x)
    assert slope.tolist() == pytest.approx([1.5, 1.5])


@pytest.mark.parametrize("value", [0, -1.0, math.nan, math.inf])
def test_stepsizes_are_positive(value):
    for make in (lambda: SPPM(value), lambda: SVRP(value, 0.5)):
        with pytest.raises(ValueError, match=r"^stepsize must be finite and > 0"):
            make()


@pytest.mark.parametrize("p", [0.0, 1.5])
def test_the_refresh_probability_is_one(p):
    with pytest.raises(ValueError, match=rf"p must be in \(0, 1\], got {p}"):
        SVRP(1.0, p)


def test_minibatches_fit_the_sum():
    for minibatch in (0, -1):
        with pytest.raises(ValueError, match="minibatch must be"):
            SPPM(1.0, minibatch)
    for minibatch in (1.5, "2", True):
        with pytest.raises((TypeError, ValueError), match="minibatch must be"):
            SPPM(1.0, minibatch)
    with pytest.raises(ValueError, match=r"minibatch must be an integer in 1\.\.3.*got 4"):
        run(SPPM(1.0, 4), CENTRES, steps=1)


def test_problems_without_the_oracle_are_named():
    with pytest.raises(TypeError, match="SPPM needs batch_prox"):
        run(SPPM(1.0), LinkSum("robust", ((1.0,), (2.0,))), steps=1)


def test_they_print_as_the_calls_that_make_them():
    assert repr(SPPM(0.5)) == "SPPM(stepsize=0.5)"
    assert repr(SPPM(0.5, 3)) == "SPPM(stepsize=0.5, minibatch=3)"
    assert repr(SVRP(0.5, 0.25)) == "SVRP(stepsize=0.5, p=0.25)"
