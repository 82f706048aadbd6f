"""Oracles of a user's smooth convex function: optimality, slow twins, stated errors, verdicts."""

import math
from dataclasses import dataclass, replace

import cvxpy
import numpy as np
import pytest
import torch
from scipy.optimize import brentq
from torch import Tensor

from assumptions import Convex, Smooth, StronglyConvex
from problems import FunctionProblem, Quadratic, SolverError, from_function
from problems.secular import ball_quadratic
from workbench import Method, Point, run
from workbench.match import match
from workbench.methods import BPM
from workbench.theorems.gruntkowska2025 import DISTANCE, LINE, TERMINATION
from workbench.theorems.gruntkowska2025_steps import GRADIENT, STEP_LENGTH
from workbench.verify import QUICK, verify

GENERATOR = torch.Generator().manual_seed(0)
A = torch.randn(12, 3, dtype=torch.float64, generator=GENERATOR)
FLAT = torch.tensor([1.0, -2.0, 2.0], dtype=torch.float64)
L_A = float(torch.linalg.matrix_norm(A, 2)) ** 2


def log_sum_exp(x: Tensor) -> Tensor:
    return torch.logsumexp(torch.cat([x @ A.mT, -x @ A.mT], -1), -1)


def simplex(x: Tensor) -> Tensor:
    """Singular Hessian everywhere, the gradient has a part in its null space; no minimiser."""
    return torch.logsumexp(x, -1)


def logistic(x: Tensor) -> Tensor:
    """Separable, without regularisation: the infimum 0 is not attained."""
    return torch.nn.functional.softplus(-x @ A.abs().mT).mean(-1)


def regularised(x: Tensor) -> Tensor:
    return torch.logsumexp(x @ A.mT + A[:, 0], -1) + x.square().sum(-1) / 20


def ridge(x: Tensor) -> Tensor:
    """log cosh <a, x>: flat in two directions, a plane of minimisers."""
    s = (x @ FLAT).abs()
    return s + torch.log1p(torch.exp(-2 * s)) - math.log(2)


def quartic(x: Tensor) -> Tensor:
    """Its Hessian vanishes at the minimiser."""
    return (1 + x.square().sum(-1).square()).sqrt()


def made(f, *assume, **facts) -> FunctionProblem:
    return from_function(f, 3, assume=assume, **facts)


LSE = made(log_sum_exp, Convex(), Smooth(L_A), f_star=math.log(24), x_star=(0.0,) * 3, unique_star=True)
STRONG = made(regularised, Smooth(L_A + 0.1), StronglyConvex(0.1))
MERELY = (
    LSE,
    made(simplex, Convex(), Smooth(1.0)),
    made(logistic, Convex(), Smooth(float(A.square().sum()) / 48)),
    made(ridge, Convex(), Smooth(9.0)),
    made(quartic, Convex(), Smooth(6.0)),
)
ALL = (*MERELY, STRONG)
every = pytest.mark.parametrize("problem", ALL, ids=repr)


