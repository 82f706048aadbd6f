"""Separable functions on boxes."""

import math

import cvxpy
import pytest
import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Lp, Norm
from assumptions.specification import parse_specification
from assumptions.weighted import Weighted
from problems import Huber, Quadratic, SolverError
from problems.constrained import Constrained
from problems.linear import Linear
from problems.sets import Box
from problems.weighted_l1 import WeightedL1
from problems.well_formed import require_well_formed

EPS = torch.finfo(torch.float64).eps
BOX = Box((-1.0, 0.5, -math.inf), (2.0, 4.0, 1.0))
PROBLEMS = [
    Constrained(WeightedL1((1.0, 0.3, 2.0), center=(3.0, 1.0, 0.25)), BOX),
    Constrained(WeightedL1((1.0, 0.0, 0.3), center=(0.0, 9.0, 7.0)), BOX, start=(1.0, 1.0, -3.0)),
    Constrained(Quadratic((2.0, 0.1, 5.0), center=(0.5, -2.0, 3.0), seed=None, f_star=4.0), BOX),
    Constrained(Quadratic((1.0, 0.0, 0.2), center=(-3.0, 1.0, -1.0), seed=None), BOX),
    Constrained(Linear((1.0, -2.0, -0.5)), BOX),
    Constrained(Linear((1.0, 0.0, -0.5)), BOX),
]
every = pytest.mark.parametrize("problem", PROBLEMS, ids=repr)
NORMS = [EUCLIDEAN, Lp(2, scale=0.5), Lp(math.inf), Weighted((1.0, 0.2, 3.0), math.inf)]


