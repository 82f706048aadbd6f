"""Weighted l1 distance over balls of every l_p norm."""

import math
from collections.abc import Sequence
from typing import Any

import cvxpy
import numpy as np
import pytest
import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Lp, Norm
from assumptions.weighted import Weighted
from problems.weighted_l1 import WeightedL1

EPS = torch.finfo(torch.float64).eps
PROBLEM = WeightedL1((1.0, 0.0, 0.3, 2.0, 1e-12), center=(1.0, -2.0, 0.5, 0.0, 3.0))
STRETCH = (1.0, 2.0, 0.1, 30.0, 1.0)
NORMS = (
    *(Lp(p) for p in (1, 1.001, 1.1, 2, 7, 300, math.inf)),
    Lp(2, scale=3.0),
    *(Weighted(STRETCH, p) for p in (1, 1.5, 2, math.inf)),
)


def tensor(values: Sequence[object]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def points(n: int = 300) -> Tensor:
    """Around the center on many scales, some coordinates already there."""
    generator = torch.Generator().manual_seed(0)
    scale = 10.0 ** torch.randn(n, 1, dtype=torch.float64, generator=generator)
    x = PROBLEM.x_star + scale * torch.randn(n, 5, dtype=torch.float64, generator=generator)
    x[:40, 0], x[20:60, 3] = 1.0, 0.0
    return x


@pytest.mark.parametrize("norm", NORMS, ids=repr)
@pytest.mark.parametrize("radius", [1e-8, 0.1, 1.0, 30.0])
def test_a_step_has_its_length_and_its_proof(norm: Norm, radius: float):
    x = points()
    point, step, g, residual = PROBLEM.brox_step(x, radius, norm)
    near = norm.norm(x - PROBLEM.nearest_star(x, norm)) <= radius
    assert (near == (PROBLEM.gap(point) == 0)).all()
    assert ((norm.norm(step) / radius - 1).abs()[~near] <= 1e-12).all()
    assert (norm.norm(step)[near] <= radius).all()
    moved = norm.norm(point - x)
    assert (moved <= radius * (1 + 1e-12) + 4 * EPS * (norm.norm(x) + radius)).all()
    assert torch.equal(point[near], PROBLEM.nearest_star(x, norm)[near])
    assert (g[near] == 0).all()
    # a subgradient at u: w sign(u - c) off the kink, at most w on it
    w, kink = tensor(PROBLEM.weights), point == PROBLEM.x_star
    assert (g.abs() <= w).all()
    off = ~near.unsqueeze(-1) & ~kink
    assert torch.equal(g[off], PROBLEM.grad(point)[off])
    assert (residual <= 1e-12 * radius * norm.dual(g)).all()


@pytest.mark.parametrize("norm", NORMS, ids=repr)
def test_no_other_point_of_the_ball_is_lower(norm: Norm):
    x, radius = points(20), 0.7
    u = PROBLEM.brox(x, radius, norm)
    generator = torch.Generator().manual_seed(1)
    noise = torch.randn(4000, 20, 5, dtype=torch.float64, generator=generator)
    z = torch.cat(
        [u + 10.0 ** torch.linspace(-5, 0, 4000, dtype=torch.float64)[:, None, None] * noise, x + noise]
    )
    s = z - x
    rivals = x + s * (radius / norm.norm(s)).clamp(max=1).unsqueeze(-1)
    assert (PROBLEM.value(u) <= PROBLEM.value(rivals) + 64 * EPS * (1 + PROBLEM.value(u))).all()


@pytest.mark.parametrize(
    "norm", [Lp(1), Lp(1.5), Lp(3), Lp(math.inf), Weighted((1.0, 2.0, 0.5), 1)], ids=repr
)
def test_against_a_conic_solver(norm: Lp | Weighted):
    problem = WeightedL1((1.0, 0.4, 0.1), center=(0.5, -1.0, 2.0))
    x, radius = np.array([3.0, 1.5, 2.25]), 1.7
    z = cvxpy.Variable(3)
    v = np.array(norm.weights) if isinstance(norm, Weighted) else np.ones(3)
    power: Any = norm.p
    ball = cvxpy.pnorm(cvxpy.multiply(v, z - x), power) <= radius
    best = problem.conic(z, cvxpy)
    cvxpy.Problem(cvxpy.Minimize(best), [ball]).solve(solver="CLARABEL")
    u = problem.brox(torch.from_numpy(x), radius, norm)
    assert float(problem.value(u)) == pytest.approx(float(best.value), rel=1e-6)


def test_a_box_lets_every_coordinate_go_alone():
    problem = WeightedL1((1.0, 1e-9, 0.0))
    u = problem.brox(tensor([3.0, -0.25, 4.0]), 0.5, Lp(math.inf))
    assert u.tolist() == [2.5, 0.0, 4.0]


def test_a_cross_polytope_sends_the_steepest_first():
    problem = WeightedL1((1.0, 3.0, 2.0))
    step = problem.brox_step(tensor([1.0, 1.0, -1.0]), 1.5, Lp(1))
    assert step.point.tolist() == [1.0, 0.0, -0.5]
    assert step.subgradient.tolist() == [1.0, 2.0, -2.0]


def test_far_away_and_close_by():
    x = tensor([[1e150, 1.0, -1e150, 3.0, 1e140], [1 + 1e-15, 9.0, 0.5, 1e-200, 3.0]])
    for norm in NORMS:
        for radius in (1e-150, 1e-16, 1.0, 1e100):
            step = PROBLEM.brox_step(x, radius, norm)
            assert step.point.isfinite().all()
            assert (norm.norm(step.step) <= radius * (1 + 1e-12)).all()
            assert (norm.norm(step.step)[0] >= radius * (1 - 1e-12)).all()
    assert PROBLEM.brox(x, 1e-6)[1].tolist() == [1.0, 9.0, 0.5, 0.0, 3.0]


def test_the_nearest_solution_in_monotone_norms():
    assert all(PROBLEM.offers_dist(norm) and PROBLEM.offers_brox(norm) for norm in NORMS)
    assert not PROBLEM.offers_brox(Weighted((1.0, 2.0)))
    assert not PROBLEM.offers_dist(Weighted((1.0, 2.0)))
    x = points(5)
    assert torch.equal(PROBLEM.nearest_star(x, Lp(1)), PROBLEM.nearest_star(x, EUCLIDEAN))
    with pytest.raises(ValueError, match=r"norm must be one on R\^5.*got Weighted"):
        PROBLEM.nearest_star(x, Weighted((1.0, 2.0)))


def test_the_conjugate_is_a_supremum():
    g = tensor([[0.7, 0.0, -0.3, 1.9, 0.0], [1.1, 0.0, 0.0, 0.0, 0.0], [0.0, 1e-9, 0.0, 0.0, 0.0]])
    found = PROBLEM.conjugate(g)
    assert found[1:].tolist() == [math.inf, math.inf]
    z = PROBLEM.x_star + torch.randn(5000, 5, generator=torch.Generator().manual_seed(2)).double()
    sup = ((z @ g[0]) - PROBLEM.value(z)).max()
    assert sup <= found[0]
    assert float(found[0]) == pytest.approx(float(g[0] @ PROBLEM.x_star - PROBLEM.value(PROBLEM.x_star)))
    # Fenchel's inequality is an equality at a subgradient
    step = PROBLEM.brox_step(points(), 0.3, Lp(3))
    fenchel = PROBLEM.value(step.point) + PROBLEM.conjugate(step.subgradient)
    product = (step.subgradient * step.point).sum(dim=-1)
    assert torch.allclose(fenchel, product, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("norm", NORMS, ids=repr)
def test_nan_stays_in_its_row(norm: Norm):
    x = points(3)
    clean = PROBLEM.brox_step(x, 0.3, norm)
    x[1, 2] = torch.nan
    dirty = PROBLEM.brox_step(x, 0.3, norm)
    for before, after in zip(clean, dirty, strict=True):
        assert after[1].isnan().any()
        assert torch.equal(before[[0, 2]], after[[0, 2]])
