"""Quadratics with a given Hessian; weighted balls and conjugates of all quadratics."""

import math
from typing import Any

import cvxpy
import mpmath
import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from torch import Tensor

from assumptions import EUCLIDEAN, PL, Inequality, Lp, Norm, Smooth, Weighted
from assumptions.sampling import sample_points
from assumptions.specification import parse_specification
from problems import LeastSquares, Quadratic, SolverError
from problems.exact_rank import positive_rank
from problems.general_quadratic import GeneralQuadratic
from problems.quadratic_oracles import QuadraticOracles

EPS = torch.finfo(torch.float64).eps
TILTED = GeneralQuadratic(((2.02, -6.0), (-6.0, 18.02)), start=(0.0, 2.0))
FLAT = GeneralQuadratic(((1.0, 2.0, 3.0), (2.0, 4.0, 6.0), (3.0, 6.0, 9.0)), center=(1.0, 0.0, -1.0))
MEMBERS = (
    TILTED,
    FLAT,
    GeneralQuadratic(((2.0, 1.0), (1.0, 2.0)), center=(0.3, -0.7), f_star=-3.0),
    Quadratic((1e-3, 0.1, 1.0, 10.0), seed=2),
    Quadratic((3.0, 1e-2, 0.0, 0.0, 1.0), seed=3, f_star=2.0),
    Quadratic((1.0, 0.0, 4.0), center=(0.0, 1.0, 2.0), seed=None),
    LeastSquares("breast_cancer"),
)
every = pytest.mark.parametrize("problem", MEMBERS, ids=repr)


def points(problem: QuadraticOracles, *shape: int, spread: float = 2.0) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return problem.x_star + spread * torch.randn(*shape, problem.d, dtype=torch.float64, generator=generator)


def weights(d: int) -> tuple[float, ...]:
    return tuple((10 ** torch.linspace(-1, 1, d, dtype=torch.float64)).tolist())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"hessian": ((1.0, 2.0), (2.5, 1.0))}, r"hessian must be symmetric.*\(1, 0\) = 2.5.*\(0, 1\) = 2.0"),
        ({"hessian": ((1.0, 2.0), (2.0, 1.0))}, "positive semidefinite.*smallest eigenvalue -1"),
        ({"hessian": ((1.0, 1.0), (1.0, 1.0 - 2**-53))}, "positive semidefinite.*smallest eigenvalue"),
        ({"hessian": ((1.0, 1.0), (1.0, 1.0 + 2**-52))}, "eigenvalues above rounding"),
        ({"hessian": ((0.0,),)}, "hessian must not be 0"),
        ({"hessian": ()}, "hessian"),
        ({"hessian": ((1.0, 0.0),)}, "hessian row 0 must have 1"),
        ({"hessian": ((math.nan,),)}, "hessian row 0 must have finite"),
        ({"hessian": 3.0}, "tuple of rows"),
        ({"hessian": (1.0, 2.0)}, "tuple of rows"),
        ({"hessian": ((1.0,),), "center": (1.0, 2.0)}, "center must have 1"),
        ({"hessian": ((1.0,),), "f_star": math.inf}, "f_star must be finite"),
        ({"hessian": ((1.0,),), "start": (1.0, 2.0)}, "start must be empty or have 1"),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        GeneralQuadratic(**arguments)


def test_values_and_gradients_are_those_of_the_formula():
    x = points(TILTED, 50)
    direct = (x[:, 0] - 3 * x[:, 1]).square() + 0.01 * x.square().sum(-1)
    assert torch.allclose(TILTED.value(x), direct, rtol=1e-13)
    z = points(FLAT, 20).requires_grad_(True)
    (expected,) = torch.autograd.grad(FLAT.value(z).sum(), z)
    assert torch.allclose(FLAT.grad(z.detach()), expected, rtol=1e-12, atol=1e-13)
    assert torch.equal(FLAT.nearest_star(FLAT.x_star), FLAT.x_star)
    assert float(FLAT.value(FLAT.x_star)) == FLAT.f_star


