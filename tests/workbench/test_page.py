"""PAGE: known answers, its expectation over all draws, what it costs, and that only rows with heads pay."""

import itertools
import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from assumptions import EUCLIDEAN
from problems.calculus.noisy import Noisy
from problems.noise.gaussian import GaussianNoise
from problems.quadratic_sum import QuadraticSum
from workbench import run
from workbench.draws import Coin, Indices, Subset
from workbench.methods.gradient_descent import GradientDescent
from workbench.methods.page import EST_ERROR, EST_NORM, PAGE, PageState
from workbench.quantity import Reading
from workbench.verify.enumeration import listed

SUM = QuadraticSum(
    (
        ((2.0, 1.0), (1.0, 3.0)),
        ((1.0, 0.0), (0.0, -0.5)),
        ((0.5, 0.0), (0.0, 4.0)),
        ((1.0, -1.0), (-1.0, 1.0)),
    ),
    ((1.0, 0.0), (0.0, -2.0), (3.0, 1.0), (0.0, 0.0)),
)
SCALES = (1e-6, 1.0, 1e6)


def drawn(refresh, j=None):
    draw = SimpleNamespace(refresh=torch.tensor(refresh)[..., None])
    if j is not None:
        draw.j = torch.tensor(j)
    return draw


def state(*batch, problem=SUM, seed=0):
    generator = torch.Generator().manual_seed(seed)
    x, g = (torch.randn(*batch, problem.d, dtype=torch.float64, generator=generator) for _ in range(2))
    return PageState(x, g, torch.ones(batch, dtype=torch.int64))


def reading(problem, found):
    two = PageState(*(f[None, None] for f in found))
    return Reading(problem, PAGE(0.1, 0.5), two, EUCLIDEAN, 4e-16 * two.x.norm(dim=-1))


def counted() -> Any:
    return Counted(SUM)


class Counted:
    """A problem that counts the gradients of terms it is asked for."""

    def __init__(self, problem):
        self.problem, self.calls = problem, 0

    def __getattr__(self, name):
        return getattr(self.problem, name)

    def grad(self, x):
        self.calls += x[..., 0].numel() * self.problem.n_terms
        return self.problem.grad(x)

    def batch_grad(self, x, j):
        self.calls += j.numel()
        return self.problem.batch_grad(x, j)

    def batch_change(self, x, before, j):
        self.calls += 2 * j.numel()
        return self.problem.batch_change(x, before, j)


# -- arguments ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "p",
    [
        0,
        0.0,
        -0.1,
        math.nan,
        math.inf,
        1.0000001,
        2,
        torch.tensor([[0.5], [0.0]]),
        torch.tensor([[0.5], [1.5]]),
    ],
)
def test_p_must_be_a_probability(p):
    with pytest.raises(ValueError, match=r"^p must be in \(0, 1\], got"):
        PAGE(0.1, p)


@pytest.mark.parametrize("b", [0, -1, 1.0, 0.5, True, "2", None])
def test_a_minibatch_is_a_whole_number(b):
    with pytest.raises(ValueError, match=r"^minibatch must be an integer >= 1, got"):
        PAGE(0.1, 0.5, b)


@pytest.mark.parametrize("replacement", [0, 1, None, "yes"])
def test_replacement_is_a_flag(replacement):
    with pytest.raises(ValueError, match=r"^replacement must be True or False, got"):
        PAGE(0.1, 0.5, 1, replacement)


def test_without_replacement_a_minibatch_fits_the_sum():
    with pytest.raises(ValueError, match=r"minibatch must be an integer in 1\.\.4.*got 5"):
        run(PAGE(0.1, 0.5, 5), SUM, steps=1)
    run(PAGE(0.1, 0.5, 5, replacement=True), SUM, steps=3)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_hyperparameters_are_columns(shape):
    for name in ("stepsize", "p"):
        with pytest.raises(ValueError, match=f"PAGE.{name} must be a float or have shape"):
            replace(PAGE(0.1, 0.5), **{name: torch.full(shape, 0.1)})


def test_it_fits_sums_and_not_noise():
    noisy = Noisy(QuadraticSum.coordinates(2), GaussianNoise(1.0))
    assert "noise" in PAGE.unfit(noisy)
    assert PAGE.unfit(SUM) == ""


def test_it_prints_as_the_call_that_makes_it():
    method = PAGE(0.25, 0.5, 2, replacement=True)
    assert repr(method) == "PAGE(stepsize=0.25, p=0.5, minibatch=2, replacement=True)"
    assert eval(repr(method), {"PAGE": PAGE}) == method


def test_the_usual_p_takes_as_many_terms_in_refreshes_as_in_samples():
    p = PAGE.refresh(90, 10)
    assert p == 0.1
    assert p * 90 == pytest.approx((1 - p) * 10)
    with pytest.raises(ValueError, match="n_terms must be an integer >= 1"):
        PAGE.refresh(0)


