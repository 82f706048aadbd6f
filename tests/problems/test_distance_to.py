"""Convex sets with their projections, and the distance to them."""

import math
from typing import Any

import cvxpy
import numpy as np
import pytest
import torch
from torch import Tensor

from assumptions import Inequality, Lp, parse_specification, sample_points
from problems.ball_sets import EuclideanBall, L1Ball
from problems.distance_to import DistanceTo
from problems.sets import Box, ConvexSet, HalfSpace

EPS = torch.finfo(torch.float64).eps
SETS: tuple[ConvexSet, ...] = (
    Box((0.0, -1.0, -math.inf), (1.0, math.inf, 0.5)),
    Box((0.0, 1.0, 2.0), (0.0, 1.0, 2.0)),
    HalfSpace((1.0, -2.0, 0.5), 1.0),
    EuclideanBall(1.5, (1.0, 2.0, -1.0)),
    L1Ball(1.5, (1.0, 2.0, -1.0)),
)
NAMES = {c.__name__: c for c in (DistanceTo, Box, HalfSpace, EuclideanBall, L1Ball)}

every = pytest.mark.parametrize("within", SETS, ids=repr)


def points(rows: int, seed: int = 0, spread: float = 3.0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return spread * torch.randn(rows, 3, dtype=torch.float64, generator=generator)


@every
def test_projections_against_a_conic_solver(within: ConvexSet):
    for x in points(5):
        z = cvxpy.Variable(3)
        square = cvxpy.sum_squares(z - x.numpy())
        cvxpy.Problem(cvxpy.Minimize(square), within.conic(z, cvxpy)).solve(solver="CLARABEL")
        assert np.allclose(within.project(x).numpy(), z.value, rtol=0, atol=1e-5)
        assert float((within.project(x) - x).square().sum()) == pytest.approx(float(square.value), abs=1e-6)


@every
def test_projections_meet_their_condition(within: ConvexSet):
    """<x - P(x), z - P(x)> <= 0 for z in C."""
    x = torch.cat([points(200), 1e6 * points(50)])
    p = within.project(x)
    inside = within.project(points(100, seed=1)).unsqueeze(1)
    product = ((x - p) * (inside - p)).sum(-1)
    assert (
        product <= 32 * EPS * (x.norm(dim=-1) + 3) * ((inside - p).norm(dim=-1) + (x - p).norm(dim=-1) + 1)
    ).all()
    assert within.contains(p).all()
    assert torch.equal(within.project(p), p)
    assert not within.contains(within.exterior)
    kept = within.contains(x)
    assert torch.equal(p[kept], x[kept])


@every
def test_contains_against_its_definition(within: ConvexSet):
    x = points(500)
    match within:
        case Box(low=low, high=high):
            expected = torch.tensor(
                [all(a <= v <= b for a, v, b in zip(low, row, high, strict=True)) for row in x.tolist()]
            )
        case HalfSpace(a=a, b=b):
            expected = x @ torch.tensor(a, dtype=torch.float64) <= b
        case EuclideanBall(radius=r, center=c):
            expected = (x - torch.tensor(c, dtype=torch.float64)).square().sum(-1) <= r * r
        case L1Ball(radius=r, center=c):
            expected = (x - torch.tensor(c, dtype=torch.float64)).abs().sum(-1) <= r
        case _:
            raise AssertionError(within)
    assert torch.equal(within.contains(x), expected)


@every
@pytest.mark.parametrize("t", [1e-200, 1e-9, 0.4, 2.0, 1e200])
def test_brox_walks_to_the_set(within: ConvexSet, t: float):
    problem = DistanceTo(within)
    x = points(60)
    result = problem.brox_step(x, t)
    distance = problem.value(x)
    near = distance <= t
    assert torch.equal(result.point[near], within.project(x)[near])
    assert (problem.gap(result.point)[near] == 0).all()
    assert (result.subgradient[near] == 0).all()
    assert ((result.step.norm(dim=-1) - t).abs()[~near] <= 1e-12 * t).all() or t < 1e-150
    fallen = distance - problem.value(result.point)
    assert ((fallen - t).abs()[~near] <= 1e-12 * t + 64 * EPS * (x.norm(dim=-1) + 3)[~near]).all()
    assert (result.residual <= 16 * EPS * t).all()
    z = points(200, seed=2, spread=5.0).unsqueeze(1)
    lower = problem.value(result.point) + (result.subgradient * (z - result.point)).sum(-1)
    assert (problem.value(z) >= lower - 1e-13).all()


@every
def test_brox_and_prox_against_a_conic_solver(within: ConvexSet):
    problem = DistanceTo(within)
    for x, size in zip(points(3, seed=4), (0.2, 0.9, 6.0), strict=True):
        z: Any = cvxpy.Variable(3)
        f = problem.conic(z, cvxpy)
        cvxpy.Problem(cvxpy.Minimize(f), [cvxpy.norm(z - x.numpy()) <= size]).solve(solver="CLARABEL")
        assert float(problem.value(problem.brox(x, size))) == pytest.approx(float(f.value), abs=1e-6)
        assert float(problem.value(torch.from_numpy(z.value))) == pytest.approx(float(f.value), abs=1e-6)
        square = cvxpy.sum_squares(z - x.numpy()) / (2 * size)
        cvxpy.Problem(cvxpy.Minimize(f + square)).solve(solver="CLARABEL")
        assert np.allclose(problem.prox(x, size).numpy(), z.value, rtol=0, atol=1e-3)
        u = problem.prox(x, size)
        ours = float(problem.value(u) + (u - x).square().sum() / (2 * size))
        assert ours <= float(f.value + square.value) + 1e-6


@every
def test_facts(within: ConvexSet):
    problem = DistanceTo(within)
    assert float(problem.value(problem.x0)) > 0.5
    assert float(problem.value(problem.x_star)) == 0
    assert torch.equal(problem.x_star, problem.nearest_star(torch.zeros(3, dtype=torch.float64)))
    assert problem.offers_dist()
    assert not problem.offers_dist(Lp(1))
    with pytest.raises(ValueError, match="norm"):
        problem.nearest_star(problem.x0, Lp(1))
    for certificate in problem.certified:
        assumption = certificate.assumption
        assert isinstance(assumption, Inequality)
        checked = assumption.check(problem, *sample_points(problem, 300, assumption.arity, seed=0))
        assert checked.verdict == "not refuted"
        assert assumption.refute(problem, budget=1000).verdict == "not refuted"
    assert parse_specification(repr(problem), NAMES) == problem


@every
def test_gradients_and_nan(within: ConvexSet):
    problem = DistanceTo(within)
    x = points(60).requires_grad_(True)
    (expected,) = torch.autograd.grad(problem.value(x).sum(), x)
    assert torch.allclose(problem.grad(x.detach()), expected, rtol=1e-12, atol=1e-13)
    assert torch.equal(problem.grad(problem.x_star), torch.zeros(3, dtype=torch.float64))
    broken = points(3)
    broken[1, 2] = torch.nan
    result = problem.brox_step(broken, 0.2)
    assert result.point[1].isnan().any()
    assert result.residual[1].isnan()
    assert torch.equal(result.point[[0, 2]], problem.brox(points(3), 0.2)[[0, 2]])
    assert problem.prox(broken, 0.2)[1].isnan().any()


def test_huge_and_tiny():
    far = torch.tensor([1e200, -1e200, 1e200], dtype=torch.float64)
    for within in SETS:
        problem = DistanceTo(within)
        result = problem.brox_step(far, 1e190)
        assert float(result.step.abs().max()) <= 1e190 * (1 + 1e-12)
        assert result.point.isfinite().all()
    box = DistanceTo(Box((0.0,), (1.0,)))
    assert box.brox(torch.tensor([2.0], dtype=torch.float64), 0.25).item() == 1.75
    assert box.brox(torch.tensor([2.0], dtype=torch.float64), 1.0).item() == 1.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Box((), ()), "one length > 0"),
        (lambda: Box((0.0,), (1.0, 2.0)), "one length > 0"),
        (lambda: Box((2.0,), (1.0,)), "low must be <= high"),
        (lambda: Box((math.inf,), (math.inf,)), "low < inf"),
        (lambda: Box((math.nan,), (1.0,)), "low must be <= high"),
        (lambda: Box(("x",), (1.0,)), "low must be a tuple of numbers"),  # pyright: ignore[reportArgumentType]
        (lambda: Box((-math.inf,), (math.inf,)), "one entry of low or high must be finite"),
        (lambda: HalfSpace((0.0, 0.0)), "a must not be 0"),
        (lambda: HalfSpace((1.0,), math.inf), "b must be finite"),
        (lambda: EuclideanBall(0.0, (0.0,)), "radius must be"),
        (lambda: L1Ball(-1.0, (0.0,)), "radius must be"),
        (lambda: L1Ball(1.0, ()), "center must have"),
        (lambda: DistanceTo(SETS[0], start=(1.0,)), "start"),
    ],
)
def test_bad_arguments_are_named(make: Any, message: str):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_set_is_asked_for():
    with pytest.raises(TypeError, match="within must be a ConvexSet"):
        DistanceTo((0.0, 1.0))  # pyright: ignore[reportArgumentType]
