"""One suite over every member of every family: values, gradients, solutions, certificates, oracles."""

import contextlib
import dataclasses
from typing import Any

import cvxpy
import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from torch import Tensor

import assumptions
import problems
from assumptions import EUCLIDEAN, Assumption, Inequality, Lp, Norm, PathLayerL0L1, Specified, Weighted
from assumptions.specification import parse_specification
from problems import (
    FULL_INSTANCES,
    INSTANCES,
    PROBLEMS,
    BallOracle,
    LayerSum,
    LeastSquares,
    LogisticRegression,
    Noisy,
    Problem,
    Quadratic,
)

EPS = torch.finfo(torch.float64).eps
SAMPLES = tuple(family.sample(seed) for family in PROBLEMS if family.space for seed in (0, 1))
ALL = (*FULL_INSTANCES, *SAMPLES)
BOX, CROSS, CUBES = Lp(float("inf")), Lp(1.0), Lp(3.0)
SHAPES = ((), (3,), (2, 3))
STEPS = (1e-3, 0.3, 2.0, 50.0)

every = pytest.mark.parametrize("problem", ALL, ids=repr)


def offering(*names: str):
    """Every problem that offers all of these."""
    return pytest.mark.parametrize("problem", [p for p in ALL if all(p.offers(n) for n in names)], ids=repr)


def points(problem: Problem, *shape: int, seed: int = 0, spread: float = 2.0) -> Tensor:
    """Around x0 and in the domain, (*shape, d); kinks are never hit."""
    generator = torch.Generator().manual_seed(seed)
    around_x0 = problem.x0 + spread * torch.randn(*shape, problem.d, dtype=torch.float64, generator=generator)
    return problem.into_domain(around_x0)


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(7))


def holds(problem: Problem, *names: str) -> bool:
    """True if one of the classes of assumptions is certified."""
    return any(type(c.assumption).__name__ in names for c in problem.certified)


def is_convex(problem: Problem) -> bool:
    return holds(problem, "Convex")


def domain_is_all(problem: Problem) -> bool:
    return bool(problem.contains(100 * noise(50, problem.d)).all())


def is_smooth(problem: Problem) -> bool:
    return holds(problem, "Smooth")


def gap(problem: Problem, x: Tensor) -> Tensor:
    """The gap, or the value where nothing is known of inf f."""
    return problem.gap(x) if problem.offers("f_star") else problem.value(x).abs()


def cancelled(problem: Problem, x: Tensor) -> Tensor:
    return problem.gap_cancellation(x, gap(problem, x)) if problem.offers("f_star") else gap(problem, x)


def oracle_error(problem: Problem, name: str) -> float:
    """A stated error of all calls; 1e-9 where each call states its own."""
    return min(problem.oracle_errors.get(name, 0.0), 1e-9)


@every
@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_follow_the_batch(problem: Problem, shape: tuple[int, ...]):
    x = points(problem, *shape)
    assert problem.x0.shape == (problem.d,)
    values = [problem.value(x), problem.contains(x)]
    moved = [problem.grad(x), problem.into_domain(x)]
    if problem.offers("f_star"):
        values += [problem.gap(x), problem.gap_cancellation(x, problem.gap(x))]
    if problem.offers("x_star"):
        assert problem.x_star.shape == (problem.d,)
    if problem.offers("nearest_star"):
        moved += [problem.nearest_star(x)]
    values += [problem.part_value(x)]
    assert problem.part_grads(x).shape == (*shape, problem.n_terms, problem.d)
    assert problem.part_values(x).shape == (*shape, problem.n_terms)
    step = torch.full((*shape, 1), 0.3, dtype=torch.float64)
    for name in ("prox", "brox"):
        if problem.offers(name) and (name == "prox" or problem.offers_brox()):
            oracle = getattr(problem, name)
            moved += [oracle(x, 0.3)]
            assert torch.equal(oracle(x, step), oracle(x, 0.3))
    if problem.offers("conjugate"):
        values += [problem.conjugate(problem.grad(x))]
    assert {v.shape for v in values} == {shape}
    assert {(m.shape, m.dtype) for m in moved} == {(x.shape, torch.float64)}