# -- the step -------------------------------------------------------------------------------------


def test_the_draws_are_a_coin_and_terms():
    assert PAGE(0.1, 0.5, 2).draws(SUM) == {"refresh": Coin(0.5), "j": Subset(4, 2)}
    assert PAGE(0.1, 0.5, 2, replacement=True).draws(SUM) == {"refresh": Coin(0.5), "j": Indices(4, 2)}
    assert list(PAGE(0.1, 0.5, 4).draws(SUM)) == ["refresh"]


def test_a_step_by_hand():
    """Terms x^2 / 2 and 3 x^2 / 2 from x = 4, g = 10 with step 1/2: x_next = -1."""
    problem = QuadraticSum((((1.0,),), ((3.0,),)))
    at = PageState(
        torch.tensor([[4.0]] * 3).double(), torch.full((3, 1), 10.0).double(), torch.ones(3).long()
    )
    new = PAGE(0.5, 0.5).step(problem, at, drawn([True, False, False], [[0], [0], [1]]))
    assert new.x.tolist() == [[-1.0]] * 3
    assert new.g.tolist() == [[-2.0], [5.0], [-5.0]]
    assert new.steps.tolist() == [2, 2, 2]


@pytest.mark.parametrize("batch", [(), (5,), (2, 3)], ids=str)
def test_with_p_one_it_is_gradient_descent_bit_for_bit(batch):
    x0 = state(*batch).x if batch else SUM.x0
    rows = x0.reshape(-1, SUM.d)
    page = run(PAGE(0.1, 1.0, 2), SUM, rows, steps=30, keep_state=True).x
    descent = run(GradientDescent(0.1), SUM, rows, steps=30, keep_state=True).x
    assert page is not None
    assert descent is not None
    assert torch.equal(page, descent)


@pytest.mark.parametrize("replacement", [False, True])
@pytest.mark.parametrize("b", [1, 2, 3, 4])
@pytest.mark.parametrize("p", [0.02, 0.5, 1.0])
def test_the_error_of_the_estimate_shrinks_by_tails_on_average(p, b, replacement):
    """E[g_next - grad f(x_next)] = (1 - p) (g - grad f(x)), whatever g is; the next x is not random."""
    method, at = PAGE(0.1, p, b, replacement), state()
    draws, weights = listed(method.draws(SUM))
    size = len(weights)
    spread = PageState(*(f.expand(size, *f.shape) for f in at))
    new = method.step(SUM, spread, SimpleNamespace(**draws))
    assert (new.x == new.x[0]).all()
    error = (weights[:, None] * (new.g - SUM.grad(new.x))).sum(0)
    torch.testing.assert_close(error, (1 - p) * (at.g - SUM.grad(at.x)), rtol=1e-13, atol=1e-14)


def test_a_sample_of_all_terms_follows_the_gradient():
    method, at = PAGE(0.1, 0.5, 4), state(7)
    new = method.step(SUM, at, drawn([False] * 7))
    torch.testing.assert_close(new.g - SUM.grad(new.x), at.g - SUM.grad(at.x), rtol=1e-13, atol=1e-13)


def test_a_column_of_hyperparameters_equals_floats():
    x0 = state(3).x
    stepsizes, ps = (torch.tensor(v).double()[:, None] for v in ([0.01, 0.1, 0.2], [0.1, 0.5, 1.0]))
    method = PAGE(stepsizes, ps)
    u = torch.tensor([[0.3, 0.6]] * 3).double()
    spaces = method.draws(SUM)
    draw = SimpleNamespace(refresh=spaces["refresh"].value(u[:, :1]), j=spaces["j"].value(u[:, 1:]))
    assert draw.refresh[:, 0].tolist() == [False, True, True]
    found = method.step(SUM, method.init(SUM, x0, draw), draw)
    for i in range(3):
        alone = PAGE(float(stepsizes[i]), float(ps[i]))
        one = SimpleNamespace(refresh=draw.refresh[i], j=draw.j[i])
        expected = alone.step(SUM, alone.init(SUM, x0[i], one), one)
        torch.testing.assert_close(found.x[i], expected.x, rtol=1e-14, atol=1e-14)
        torch.testing.assert_close(found.g[i], expected.g, rtol=1e-13, atol=1e-14)


def test_rows_never_mix_and_nan_stays_in_its_row():
    at, draw = state(4), drawn([True, False, True, False], [[0], [1], [2], [3]])
    method = PAGE(0.1, 0.5)
    whole = method.step(SUM, at, draw)
    at.x[2] = torch.nan
    hurt = method.step(SUM, at, draw)
    assert hurt.x[2].isnan().all()
    assert hurt.g[2].isnan().all()
    others = [0, 1, 3]
    torch.testing.assert_close(hurt.g[others], whole.g[others], rtol=1e-14, atol=1e-14)
    assert torch.equal(hurt.x[others], whole.x[others])


