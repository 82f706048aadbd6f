"""Proximal steps of means of absolute values, against the best of all active sets."""

import itertools
import math
from typing import Any

import mpmath as mp
import pytest
import torch
from torch import Tensor

from problems.abs_affine import AbsAffine
from problems.abs_prox import abs_move
from problems.abs_sum import AbsSum
from problems.abs_sum_facts import kink_modulus
from problems.ball_newton import SolverError
from tests.problems.abs_toys import CURVED, FLAT, PARALLEL, indices, members, normal, tensor


def exact_prox(problem: AbsSum, x: Tensor, j: list[int], stepsize: float) -> Any:
    """The best of the points of all active sets and signs, in 50 digits."""
    d, mu, w = problem.d, mp.mpf(problem.mu), mp.mpf(stepsize)
    a, r = problem.rows, problem.residuals or (0.0,) * problem.n_terms
    terms, center = sorted(set(j)), mp.matrix(problem.x_star.tolist())
    g = mp.matrix([mp.mpf(e.numerator) / e.denominator for e in problem._exact_pull])
    start = (mp.matrix(x.tolist()) - center + w * g) / (1 + mu * w)
    weight = {i: w / (1 + mu * w) * j.count(i) / len(j) for i in terms}
    row = {i: mp.matrix(list(a[i])) for i in terms}
    best: tuple[Any, Any] = (mp.inf, start)
    for signs in itertools.product((-1, 0, 1), repeat=len(terms)):
        base, held = start.copy(), [i for i, s in zip(terms, signs, strict=True) if s == 0]
        for i, s in zip(terms, signs, strict=True):
            base -= weight[i] * s * row[i]
        gram = mp.matrix(len(held), len(held))
        for k, p in itertools.product(range(len(held)), repeat=2):
            gram[k, p] = (row[held[k]].T * row[held[p]])[0]
        if len(held) > d or (held and abs(mp.det(gram)) < 1e-30):
            continue
        if held:
            u = mp.lu_solve(gram, mp.matrix([(row[i].T * base)[0] + mp.mpf(r[i]) for i in held]))
            for i, share in zip(held, u, strict=True):
                base -= share * row[i]
        value = mp.norm(base - start) ** 2 / 2
        value += sum(weight[i] * abs((row[i].T * base)[0] + mp.mpf(r[i])) for i in terms)
        best = min(best, (value, base), key=lambda pair: pair[0])
    return best[1] + center


@members
@pytest.mark.parametrize("b", [1, 2, 4])
def test_proximal_point_is_the_best_of_all_active_sets(problem: AbsSum, b: int):
    with mp.workdps(50):
        for scale in (1e-5, 1.0, 1e4):
            x = problem.x_star + scale * normal(2, problem.d, seed=b)
            j = indices(problem.n_terms, 2, b, seed=b)
            for stepsize in (1e-8, 1e-2, 0.7, 10.0, 1e8):
                z = problem.batch_prox(x, j, stepsize)
                stated = problem.oracle_error("batch_prox", x, stepsize, z, j)
                for k in range(2):
                    exact = exact_prox(problem, x[k], j[k].tolist(), stepsize)
                    error, size = (
                        float(mp.norm(exact - mp.matrix(z[k].tolist()))),
                        1 + x[k].norm() + z[k].norm(),
                    )
                    assert error <= stated[k]
                    assert stated[k] <= 1e-13 * size * (1 + stepsize) * (1 + kink_modulus(problem.rows))
                    moved = z[k] + 1e-6 * size
                    assert problem.oracle_error("batch_prox", x[k], stepsize, moved, j[k]) >= 1e-7 * size


TWICE, THRICE = ((1.0, 4.0, -5.0), (1.0, 4.0, -5.0), (-4.0, 5.0, 1.0)), (1 / 3, 2 / 3, 1.0)
DEPENDENT = (
    (AbsSum(((50.0, 30.0, -40.0),) * 2, (0.0, 0.0), mu=1e-5), 100.0, 1e-12),
    (AbsSum(TWICE, (0.0,) * 3, mu=0.01), 100.0, 1e-12),
    (AbsSum(((10.0, -30.0, -10.0),) * 2, (0.0, 0.0), mu=0.001), 100.0, 1e-12),
    # parallel to rounding: their kinks may meet far away
    (AbsSum(((2.0, 3.0, -5.0), (2.000000002, 3.000000003, -5.000000005)), (0.0,) * 2, 1e-4), 100.0, 1e-7),
    (
        AbsSum(((1.0, 2.0, 3.0), (-2.0, -4.0, -6.0), THRICE), (1.0, -1.0, 0.5), 0.1, (1e-6, -1.0, 0.0)),
        10.0,
        1e-6,
    ),
    (AbsSum(((5e3, 3e3), (1e4, 6e3 + 1e-7), (5e3 + 1e-7, 3e3)), (0.0,) * 3), 100.0, 1e-2),
)


