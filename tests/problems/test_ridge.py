"""Functions of one inner product: broximal and proximal steps, solutions, conjugates, certificates."""

import dataclasses
import math
from typing import Any

import cvxpy
import mpmath
import numpy as np
import pytest
import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Inequality, Lp, Norm, Weighted, parse_specification, sample_points
from problems.abs_affine import AbsAffine
from problems.hinge import Hinge
from problems.linear import Linear
from problems.log_loss import LogLoss
from problems.quartic_ridge import QuarticRidge
from problems.ridge import AttainedRidge, Ridge
from problems.scalar_root import cubic_split, increasing_root
from problems.squared_hinge import SquaredHinge

EPS = torch.finfo(torch.float64).eps
A = (1.0, -2.0, 0.5)
ATTAINED = (
    AbsAffine(A, b=1.0),
    Hinge(A),
    Hinge(A, label=-1),
    SquaredHinge(A, label=-1),
    QuarticRidge(A, b=-1.0),
)
ALL: tuple[Ridge, ...] = (*ATTAINED, LogLoss(A), LogLoss(A, label=-1), Linear(A))
ON_THE_LINE = tuple(dataclasses.replace(p, a=(1.5,)) for p in ALL)
NORMS = (
    EUCLIDEAN,
    Lp(1),
    Lp(math.inf),
    Lp(3, scale=2.0),
    Weighted((1.0, 3.0, 0.5)),
    Weighted((1.0, 3.0, 0.5), 1),
)

every = pytest.mark.parametrize("problem", ALL, ids=repr)
every_norm = pytest.mark.parametrize("norm", NORMS, ids=repr)


