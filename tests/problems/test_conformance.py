"""One suite over every member of every family: values, gradients, solutions, certificates, oracles."""

import dataclasses

import cvxpy
import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from torch import Tensor

from assumptions import Inequality, Lp
from assumptions.sampling import sample_points
from assumptions.specification import parse_specification
from problems import (
    FULL_INSTANCES,
    INSTANCES,
    PROBLEMS,
    AbsAffine,
    Huber,
    LeastSquares,
    LogisticRegression,
    Problem,
    Quadratic,
    WeightedL1,
)

EPS = torch.finfo(torch.float64).eps
SAMPLES = tuple(family.sample(seed) for family in PROBLEMS if family.space for seed in (0, 1))
ALL = (*FULL_INSTANCES, *SAMPLES)
SMALL = tuple(p for p in ALL if type(p) is not LogisticRegression and p.d <= 6)
SHAPES = ((), (3,), (2, 3))
STEPS = (1e-3, 0.3, 2.0, 50.0)

every = pytest.mark.parametrize("problem", ALL, ids=repr)


def points(problem: Problem, *shape: int, seed: int = 0, spread: float = 2.0) -> Tensor:
    """Around x0, (*shape, d); kinks are never hit."""
    generator = torch.Generator().manual_seed(seed)
    return problem.x0 + spread * torch.randn(*shape, problem.d, dtype=torch.float64, generator=generator)


def is_smooth(problem: Problem) -> bool:
    return any(type(c.assumption).__name__ == "Smooth" for c in problem.certified)


def oracle_error(problem: Problem, name: str) -> float:
    return problem.oracle_errors.get(name, 0.0)


@every
@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_follow_the_batch(problem: Problem, shape: tuple[int, ...]):
    x = points(problem, *shape)
    assert problem.x0.shape == problem.x_star.shape == (problem.d,)
    assert (
        problem.value(x).shape
        == problem.gap(x).shape
        == problem.gap_cancellation(x, problem.gap(x)).shape
        == shape
    )
    for result in (problem.grad(x), problem.nearest_star(x), problem.prox(x, 0.3), problem.brox(x, 0.3)):
        assert result.shape == x.shape
        assert result.dtype == torch.float64
    step = torch.full((*shape, 1), 0.3, dtype=torch.float64)
    assert torch.equal(problem.brox(x, step), problem.brox(x, 0.3))
    assert torch.equal(problem.prox(x, step), problem.prox(x, 0.3))


@every
def test_one_point_and_many_radii(problem: Problem):
    radius = torch.tensor([[0.1], [0.4]], dtype=torch.float64)
    together = problem.brox(problem.x0, radius)
    alone = torch.stack([problem.brox(problem.x0, float(r)) for r in radius])
    assert torch.allclose(together, alone, rtol=1e-10, atol=1e-12 + oracle_error(problem, "brox"))
    assert problem.prox(problem.x0, radius).shape == (2, problem.d)


@every
def test_gradient_is_that_of_the_value(problem: Problem):
    x = points(problem, 20).requires_grad_(True)
    (expected,) = torch.autograd.grad(problem.value(x).sum(), x)
    scale = float(expected.abs().max())
    assert torch.allclose(problem.grad(x.detach()), expected, rtol=1e-9, atol=1e-12 * scale)


@every
def test_gradient_is_the_mean_of_the_terms(problem: Problem):
    x = points(problem)
    every_term = torch.arange(problem.n_terms)
    terms = problem.part_grad(x.expand(problem.n_terms, -1), every_term)
    assert torch.allclose(terms.mean(0), problem.grad(x), rtol=1e-10, atol=1e-12)
    assert torch.equal(problem.part_grad(x), problem.grad(x))


@every
def test_hessian_product_is_the_derivative_of_the_gradient(problem: Problem):
    if not problem.offers("hvp"):
        assert not isinstance(problem, Quadratic | LeastSquares)
        return
    x, v = points(problem, 4), points(problem, 4, seed=1)
    _, expected = torch.autograd.functional.jvp(problem.grad, x, v)
    assert torch.allclose(problem.hvp(x, v), expected, rtol=1e-9, atol=1e-11)