def test_certificates_hold_and_are_sharp():
    for problem in MEMBERS[:3]:
        kinds = {type(c.assumption).__name__: c.assumption for c in problem.certified}
        assert ("StronglyConvex" in kinds) == problem.unique_star
        for assumption in kinds.values():
            assert isinstance(assumption, Inequality)
            checked = assumption.check(problem, *sample_points(problem, 400, assumption.arity, seed=0))
            assert checked.verdict == "not refuted", checked
    (smooth,) = (c.assumption.L for c in FLAT.certified if isinstance(c.assumption, Smooth))
    (mu,) = (c.assumption.mu_pl for c in FLAT.certified if isinstance(c.assumption, PL))
    assert smooth == pytest.approx(14.0, rel=1e-13)
    assert mu == pytest.approx(14.0, rel=1e-13)
    assert not FLAT.unique_star
    with pytest.raises(ValueError, match="norm"):
        FLAT.nearest_star(FLAT.x0, Lp(1))


def test_prints_as_the_call_that_makes_it():
    for problem in MEMBERS[:3]:
        assert parse_specification(repr(problem), {"GeneralQuadratic": GeneralQuadratic}) == problem


def test_exact_rank():
    assert positive_rank([[1.0, 1.0], [1.0, 1.0]]) == 1
    assert positive_rank([[1.0, 1.0], [1.0, 1.0 + 2**-52]]) == 2
    assert positive_rank([[1.0, 1.0], [1.0, 1.0 - 2**-53]]) is None
    assert positive_rank([[0.0, 1e-300], [1e-300, 0.0]]) is None
    assert positive_rank([[0.0, 0.0], [0.0, 0.0]]) == 0
    half = np.random.default_rng(0).integers(-3, 4, (4, 7)).astype(float)
    assert positive_rank((half.T @ half).tolist()) == np.linalg.matrix_rank(half)


# -- Euclidean and weighted balls -----------------------------------------------------------------


@every
@pytest.mark.parametrize("t", [1e-9, 1e-3, 0.3, 2.0, 1e7])
@pytest.mark.parametrize("kind", ["euclidean", "scaled", "weighted"])
def test_ball_steps_meet_the_optimality_condition(problem: QuadraticOracles, t: float, kind: str):
    norm: Norm = {"euclidean": EUCLIDEAN, "scaled": Lp(2, 3.0), "weighted": Weighted(weights(problem.d))}[
        kind
    ]
    x = torch.cat([points(problem, 15), points(problem, 15, spread=1e-3)])
    assert problem.offers_brox(norm)
    solved = problem.brox_step(x, t, norm)
    length = norm.norm(solved.step)
    assert (length <= t * (1 + 1e-14)).all()
    far = (solved.subgradient != 0).any(dim=-1)
    assert torch.allclose(length[far], torch.full_like(length[far], t), rtol=1e-14, atol=0)
    size = problem.gap(x) + t * norm.dual(problem.grad(x))
    assert (solved.residual <= 1e-14 * size).all()
    off = norm.dual(problem.grad(solved.point) - solved.subgradient)
    L = next(c.assumption.L for c in problem.certified if isinstance(c.assumption, Smooth))
    assert (off <= 1e-14 * 20 * L * (x.norm(dim=-1) + 1)).all()
    room = 8 * EPS * (x.norm(dim=-1) + solved.step.norm(dim=-1))
    assert ((solved.point - x - solved.step).norm(dim=-1) <= room).all()
    one = problem.brox_step(x[4], t, norm)
    assert torch.allclose(one.step, solved.step[4], rtol=1e-10, atol=1e-12 * t)


@pytest.mark.parametrize("problem", MEMBERS[:6], ids=repr)
@pytest.mark.parametrize("t", [0.05, 0.7, 4.0])
def test_weighted_balls_against_a_conic_solver(problem: QuadraticOracles, t: float):
    norm, x = Weighted(weights(problem.d)), points(problem)
    z = cvxpy.Variable(problem.d)
    ball = cvxpy.norm(cvxpy.multiply(np.array(norm.weights), z - x.numpy())) <= t
    best = cvxpy.Problem(cvxpy.Minimize(problem.conic(z, cvxpy)), [ball]).solve(solver="CLARABEL")
    found = float(problem.value(problem.brox(x, t, norm)))
    assert found == pytest.approx(best, abs=1e-6 * (1e-3 + float(problem.gap(x))))


def test_weights_of_one_are_no_weights():
    problem = MEMBERS[3]
    x, norm = points(problem, 10), Weighted((1.0,) * 4)
    assert torch.allclose(problem.brox(x, 0.7, norm), problem.brox(x, 0.7), rtol=1e-13, atol=1e-14)
    assert not problem.offers_brox(Lp(1))
    assert not problem.offers_brox(Weighted((1.0, 2.0)))