def points(problem: Ridge, rows: int, seed: int = 0, spread: float = 3.0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return spread * torch.randn(rows, problem.d, dtype=torch.float64, generator=generator)


def as_cvxpy(norm: Norm, z: Any) -> Any:
    if isinstance(norm, Weighted):
        return cvxpy.pnorm(cvxpy.multiply(np.array(norm.weights), z), norm.p)
    assert isinstance(norm, Lp)
    return norm.scale * cvxpy.pnorm(z, norm.p)


@every
@every_norm
def test_brox_against_a_conic_solver(problem: Ridge, norm: Norm):
    for x, t in zip(points(problem, 2), (0.3, 1.5), strict=True):
        z = cvxpy.Variable(problem.d)
        f = problem.conic(z, cvxpy)
        cvxpy.Problem(cvxpy.Minimize(f), [as_cvxpy(norm, z - x.numpy()) <= t]).solve(solver="CLARABEL")
        best = float(f.value)
        assert best == pytest.approx(float(problem.value(torch.from_numpy(z.value))), rel=1e-9, abs=1e-9)
        ours = float(problem.value(problem.brox(x, t, norm)))
        assert ours == pytest.approx(best, rel=1e-6, abs=1e-6 * (1 + float(problem.value(x).abs())))


@every
@every_norm
@pytest.mark.parametrize("t", [1e-200, 1e-9, 0.3, 2.0, 1e6, 1e200])
def test_steps_have_the_length_of_the_radius(problem: Ridge, norm: Norm, t: float):
    x = points(problem, 50)
    result = problem.brox_step(x, t, norm)
    length = norm.norm(result.step)
    reached = torch.zeros(50, dtype=torch.bool)
    if isinstance(problem, AttainedRidge):
        distance = norm.norm(x - problem.nearest_star(x, norm))
        reached = distance <= t * (1 - 1e-9)
        assert torch.equal(result.point[reached], problem.nearest_star(x, norm)[reached])
        assert (result.subgradient[reached] == 0).all()
        reached = distance <= t * (1 + 1e-9)
    assert (length <= t * (1 + 1e-12)).all()
    assert (length[~reached] >= t * (1 - 1e-12)).all()
    assert ((norm.norm(result.point - x) - length).abs() <= 1e-12 * t + 16 * EPS * norm.norm(x)).all()
    assert (result.residual <= 16 * EPS * t * norm.dual(result.subgradient)).all()


@every
@every_norm
def test_the_multiplier_is_a_subgradient(problem: Ridge, norm: Norm):
    x = points(problem, 40)
    result = problem.brox_step(x, 0.7, norm)
    z = points(problem, 300, seed=1, spread=5.0).unsqueeze(1)
    lower = problem.value(result.point) + (result.subgradient * (z - result.point)).sum(-1)
    assert (problem.value(z) >= lower - 1e-13 * (1 + problem.value(z).abs() + lower.abs())).all()


@pytest.mark.parametrize("problem", ATTAINED, ids=repr)
@every_norm
def test_nearest_star_projects_in_every_norm(problem: AttainedRidge, norm: Norm):
    assert problem.offers_dist(norm)
    x = points(problem, 40)
    star = problem.nearest_star(x, norm)
    assert (problem.gap(star) <= 1e-13).all()
    optimal = problem.gap(x) == 0
    assert torch.equal(star[optimal], x[optimal])
    assert not problem.unique_star
    # no point that is nearer, on a dense set of directions, is a solution
    directions = points(problem, 2000, seed=2)
    directions = directions / norm.norm(directions).unsqueeze(-1)
    distance = norm.norm(x - star)
    for row, r in zip(x[~optimal], distance[~optimal], strict=True):
        assert (problem.gap(row + 0.999 * r * directions) > 0).all()
    again = problem.nearest_star(star, norm)
    assert torch.allclose(again, star, rtol=0, atol=1e-13)


def test_nearest_star_of_the_absolute_value_is_the_hyperplane_formula():
    problem, x = AbsAffine(A, b=1.0), points(AbsAffine(A), 100)
    a = torch.tensor(A, dtype=torch.float64)
    expected = x - a * ((x @ a - 1.0) / (a @ a)).unsqueeze(-1)
    assert torch.allclose(problem.nearest_star(x), expected, rtol=0, atol=1e-14)


def test_starts_are_one_unit_from_the_solutions():
    for problem in ATTAINED:
        assert float((problem.x0 - problem.nearest_star(problem.x0)).norm()) == pytest.approx(1.0, rel=1e-14)
        assert float(problem.gap(problem.x_star)) <= 1e-30
        nearest_to_zero = problem.nearest_star(torch.zeros(3, dtype=torch.float64))
        assert torch.allclose(problem.x_star, nearest_to_zero, rtol=0, atol=1e-15)
    assert float(LogLoss(A).x0 @ torch.tensor(A, dtype=torch.float64)) < 0
    assert float(Linear(A).value(Linear(A).x0)) == pytest.approx(math.sqrt(5.25))


def test_facts_that_do_not_exist_are_not_offered():
    for problem in (LogLoss(A), Linear(A)):
        assert not problem.offers("x_star")
        assert not problem.offers("nearest_star")
        assert not problem.offers_dist()
        assert problem.offers("brox")
    assert LogLoss(A).offers("f_star")
    assert not Linear(A).offers("f_star")
    assert AbsAffine(A).offers_brox(Weighted((1.0, 2.0, 3.0)))
    assert not AbsAffine(A).offers_brox(Weighted((1.0, 2.0)))


@pytest.mark.parametrize("problem", ON_THE_LINE, ids=repr)
def test_on_the_line_solutions_are_exact(problem: Ridge):
    x = points(problem, 30)
    for norm in (EUCLIDEAN, Lp(1, scale=3.0)):
        u = problem.brox(x, 1e3, norm)
        if not isinstance(problem, AttainedRidge):
            assert torch.allclose((u - x).abs(), torch.full_like(x, 1e3 / norm.scale), rtol=1e-12)
            continue
        assert (problem.gap(u) <= 2 * EPS).all()
        assert torch.equal(u, problem.nearest_star(x))
        assert u[problem.gap(x) > 0].unique().numel() == 1
    if isinstance(problem, AttainedRidge):
        assert problem.unique_star == isinstance(problem, AbsAffine | QuarticRidge)


def exact_shift(problem: Ridge, m: float, k: float) -> float:
    """s - m for the proximal point s of h, to 60 digits."""
    with mpmath.workdps(400):
        m_, k_ = mpmath.mpf(m), mpmath.mpf(k)
        match problem:
            case LogLoss(label=y):
                low, high = mpmath.mpf(0), k_ / (1 + mpmath.exp(y * m_))

                def side(r: Any) -> Any:
                    return r - k_ / (1 + mpmath.exp(y * m_ + r))
            case QuarticRidge():
                y = -mpmath.sign(m_) if m else 1
                low, high = mpmath.mpf(0), abs(m_)

                def side(r: Any) -> Any:
                    return r - k_ * (abs(m_) - r) ** 3
            case _:
                raise AssertionError(problem)
        for _ in range(3500):
            middle = (low + high) / 2
            low, high = (middle, high) if side(middle) < 0 else (low, middle)
            if high - low <= high * mpmath.mpf(10) ** -25:
                break
        return float(y * low)


@pytest.mark.parametrize(
    "problem", [LogLoss((1.0,)), LogLoss((1.0,), label=-1), QuarticRidge((1.0,))], ids=repr
)
@pytest.mark.parametrize("k", [1e-14, 1e-3, 1.0, 1e3, 1e15])
def test_scalar_proximal_points_against_sixty_digits(problem: Ridge, k: float):
    values = (-1e5, -40.0, -3.0, -1e-7, 0.0, 0.2, 5.0, 700.0)
    m_all = torch.tensor(values, dtype=torch.float64).unsqueeze(-1)
    ours = problem._shift(m_all, torch.tensor(k, dtype=torch.float64)).squeeze(-1)
    for m, shift in zip(values, ours.tolist(), strict=True):
        exact = exact_shift(problem, m, k)
        assert abs(shift - exact) <= 16 * EPS * abs(exact) + 1e-300, (m, k)


@every
@pytest.mark.parametrize("stepsize", [1e-200, 1e-12, 0.4, 30.0, 1e9])
def test_prox_satisfies_its_condition(problem: Ridge, stepsize: float):
    """(x - u) / stepsize is a subgradient at u: f(z) - f(u) >= <x - u, z - u> / stepsize for all z."""
    x = points(problem, 30)
    u = problem.prox(x, stepsize)
    z = torch.cat([u + 10.0**-e * points(problem, 30, seed=e) for e in range(6)]).reshape(6, 30, problem.d)
    gain = problem.value(z) - problem.value(u) - ((x - u) * (z - u)).sum(-1) / stepsize
    slope = problem.grad(u).norm(dim=-1) + problem.grad(z).norm(dim=-1)
    size = 1 + x.norm(dim=-1) + z.norm(dim=-1)
    room = 64 * EPS * size * (slope + (z - u).norm(dim=-1) / stepsize + 1) + 64 * EPS * problem.value(z).abs()
    assert (gain >= -room).all()


def test_closed_proximal_points():
    one = torch.tensor([2.0], dtype=torch.float64)
    assert Linear((3.0,)).prox(one, 0.5).item() == 0.5
    assert AbsAffine((1.0,)).prox(one, 0.5).item() == 1.5
    assert AbsAffine((1.0,)).prox(one, 2.0).item() == 0.0
    assert Hinge((1.0,)).prox(-one, 0.5).item() == -1.5
    assert Hinge((1.0,)).prox(-one, 5.0).item() == 1.0
    assert Hinge((1.0,)).prox(one, 5.0).item() == 2.0
    assert SquaredHinge((1.0,)).prox(-one, 2.0).item() == pytest.approx(0.0, abs=1e-15)
    assert QuarticRidge((1.0,)).prox(one, 1.0).item() == pytest.approx(1.0, rel=1e-15)


def test_cubic_split_and_increasing_root_agree():
    generator = torch.Generator().manual_seed(0)
    m = 10 ** (8 * torch.randn(500, dtype=torch.float64, generator=generator))
    k = 10 ** (8 * torch.randn(500, dtype=torch.float64, generator=generator))
    stay, move = cubic_split(m, k)
    assert ((stay + move - 1).abs() <= 4 * EPS).all()
    high = torch.minimum(m, (m / k) ** (1 / 3))
    s = increasing_root(lambda s: (s + k * s**3 - m, 1 + 3 * k * s**2), high / 2, high)
    assert torch.allclose(stay * m, s, rtol=1e-14, atol=0)
    alone = increasing_root(lambda s: (s + k[7] * s**3 - m[7], 1 + 3 * k[7] * s**2), high[7] / 2, high[7])
    assert torch.equal(alone, s[7])


@every
def test_conjugate_is_the_supremum(problem: Ridge):
    """Fenchel-Young, with equality at a gradient, against a dense grid of s = <a, x> - b."""
    a = torch.tensor(problem.a, dtype=torch.float64)
    x = a * torch.linspace(-2000.0, 2000.0, 400_001, dtype=torch.float64).unsqueeze(-1) / (a @ a)
    for r in (-1.0, -0.6, -0.25, 0.3, 0.9, 1.0):
        g = r * a
        seen = float(((x @ g) - problem.value(x)).max())
        claimed = float(problem.conjugate(g))
        if claimed == math.inf:
            assert seen > 50
        else:
            assert seen <= claimed + 1e-9
            assert seen == pytest.approx(claimed, abs=1e-3)
    generic = points(problem, 20)
    g = problem.grad(generic)
    equality = problem.value(generic) + problem.conjugate(g) - (g * generic).sum(-1)
    assert (equality.abs() <= 1e-12 * (1 + problem.value(generic).abs())).all()
    assert (problem.conjugate(generic) == math.inf).all()


@every
def test_certificates_hold_and_are_sharp(problem: Ridge):
    for certificate in problem.certified:
        assumption = certificate.assumption
        assert isinstance(assumption, Inequality)
        checked = assumption.check(problem, *sample_points(problem, 300, assumption.arity, seed=0))
        assert checked.verdict == "not refuted"
        assert assumption.refute(problem, budget=1000).verdict == "not refuted"
        for name, sense in type(assumption).sense.items():
            if getattr(assumption, name) == 0:  # nothing is smaller
                continue
            wrong = dataclasses.replace(assumption, **{name: getattr(assumption, name) * 1.2**sense})
            assert wrong.refute(problem, budget=4000).verdict == "refuted"


@every
def test_gradient_is_that_of_the_value(problem: Ridge):
    x = points(problem, 40).requires_grad_(True)
    (expected,) = torch.autograd.grad(problem.value(x).sum(), x)
    assert torch.allclose(problem.grad(x.detach()), expected, rtol=1e-12, atol=1e-12)


def test_rounding_of_the_gap_is_covered():
    x = 1e6 * points(AbsAffine(A), 200)
    for problem in ATTAINED:
        with mpmath.workdps(50):
            for row in problem.nearest_star(x):
                s = sum(mpmath.mpf(p) * mpmath.mpf(q) for p, q in zip(problem.a, row.tolist(), strict=True))
                s -= mpmath.mpf(problem.b)
                low, high = problem.interval
                far = max(low - s, s - high, mpmath.mpf(0))
                exact = {AbsAffine: far, Hinge: far, SquaredHinge: far**2 / 2, QuarticRidge: far**4 / 4}
                gap = problem.gap(row)
                room = 4 * EPS * (gap + problem.gap_cancellation(row, gap))
                assert abs(exact[type(problem)] - mpmath.mpf(float(gap))) <= float(room)


@every
def test_batches_and_nan(problem: Ridge):
    x = points(problem, 6).reshape(2, 3, 3)
    radius = torch.tensor([[0.1], [0.5], [4.0]], dtype=torch.float64)
    whole = problem.brox_step(x, radius)
    for i in range(2):
        for j in range(3):
            alone = problem.brox_step(x[i, j], float(radius[j]))
            assert all(
                torch.allclose(p[i, j], q, rtol=1e-13, atol=1e-14) for p, q in zip(whole, alone, strict=True)
            )
    assert problem.brox(x[0, 0], radius).shape == (3, 3)
    assert problem.prox(x[0, 0], radius).shape == (3, 3)
    x[0, 1] = torch.nan
    for norm in NORMS:
        found = problem.brox_step(x, 0.3, norm)
        assert all(field[0, 1].isnan().all() for field in found)
        assert found.point[0, 0].isfinite().all()
    assert problem.prox(x, 0.3)[0, 1].isnan().all()
    assert problem.grad(x)[0, 1].isnan().all()
    with pytest.raises(ValueError, match="must have shape"):
        problem.brox(x[..., :2], 1.0)
    with pytest.raises(ValueError, match="radius"):
        problem.brox(x, -1.0)


@pytest.mark.parametrize("family", [AbsAffine, Hinge, SquaredHinge, LogLoss, QuarticRidge, Linear])
def test_arguments(family: type[Ridge]):
    for a in ((0.0, 0.0), (), ("x",), (math.inf,)):
        with pytest.raises(ValueError, match="a must"):
            family(a=a)  # pyright: ignore[reportCallIssue]
    with pytest.raises(ValueError, match="start"):
        family(a=(1.0,), start=(1.0, 2.0))  # pyright: ignore[reportCallIssue]
    if family in (Hinge, SquaredHinge, LogLoss):
        for label in (0, 2, True, "1"):
            with pytest.raises(ValueError, match="label must be 1 or -1"):
                family(a=(1.0,), label=label)  # pyright: ignore[reportCallIssue]
    for seed in range(5):
        problem = family.sample(seed)
        assert parse_specification(repr(problem), {family.__name__: family}) == problem


def test_losses_do_not_overflow():
    x = torch.tensor([[1e6], [-1e6], [800.0], [-800.0]], dtype=torch.float64)
    problem = LogLoss((1.0,))
    assert problem.value(x).tolist() == [0.0, 1e6, 0.0, 800.0]
    assert problem.grad(x).squeeze(-1).tolist() == [0.0, -1.0, 0.0, -1.0]
    assert torch.equal(problem.brox(x, 2.0), x + 2.0)
    assert problem.prox(x, 1e4).isfinite().all()
