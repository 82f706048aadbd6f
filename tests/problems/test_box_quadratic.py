"""Quadratics over boxes against enumeration of all faces and a conic solver; known answers; hard boxes."""

import itertools
import math

import cvxpy
import numpy as np
import pytest
import torch
from torch import Tensor

from assumptions import Lp, Weighted
from problems import Quadratic, SolverError
from problems import box_quadratic as module
from problems.box_quadratic import box_displacement
from problems.general_quadratic import GeneralQuadratic

EPS = torch.finfo(torch.float64).eps


def tensor(*entries: float) -> Tensor:
    return torch.tensor(entries, dtype=torch.float64)


def instance(seed: int, d: int, rank: int) -> tuple[Tensor, Tensor, Tensor]:
    """H of this rank, y in its range, radii."""
    generator = torch.Generator().manual_seed(seed)
    half = torch.randn(rank, d, dtype=torch.float64, generator=generator)
    hessian = half.mT @ half
    y = 3 * torch.randn(d, dtype=torch.float64, generator=generator)
    if rank < d:
        y = torch.linalg.pinv(hessian) @ (hessian @ y)
    return hessian, y, 0.2 + torch.rand(d, dtype=torch.float64, generator=generator)


def value(hessian: Tensor, y: Tensor, s: Tensor) -> Tensor:
    return (((y + s) @ hessian) * (y + s)).sum(dim=-1) / 2


def by_enumeration(hessian: Tensor, y: Tensor, r: Tensor) -> float:
    """The least value over all faces of the box whose critical point lies in it."""
    best = math.inf
    for sides in itertools.product((-1.0, 0.0, 1.0), repeat=len(y)):
        side = tensor(*sides)
        free = side == 0
        s = side * r
        if bool(free.any()):
            force = -(hessian @ (y + s))[free]
            s[free] = torch.linalg.pinv(hessian[free][:, free], hermitian=True) @ force
        if bool((s.abs() <= r * (1 + 1e-12)).all()):
            best = min(best, float(value(hessian, y, s)))
    return best