def test_a_minimiser_in_a_weighted_ball_is_the_nearest_one():
    for problem in (FLAT, MEMBERS[4]):
        norm, x = Weighted(weights(problem.d)), points(problem, 20)
        solved = problem.brox_step(x, 1e3, norm)
        assert (problem.gap(solved.point) <= 1e-28).all()
        assert (solved.subgradient == 0).all()
        others = problem.nearest_star(x)
        for share in (1e-3, 1e-1, 1.0):
            rival = solved.point + share * (others - solved.point)
            assert (norm.norm(solved.step) <= norm.norm(rival - x) * (1 + 1e-12)).all()


def test_extreme_radii_and_points():
    problem = TILTED
    for scale in (1e-100, 1e100):
        x = problem.x_star + scale * (problem.x0 - problem.x_star)
        solved = problem.brox_step(x, 0.1 * scale)
        assert float(solved.step.norm() / scale) == pytest.approx(0.1, rel=1e-13)
    solved = problem.brox_step(problem.x_star, 1e-300)
    assert torch.equal(solved.point, problem.x_star)
    assert float(solved.residual) == 0


@pytest.mark.parametrize("shape", [(), (1,), (7,)])
def test_the_minimum_over_the_ball_has_the_gradient_at_the_minimiser(shape: tuple[int, ...]):
    """By autograd through one row and through many."""
    for problem in (MEMBERS[3], MEMBERS[4]):
        x = points(problem, *shape).requires_grad_(True)
        (slope,) = torch.autograd.grad(problem.value(problem.brox(x, 0.3)).sum(), x)
        solved = problem.brox_step(x.detach(), 0.3)
        assert torch.allclose(slope, solved.subgradient, rtol=1e-10, atol=1e-12)


# -- conjugates -----------------------------------------------------------------------------------


@every
def test_conjugate_meets_fenchel_young(problem: QuadraticOracles):
    """f(x) + f^*(g) >= <g, x>, with equality at g = grad f(x)."""
    x = points(problem, 20)
    g = problem.grad(x)
    exact = (g * x).sum(-1) - problem.value(x)
    size = (g * x).abs().sum(-1) + problem.value(x).abs() + abs(problem.f_star)
    assert ((problem.conjugate(g) - exact).abs() <= 1e-12 * size).all()
    others = problem.conjugate(g.roll(1, 0)) + problem.value(x) - (g.roll(1, 0) * x).sum(-1)
    assert (others >= -1e-12 * size.max()).all()
    assert others.max() > 0


def test_conjugate_is_infinite_off_the_range_and_a_supremum():
    for problem in (FLAT, MEMBERS[4], MEMBERS[5]):
        g = problem.grad(points(problem, 3))
        assert problem.conjugate(g).isfinite().all()
        assert problem.conjugate(g + 1e-6 * torch.linspace(1, 2, problem.d)).isinf().all()
    problem, g = MEMBERS[2], torch.tensor([0.4, -1.1], dtype=torch.float64)
    found = minimize(lambda z: float(problem.value(torch.from_numpy(z))) - float(g.numpy() @ z), np.zeros(2))
    assert float(problem.conjugate(g)) == pytest.approx(-found.fun, rel=1e-8)


def exact_step(problem: QuadraticOracles, x: Tensor, w: tuple[float, ...], t: float) -> tuple[Tensor, Tensor]:
    """Step and subgradient -lam W^2 s by bisection: (H + lam W^2) s = -H y, |W s| = t; 100 digits."""
    with mpmath.workdps(100):
        basis, d = problem._spectrum.basis, problem.d
        v = mpmath.eye(d) if basis is None else mpmath.matrix(basis.tolist())
        h = v * mpmath.diag(problem._spectrum.eigenvalues.tolist()) * v.T
        y = mpmath.matrix(x.tolist()) - mpmath.matrix(problem.x_star.tolist())
        squares = mpmath.diag([mpmath.mpf(a) ** 2 for a in w])

        def step(lam: Any) -> Any:
            return mpmath.lu_solve(h + lam * squares, -h * y)

        low, high = mpmath.mpf("1e-100"), mpmath.mpf("1e100")
        for _ in range(250):
            lam = mpmath.sqrt(low * high)
            trial = step(lam)
            low, high = (lam, high) if mpmath.sqrt((trial.T * squares * trial)[0]) > t else (low, lam)
        s = step(low)
        g = -low * squares * s
        return tuple(torch.tensor([float(a) for a in u], dtype=torch.float64) for u in (s, g))  # pyright: ignore[reportReturnType]