@pytest.mark.parametrize(("problem", "stepsize", "room"), DEPENDENT, ids=repr)
def test_parallel_rows(problem: AbsSum, stepsize: float, room: float):
    """Rows that others determine, exactly or to rounding: each step ends, at the proximal point."""
    x = problem.x_star + normal(200, problem.d) * tensor([1e-3, 1e-2, 0.1, 1.0]).repeat(50)[:, None]
    z = problem.prox(x, stepsize)
    stated = problem.oracle_error("prox", x, stepsize, z)
    travel = stepsize * max(math.hypot(*row) for row in problem.rows)
    assert (stated <= room * travel).all()
    with mp.workdps(50):
        for k in range(0, 200, 25):
            exact = exact_prox(problem, x[k], [*range(problem.n_terms)], stepsize)
            assert float(mp.norm(exact - mp.matrix(z[k].tolist()))) <= min(float(stated[k]), 1e-13 * travel)


def test_an_overflow_is_an_error():
    problem = AbsSum(((1e200, 0.0), (0.0, 1e200)), (0.0, 0.0))
    x = tensor([[1e200, 1.0], [1.0, torch.nan]])
    for j in (torch.tensor([[0, 1], [0, 1]]), torch.tensor([[0], [0]])):
        with pytest.raises(SolverError, match="batch_prox: the result is not finite on 1 rows where x is"):
            problem.batch_prox(x, j, 1.0)
        assert problem.batch_prox(x[1:], j[1:], 1.0).isnan().any()


@members
@pytest.mark.parametrize("stepsize", [1e-8, 1e-3, 0.5, 20.0, 1e8])
def test_many_proximal_steps_of_the_whole(problem: AbsSum, stepsize: float):
    """(x - z) / stepsize is a subgradient at z: f grows from there as it says."""
    x = problem.x_star + normal(300, problem.d) * tensor([1e-6, 1.0, 1e3]).repeat(100)[:, None]
    z = problem.prox(x, stepsize)
    assert (
        problem.oracle_error("prox", x, stepsize, z) <= 1e-10 * (1 + x.norm(dim=-1)) * (1 + stepsize)
    ).all()
    y = problem.x_star + 3 * normal(50, 1, problem.d, seed=2)
    below = problem.value(z) + ((x - z) / stepsize * (y - z)).sum(dim=-1)
    room = 1e-11 * (1 + x.norm(dim=-1)).square() * (1 + 1 / stepsize)
    assert (problem.value(y) >= below - room).all()


def test_a_vertex_is_kept():
    """All kinks meet at the minimiser, more of them than dimensions."""
    for problem in (FLAT, PARALLEL):
        x = problem.x_star.expand(3, -1)
        assert (problem.prox(x, 1.0) - x).norm() <= 1e-15
        near = x + 1e-3 * normal(3, problem.d)
        assert (problem.prox(near, 1.0) - x).norm() <= 1e-15


def test_batches_do_not_mix():
    x, j = CURVED.x_star + normal(4, 2), indices(4, 4, 3)
    stepsize = torch.tensor([[0.1], [1.0], [5.0], [0.3]], dtype=torch.float64)
    together = CURVED.batch_prox(x, j, stepsize)
    alone = torch.stack([CURVED.batch_prox(x[i], j[i], float(stepsize[i])) for i in range(4)])
    assert torch.allclose(together, alone, rtol=1e-13, atol=1e-14)
    folded = CURVED.batch_prox(x.reshape(2, 2, 2), j.reshape(2, 2, 3), stepsize.reshape(2, 2, 1))
    assert torch.allclose(folded.reshape(4, 2), together, rtol=1e-13, atol=1e-14)
    assert CURVED.prox(x[0], stepsize).shape == (4, 2)
    for b in (1, 3):
        before = CURVED.batch_prox(x, j[:, :b], stepsize)
        spoilt = x.clone()
        spoilt[2, 1] = torch.nan
        after = CURVED.batch_prox(spoilt, j[:, :b], stepsize)
        assert after[2].isnan().any()
        assert torch.allclose(after[[0, 1, 3]], before[[0, 1, 3]], rtol=1e-13, atol=1e-14)
    twice = CURVED.batch_prox(x, torch.cat([j, j], dim=-1), stepsize)
    assert torch.allclose(twice, together, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("b", [1, 3])
def test_derivative_of_the_proximal_point(b: int):
    x, v, j = FLAT.x_star + normal(30, 3), normal(30, 3, seed=1), indices(5, 30, b)
    _, found = torch.autograd.functional.jvp(lambda y: FLAT.batch_prox(y, j, 0.5), x, v)
    assert isinstance(found, Tensor)
    h = 1e-7
    expected = (FLAT.batch_prox(x + h * v, j, 0.5) - FLAT.batch_prox(x - h * v, j, 0.5)) / (2 * h)
    assert torch.allclose(found, expected, atol=1e-6)


def test_one_term_is_a_ridge():
    problem, x = AbsSum(((2.0, -1.0),), (0.25,), mu=0.0 + 1e-300), normal(20, 2)
    j = torch.zeros(20, 1, dtype=torch.int64)
    # without its mu and its slope of 0.25 a: the proximal step of |<a, x>| from x + 0.25 w a
    shifted = x + 0.3 * 0.25 * tensor([2.0, -1.0])
    expected = AbsAffine((2.0, -1.0)).prox(shifted, 0.3)
    assert torch.allclose(problem.batch_prox(x, j, 0.3), expected, rtol=1e-13, atol=1e-14)
    step = abs_move(torch.ones(1, 1, 1).double(), tensor([[3.0]]), torch.ones(1, 1).double())
    assert step.y.tolist() == [[-1.0]]
    assert step.u.tolist() == [[1.0]]
