"""Increasing functions of the Euclidean distance to a point, and the Huber function."""

import dataclasses
import math
from typing import Any

import cvxpy
import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar
from torch import Tensor

from assumptions import EUCLIDEAN, Convex, Inequality, Lp, Norm, Weighted, parse_specification, sample_points
from problems.euclidean_norm import EuclideanNorm
from problems.huber import Huber
from problems.profiles import PROFILES

EPS = torch.finfo(torch.float64).eps
C = (1.0, -2.0, 0.5)
NORMS = (
    EUCLIDEAN,
    Lp(1),
    Lp(math.inf, scale=0.5),
    Lp(2, scale=3.0),
    Weighted((1.0, 3.0, 0.5), math.inf),
    Weighted((1.0, 3.0, 0.5)),
)
RADIAL = (*(EuclideanNorm(3, C, name) for name in PROFILES), Huber(L=2.0, delta=0.7, d=3))
CONVEX = tuple(p for p in RADIAL if p.certified[0].assumption == Convex())

every = pytest.mark.parametrize("problem", RADIAL, ids=repr)
every_norm = pytest.mark.parametrize("norm", NORMS, ids=repr)


def points(rows: int, d: int = 3, seed: int = 0, spread: float = 2.0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return spread * torch.randn(rows, d, dtype=torch.float64, generator=generator)


def as_cvxpy(norm: Norm, z: Any) -> Any:
    if isinstance(norm, Weighted):
        return cvxpy.pnorm(cvxpy.multiply(np.array(norm.weights), z), norm.p)
    assert isinstance(norm, Lp)
    return norm.scale * cvxpy.pnorm(z, norm.p)


def test_which_are_convex():
    assert [p.profile for p in RADIAL[:5] if p in CONVEX] == [
        "identity",
        "half-square",
        "quartic",
        "pseudo-huber",
    ]


@pytest.mark.parametrize("problem", CONVEX, ids=repr)
@every_norm
def test_brox_against_a_conic_solver(problem: EuclideanNorm | Huber, norm: Norm):
    for x, t in zip(points(2), (0.3, 1.2), strict=True):
        z = cvxpy.Variable(3)
        f = problem.conic(z, cvxpy)
        cvxpy.Problem(cvxpy.Minimize(f), [as_cvxpy(norm, z - x.numpy()) <= t]).solve(solver="CLARABEL")
        assert float(f.value) == pytest.approx(
            float(problem.value(torch.from_numpy(z.value))), rel=1e-6, abs=1e-8
        )
        assert np.allclose(problem.brox(x, t, norm).numpy(), z.value, rtol=0, atol=1e-3)
        best = float(f.value)
        assert float(problem.value(problem.brox(x, t, norm))) <= best + 1e-6 * (1 + abs(best))


@every
@every_norm
@pytest.mark.parametrize("t", [1e-200, 1e-9, 0.5, 3.0, 1e200])
def test_steps(problem: EuclideanNorm | Huber, norm: Norm, t: float):
    assert problem.offers_brox(norm)
    x = points(50)
    result = problem.brox_step(x, t, norm)
    reached = norm.norm(x - problem.x_star) <= t
    length = norm.norm(result.step)
    assert (length <= t * (1 + 1e-12)).all()
    assert (length[~reached] >= t * (1 - 1e-12)).all()
    assert (result.point[reached] == problem.x_star).all()
    assert (result.subgradient[reached] == 0).all()
    assert (result.residual <= 1e-12 * t * norm.dual(result.subgradient)).all()
    room = 1e-12 * t + 4 * EPS * (norm.norm(x) + t)
    assert ((norm.norm(result.point - x) - length).abs() <= room).all()
    away = ~reached & ((x + result.step - problem.x_star).norm(dim=-1) > 0.1)
    gradient = problem.grad(result.point)
    assert torch.allclose(result.subgradient[away], gradient[away], rtol=1e-9, atol=1e-9)


@every_norm
def test_multipliers_stay_honest_next_to_the_center(norm: Norm):
    """A radius just below the distance leaves a rest of rounding alone: its direction must still be right."""
    x = points(40)
    problem = EuclideanNorm(3, C)
    distance = norm.norm(x - problem.x_star).unsqueeze(-1)
    result = problem.brox_step(x, distance * (1 - 1e-15), norm)
    assert (result.residual <= 1e-12 * distance.squeeze(-1)).all()
    assert (problem.gap(result.point) <= 1e-13).all()


def test_the_nonconvex_profile_against_a_dense_grid():
    problem, t = EuclideanNorm(2, (0.5, -1.0), "log"), 0.8
    angle = torch.linspace(0, 2 * math.pi, 20_001, dtype=torch.float64).unsqueeze(-1)
    circle = torch.cat([angle.cos(), angle.sin()], dim=-1)
    for x in points(5, d=2, spread=1.5):
        grid = torch.cat([x + s * t * circle for s in (0.25, 0.5, 0.75, 1.0)])
        assert float(problem.value(problem.brox(x, t))) <= float(problem.value(grid).min()) + 1e-12


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("stepsize", [1e-250, 1e-3, 0.3, 1.0, 7.0, 1e4])
def test_prox_against_a_scalar_search(name: str, stepsize: float):
    problem = EuclideanNorm(3, C, name)
    x = torch.cat([points(6), problem.x_star + 0.01 * points(4), problem.x_star + 1e4 * points(2)])
    u = problem.prox(x, stepsize)
    phi = PROFILES[name].value
    for row, point in zip(x, u, strict=True):
        r = float((row - problem.x_star).norm())

        def total(s: float, r: float = r) -> float:
            return float(phi(torch.tensor(s, dtype=torch.float64))) + (s - r) ** 2 / (2 * stepsize)

        s = float((point - problem.x_star).norm())
        found = minimize_scalar(total, bounds=(0.0, r), method="bounded", options={"xatol": 1e-12 * r}).x
        rounding = 1e-10 * total(s) + (EPS * 8 * (1 + r)) ** 2 / stepsize + EPS * 8 * r
        assert total(s) <= min(total(float(found)), total(0.0), total(r)) + rounding
        # on the segment from c to x
        assert torch.allclose(
            point, problem.x_star + (row - problem.x_star) * (s / r), rtol=0, atol=1e-12 * (1 + r)
        )


@pytest.mark.parametrize("name", PROFILES)
def test_prox_condition_is_met_to_rounding(name: str):
    """s + g phi'(s) = r where s > 0."""
    profile = PROFILES[name]
    r = 10.0 ** torch.linspace(-6, 6, 61, dtype=torch.float64)
    for g in (1e-9, 1e-2, 1.0, 1e3, 1e9):
        step = torch.tensor(g, dtype=torch.float64)
        s = r * profile.kept(r, step)
        moved = s > 0
        assert moved.any() or name in ("identity", "log")
        miss = (s + g * profile.slope(s) - r)[moved].abs()
        slack = (1 + g * (profile.slope(s * (1 + 1e-6)) - profile.slope(s)).abs() / (1e-6 * s))[moved] * s[
            moved
        ]
        assert (miss <= 16 * EPS * (r[moved] + slack)).all()


def test_log_prox_jumps_to_the_center():
    """log(1 + s) + (s - r)^2 / (2 g) has two local minima; 0 wins for small r."""
    problem = EuclideanNorm(1, profile="log")
    x = torch.linspace(0.0, 6.0, 121, dtype=torch.float64).unsqueeze(-1)
    u = problem.prox(x, 4.0).squeeze(-1)
    s = torch.linspace(0.0, 6.0, 30_001, dtype=torch.float64)
    best = s[(torch.log1p(s) + (s - x) ** 2 / 8).argmin(dim=-1)]
    assert torch.allclose(u, best, rtol=0, atol=4e-4)
    assert (u[x.squeeze(-1) < 2] == 0).all()


@pytest.mark.parametrize("problem", CONVEX, ids=repr)
def test_conjugate_against_a_grid(problem: EuclideanNorm | Huber):
    direction = torch.tensor([0.6, 0.0, -0.8], dtype=torch.float64)
    line = torch.linspace(-40.0, 40.0, 80_001, dtype=torch.float64).unsqueeze(-1)
    for p in (0.0, 0.3, 0.95, 1.0, 1.3, 2.0):
        g = p * direction
        z = problem.x_star + line * direction
        seen, claimed = float((z @ g - problem.value(z)).max()), float(problem.conjugate(g))
        if claimed == math.inf:
            assert seen > 5
        else:
            # at the end of its domain the pseudo-Huber conjugate is approached as 1 / (2 r)
            assert claimed - 0.02 <= seen <= claimed + 1e-9
    x = points(20)
    g = problem.grad(x)
    assert torch.allclose(problem.value(x) + problem.conjugate(g), (g * x).sum(-1), rtol=1e-6, atol=1e-12)


def test_the_conjugate_of_the_nonconvex_profile():
    problem = EuclideanNorm(3, C, "log")
    assert problem.conjugate(torch.zeros(3, dtype=torch.float64)).item() == 0.0
    assert problem.conjugate(1e-3 * torch.ones(3, dtype=torch.float64)).item() == math.inf
    with pytest.raises(NotImplementedError, match="not convex"):
        problem.conic(cvxpy.Variable(3), cvxpy)


@every
def test_certificates_hold_and_are_sharp(problem: EuclideanNorm | Huber):
    for certificate in problem.certified:
        assumption = certificate.assumption
        assert isinstance(assumption, Inequality)
        checked = assumption.check(problem, *sample_points(problem, 300, assumption.arity, seed=0))
        assert checked.verdict == "not refuted"
        for name, sense in type(assumption).sense.items():
            wrong = dataclasses.replace(assumption, **{name: getattr(assumption, name) * 1.5**sense})
            assert wrong.refute(problem, budget=10_000).verdict == "refuted", wrong
    if problem not in CONVEX:
        assert Convex().refute(problem, budget=2000).verdict == "refuted"


@every
def test_values_and_gradients(problem: EuclideanNorm | Huber):
    x = points(30).requires_grad_(True)
    (expected,) = torch.autograd.grad(problem.value(x).sum(), x)
    assert torch.allclose(problem.grad(x.detach()), expected, rtol=1e-12, atol=1e-14)
    at_star = problem.x_star.clone().requires_grad_(True)
    (slope,) = torch.autograd.grad(problem.value(at_star), at_star)
    assert torch.equal(slope, torch.zeros_like(slope))
    assert torch.equal(problem.grad(problem.x_star), torch.zeros(3, dtype=torch.float64))
    huge = 1e200 * torch.ones(1, 3, dtype=torch.float64)
    if not (isinstance(problem, EuclideanNorm) and problem.profile in ("half-square", "quartic")):
        assert problem.value(huge).isfinite().all()
    moved = problem.brox_step(huge, 1e199).step
    assert float(EUCLIDEAN.norm(moved)) == pytest.approx(1e199, rel=1e-14)


@every
def test_nan_stays_in_its_row(problem: EuclideanNorm | Huber):
    x = points(3)
    x[1, 0] = torch.nan
    for norm in NORMS:
        result = problem.brox_step(x, 0.2, norm)
        assert result.point[1].isnan().any()
        assert result.residual[1].isnan()
        assert all(field[[0, 2]].isfinite().all() for field in result)
    assert problem.prox(x, 0.2)[1].isnan().any()


def test_small_values_do_not_cancel():
    x = torch.tensor([1e-9, 0.0, 0.0], dtype=torch.float64)
    assert EuclideanNorm(3, profile="pseudo-huber").value(x).item() == pytest.approx(5e-19, rel=1e-15)
    assert EuclideanNorm(3, profile="log").value(x).item() == pytest.approx(1e-9 - 5e-19, rel=1e-15)


def test_arguments():
    with pytest.raises(ValueError, match="profile must be one of identity, half-square"):
        EuclideanNorm(2, profile="cube")
    with pytest.raises(ValueError, match="center must have 2"):
        EuclideanNorm(2, center=(1.0,))
    with pytest.raises(ValueError, match="d must be"):
        EuclideanNorm(0)
    for seed in range(5):
        problem = EuclideanNorm.sample(seed)
        assert parse_specification(repr(problem), {"EuclideanNorm": EuclideanNorm}) == problem
    assert not EuclideanNorm(3).offers_brox(Lp(3))
    assert not EuclideanNorm(3).offers_brox(Weighted((1.0, 2.0)))
    assert EuclideanNorm(3).offers_dist(Lp(3))


@pytest.mark.parametrize("problem", [Huber(d=2), EuclideanNorm(2)], ids=repr)
@pytest.mark.parametrize(("size", "t"), [(5.0, 1e-300), (1e149, 1e-200), (1e160, 1e-150), (1e-170, 1e-180)])
@pytest.mark.parametrize("weights", [(), (1.0, 7.0), (1e-20, 3e-20), (1e-140, 1e-141)], ids=repr)
def test_extreme_sizes(problem: EuclideanNorm | Huber, size: float, t: float, weights: tuple[float, ...]):
    norm = Weighted(weights) if weights else EUCLIDEAN
    w = min(weights, default=1.0)
    x = torch.tensor([size, -size / 2], dtype=torch.float64)
    if t / w >= 0.1 * size:
        t = 0.1 * size * w
    for found in (problem.brox_step(x, t, norm), problem.brox_step(x.expand(2, 2), t, norm)):
        assert torch.allclose(norm.norm(found.step) / t, x.new_ones(()), rtol=1e-12)
        assert found.subgradient.isfinite().all()
        assert (EUCLIDEAN.norm(found.subgradient) > 0).all()
        assert (found.residual <= t * norm.dual(found.subgradient) * 1e-12).all()


def test_spreads_whose_square_is_no_number_are_not_offered():
    assert Huber(d=2).offers_brox(Weighted((1e-70, 1e70)))
    assert not Huber(d=2).offers_brox(Weighted((1e-80, 1e80)))
    assert Huber(d=2).offers_brox(Weighted((1e-80, 1e80), math.inf))