@pytest.mark.parametrize("seed", range(4))
def test_weights_that_spread_against_many_digits(seed: int):
    """Up to 1e4 with a dense Hessian of condition 1e6, any spread with a diagonal one."""
    rng = np.random.default_rng(seed)
    a = tuple((10 ** rng.uniform(-3, 3, 4)).tolist())
    dense, diagonal = Quadratic(a, seed=seed), Quadratic(a, seed=None)
    for problem, spread in ((dense, 1e4), (diagonal, 1e4), (diagonal, 1e20)):
        w = tuple((spread ** rng.uniform(-0.5, 0.5, 4)).tolist())
        norm, x = Weighted(w), points(problem)
        assert problem.offers_brox(norm)
        for share in (0.01, 0.5, 0.9):
            t = share * float(norm.norm(x - problem.x_star))
            solved, (s, g) = problem.brox_step(x, t, norm), exact_step(problem, x, w, t)
            size = float(norm.dual(g))
            assert float(norm.norm(solved.step - s)) <= 1e-13 * t
            assert float(norm.dual(solved.subgradient - g)) <= (1e-4 if problem is dense else 1e-14) * size
            assert float(solved.residual) <= 1e-10 * t * size


def test_weights_that_spread_further_are_not_promised():
    """Where the spectrum has lost the small directions a conic solver is asked, and may refuse."""
    problem = GeneralQuadratic(((4.0, 1.0, 1.0), (1.0, 3.0, -1.0), (1.0, -1.0, 2.0)))
    for w in ((1e8, 1e-8, 1.0), (1e20, 1.0, 1e-20)):
        norm = Weighted(w)
        assert not problem.offers_brox(norm)
        assert problem.offers_brox(Weighted(w, math.inf))
        assert GeneralQuadratic(((4.0,),)).offers_brox(Weighted((1e20,)))
        x = torch.ones(3, dtype=torch.float64)
        with pytest.raises(SolverError, match="conic solver"):
            problem.brox_step(x, 0.5 * float(norm.norm(x)), norm)


@pytest.mark.parametrize("norm", [EUCLIDEAN, Lp(2, 3.0), Weighted((1.0, 3.0))], ids=repr)
@pytest.mark.parametrize(("size", "t"), [(1e-170, 1e-180), (1.0, 1e-200), (1e150, 1e120), (1e-300, 1e-301)])
def test_squares_that_are_no_numbers(norm: Norm, size: float, t: float):
    problem = Quadratic((1.0, 2.0), center=(0.0, 0.0), seed=1)
    one = problem.brox_step(torch.tensor([size, 0.0], dtype=torch.float64), t, norm)
    many = problem.brox_step(torch.tensor([[size, 0.0]] * 2, dtype=torch.float64), t, norm)
    for solved in (one, *(type(many)(*fields) for fields in zip(*many, strict=True))):
        assert float(norm.norm(solved.step) / t) == pytest.approx(1, rel=1e-13)
        assert float(solved.subgradient.norm() if size > 1e-100 else solved.subgradient.abs().max()) > 0
        assert float(solved.residual / t) <= 1e-14 * size
    far = problem.brox_step(torch.tensor([1e160, 1e160], dtype=torch.float64), 1e170, norm)
    assert far.step.tolist() == [-1e160, -1e160]
    assert far.point.tolist() == [0.0, 0.0]


def test_roundings_outside_the_kernel_are_counted():
    """One last place of x moves the gap of (x + y)^2 / 2 from about 0 to 2^-107, within its error."""
    flat = GeneralQuadratic(((1.0, 1.0), (1.0, 1.0)))
    x = torch.tensor([[1.0, -1.0], [1.0, -1.0 + 2.0**-53]], dtype=torch.float64)
    gap = flat.gap(x)
    error = 8 * torch.finfo(torch.float64).eps * flat.gap_cancellation(x, gap)
    assert float(gap[1]) > 0
    assert float(gap[1] - gap[0]) <= float(error[0])
    assert float(error[0]) < 1e-29