@every
def test_gap_is_value_minus_f_star(problem: Problem):
    x = torch.cat([points(problem, 20), problem.x_star + 1e-3 * points(problem, 20)])
    gap, value = problem.gap(x), problem.value(x)
    room = 64 * EPS * (value.abs() + abs(problem.f_star)) + problem.f_star_error
    room = room + 8 * EPS * problem.gap_cancellation(x, problem.gap(x))
    assert ((gap - (value - problem.f_star)).abs() <= room).all()
    assert (gap >= 0).all()


@every
def test_f_star_is_the_infimum(problem: Problem):
    at_star = float(problem.value(problem.x_star))
    assert at_star == pytest.approx(problem.f_star, rel=1e-12, abs=1e-13)
    x = torch.cat([points(problem, 200), problem.x_star + 1e-4 * points(problem, 200)])
    room = problem.f_star_error + 64 * EPS * (abs(problem.f_star) + problem.value(x))
    assert (problem.value(x) >= problem.f_star - room).all()
    found = minimize(
        lambda z: float(problem.value(torch.from_numpy(z))),
        problem.x0.numpy(),
        jac=lambda z: problem.grad(torch.from_numpy(z)).numpy(),
        method="L-BFGS-B",
    )
    assert found.fun >= problem.f_star - problem.f_star_error - 1e-14 * abs(problem.f_star) - 1e-15
    if is_smooth(problem):
        assert found.fun <= problem.f_star + 1e-3 * (1 + float(problem.gap(problem.x0)))


@every
def test_nearest_star_projects_on_the_solutions(problem: Problem):
    x = points(problem, 30)
    nearest = problem.nearest_star(x)
    room = 64 * EPS * (1 + problem.gap_cancellation(x, problem.gap(x)))
    assert (problem.gap(nearest) <= room).all()
    assert torch.allclose(
        problem.nearest_star(nearest), nearest, rtol=0, atol=1e-14 * (1 + float(x.abs().max()))
    )
    # other solutions: the projections of other points
    others = problem.nearest_star(points(problem, 40, 1, seed=1, spread=5.0))
    distance = (x - nearest).norm(dim=-1)
    assert (distance <= (x - others).norm(dim=-1) * (1 + 1e-12)).all()
    assert problem.offers_dist(Lp(1)) == problem.unique_star
    if problem.unique_star:
        assert torch.equal(problem.nearest_star(x, Lp(1)), nearest)
    else:
        with pytest.raises(ValueError, match="norm"):
            problem.nearest_star(x, Lp(1))


@every
def test_certificates_are_not_refuted(problem: Problem):
    assert problem.certified
    for certificate in problem.certified:
        assumption = certificate.assumption
        assert certificate.proof
        assert isinstance(assumption, Inequality)
        checked = assumption.check(problem, *sample_points(problem, 400, assumption.arity, seed=0))
        assert checked.verdict == "not refuted", checked
        assert assumption.refute(problem, budget=1000).verdict == "not refuted"


@pytest.mark.parametrize("problem", INSTANCES, ids=repr)
def test_wrong_constants_are_refuted(problem: Problem):
    for certificate in problem.certified:
        assumption = certificate.assumption
        for name, sense in type(assumption).sense.items():
            # the direction of the smallest eigenvalue is below what a short search can resolve
            if sense > 0 and not (isinstance(problem, Quadratic) and problem.d <= 3):
                continue
            wrong = dataclasses.replace(
                assumption, **{name: getattr(assumption, name) * (2.0 if sense > 0 else 0.5)}
            )
            assert wrong.refute(problem, budget=10_000).verdict == "refuted", wrong


@every
@pytest.mark.parametrize("radius", STEPS)
def test_brox_stays_in_the_ball(problem: Problem, radius: float):
    x = points(problem, 30)
    u = problem.brox(x, radius)
    moved = (u - x).norm(dim=-1)
    room = 1e-12 * radius + 4 * EPS * (x.norm(dim=-1) + radius)
    assert (moved <= radius + room).all()
    distance = (x - problem.nearest_star(x)).norm(dim=-1)
    reached = distance <= radius
    assert (moved[~reached] >= radius - room[~reached]).all()
    assert torch.allclose(u[reached], problem.nearest_star(x)[reached], rtol=0, atol=1e-13)