@every
def test_one_point_and_many_radii(problem: Problem):
    radius = torch.tensor([[0.1], [0.4]], dtype=torch.float64)
    if problem.offers_brox():
        together = problem.brox(problem.x0, radius)
        alone = torch.stack([problem.brox(problem.x0, float(r)) for r in radius])
        assert torch.allclose(together, alone, rtol=1e-10, atol=1e-12 + oracle_error(problem, "brox"))
    if problem.offers("prox"):
        assert problem.prox(problem.x0, radius).shape == (2, problem.d)


@every
def test_gradient_is_that_of_the_value(problem: Problem):
    x = points(problem, 20)
    if not domain_is_all(problem):
        return  # points on the boundary, or a table of values: automatic differentiation says nothing
    x = x.requires_grad_(True)
    (expected,) = torch.autograd.grad(problem.value(x).sum(), x)
    scale = float(expected.abs().max())
    assert torch.allclose(problem.grad(x.detach()), expected, rtol=1e-9, atol=1e-12 * scale)


@every
def test_value_and_gradient_are_the_means_of_the_terms(problem: Problem):
    x = points(problem)
    every_term = torch.arange(problem.n_terms)
    rows = x.expand(problem.n_terms, -1)
    grads, values = problem.part_grad(rows, every_term), problem.part_value(rows, every_term)
    scale = float(grads.abs().max())
    assert torch.allclose(grads.mean(0), problem.grad(x), rtol=1e-10, atol=1e-12 * (1 + scale))
    assert torch.allclose(values.mean(0), problem.value(x), rtol=1e-10, atol=1e-12)
    assert torch.equal(problem.part_grad(x), problem.grad(x))
    assert torch.allclose(problem.part_grads(x), grads, rtol=1e-10, atol=1e-12 * (1 + scale))
    assert torch.allclose(problem.part_values(x), values, rtol=1e-10, atol=1e-12)


def test_smooth_families_offer_hessian_products():
    assert all(p.offers("hvp") for p in ALL if isinstance(p, Quadratic | LeastSquares | LogisticRegression))


@offering("hvp")
def test_hessian_product_is_the_derivative_of_the_gradient(problem: Problem):
    x, v = points(problem, 4), points(problem, 4, seed=1)
    _, expected = torch.autograd.functional.jvp(problem.grad, x, v)
    assert torch.allclose(problem.hvp(x, v), expected, rtol=1e-9, atol=1e-11)


@offering("x_star")
def test_gap_is_value_minus_f_star(problem: Problem):
    x = torch.cat([points(problem, 20), problem.x_star + 1e-3 * points(problem, 20)])
    x = problem.into_domain(x)
    gap, value = problem.gap(x), problem.value(x)
    room = 64 * EPS * (value.abs() + abs(problem.f_star)) + problem.f_star_error
    room = room + 8 * EPS * problem.gap_cancellation(x, problem.gap(x))
    assert ((gap - (value - problem.f_star)).abs() <= room).all()
    assert (gap >= 0).all()


@offering("x_star")
def test_f_star_is_the_infimum(problem: Problem):
    at_star = float(problem.value(problem.x_star))
    assert at_star == pytest.approx(problem.f_star, rel=1e-12, abs=1e-13)
    x = torch.cat([points(problem, 200), problem.x_star + 1e-4 * points(problem, 200)])
    room = problem.f_star_error + 64 * EPS * (abs(problem.f_star) + problem.value(x))
    assert (problem.value(x) >= problem.f_star - room).all()
    if not domain_is_all(problem):
        return
    found = minimize(
        lambda z: float(problem.value(torch.from_numpy(z))),
        problem.x0.numpy(),
        jac=lambda z: problem.grad(torch.from_numpy(z)).numpy(),
        method="L-BFGS-B",
    )
    assert found.fun >= problem.f_star - problem.f_star_error - 1e-14 * abs(problem.f_star) - 1e-15
    if is_smooth(problem) and is_convex(problem):
        assert found.fun <= problem.f_star + 1e-3 * (1 + float(problem.gap(problem.x0)))


