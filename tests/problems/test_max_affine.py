"""Maxima of affine functions: the minimiser built in, and the exact faces against slow twins."""

import math
from itertools import combinations

import cvxpy
import pytest
import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Lp, Norm
from assumptions.specification import parse_specification
from assumptions.weighted import Weighted
from problems import SolverError, affine_support
from problems.affine_faces import Faces
from problems.max_affine import FACES, MaxAffine, face_count

EPS = torch.finfo(torch.float64).eps
SMALL = (MaxAffine(1, 2), MaxAffine(1, 6, seed=3), MaxAffine(2, 5, f_star=3.0), MaxAffine(3, 9, seed=2))
LARGE = (MaxAffine(6, 20, seed=1), MaxAffine(15, 40, seed=2))
every = pytest.mark.parametrize("problem", [*SMALL, *LARGE], ids=repr)


def points(problem: MaxAffine, n: int = 40, spread: float = 2.0) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return problem.x_star + spread * torch.randn(n, problem.d, dtype=torch.float64, generator=generator)


def norms(problem: MaxAffine) -> tuple[Norm, ...]:
    return EUCLIDEAN, Lp(2, scale=0.5), Weighted(tuple(0.3 + i for i in range(problem.d)))


@every
def test_the_minimiser_is_the_only_one(problem: MaxAffine):
    rows, intercepts, center = problem._drawn
    values = rows @ (problem.x_star - center) + intercepts
    assert (values[: problem.d + 1] == 0).all()
    assert (values[problem.d + 1 :] < -0.04).all()
    assert torch.linalg.matrix_rank(rows) == problem.d
    # f grows in every direction
    unit = torch.randn(2000, problem.d, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    slope = problem.gap(problem.x_star + 1e-6 * unit / unit.norm(dim=-1, keepdim=True)) / 1e-6
    assert slope.min() > 1e-3
    assert float(problem.value(problem.x_star)) == problem.f_star


@every
def test_certificates_are_not_refuted(problem: MaxAffine):
    for certificate in problem.certified:
        found = certificate.assumption.refute(problem, budget=1000)
        assert found.verdict == "not refuted", found


@every
def test_a_step_has_its_length_and_its_proof(problem: MaxAffine):
    n = 40 if problem in SMALL else 6
    x = points(problem, n)
    z = points(problem, 500, spread=1.0)
    for norm in norms(problem):
        assert problem.offers_brox(norm)
        for radius in (1e-9, 0.2, 1.5, 100.0):
            u, step, g, residual = problem.brox_step(x, radius, norm)
            near = norm.norm(x - problem.x_star) <= radius
            assert torch.equal(u[near], problem.x_star.expand_as(u)[near])
            assert (g[near] == 0).all()
            assert ((norm.norm(step) / radius - 1).abs()[~near] <= 1e-12).all()
            assert (residual <= 1e-12 * radius * norm.dual(g)).all()
            # g is a subgradient at u: with a residual of 0 that proves u to be a minimiser
            below = problem.value(u) + ((z.unsqueeze(1) - u) * g).sum(dim=-1)
            room = 1e-13 * (1 + problem.gap_cancellation(u, problem.gap(u)) + abs(problem.f_star))
            assert (below <= problem.value(z).unsqueeze(-1) + 50 * room).all()


@pytest.mark.parametrize("problem", SMALL, ids=repr)
def test_brox_against_one_face_at_a_time(problem: MaxAffine):
    """Each face by its own quadratic equation in the common value v, in the words of the textbook."""
    rows, x, radius = problem._drawn[0], points(problem, 5), 0.4
    for at, found in zip(x, problem.brox(x, radius), strict=True):
        if float((at - problem.x_star).norm()) <= radius:
            continue
        r, best = problem._values(at), math.inf
        for k in range(1, problem.d + 1):
            for chosen in combinations(range(problem.pieces), k):
                a, on = rows[list(chosen)], r[list(chosen)]
                inverse = torch.linalg.inv(a @ a.mT)
                alpha, beta, rest = inverse.sum(), (inverse @ on).sum(), on @ inverse @ on - radius**2
                if beta**2 >= alpha * rest:
                    v = (beta - (beta**2 - alpha * rest).sqrt()) / alpha
                    best = min(best, float((r - rows @ (a.mT @ inverse @ (on - v))).max()))
        assert float(problem.gap(found)) == pytest.approx(best, rel=1e-9, abs=1e-11)


@every
@pytest.mark.parametrize("size", [0.05, 1.0, 20.0])
def test_brox_and_prox_against_a_conic_solver(problem: MaxAffine, size: float):
    for x in points(problem, 3):
        z = cvxpy.Variable(problem.d)
        f = problem.conic(z, cvxpy)
        cvxpy.Problem(cvxpy.Minimize(f), [cvxpy.norm(z - x.numpy()) <= size]).solve(solver="CLARABEL")
        assert abs(float(problem.value(problem.brox(x, size))) - float(f.value)) <= 1e-6 * (
            1 + float(f.value)
        )
        square = cvxpy.sum_squares(z - x.numpy()) / (2 * size)
        cvxpy.Problem(cvxpy.Minimize(f + square)).solve(solver="CLARABEL")
        u = problem.prox(x, size)
        ours = float(problem.value(u) + (u - x).square().sum() / (2 * size))
        assert abs(ours - float(f.value + square.value)) <= 1e-6
        assert (u - torch.from_numpy(z.value)).norm() <= 1e-3


@every
def test_prox_holds_its_optimality_condition(problem: MaxAffine):
    x, z = points(problem, 6), points(problem, 500)
    for stepsize in (1e-6, 0.3, 5.0, 1e3):
        u = problem.prox(x, stepsize)
        below = problem.value(u) + ((z.unsqueeze(1) - u) * (x - u) / stepsize).sum(dim=-1)
        assert (below <= problem.value(z).unsqueeze(-1) + 1e-12 * (1 + 1e-2 / stepsize)).all()
    assert torch.equal(problem.prox(x, 1e3), problem.x_star.expand_as(x))


def test_enumeration_and_guessed_faces_agree(monkeypatch: pytest.MonkeyPatch):
    problem = MaxAffine(4, 9, seed=5)
    assert face_count(9, 4) <= FACES < face_count(20, 6)
    x = points(problem, 10)
    tried = problem.brox(x, 0.3), problem.prox(x, 0.3)
    monkeypatch.setattr("problems.max_affine.FACES", 0)
    guessed = problem.brox(x, 0.3), problem.prox(x, 0.3)
    for a, b in zip(tried, guessed, strict=True):
        assert torch.allclose(a, b, rtol=0, atol=1e-12)
    monkeypatch.setattr(affine_support, "_order", lambda *_: [7, 3])
    with pytest.raises(SolverError, match="leaves a gap"):
        problem.brox(x, 0.3)


def test_the_edge_of_numbers():
    problem = MaxAffine(2, 5)
    for spread in (1e-12, 1.0, 1e8, 1e100):
        x = points(problem, 20, spread)
        for radius in (1e-14, 1e-3, 1e6):
            step = problem.brox_step(x, radius)
            near = (x - problem.x_star).norm(dim=-1) <= radius
            assert step.point.isfinite().all()
            assert ((step.step.norm(dim=-1) / radius - 1).abs()[~near] <= 1e-12).all()
    at_star = problem.brox_step(problem.x_star, 0.5)
    assert at_star.residual == 0
    assert torch.equal(at_star.point, problem.x_star)
    assert (problem.grad(problem.x_star) == 0).all()


def test_other_balls_are_left_to_the_conic_solver():
    problem, x = MaxAffine(2, 5), points(MaxAffine(2, 5), 3)
    assert not problem.offers_brox(Lp(1))
    step = problem.brox_step(x, 0.3, Lp(math.inf))
    assert (step.step.abs().amax(dim=-1) <= 0.3 * (1 + 1e-15)).all()
    assert (step.residual <= 1e-5).all()


@pytest.mark.parametrize("problem", [SMALL[2], LARGE[0]], ids=repr)
def test_rows_and_nan(problem: MaxAffine):
    x = points(problem, 3)
    clean = problem.brox(x, 0.3), problem.prox(x, 0.3), problem.value(x), problem.grad(x)
    x[1, 0] = torch.nan
    dirty = problem.brox(x, 0.3), problem.prox(x, 0.3), problem.value(x), problem.grad(x)
    for before, after in zip(clean, dirty, strict=True):
        assert after[1].isnan().any()
        assert torch.allclose(before[[0, 2]], after[[0, 2]], rtol=1e-12, atol=1e-12)
    t = torch.tensor([[[0.1]], [[0.4]]], dtype=torch.float64)
    assert problem.brox(x[[0, 2]], t).shape == problem.prox(x[[0, 2]], t).shape == (2, 2, problem.d)
    assert problem.brox(x[:0], 0.1).shape == (0, problem.d)


def test_bad_arguments_and_printing():
    assert parse_specification(repr(SMALL[2]), {"MaxAffine": MaxAffine}) == SMALL[2]
    for arguments, named in [
        ({"d": 0}, "d must be"),
        ({"d": 3, "pieces": 3}, r"pieces must be at least d \+ 1 = 4"),
        ({"seed": -1}, "seed"),
        ({"f_star": math.inf}, "f_star"),
        ({"start": (1.0,)}, "start"),
    ]:
        with pytest.raises(ValueError, match=named):
            MaxAffine(**arguments)


@pytest.mark.parametrize("spread", [1.0, 1e2, 1e4])
def test_weights_that_spread_keep_the_subgradient(spread: float):
    """A mean of rows, with the residual computed from it and the inequality on random points."""
    for seed in range(20):
        problem = MaxAffine(3, 9, seed=seed)
        norm = Weighted((spread**-0.5, 1.0, spread**0.5))
        x = points(problem, 8)
        t = 0.5 * norm.norm(x - problem.x_star).unsqueeze(-1)
        found = problem.brox_step(x, t, norm)
        size = norm.dual(found.subgradient)
        assert (found.residual <= 1e-12 * t[:, 0] * size).all()
        w = torch.tensor(norm.weights, dtype=torch.float64)
        for z in (x, *(found.point + t * row / w for row in points(problem, 30))):
            bound = problem.gap(found.point) + ((z - found.point) * found.subgradient).sum(dim=-1)
            assert (problem.gap(z) - bound >= -1e-12 * (t[:, 0] * size + problem.gap(z))).all()


def test_weights_that_spread_further_are_not_promised():
    problem = MaxAffine(3, 9, seed=2)
    norm, x = Weighted((1e-20, 1.0, 1e20)), problem.x_star + 1
    assert not problem.offers_brox(norm)
    with pytest.raises(SolverError, match="conic solver"):
        problem.brox_step(x, 0.5 * float(norm.norm(x - problem.x_star)), norm)


def test_a_face_that_leaves_a_gap_is_refused(monkeypatch: pytest.MonkeyPatch):
    """With the right faces left out the best of the rest is not returned."""
    problem = MaxAffine(3, 9, seed=2)
    x = points(problem, 10)
    monkeypatch.setattr("problems.max_affine._faces", lambda *_: Faces(problem._drawn[0], [(7,), (8,)]))
    with pytest.raises(SolverError, match="leaves a gap"):
        problem.brox(x, 0.3)
    with pytest.raises(SolverError, match="leaves a gap"):
        problem.prox(x, 0.3)


@pytest.mark.parametrize(("size", "t"), [(1.0, 1e-200), (1e160, 1e150), (1e-6, 1e-180), (1e300, 1e299)])
def test_squares_that_are_no_numbers(size: float, t: float):
    problem = MaxAffine()
    x = problem.x_star + size * torch.tensor([1.0, 0.5], dtype=torch.float64)
    found = problem.brox_step(x, t)
    assert float(EUCLIDEAN.norm(found.step) / t) == pytest.approx(1, rel=1e-13)
    assert torch.allclose(found.subgradient, problem.grad(x), rtol=1e-13)
    assert float(found.residual / t) <= 1e-14
    far = problem.brox_step(x, 1e3 * size)
    assert torch.equal(far.point, problem.x_star)