@every
@pytest.mark.parametrize("radius", STEPS)
def test_brox_minimises_over_the_ball(problem: Problem, radius: float):
    x = points(problem, 30)
    u = problem.brox(x, radius)
    rivals = around(u, x, radius)
    rounding = 64 * EPS * (problem.value(x).abs() + problem.gap_cancellation(x, problem.gap(x)))
    slack = 1e-12 * radius + 8 * EPS * x.norm(dim=-1) + oracle_error(problem, "brox")
    room = rounding + problem.grad(u).norm(dim=-1) * slack
    assert (problem.value(u) <= problem.value(rivals) + room).all()
    if is_smooth(problem):
        g, s = problem.grad(u), u - x
        pull = -(g * s).sum(-1, keepdim=True) / s.square().sum(-1, keepdim=True)
        assert (pull >= -1e-9).all()
        L = next(c.assumption.L for c in problem.certified if hasattr(c.assumption, "L"))
        # the step is known to roundings of x; the gradient to roundings times L
        room = 1e-12 * (1 + g.norm(dim=-1)) + (L + pull.squeeze(-1).abs()) * slack
        assert ((g + pull * s).norm(dim=-1) <= room).all()


def around(u: Tensor, x: Tensor, radius: float) -> Tensor:
    """Points of B(x, radius): near u on many scales, and anywhere; (400, *u.shape)."""
    generator = torch.Generator().manual_seed(3)
    offset = torch.randn(400, *u.shape, dtype=torch.float64, generator=generator)
    offset = offset * radius * 10.0 ** (-5 * torch.rand(400, 1, 1, dtype=torch.float64, generator=generator))
    z = torch.cat([u + offset, x + offset])
    s = z - x
    return x + s * (radius / s.norm(dim=-1, keepdim=True)).clamp(max=1)


@every
@pytest.mark.parametrize("stepsize", STEPS)
def test_prox_minimises(problem: Problem, stepsize: float):
    """phi(z) >= phi(u) + |z - u|^2 / (2 stepsize) for all z holds at the proximal point only."""
    x = points(problem, 30)
    u = problem.prox(x, stepsize)

    def phi(z: Tensor) -> Tensor:
        return problem.value(z) + (z - x).square().sum(-1) / (2 * stepsize)

    z = around(u, x, 10.0)
    gain = phi(z) - phi(u) - (z - u).square().sum(-1) / (2 * stepsize)
    slope = problem.grad(u).norm(dim=-1) + problem.grad(z).norm(dim=-1) + (z - x).norm(dim=-1) / stepsize
    slack = 16 * EPS * (1 + x.norm(dim=-1)) + 2 * oracle_error(problem, "prox")
    assert (
        gain >= -64 * EPS * (phi(z) + phi(u) + problem.gap_cancellation(x, problem.gap(x))) - slope * slack
    ).all()
    if is_smooth(problem):
        residual = (x - u - stepsize * problem.grad(u)).norm(dim=-1)
        L = next(c.assumption.L for c in problem.certified if hasattr(c.assumption, "L"))
        rounding = 64 * EPS * (1 + x.norm(dim=-1)) + oracle_error(problem, "prox")
        assert (residual <= (1 + stepsize * L) * rounding).all()


def as_cvxpy(problem: Problem, z: cvxpy.Variable) -> cvxpy.Expression:
    """The same function, written for a conic solver."""
    match problem:
        case AbsAffine(a=a, b=b):
            return cvxpy.abs(np.array(a) @ z - b)
        case WeightedL1(weights=w):
            return np.array(w) @ cvxpy.abs(z - problem.x_star.numpy())
        case Huber(L=L, delta=delta):
            return L / 2 * cvxpy.huber(cvxpy.norm(z), delta)
        case Quadratic():
            matrix = torch.stack(
                [problem.hvp(problem.x0, row) for row in torch.eye(problem.d).double()]
            ).numpy()
            matrix = (matrix + matrix.T) / 2
            return cvxpy.quad_form(z - problem.x_star.numpy(), cvxpy.psd_wrap(matrix)) / 2 + problem.f_star
    raise AssertionError(problem)