@offering("f_star")
def test_an_infimum_that_is_not_attained_is_approached(problem: Problem):
    if problem.offers("x_star") or isinstance(problem, LayerSum | Noisy):
        return
    far = problem.x0 - 1e3 * problem.grad(problem.x0) / problem.grad(problem.x0).norm()
    assert problem.f_star <= float(problem.value(far)) <= problem.f_star + 1e-6


@offering("nearest_star")
@pytest.mark.parametrize("norm", [EUCLIDEAN, BOX, CROSS], ids=repr)
def test_nearest_star_projects_on_the_solutions(problem: Problem, norm: Norm):
    x = points(problem, 30)
    if not problem.offers_dist(norm):
        with pytest.raises(ValueError, match="norm"):
            problem.nearest_star(x, norm)
        return
    nearest = problem.nearest_star(x, norm)
    room = 64 * EPS * (1 + problem.gap_cancellation(x, problem.gap(x)))
    assert (problem.gap(nearest) <= room).all()
    size = 1 + float(x.abs().max())
    assert torch.allclose(problem.nearest_star(nearest, norm), nearest, rtol=0, atol=1e-14 * size)
    # other solutions: the projections of other points
    others = problem.nearest_star(points(problem, 40, 1, seed=1, spread=5.0), norm)
    assert (norm.norm(x - nearest) <= norm.norm(x - others) * (1 + 1e-12) + 1e-15 * size).all()


FIRST_ON_DATA = {(p.family, p.data): p for p in reversed(ALL) if isinstance(p, LogisticRegression)}
"""The others on the same data differ from it in reg alone."""