def inside(n: int = 40, spread: float = 3.0) -> Tensor:
    """Points of the box, many on its sides."""
    noise = torch.randn(n, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return BOX.project(spread * noise)


@every
def test_it_is_well_formed(problem: Constrained):
    require_well_formed(problem)
    names = {c.__name__: c for c in (Constrained, WeightedL1, Quadratic, Linear, Box)}
    assert parse_specification(repr(problem), names) == problem
    outside = torch.tensor([[2.5, 1.0, 0.0], [0.0, 1.0, 0.0]], dtype=torch.float64)
    assert problem.value(outside).isinf().tolist() == [True, False]
    assert problem.gap(outside).isinf().tolist() == [True, False]
    assert problem.contains(outside).tolist() == [False, True]
    assert problem.grad(outside).isnan().all(dim=-1).tolist() == [True, False]


@every
def test_value_gap_and_subgradient(problem: Constrained):
    x = inside()
    assert torch.allclose(problem.value(x), problem.problem.value(x), rtol=1e-14, atol=1e-14)
    assert (problem.gap(x) >= 0).all()
    assert float(problem.gap(problem.x_star)) == 0
    lines = problem.value(x).unsqueeze(-1) + (
        (x.unsqueeze(0) - x.unsqueeze(1)) * problem.grad(x).unsqueeze(1)
    ).sum(-1)
    assert (lines <= problem.value(x) + 1e-12).all()
    assert (problem.grad(problem.nearest_star(x)) == 0).all() or isinstance(problem.problem, WeightedL1)
    convex, *_ = problem.certified
    assert convex.assumption.refute(problem, budget=2000).verdict != "refuted"


@every
def test_nearest_star(problem: Constrained):
    x = inside()
    nearest = problem.nearest_star(x)
    assert (problem.gap(nearest) == 0).all()
    others = problem.nearest_star(inside(40, 10.0).roll(7, 0)).unsqueeze(1)
    for norm in (*NORMS, Lp(1)):
        assert problem.offers_dist(norm)
        assert torch.equal(problem.nearest_star(x, norm), nearest)
        assert (norm.norm(x - nearest) <= norm.norm(x - others) * (1 + 1e-15)).all()
    assert problem.unique_star == bool((nearest == nearest[0]).all())


@every
@pytest.mark.parametrize("norm", NORMS, ids=repr)
@pytest.mark.parametrize("radius", [1e-7, 0.2, 1.5, 30.0])
def test_brox(problem: Constrained, norm: Norm, radius: float):
    x, z = inside(), inside(300, 2.0).unsqueeze(1)
    assert problem.offers_brox(norm)
    u, step, g, residual = problem.brox_step(x, radius, norm)
    near = norm.norm(x - problem.nearest_star(x)) <= radius
    assert problem.contains(u).all()
    assert torch.equal(u[near], problem.nearest_star(x)[near])
    assert ((norm.norm(step) / radius - 1).abs()[~near] <= 1e-12).all()
    assert (norm.norm(u - x) <= radius * (1 + 1e-12) + 4 * EPS * (norm.norm(x) + radius)).all()
    assert (g[near] == 0).all()
    assert (residual <= 1e-12 * radius * norm.dual(g)).all()
    # a subgradient of F at u; the Euclidean step is a difference of points
    below = problem.value(u) + ((z - u) * g).sum(dim=-1)
    room = 1e-12 * (1 + problem.value(z).abs()) + 256 * EPS * norm.dual(g) / radius
    assert (below <= problem.value(z) + room).all()


@every
@pytest.mark.parametrize("size", [0.3, 2.0])
def test_brox_and_prox_against_a_conic_solver(problem: Constrained, size: float):
    z = cvxpy.Variable(3)
    f, box = problem.conic(z, cvxpy), problem.conic_constraints(z, cvxpy)
    for x in inside(4):
        for p, norm in ((2, EUCLIDEAN), ("inf", Lp(math.inf)), (1, Lp(1))):
            ball = cvxpy.norm(z - x.numpy(), p) <= size
            cvxpy.Problem(cvxpy.Minimize(f), [ball, *box]).solve(solver="CLARABEL")
            assert float(problem.value(problem.brox(x, size, norm))) == pytest.approx(
                float(f.value), rel=1e-6, abs=1e-6
            )
        square = cvxpy.sum_squares(z - x.numpy()) / (2 * size)
        cvxpy.Problem(cvxpy.Minimize(f + square), box).solve(solver="CLARABEL")
        assert (problem.prox(x, size) - torch.from_numpy(z.value)).norm() <= 1e-3


@pytest.mark.parametrize("scale", [1e-200, 1e-65, 1.0, 1e65, 1e200])
@pytest.mark.parametrize("radius", [1e-60, 1e-16, 1e-12, 0.5])
def test_any_slope_and_any_radius(scale: float, radius: float):
    """Inside the box a short step is that of f alone."""
    box, x = Box((-10.0, -10.0), (10.0, 10.0)), torch.tensor([1.0, 2.0], dtype=torch.float64)
    for inner in (
        WeightedL1((scale, 3 * scale)),
        Linear((scale, 3 * scale)),
        Quadratic((scale, 3 * scale), seed=None),
    ):
        found, alone = Constrained(inner, box).brox_step(x, radius), inner.brox_step(x, radius)
        assert float(EUCLIDEAN.norm(found.step)) == pytest.approx(radius, rel=1e-14)
        assert torch.allclose(found.step / radius, alone.step / radius, rtol=1e-13, atol=0)
        assert torch.allclose(found.subgradient / scale, alone.subgradient / scale, rtol=1e-13, atol=0)
        assert torch.allclose(found.point, x + found.step, rtol=0, atol=0)


def test_a_slope_below_single_precision_is_not_flat():
    box = Box((0.0, 0.0), (1.0, 1.0))
    problem = Constrained(WeightedL1((1e-65, 3e-65)), box)
    assert problem.unique_star
    x = torch.tensor([1.0, 1.0], dtype=torch.float64)
    assert problem.nearest_star(x).tolist() == [0, 0]
    narrow = Constrained(Linear((1.0, 0.0)), Box((0.0, 1.0), (1.0, 1.0 + 1e-12)))
    assert not narrow.unique_star


def test_what_no_stepsize_can_solve_is_an_error():
    problem = Constrained(WeightedL1((1e-300, 3e-300)), Box((-10.0, -10.0), (10.0, 10.0)))
    with pytest.raises(SolverError, match="no stepsize was found"):
        problem.brox_step(torch.tensor([1.0, 1.0], dtype=torch.float64), 0.5)


def test_rows_and_nan():
    problem, x = PROBLEMS[0], inside(3)
    for norm in NORMS:
        clean = problem.brox(x, 0.3, norm), problem.prox(x, 0.3), problem.value(x), problem.grad(x)
        dirty_x = x.clone()
        dirty_x[1, 0] = torch.nan
        dirty = (
            problem.brox(dirty_x, 0.3, norm),
            problem.prox(dirty_x, 0.3),
            problem.value(dirty_x),
            problem.grad(dirty_x),
        )
        for before, after in zip(clean, dirty, strict=True):
            assert after[1].isnan().any()
            assert torch.allclose(before[[0, 2]], after[[0, 2]], rtol=0, atol=1e-14)


def test_what_is_refused():
    l1 = WeightedL1((1.0, 0.3, 2.0))
    for arguments, named in [
        ((Quadratic((1.0, 2.0, 3.0)), BOX), "problem must be"),
        ((Huber(d=3), BOX), "problem must be"),
        ((WeightedL1((1.0,)), BOX), "within must be a Box of dimension 1"),
        ((l1, "box"), "within must be a Box"),
        ((Linear((1.0, 1.0, 1.0)), BOX), "from below"),
        ((l1, BOX, (5.0, 1.0, 0.0)), "start must be in Box"),
        ((l1, BOX, (5.0,)), "start must be empty"),
    ]:
        with pytest.raises(ValueError, match=named):
            Constrained(*arguments)
    with pytest.raises(ValueError, match="x must be in Box"):
        PROBLEMS[0].brox(torch.tensor([9.0, 1.0, 0.0], dtype=torch.float64), 1.0)