def points(*shape: int, spread: float = 2.0, seed: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return spread * torch.randn(*shape, 3, dtype=torch.float64, generator=generator)


# -- the model over the ball ----------------------------------------------------------------------


def tensor(*entries: float) -> Tensor:
    return torch.tensor(entries, dtype=torch.float64)


@pytest.mark.parametrize("t", [1e-8, 0.3, 2.0, 1e6])
@pytest.mark.parametrize("scale", [1e-60, 1.0, 1e60])
def test_singular_models_against_a_scalar_root_finder(t: float, scale: float):
    a, b = tensor(0.0, 1e-3, 2.0), tensor(1e-3, 2.0, -1.0)
    log_lam = brentq(lambda u: float((b / (a + 10.0**u)).norm()) - t, -30, 30, xtol=1e-15, rtol=1e-15)
    expected = -b / (a + 10.0**log_lam)
    assert torch.allclose(ball_quadratic(scale * a, scale * b, t), expected, rtol=1e-9, atol=1e-12 * t)


@pytest.mark.parametrize("seed", range(6))
def test_singular_models_against_a_conic_solver(seed: int):
    generator = torch.Generator().manual_seed(seed)
    half = torch.randn(2, 4, dtype=torch.float64, generator=generator)
    b, t = torch.randn(4, dtype=torch.float64, generator=generator), 0.5 * (1 + seed)
    a, basis = torch.linalg.eigh(half.mT @ half)
    s = basis @ ball_quadratic(torch.where(a < 1e-12, 0.0, a), b @ basis, t)
    z = cvxpy.Variable(4)
    objective = cvxpy.sum_squares(half.numpy() @ z) / 2 + b.numpy() @ z
    best = cvxpy.Problem(cvxpy.Minimize(objective), [cvxpy.norm(z) <= t]).solve(solver="CLARABEL")
    assert float((half @ s).square().sum() / 2 + b @ s) == pytest.approx(best, rel=1e-7)
    assert float(s.norm()) == pytest.approx(t, rel=1e-14)


def test_models_that_are_linear_flat_or_hard():
    assert torch.allclose(ball_quadratic(tensor(0, 0), tensor(3, 4), 2.0), tensor(-1.2, -1.6), rtol=1e-15)
    assert torch.equal(ball_quadratic(tensor(0, 0), tensor(0, 0), 2.0), tensor(0, 0))
    assert torch.equal(ball_quadratic(tensor(0, 2), tensor(0, 1), 2.0), tensor(0, -0.5))
    # a slope far below the curvature still decides where the model ends
    s = ball_quadratic(tensor(0, 2), tensor(1e-9, 1), 2.0)
    assert torch.allclose(s, tensor(-(3.75**0.5), -0.5), rtol=1e-8)
    both = ball_quadratic(tensor(0, 0, 0, 2).reshape(2, 2), tensor(3, 4, 0, 1).reshape(2, 2), 2.0)
    assert torch.allclose(both, tensor(-1.2, -1.6, 0, -0.5).reshape(2, 2), rtol=1e-15)
    assert ball_quadratic(tensor(0, 1), tensor(math.nan, 1), 1.0).isnan().all()


# -- optimality -----------------------------------------------------------------------------------


@every
@pytest.mark.parametrize("radius", [1e-6, 0.1, 1.0, 20.0])
@pytest.mark.parametrize("spread", [0.1, 3.0, 30.0])
def test_broximal_points_solve_the_optimality_condition(
    problem: FunctionProblem, radius: float, spread: float
):
    x = points(30, spread=spread)
    u = problem.brox(x, radius)
    g, s = problem.grad(u), u - x
    length, size = s.norm(dim=-1, keepdim=True), x.norm(dim=-1, keepdim=True) + radius
    assert (length <= radius + 1e-15 * size).all()
    on_sphere = length >= radius - 1e-13 * size
    c = torch.where(on_sphere, -(g * s).sum(-1, keepdim=True) / length.square(), 0.0)
    slope = float(problem.grad(problem.x0).norm())
    L = next(a.L for a in problem.assume if isinstance(a, Smooth))
    room = 1e-13 * (slope + g.norm(dim=-1, keepdim=True) + L * (2 + size)) + 1e-14 * c.abs() * size
    assert (c * length >= -room).all()
    assert ((g + c * s).norm(dim=-1, keepdim=True) <= room).all()


@every
@pytest.mark.parametrize("stepsize", [1e-3, 1.0, 300.0])
def test_proximal_points_solve_the_optimality_condition(problem: FunctionProblem, stepsize: float):
    x = points(30)
    u = problem.prox(x, stepsize)
    error = problem.oracle_error("prox", x, stepsize, u)
    assert (error <= 1e-9 * (1 + stepsize)).all()
    residual = (u - x + stepsize * problem.grad(u)).norm(dim=-1)
    mu = problem.oracles.mu
    assert (residual <= (1 + stepsize * mu) * error).all()


def as_cvxpy(problem: FunctionProblem, z: cvxpy.Variable) -> cvxpy.Expression:
    if problem is LSE:
        return cvxpy.log_sum_exp(cvxpy.hstack([A.numpy() @ z, -A.numpy() @ z]))
    if problem is STRONG:
        return cvxpy.log_sum_exp(A.numpy() @ z + A[:, 0].numpy()) + cvxpy.sum_squares(z) / 20
    if problem.function is simplex:
        return cvxpy.log_sum_exp(z)
    assert problem.function is logistic
    return cvxpy.sum(cvxpy.logistic(-A.abs().numpy() @ z)) / 12


@pytest.mark.parametrize("problem", [LSE, STRONG, MERELY[1], MERELY[2]], ids=repr)
@pytest.mark.parametrize("size", [0.2, 1.5, 8.0])
def test_against_a_conic_solver(problem: FunctionProblem, size: float):
    x = points(seed=4)
    z = cvxpy.Variable(3)
    f = as_cvxpy(problem, z)
    cvxpy.Problem(cvxpy.Minimize(f), [cvxpy.norm(z - x.numpy()) <= size]).solve(solver="CLARABEL")
    u = problem.brox(x, size)
    assert float(problem.value(u)) == pytest.approx(float(f.value), abs=1e-6 * (1 + float(problem.value(x))))
    square = cvxpy.sum_squares(z - x.numpy()) / (2 * size)
    cvxpy.Problem(cvxpy.Minimize(f + square)).solve(solver="CLARABEL")
    assert np.allclose(problem.prox(x, size).numpy(), z.value, atol=1e-3)


def test_a_minimiser_within_the_ball_is_found():
    x = points(30)
    far = 2 * float(x.norm(dim=-1).max())
    # a solve stops at twice 64 roundings of |grad f(x0)| + L |x0|, here up to 1e-12, over the curvature
    assert torch.allclose(LSE.brox(x, far), torch.zeros_like(x), rtol=0, atol=1e-11)
    assert torch.equal(STRONG.brox(x, far), STRONG.x_star.expand_as(x))
    assert ((MERELY[3].brox(x, far) @ FLAT).abs() <= 1e-11).all()
    assert (MERELY[4].brox(x, far).norm(dim=-1) <= 1e-4).all()


def test_a_flat_direction_is_left_alone():
    """Where the plane of minimisers is out of reach, the step is straight towards it."""
    problem, x = MERELY[3], points(20, spread=30.0)
    x = x[(x @ FLAT).abs() > 4]
    u = problem.brox(x, 1.0)
    assert torch.allclose(u, x - (x @ FLAT).sign().unsqueeze(-1) * FLAT / 3, rtol=0, atol=1e-12)


# -- stated errors --------------------------------------------------------------------------------


def test_the_minimiser_is_found_and_its_error_stated():
    assert STRONG.x_star_error > 0
    assert STRONG.f_star_error > 0
    for x0 in (torch.zeros(3), torch.tensor([30.0, -20.0, 5.0])):
        again = made(regularised, Smooth(L_A + 0.1), StronglyConvex(0.1), x0=x0.double())
        room = again.x_star_error + STRONG.x_star_error
        assert float((again.x_star - STRONG.x_star).norm()) <= room <= 1e-8
        assert abs(again.f_star - STRONG.f_star) <= again.f_star_error + STRONG.f_star_error <= 1e-12
    assert STRONG.unique_star
    assert [c.status for c in STRONG.certified] == ["declared"] * 2
    assert (STRONG.gap(points(100)) >= 0).all()
    bowl = made(lambda x: (x - 1).square().sum(-1), Smooth(2.0), StronglyConvex(2.0), x0=(3.0, 4.0, 5.0))
    assert float((bowl.x_star - 1).norm()) <= bowl.x_star_error <= 1e-11
    assert bowl.f_star - bowl.f_star_error <= 0 <= bowl.f_star
    with pytest.raises(ValueError, match="f_star must be f"):
        made(regularised, Smooth(L_A + 0.1), StronglyConvex(0.1), f_star=0.0)


def test_stated_errors_hold_against_closed_forms():
    """f = sum a_i x_i^2 / 2: quadratic_brox and 1 / (1 + stepsize a) are exact to rounding."""
    exact, a = Quadratic((1.0, 0.1, 30.0), center=(0.0,) * 3, seed=None), tensor(1.0, 0.1, 30.0)

    def f(x: Tensor) -> Tensor:
        return (a * x.square()).sum(-1) / 2

    x = points(50)
    for mine in (made(f, Convex(), Smooth(30.0)), made(f, Smooth(30.0), StronglyConvex(0.1))):
        for t in (1e-3, 0.3, 2.0):
            for name, step in (("brox", t), ("prox", 10 * t)):
                u = getattr(mine, name)(x, step)
                stated = mine.oracle_error(name, x, step, u)
                assert ((u - getattr(exact, name)(x, step)).norm(dim=-1) <= stated).all()
                if name == "prox" or mine.oracles.mu > 0:
                    assert (stated <= 1e-9).all()
                assert (stated <= mine.oracle_errors[name]).all()
    assert made(f, Convex(), Smooth(30.0)).oracle_errors == {"prox": math.inf, "brox": math.inf}


def test_the_error_of_a_broximal_point_is_at_most_the_ball():
    x = 1e-9 * points(5)
    u = MERELY[4].brox(x, 1e-9)
    assert (MERELY[4].oracle_error("brox", x, 1e-9, u) == 2e-9).all()
    away = points(5)
    assert (MERELY[4].oracle_error("brox", away, 0.1, MERELY[4].brox(away, 0.1)) <= 1e-10).all()


# -- shapes, purity, speed ------------------------------------------------------------------------


@every
@pytest.mark.parametrize("name", ["brox", "prox"])
def test_batches(problem: FunctionProblem, name: str):
    oracle = getattr(problem, name)
    x = points(2, 4)
    kept = x.clone()
    step = torch.linspace(0.1, 1.5, 8, dtype=torch.float64).reshape(2, 4, 1)
    found = oracle(x, step)
    assert torch.equal(x, kept)
    assert torch.equal(found, oracle(x, step))
    assert found.shape == (2, 4, 3)
    assert not found.requires_grad
    alone = torch.stack(
        [oracle(row, float(t)) for row, t in zip(x.reshape(8, 3), step.flatten(), strict=True)]
    )
    assert torch.allclose(found, alone.reshape(2, 4, 3), rtol=0, atol=1e-9)
    assert torch.equal(oracle(x, 0.3), oracle(x, torch.full((2, 4, 1), 0.3, dtype=torch.float64)))
    assert oracle(x[0, 0], step[0]).shape == (4, 3)
    with torch.no_grad():
        assert torch.equal(found, oracle(x, step))
    x[0, 1] = math.nan
    assert oracle(x, step)[0, 1].isnan().all()
    assert oracle(x, step)[1].isfinite().all()
    assert problem.oracle_error(name, x, step, found).shape == (2, 4)
    for bad in (0.0, -1.0, math.nan):
        with pytest.raises(ValueError, match="radius" if name == "brox" else "stepsize"):
            oracle(x, bad)
    with pytest.raises(ValueError, match="must have shape"):
        oracle(x[..., :2], 1.0)


# -- who gets oracles, and failures ---------------------------------------------------------------


def test_only_declared_smooth_convex_functions_get_oracles():
    for assume in ((), (Convex(),), (Smooth(1.0),), (StronglyConvex(1.0),)):
        problem = made(simplex, *assume)
        assert not any(problem.offers(name) for name in ("prox", "brox", "x_star"))
    given = made(log_sum_exp, Convex(), Smooth(L_A), brox=lambda x, radius: x - radius)
    assert given.brox(torch.ones(3), 1.0).tolist() == [0.0] * 3
    assert given.oracle_errors == {"prox": math.inf}
    assert given.oracle_error("brox", points(4), 1.0, points(4)).tolist() == [0.0] * 4
    assert given.offers("prox")


def checked_or_refused(problem: FunctionProblem, x: Tensor, radius: float) -> None:
    try:
        u = problem.brox(x, radius)
    except SolverError:
        return
    g, s = problem.grad(u), u - x
    inside = s.norm(dim=-1, keepdim=True) < radius * (1 - 1e-12)
    c = torch.where(inside, 0.0, -(g * s).sum(-1, keepdim=True) / s.square().sum(-1, keepdim=True))
    assert (c >= -1e-12).all()
    assert ((g + c * s).norm(dim=-1) <= 1e-11).all()


@pytest.mark.parametrize("radius", [0.1, 1.0, 10.0])
@pytest.mark.parametrize(
    "f",
    [
        lambda x: (x.abs() ** 1.5).sum(-1),
        lambda x: torch.cos(x).sum(-1) + 0.1 * x.square().sum(-1),
        lambda x: x[..., 0].sin() * x[..., 1].cos() + x.square().square().sum(-1) / 40,
        lambda x: x.abs().sum(-1) + 0.01 * x.square().sum(-1),
    ],
    ids=["not smooth at 0", "bumpy", "saddles", "kinks"],
)
def test_a_wrong_declaration_gives_an_error_or_a_stationary_point(f, radius: float):
    problem = made(f, Convex(), Smooth(1.0))
    for row in points(12):
        checked_or_refused(problem, row, radius)


def test_a_failure_is_an_error_that_says_why():
    kinks = made(lambda x: x.abs().sum(-1), Convex(), Smooth(1.0))
    with pytest.raises(SolverError, match="KKT residual"):
        kinks.brox(torch.tensor([0.3, 0.4, 0.5], dtype=torch.float64), 5.0)

    def outside(x: Tensor) -> Tensor:
        return torch.from_numpy(2 * x.detach().numpy())

    numpy_gradient = made(lambda x: x.square().sum(-1), Convex(), Smooth(2.0), grad=outside)
    with pytest.raises(SolverError, match="twice differentiable by torch: the gradient was computed outside"):
        numpy_gradient.brox(points(2), 0.1)
    assert not made(lambda x: x.square().sum(-1), Smooth(2.0), StronglyConvex(2.0), grad=outside).offers(
        "x_star"
    )
    infinite = made(lambda x: (x.square() ** 0.75).sum(-1), Convex(), Smooth(1.0))
    with pytest.raises(SolverError, match="Hessian is not finite"):
        infinite.prox(torch.zeros(2, 3, dtype=torch.float64) + tensor(0.0, 1.0, 1.0), 1.0)


def test_a_linear_function_has_a_zero_hessian():
    problem = made(lambda x: x @ FLAT, Convex(), Smooth(1.0))
    x = points(4)
    assert torch.allclose(problem.brox(x, 0.6), x - 0.2 * FLAT, rtol=0, atol=1e-14)
    assert torch.allclose(problem.prox(x, 0.5), x - 0.5 * FLAT, rtol=0, atol=1e-13)


# -- verdicts -------------------------------------------------------------------------------------


@pytest.mark.parametrize("problem", [LSE, STRONG], ids=repr)
def test_theorems_hold_if_the_declared_constants_hold(problem: FunctionProblem):
    theorems = [DISTANCE, TERMINATION, LINE, GRADIENT, STEP_LENGTH]
    records = [r for r in verify(theorems, [problem], budget=QUICK, mutants=False) if "function" in r.problem]
    assert [r.verdict for r in records] == ["not refuted"] * 5
    assert {r.reason for r in records} == {"if the declared constants hold"}
    assert records[0].checked > 200
    assert max(r.tightness or 0 for r in records) > 0.9


def test_rounding_at_the_minimiser_is_no_bad_certificate():
    """d/dx (|x| + log1p(e^(-2|x|))) near 0 is a difference of numbers of size 1."""

    def log_cosh(x: Tensor) -> Tensor:
        return (x.abs() + torch.log1p(torch.exp(-2 * x.abs())) - math.log(2)).sum(-1)

    problem = made(log_cosh, Convex(), Smooth(1.0), f_star=0.0, x_star=(0.0,) * 3, unique_star=True)
    (record, *_) = verify([GRADIENT], [problem], budget=QUICK, mutants=False)
    assert record.verdict == "not refuted"


def test_a_wrong_constant_is_a_bad_certificate():
    for share in (2, 100):
        wrong = made(
            regularised, Convex(), Smooth(L_A / share / 10), StronglyConvex(1e-3), name=f"over{share}"
        )
        (record, *_) = verify([GRADIENT], [wrong], budget=QUICK, mutants=False)
        assert record.verdict == "bad certificate"
        assert record.reason.startswith("Smooth(L=")


@dataclass(frozen=True)
class Halfway(Method):
    """Halfway to the broximal point: its x is not what the oracle returned."""

    needs = ("brox",)

    def step(self, problem, state, draw):
        return Point((state.x + problem.brox(state.x, 1.0)) / 2)


def test_an_error_known_call_by_call_needs_a_method_that_asks():
    changes = {"parameters": {}, "when": DISTANCE.measured > 0, "bound": DISTANCE.measured}
    theorem = replace(DISTANCE, method=Halfway, mutants=(), tight=(), **changes)
    assert "known call by call only, Halfway has no x_error" in str(match(theorem, LSE))
    assert isinstance(match(theorem, STRONG), list)


def test_errors_enter_the_resolution_of_the_iterates():
    """Per call where the method asks: the gap of a broximal point is off by at most 2 t |r|."""
    start = tensor(2.0, 1.0, -1.0)
    trace = run(BPM(0.1), LSE, start, steps=3, record=("gap", "dist"), keep_state=True)
    stated = LSE.oracle_error("brox", trace.x[0, :-1], 0.1, trace.x[0, 1:])
    assert (stated > 0).all()
    grown = trace.resolutions["dist"][0].diff()
    assert torch.allclose(grown, stated, rtol=0.05)
    assert (trace.resolutions["gap"][0] <= 1e-10).all()