def test_a_step_is_pure_and_autograd_follows_it_through_both_sides_of_the_coin():
    at, draw = state(2, 2), drawn([[True, False], [False, True]], [[[0], [1]], [[2], [3]]])
    copies = [f.clone() for f in at]

    def next_g(x, g):
        return PAGE(0.1, 0.5).step(SUM, PageState(x, g, at.steps), draw).g

    x, g = at.x.clone().requires_grad_(), at.g.clone().requires_grad_()
    assert torch.autograd.gradcheck(next_g, (x, g))
    assert all(torch.equal(f, c) for f, c in zip(at, copies, strict=True))


# -- what it costs --------------------------------------------------------------------------------


@pytest.mark.parametrize("coins", list(itertools.product([True, False], repeat=3)), ids=str)
def test_the_cost_is_what_each_row_needs(coins):
    at = with_steps(state(3), 1)
    cost = PAGE(0.1, 0.5, 3).cost(SUM, at, drawn(coins, [[0, 1, 2]] * 3))
    assert cost["grad_calls"].tolist() == [4.0 if heads else 6.0 for heads in coins]
    cost = PAGE(0.1, 0.5).cost(SUM, at, drawn(coins, [[0]] * 3))
    assert cost["grad_calls"].tolist() == [4.0 if heads else 2.0 for heads in coins]


def with_steps(at, steps):
    return at._replace(steps=torch.full_like(at.steps, steps))


@pytest.mark.parametrize("heads", [True, False])
def test_the_cost_is_counted_where_it_is_spent(heads):
    problem, method = counted(), PAGE(0.1, 0.5)
    draw = drawn([heads], [[1]])
    first = method.init(problem, SUM.x0[None], draw)
    assert problem.calls == 4
    new = method.step(problem, first, draw)
    assert float(method.cost(problem, first, draw)["grad_calls"]) == problem.calls == (8 if heads else 6)
    problem.calls = 0
    method.step(problem, new, draw)
    assert float(method.cost(problem, new, draw)["grad_calls"]) == problem.calls == (4 if heads else 2)


def test_full_gradients_are_taken_only_in_rows_with_heads():
    problem = counted()
    coins = [True] + [False] * 99
    PAGE(0.1, 0.5).step(problem, state(100), drawn(coins, [[0]] * 100))
    assert problem.calls == 2 * 100 + 4


def test_the_expected_cost_is_p_n_plus_two_b_at_tails():
    trace = run(PAGE(0.01, 0.25, 1), SUM, steps=400, replicates=64, seed=0, record=("grad_calls",))
    spent = trace["grad_calls"][:, -1] - 4
    # 25600 coins of standard deviation 2 sqrt(p (1 - p)) < 1
    assert float(spent.sum()) / 25600 == pytest.approx(0.25 * 4 + 0.75 * 2, abs=6 / 160)


# -- what is read ---------------------------------------------------------------------------------


def test_est_error_and_est_norm_by_hand():
    at = PageState(torch.tensor([1.0, 0.0]), torch.tensor([3.0, 4.0]), torch.tensor(0))
    r = reading(QuadraticSum.coordinates(2), PageState(at.x.double(), at.g.double(), at.steps))
    assert EST_NORM.read(r).item() == 5
    assert EST_ERROR.read(r).item() == pytest.approx(math.hypot(2.5, 4), rel=1e-15)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("offset", SCALES)
def test_the_resolution_covers_rounding_and_no_more(scale, offset):
    """Terms that differ by linear functions only: the exact error of the estimate is 0 at every step."""
    centers = tuple((offset * (1 + j) / 3, offset * (2 - j) / 7) for j in range(4))
    problem = QuadraticSum.isotropic(1.0, centers)
    problem = QuadraticSum(
        tuple(tuple(tuple(scale * e for e in row) for row in a) for a in problem.hessians),
        tuple(tuple(scale * e for e in row) for row in problem.linear),
    )
    method = PAGE(0.3 / scale, 0.5)
    at = method.init(problem, problem.x0[None], drawn([False]))
    for step in range(20):
        new = method.step(problem, at, drawn([step % 5 == 4], [[step % 4]]))
        # the claim about one step starts from g as it stands
        at = new._replace(g=problem.grad(new.x))
        r = reading(problem, PageState(*(f[0] for f in new)))
        error, limit = EST_ERROR.read(r).item(), EST_ERROR.error(r, EST_ERROR.read(r)).item()
        assert error <= limit
        assert limit <= 2e-12 * scale * (offset + 1 + float(new.x.norm()))