@pytest.mark.parametrize("sweeps", [0, 20])
@pytest.mark.parametrize("d", [1, 2, 3, 5])
@pytest.mark.parametrize("seed", range(8))
def test_against_all_faces(monkeypatch: pytest.MonkeyPatch, sweeps: int, d: int, seed: int):
    """With no sweeps the safeguarded method solves alone."""
    monkeypatch.setattr(module, "SWEEPS", sweeps)
    hessian, y, r = instance(seed, d, d)
    s = box_displacement(hessian, y, r)
    assert (s.abs() <= r).all()
    assert float(value(hessian, y, s)) == pytest.approx(by_enumeration(hessian, y, r), rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("sweeps", [0, 20])
@pytest.mark.parametrize(("d", "rank"), [(2, 1), (4, 2), (5, 4)])
@pytest.mark.parametrize("seed", range(5))
def test_singular_hessians_against_all_faces(
    monkeypatch: pytest.MonkeyPatch, sweeps: int, d: int, rank: int, seed: int
):
    monkeypatch.setattr(module, "SWEEPS", sweeps)
    hessian, y, r = instance(seed, d, rank)
    s = box_displacement(hessian, y, r, flat=True)
    assert (s.abs() <= r).all()
    expected, start = by_enumeration(hessian, y, r), float(value(hessian, y, 0 * y))
    assert float(value(hessian, y, s)) == pytest.approx(expected, rel=1e-11, abs=1e-13 * start)


def optimality(hessian: Tensor, y: Tensor, r: Tensor, s: Tensor) -> Tensor:
    """sum r_i |g_i| + g_i s_i, which bounds what is lost, over the value at s = 0; per row."""
    g = (y + s) @ hessian
    return (r * g.abs() + g * s).sum(dim=-1) / value(hessian, y, 0 * y)


@pytest.mark.parametrize("condition", [1.0, 1e4, 1e12])
@pytest.mark.parametrize("d", [10, 60])
def test_batches_meet_the_optimality_condition(condition: float, d: int):
    generator = torch.Generator().manual_seed(d)
    basis, _ = torch.linalg.qr(torch.randn(d, d, dtype=torch.float64, generator=generator))
    half = basis * condition ** (-torch.linspace(0, 1, d, dtype=torch.float64) / 2)
    hessian, y = half @ half.mT, torch.randn(3, 4, d, dtype=torch.float64, generator=generator)
    r = 10.0 ** (-4 * torch.rand(3, 4, 1, dtype=torch.float64, generator=generator)).expand(3, 4, d)
    s = box_displacement(hessian, y, r)
    assert (s.abs() <= r).all()
    assert ((s.abs() == r).any(dim=-1) | (s.abs() < r).all(dim=-1)).all()
    assert (optimality(hessian, y, r, s) <= 1e-12).all()
    alone = torch.stack([box_displacement(hessian, y[1, j], r[1, j]) for j in range(4)])
    assert torch.allclose(alone @ hessian, s[1] @ hessian, rtol=0, atol=1e-12)


def test_ties_and_rows_with_nan():
    """The free minimiser lies on the bound, or in a corner: either description is accepted."""
    hessian = tensor(2.0, 1.0, 1.0, 2.0).reshape(2, 2)
    y = tensor(-1.0, -1.0, -1.0, 0.5, math.nan, 1.0).reshape(3, 2)
    s = box_displacement(hessian, y, tensor(1.0))
    assert torch.equal(s[:2], tensor(1.0, 1.0, 1.0, -0.5).reshape(2, 2))
    assert s[2].isnan().all()


def test_a_wrong_answer_is_an_error(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_on_face", lambda h, y, r, side, flat: (y + side * r, side * r))
    with pytest.raises(SolverError, match=r"KKT residual .* above the tolerance .* on 1 of 1 rows"):
        box_displacement(torch.eye(2).double(), tensor(0.3, 5.0), tensor(1.0))


# -- the l_inf balls of problems ------------------------------------------------------------------

TILTED = GeneralQuadratic(((2.02, -6.0), (-6.0, 18.02)), start=(0.0, 2.0))
"""(x - 3 y)^2 + 0.01 (x^2 + y^2)."""
STEEP = GeneralQuadratic(((2.0002, -40.0), (-40.0, 800.0002)), start=(1.2, 1.2))
"""(x - 20 y)^2 + 1e-4 (x^2 + y^2)."""


def test_distances_grow_in_the_largest_entry_norm():
    """The iterates leave the solution: 1 -> 1.485 in l_inf, 1.414 -> 1.567 in l_2."""
    norm, x = Lp(math.inf), TILTED.x0
    path = [x]
    for _ in range(6):
        x = TILTED.brox(x, 0.5, norm)
        path.append(x)
    expected = ((0, 2), (0.5, 1.5), (1, 1), (1.5 / 1.01, 0.5))
    for found, known in zip(path[:4], expected, strict=True):
        assert torch.allclose(found, tensor(*known), rtol=1e-14, atol=1e-15)
    for found, known in zip(path[4:6], ((0.9851, 0.328), (0.4851, 0.1615)), strict=True):
        assert torch.allclose(found, tensor(*known), atol=6e-5)
    assert torch.equal(path[6], TILTED.x_star)
    assert float(path[3].abs().max()) == pytest.approx(1.5 / 1.01, rel=1e-14)
    assert float(path[2].norm()) == pytest.approx(2**0.5, rel=1e-14)
    assert float(path[3].norm()) == pytest.approx(1.567, abs=5e-4)


def test_more_steps_than_the_euclidean_count():
    """ceil(dist^2 / radius^2) = 2 (3 with the Euclidean distance), but 4 steps are taken."""
    x, path = STEEP.x0, []
    for _ in range(4):
        x = STEEP.brox(x, 1.0, Lp(math.inf))
        path.append(x)
    for found, known in zip(path, ((2.2, 0.2), (1.2, 0.06), (0.2, 0.01), (0, 0)), strict=True):
        assert torch.allclose(found, tensor(*known), atol=1e-5)
    assert not torch.equal(path[2], STEEP.x_star)
    assert torch.equal(path[3], STEEP.x_star)


@pytest.mark.parametrize(
    "problem", [Quadratic((1.0, 4.0), seed=None), GeneralQuadratic(((1.0, 0.0), (0.0, 4.0)))], ids=repr
)
def test_the_gradient_is_not_parallel_to_the_step(problem: Quadratic | GeneralQuadratic):
    x = tensor(5.0, 5.0)
    solved = problem.brox_step(x, 1.0, Lp(math.inf))
    assert torch.equal(solved.point, tensor(4.0, 4.0))
    assert torch.equal(solved.subgradient, tensor(4.0, 16.0))
    g, s = solved.subgradient, -solved.step
    assert float((g @ s) / (g.norm() * s.norm())) == pytest.approx(0.857, abs=5e-4)


@pytest.mark.parametrize("weights", [(1.0, 1.0, 1.0, 1.0), (0.2, 3.0, 1.0, 0.7)])
@pytest.mark.parametrize("eigenvalues", [(1e-3, 0.1, 1.0, 10.0), (0.0, 0.0, 2.0, 1.0)])
@pytest.mark.parametrize("radius", [0.05, 0.8, 3.0])
def test_against_a_conic_solver(weights: tuple[float, ...], eigenvalues: tuple[float, ...], radius: float):
    problem, norm = Quadratic(eigenvalues, seed=5, f_star=1.0), Weighted(weights, math.inf)
    x = problem.x_star + 2 * torch.linspace(-1, 1, 4, dtype=torch.float64)
    solved = problem.brox_step(x, radius, norm)
    z = cvxpy.Variable(4)
    ball = cvxpy.norm_inf(cvxpy.multiply(np.array(weights), z - x.numpy())) <= radius
    best = cvxpy.Problem(cvxpy.Minimize(problem.conic(z, cvxpy)), [ball]).solve(solver="CLARABEL")
    assert float(problem.value(solved.point)) == pytest.approx(best, abs=1e-7 * float(problem.value(x)))
    assert float(solved.residual) <= 1e-13 * float(problem.value(x))
    assert torch.allclose(solved.subgradient, problem.grad(solved.point), rtol=1e-12, atol=1e-14)
    assert float(norm.norm(solved.step)) <= radius * (1 + 1e-15)


@pytest.mark.parametrize("t", [1e-12, 1e-3, 1.0, 1e9])
@pytest.mark.parametrize("shift", [0.0, 1e8])
def test_the_ball_is_not_left_and_is_reached(t: float, shift: float):
    problem = Quadratic((1e-3, 0.1, 1.0, 10.0), center=(shift, 0.0, -shift, 1.0), seed=6)
    norm = Lp(math.inf, scale=2.0)
    generator = torch.Generator().manual_seed(0)
    x = problem.x_star + torch.randn(20, 4, dtype=torch.float64, generator=generator)
    solved = problem.brox_step(x, t, norm)
    reached = norm.norm(x - problem.x_star) <= t
    assert torch.equal(solved.point[reached], problem.x_star.expand(int(reached.sum()), -1))
    assert (solved.subgradient[reached] == 0).all()
    lengths = norm.norm(solved.step[~reached])
    assert torch.allclose(lengths, tensor(t).expand_as(lengths), rtol=1e-15, atol=0)
    moved = norm.norm(solved.point - x)
    assert (moved <= t + 8 * EPS * (x.abs().amax(dim=-1) + t)).all()


def test_a_solution_of_the_kernel_in_the_box_is_the_projection():
    problem = Quadratic((2.0, 0.0, 1.0), center=(1.0, 0.0, 0.0), seed=2)
    x = problem.nearest_star(tensor(3.0, -2.0, 5.0)) + 0.1 * tensor(1.0, -1.0, 1.0)
    solved = problem.brox_step(x, 1.0, Lp(math.inf))
    assert torch.equal(solved.point, problem.nearest_star(x))
    assert (solved.subgradient == 0).all()
    assert float(problem.gap(solved.point)) <= 1e-30