def affordable(problem: Problem, usual: int) -> int:
    """Fewer evaluations where one is of thousands of numbers, the fewest where all but reg were tried."""
    if isinstance(problem, LogisticRegression) and FIRST_ON_DATA[problem.family, problem.data] != problem:
        return 20
    return max(min(usual, 2_000_000 // (problem.n_terms * problem.d)), 20)


@every
def test_certificates_are_not_refuted(problem: Problem):
    # nothing is proved of log(1 + |x|) but that its slope is bounded
    assert problem.certified
    for certificate in problem.certified:
        assumption, region = certificate.assumption, certificate.region
        assert certificate.proof
        if isinstance(assumption, PathLayerL0L1):
            continue
        tried = assumption.sample(problem, affordable(problem, 400), 0, region)
        checked = assumption.check(problem, *tried)
        assert checked.verdict == "not refuted", checked
        if isinstance(assumption, Inequality):
            found = assumption.refute(problem, budget=affordable(problem, 1000), region=region)
            assert found.verdict == "not refuted", found


def halved(assumption: Assumption, name: str, sense: int) -> Assumption | None:
    """The assumption with a constant that is too good by a factor of 2; None where it is 0 throughout."""
    constant = getattr(assumption, name)
    factor = 2.0 if sense > 0 else 0.5

    def scaled(value: Any) -> Any:
        return tuple(scaled(v) for v in value) if isinstance(value, tuple) else value * factor

    wrong = scaled(constant)
    return None if wrong == constant else dataclasses.replace(assumption, **{name: wrong})


LOOSE = {
    "Distributed": "four times as many variables as its problem, of which it has the constants",
    "Noisy": "a heavy tail needs more draws than a short search makes",
    "LinearNetwork": "the worst pair is aligned: every layer a multiple of the identity",
    "LinearMap": "singular values stand for those along the range",
    "Sum": "the constants of a sum add up, the directions that attain them differ",
    "Mean": "the same",
    "LinkSum": "rows that are not aligned attain no sum of constants",
    "Regularised": "the modulus of the inner problem is not used",
    "LayerSum": "constants of the parts, one layer at a time",
    "SymbolicProblem": "what is asked to be proved need not be tight",
}
"""Families whose constants are bounds that a short search need not come within a factor of 2 of."""


@pytest.mark.parametrize("problem", [p for p in INSTANCES if type(p).__name__ not in LOOSE], ids=repr)
def test_wrong_constants_are_refuted(problem: Problem):
    for certificate in problem.certified:
        assumption = certificate.assumption
        if not isinstance(assumption, Inequality):
            continue
        for name, sense in type(assumption).sense.items():
            # the direction of the smallest eigenvalue is below what a short search can resolve
            if sense > 0 and not (isinstance(problem, Quadratic) and problem.d <= 3):
                continue
            wrong = halved(assumption, name, sense)
            if wrong is None:
                continue
            # most fall to the shortest search
            budgets = (10, 400, min(10_000, 100 * affordable(problem, 100)))
            found = (wrong.refute(problem, budget=b, region=certificate.region).verdict for b in budgets)
            assert "refuted" in found, wrong


def exact_norms(problem: Problem) -> list[Norm]:
    weighted = Weighted(tuple(1.0 + 0.5 * i for i in range(problem.d)))
    return [n for n in (EUCLIDEAN, BOX, CROSS, CUBES, weighted) if problem.offers_brox(n)]


BALLS = [(p, n) for p in ALL if isinstance(p, BallOracle) for n in exact_norms(p)]
balls = pytest.mark.parametrize(("problem", "norm"), BALLS, ids=repr)


@balls
@pytest.mark.parametrize("radius", STEPS)
def test_ball_steps_have_the_length_of_the_radius(problem: Any, norm: Norm, radius: float):
    x = points(problem, 30)
    found = problem.brox_step(x, radius, norm)
    inexact = problem.oracle_error("brox", x, radius, found.point)
    room = 1e-12 * radius + 4 * EPS * (norm.norm(x) + radius) + inexact
    length = norm.norm(found.point - x)
    assert (length <= radius + room).all()
    assert (norm.norm(found.step) <= radius * (1 + 1e-12) + inexact).all()
    assert (norm.norm(x + found.step - found.point) <= room).all()
    assert torch.equal(found.point, problem.brox(x, radius, norm))
    if not problem.offers_dist(norm):
        return
    nearest = problem.nearest_star(x, norm)
    reached = norm.norm(x - nearest) <= radius
    if is_convex(problem):
        assert (length[~reached] >= radius - room[~reached]).all()
    assert (problem.gap(found.point)[reached] <= 64 * EPS * cancelled(problem, x)[reached]).all()
    if norm == EUCLIDEAN:
        assert torch.allclose(found.point[reached], nearest[reached], rtol=0, atol=1e-13)


@balls
@pytest.mark.parametrize("radius", STEPS)
def test_ball_steps_minimise_and_prove_it(problem: Any, norm: Norm, radius: float):
    """No rival is better; the multiplier's subgradient supports f and makes the residual vanish."""
    x = points(problem, 30)
    u, step, g, residual = problem.brox_step(x, radius, norm)
    rounding = 64 * EPS * (problem.value(x).abs() + cancelled(problem, x))
    slack = 1e-12 * radius + 8 * EPS * x.norm(dim=-1) + problem.oracle_error("brox", x, radius, u)
    room = rounding + problem.grad(u).norm(dim=-1) * slack
    rivals = around(u, x, radius, norm)
    assert (problem.value(u) <= problem.value(rivals) + room).all()
    assert torch.allclose(residual, (radius * norm.dual(g) + (g * step).sum(-1)).clamp(min=0), atol=1e-300)
    if not is_convex(problem):
        return
    anywhere = torch.cat([rivals, problem.into_domain(x + 10 * radius * noise(50, 1, problem.d))])
    support = problem.value(u) + (g * (anywhere - u)).sum(dim=-1)
    size = problem.value(anywhere).abs() + (g * anywhere).abs().sum(-1) + (g * u).abs().sum(-1)
    curved = smoothness(problem) * slack * (anywhere - u).norm(dim=-1)
    assert (support <= problem.value(anywhere) + room + 64 * EPS * size + curved).all()
    scale = radius * norm.dual(g) + radius * smoothness(problem) * slack
    assert (residual <= 1e-12 * scale + 4 * radius * smoothness(problem) * slack + 1e-14 * radius).all()


def smoothness(problem: Problem) -> float:
    return next((c.assumption.L for c in problem.certified if hasattr(c.assumption, "L")), 0.0)


def around(u: Tensor, x: Tensor, radius: float, norm: Norm = EUCLIDEAN) -> Tensor:
    """Points of the ball around x: near u on many scales, and anywhere; (200, *u.shape)."""
    generator = torch.Generator().manual_seed(3)
    offset = torch.randn(100, *u.shape, dtype=torch.float64, generator=generator)
    offset = offset * radius * 10.0 ** (-5 * torch.rand(100, 1, 1, dtype=torch.float64, generator=generator))
    z = torch.cat([u + offset, x + offset])
    s = z - x
    return x + s * (radius / norm.norm(s).unsqueeze(-1)).clamp(max=1)


@offering("prox")
@pytest.mark.parametrize("stepsize", STEPS)
def test_prox_minimises(problem: Problem, stepsize: float):
    """phi(z) >= phi(u) + |z - u|^2 / (2 stepsize) for all z holds at the proximal point only."""
    x = points(problem, 30)
    u = problem.prox(x, stepsize)

    def phi(z: Tensor) -> Tensor:
        return problem.value(z) + (z - x).square().sum(-1) / (2 * stepsize)

    z = around(u, x, 10.0)
    share = 1.0 if is_convex(problem) else 0.0
    gain = phi(z) - phi(u) - share * (z - u).square().sum(-1) / (2 * stepsize)
    slope = problem.grad(u).norm(dim=-1) + problem.grad(z).norm(dim=-1) + (z - x).norm(dim=-1) / stepsize
    inexact = problem.oracle_error("prox", x, stepsize, u)
    slack = 16 * EPS * (1 + x.norm(dim=-1)) + 2 * inexact
    room = 64 * EPS * (phi(z).abs() + phi(u).abs() + cancelled(problem, x)) + slope * slack
    assert ((gain >= -room) | (phi(z) == torch.inf)).all()
    if is_smooth(problem):
        residual = (x - u - stepsize * problem.grad(u)).norm(dim=-1)
        rounding = 64 * EPS * (1 + x.norm(dim=-1)) + inexact
        assert (residual <= (1 + stepsize * smoothness(problem)) * rounding).all()


def writable() -> list[BallOracle]:
    """Small convex problems that a conic solver can be given."""
    found = []
    for problem in ALL:
        if isinstance(problem, BallOracle) and problem.d <= 6 and problem.offers_brox():
            with contextlib.suppress(NotImplementedError):
                problem.conic(cvxpy.Variable(problem.d), cvxpy)
                found.append(problem)
    return found


@pytest.mark.parametrize("problem", writable(), ids=repr)
@pytest.mark.parametrize("size", [0.1, 0.8, 3.0])
def test_brox_and_prox_against_a_conic_solver(problem: Any, size: float):
    x = points(problem, seed=5)
    z = cvxpy.Variable(problem.d)
    f = problem.conic(z, cvxpy)
    domain = problem.conic_constraints(z, cvxpy) if problem.offers("conic_constraints") else []
    ball = [*domain, cvxpy.norm(z - x.numpy()) <= size]
    cvxpy.Problem(cvxpy.Minimize(f), ball).solve(solver="CLARABEL")
    scale = float(gap(problem, x)) + 1e-3
    assert abs(float(problem.value(problem.brox(x, size))) - float(f.value)) <= 1e-6 * scale
    z.value = x.numpy()
    assert float(f.value) == pytest.approx(float(problem.value(x)), rel=1e-9, abs=1e-9)
    if not problem.offers("prox"):
        return
    square = cvxpy.sum_squares(z - x.numpy()) / (2 * size)
    cvxpy.Problem(cvxpy.Minimize(f + square), domain).solve(solver="CLARABEL")
    assert np.linalg.norm(problem.prox(x, size).numpy() - z.value) <= 1e-3 * (1 + float(x.norm()))
    u = problem.prox(x, size)
    ours = float(problem.value(u) + (u - x).square().sum() / (2 * size))
    assert ours <= float(f.value + square.value) + 1e-6 * scale


@offering("conjugate")
def test_the_conjugate_is_the_largest_affine_gap(problem: Any):
    """Fenchel and Young: f(x) + f^*(g) >= <g, x>, with equality at subgradients; convex f only."""
    if not is_convex(problem):
        return
    x, y = points(problem, 40), points(problem, 40, seed=1)
    g = problem.grad(x)
    inner, value = (g * x).sum(-1), problem.value(x)
    room = 1e-11 * (1 + value.abs() + (g * x).abs().sum(-1))
    assert ((value + problem.conjugate(g) - inner).abs() <= room).all()
    other = problem.value(y) + problem.conjugate(g) - (g * y).sum(-1)
    assert (other >= -1e-11 * (1 + problem.value(y).abs() + (g * y).abs().sum(-1))).all()


def calls(problem: Any, x: Tensor, step: float | Tensor) -> list[Tensor]:
    """What every oracle returns."""
    found = [problem.value(x), problem.grad(x)]
    found += [problem.gap(x)] if problem.offers("f_star") else []
    found += [problem.nearest_star(x)] if problem.offers("nearest_star") else []
    found += [problem.prox(x, step)] if problem.offers("prox") else []
    return found + ([problem.brox(x, step)] if problem.offers_brox() else [])


@every
def test_arguments_are_not_written_to(problem: Problem):
    x = points(problem, 5)
    step = torch.full((5, 1), 0.7, dtype=torch.float64)
    kept_x, kept_step = x.clone(), step.clone()
    first = calls(problem, x, step)
    assert torch.equal(x, kept_x)
    assert torch.equal(step, kept_step)
    assert all(torch.equal(a, b) for a, b in zip(first, calls(problem, x, step), strict=True))


@every
def test_rows_do_not_mix(problem: Problem):
    x = points(problem, 4)
    step = torch.tensor([[0.1], [0.5], [3.0], [40.0]], dtype=torch.float64)
    room = 1e-11 + max(oracle_error(problem, name) for name in ("prox", "brox"))
    alone = [calls(problem, row, float(t)) for row, t in zip(x, step, strict=True)]
    for together, rows in zip(calls(problem, x, step), zip(*alone, strict=True), strict=True):
        assert torch.allclose(together, torch.stack(rows), rtol=1e-11, atol=room)


@every
def test_nan_stays_nan_in_its_row(problem: Problem):
    x = points(problem, 3)
    clean = calls(problem, x, 0.3)
    star = problem.nearest_star(x) if problem.unique_star else None
    x[1] = torch.nan
    for result, before in zip(calls(problem, x, 0.3), clean, strict=True):
        constant = star is not None and torch.equal(before, star)
        assert result[1].isnan().any() or constant
        assert torch.allclose(result[[0, 2]], before[[0, 2]], rtol=1e-11, atol=1e-11)


@every
@pytest.mark.parametrize("name", ["brox", "prox"])
def test_bad_steps_are_named(problem: Problem, name: str):
    if not problem.offers(name):
        return
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
    oracles = [problem.value, problem.grad]
    oracles += [problem.gap] if problem.offers("f_star") else []
    oracles += [problem.nearest_star] if problem.offers("nearest_star") else []
    for oracle in oracles:
        with pytest.raises(ValueError, match="must have shape"):
            oracle(wrong)


def test_samples_repeat():
    for family in PROBLEMS:
        if family.space:
            assert family.sample(7) == family.sample(7)
            assert family.sample(7) != family.sample(8)


@every
def test_prints_as_the_call_that_makes_it(problem: Problem):
    exported = [getattr(room, name) for room in (assumptions, problems) for name in room.__all__]
    names = {c.__name__: c for c in exported if isinstance(c, type) and issubclass(c, Specified)}
    assert parse_specification(repr(problem), names) == problem