@pytest.mark.parametrize("problem", SMALL, ids=repr)
@pytest.mark.parametrize("size", [0.1, 0.8, 3.0])
def test_brox_and_prox_against_a_conic_solver(problem: Problem, size: float):
    x = points(problem, seed=5)
    z = cvxpy.Variable(problem.d)
    f = as_cvxpy(problem, z)
    cvxpy.Problem(cvxpy.Minimize(f), [cvxpy.norm(z - x.numpy()) <= size]).solve(solver="CLARABEL")
    scale = float(problem.gap(x)) + 1e-3
    assert abs(float(problem.value(problem.brox(x, size))) - float(f.value)) <= 1e-6 * scale
    square = cvxpy.sum_squares(z - x.numpy()) / (2 * size)
    cvxpy.Problem(cvxpy.Minimize(f + square)).solve(solver="CLARABEL")
    assert np.linalg.norm(problem.prox(x, size).numpy() - z.value) <= 1e-3 * (1 + float(x.norm()))
    u = problem.prox(x, size)
    ours = float(problem.value(u) + (u - x).square().sum() / (2 * size))
    assert ours <= float(f.value + square.value) + 1e-6 * scale


@every
def test_arguments_are_not_written_to(problem: Problem):
    x = points(problem, 5)
    step = torch.full((5, 1), 0.7, dtype=torch.float64)
    kept_x, kept_step = x.clone(), step.clone()
    first = problem.brox(x, step), problem.prox(x, step), problem.nearest_star(x)
    problem.value(x), problem.grad(x), problem.gap(x)
    assert torch.equal(x, kept_x)
    assert torch.equal(step, kept_step)
    again = problem.brox(x, step), problem.prox(x, step), problem.nearest_star(x)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))


@every
def test_rows_do_not_mix(problem: Problem):
    x = points(problem, 4)
    step = torch.tensor([[0.1], [0.5], [3.0], [40.0]], dtype=torch.float64)
    for name in ("brox", "prox"):
        oracle = getattr(problem, name)
        alone = torch.stack([oracle(row, float(t)) for row, t in zip(x, step, strict=True)])
        room = 1e-11 + oracle_error(problem, name)
        assert torch.allclose(oracle(x, step), alone, rtol=1e-11, atol=room)
    alone = torch.stack([problem.grad(row) for row in x])
    assert torch.allclose(problem.grad(x), alone, rtol=1e-11, atol=1e-12)


@every
def test_nan_stays_nan_in_its_row(problem: Problem):
    x = points(problem, 3)
    clean = problem.brox(x, 0.3)
    x[1] = torch.nan
    for result in (problem.value(x), problem.grad(x), problem.brox(x, 0.3), problem.prox(x, 0.3)):
        assert result[1].isnan().any()
        assert result[[0, 2]].isfinite().all()
    assert torch.allclose(problem.brox(x, 0.3)[[0, 2]], clean[[0, 2]], rtol=1e-11, atol=1e-11)


@every
@pytest.mark.parametrize("name", ["brox", "prox"])
def test_bad_steps_are_named(problem: Problem, name: str):
    x, oracle = points(problem, 3), getattr(problem, name)
    step = "radius" if name == "brox" else "stepsize"
    for bad in (0.0, -1.0, float("nan"), float("inf"), torch.tensor([[1.0], [-1.0], [1.0]])):
        with pytest.raises(ValueError, match=step):
            oracle(x, bad)
    with pytest.raises(ValueError, match=r"\(\*batch, 1\)"):
        oracle(x, torch.ones(3, 2, dtype=torch.float64))
    with pytest.raises(ValueError, match="must have shape"):
        oracle(x[:, :0], 1.0)


@every
def test_wrong_points_are_named(problem: Problem):
    wrong = torch.zeros(2, problem.d + 1, dtype=torch.float64)
    for oracle in (problem.value, problem.grad, problem.gap, problem.nearest_star):
        with pytest.raises(ValueError, match="must have shape"):
            oracle(wrong)


def test_samples_repeat():
    for family in PROBLEMS:
        if family.space:
            assert family.sample(7) == family.sample(7)
            assert family.sample(7) != family.sample(8)


@every
def test_prints_as_the_call_that_makes_it(problem: Problem):
    names = {family.__name__: family for family in PROBLEMS}
    assert parse_specification(repr(problem), names) == problem
