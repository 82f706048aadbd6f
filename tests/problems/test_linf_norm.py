"""The largest coordinate distance, cut at a level over the balls of every Lp norm."""

import math
from typing import Any

import cvxpy
import mpmath
import numpy as np
import pytest
import torch
from scipy.optimize import brentq
from torch import Tensor

from assumptions import EUCLIDEAN, Inequality, Lp, Norm, Weighted, parse_specification, sample_points
from problems.level import cut_at_level
from problems.linf_norm import LInfNorm

EPS = torch.finfo(torch.float64).eps
C = (1.0, -2.0, 0.5, 0.0)
W = (1.0, 3.0, 0.5, 2.0)
PROBLEM = LInfNorm(4, C)
NORMS = (
    EUCLIDEAN,
    Lp(1),
    Lp(math.inf, scale=0.5),
    Lp(1.5),
    Lp(3, scale=2.0),
    Lp(100),
    Weighted(W, 1),
    Weighted(W, 2),
    Weighted(W, 4),
    Weighted(W, math.inf),
)

every_norm = pytest.mark.parametrize("norm", NORMS, ids=repr)


def points(rows: int, d: int = 4, seed: int = 0, spread: float = 3.0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return spread * torch.randn(rows, d, dtype=torch.float64, generator=generator)


def as_cvxpy(norm: Norm, z: Any) -> Any:
    if isinstance(norm, Weighted):
        return cvxpy.pnorm(cvxpy.multiply(np.array(norm.weights), z), norm.p)
    assert isinstance(norm, Lp)
    return norm.scale * cvxpy.pnorm(z, norm.p)


@every_norm
def test_brox_against_a_conic_solver(norm: Norm):
    if norm == Lp(100):
        return  # too steep for the solver; the level is checked below
    for x, t in zip(points(3), (0.3, 1.2, 4.0), strict=True):
        z = cvxpy.Variable(4)
        f = PROBLEM.conic(z, cvxpy)
        cvxpy.Problem(cvxpy.Minimize(f), [as_cvxpy(norm, z - x.numpy()) <= t]).solve(solver="CLARABEL")
        assert float(f.value) == pytest.approx(float(PROBLEM.value(torch.from_numpy(z.value))), abs=1e-7)
        assert float(PROBLEM.value(PROBLEM.brox(x, t, norm))) == pytest.approx(float(f.value), abs=1e-6)


@every_norm
@pytest.mark.parametrize("t", [1e-9, 0.2, 1.0, 3.0])
def test_levels_against_a_root_finder(norm: Norm, t: float):
    size = points(30).abs()
    cut, level = cut_at_level(size, torch.tensor(t, dtype=torch.float64), norm)
    for row, c, v in zip(size, cut, level, strict=True):
        if float(norm.norm(row)) <= t:
            assert torch.equal(c, row)
            assert v.item() == 0
            continue

        def over(level: float, row: Tensor = row) -> float:
            return float(norm.norm((row - level).clamp(min=0))) - t

        assert v.item() == pytest.approx(
            brentq(over, 0.0, float(row.max()), xtol=1e-15, rtol=1e-15), abs=1e-13
        )
        assert float(norm.norm(c)) == pytest.approx(t, rel=4e-15)
        assert torch.allclose(row - c, torch.minimum(row, v), rtol=0, atol=1e-14)


@every_norm
@pytest.mark.parametrize("t", [1e-200, 1e-9, 0.5, 3.0, 1e200])
def test_steps(norm: Norm, t: float):
    x = torch.cat([points(50), PROBLEM.x0.unsqueeze(0), PROBLEM.x_star + 1.0 - 2 * (points(5) > 0).double()])
    result = PROBLEM.brox_step(x, t, norm)
    reached = norm.norm(x - PROBLEM.x_star) <= t
    length = norm.norm(result.step)
    assert (length <= t * (1 + 1e-12)).all()
    assert (length[~reached] >= t * (1 - 1e-12)).all()
    assert (result.point[reached] == PROBLEM.x_star).all()
    g = result.subgradient
    assert (g[reached] == 0).all()
    assert torch.allclose(g[~reached].abs().sum(-1), torch.ones_like(length[~reached]), rtol=1e-14)
    assert (result.residual <= 1e-13 * t * norm.dual(g)).all()
    # |g|_1 = 1 and <g, u - c> = f(u): with both, g is a subgradient at u
    attained = (g * (result.point - PROBLEM.x_star)).sum(-1)
    assert (
        (attained - PROBLEM.value(result.point)).abs()[~reached] <= 8 * EPS * (1 + x.abs().amax(-1)[~reached])
    ).all()


def test_ties_and_many_coordinates():
    """d = 1000 with all sizes equal, and with all but one equal."""
    problem = LInfNorm(1000)
    x = torch.ones(2, 1000, dtype=torch.float64)
    x[1, 0] = 1.5
    for p in (1.0, 1.5, 2.0, 7.0, math.inf):
        result = problem.brox_step(x, 0.75, Lp(p))
        equal = 1 - 0.75 / 1000 ** (0.0 if p == math.inf else 1 / p)
        assert problem.value(result.point)[0].item() == pytest.approx(equal, rel=1e-14)
        assert (result.residual <= 1e-13).all()
        assert ((Lp(p).norm(result.step) - 0.75).abs() <= 1e-13).all()
    # p = 1: 0.5 to level the peak, 0.25 shared by all
    assert problem.brox(x[1], 0.75, Lp(1)).max().item() == pytest.approx(1 - 0.25 / 1000, rel=1e-15)


@pytest.mark.parametrize("stepsize", [1e-9, 0.3, 2.0, 50.0])
def test_prox_against_a_conic_solver_and_moreau(stepsize: float):
    for x in points(4):
        u = PROBLEM.prox(x, stepsize)
        z = cvxpy.Variable(4)
        # Moreau: x - u is the projection of x - c on the l1 ball
        ball = [cvxpy.norm1(z) <= stepsize]
        y = (x - PROBLEM.x_star).numpy()
        cvxpy.Problem(cvxpy.Minimize(cvxpy.sum_squares(z - y)), ball).solve(solver="CLARABEL")
        assert np.allclose((x - u).numpy(), z.value, rtol=0, atol=1e-5)
        # (x - u) / stepsize is a subgradient at u: |.|_1 <= 1 and <., u - c> = f(u)
        g = (x - u) / stepsize
        slack = 16 * EPS * float(x.abs().sum()) / stepsize
        assert float(g.abs().sum()) <= 1 + slack + 1e-14
        assert abs(float(g @ (u - PROBLEM.x_star) - PROBLEM.value(u))) <= (slack + 1e-14) * (
            1 + float(x.abs().max())
        )


def test_conjugate_and_certificates():
    z = points(4000, seed=1, spread=10.0)
    for g in points(20, spread=0.3):
        claimed = float(PROBLEM.conjugate(g))
        seen = float((z @ g - PROBLEM.value(z)).max())
        assert seen <= claimed + 1e-12
        if claimed < math.inf:
            assert float(g @ PROBLEM.x_star - PROBLEM.value(PROBLEM.x_star)) == pytest.approx(
                claimed, abs=1e-14
            )
    g = torch.tensor([0.2, -0.3, 0.1, 0.4], dtype=torch.float64)
    assert PROBLEM.conjugate(g).isfinite()
    assert PROBLEM.conjugate(1.0001 * g).item() == math.inf
    for certificate in PROBLEM.certified:
        assumption = certificate.assumption
        assert isinstance(assumption, Inequality)
        points_ = sample_points(PROBLEM, 300, assumption.arity, seed=0)
        assert assumption.check(PROBLEM, *points_).verdict == "not refuted"


def test_values_batches_and_nan():
    x = points(6).requires_grad_(True)
    (expected,) = torch.autograd.grad(PROBLEM.value(x).sum(), x)
    x = x.detach()
    assert torch.equal(PROBLEM.grad(x), expected)
    assert torch.equal(PROBLEM.grad(PROBLEM.x_star), torch.zeros(4, dtype=torch.float64))
    radius = torch.tensor([[0.1], [0.5], [1.0], [2.0], [5.0], [40.0]], dtype=torch.float64)
    for norm in NORMS:
        whole = PROBLEM.brox_step(x, radius, norm)
        for i in range(6):
            alone = PROBLEM.brox_step(x[i], float(radius[i]), norm)
            assert all(
                torch.allclose(p[i], q, rtol=1e-14, atol=1e-15) for p, q in zip(whole, alone, strict=True)
            )
        assert PROBLEM.brox(x[0], radius, norm).shape == (6, 4)
    broken = x.clone()
    broken[2, 1] = torch.nan
    for norm in NORMS:
        result = PROBLEM.brox_step(broken, 0.3, norm)
        assert result.point[2].isnan().any()
        assert result.residual[2].isnan()
        assert torch.equal(result.point[[0, 1, 3]], PROBLEM.brox(x, 0.3, norm)[[0, 1, 3]])


def test_arguments():
    with pytest.raises(ValueError, match="center must have 3"):
        LInfNorm(center=(1.0,))
    with pytest.raises(ValueError, match="d must be"):
        LInfNorm(0)
    with pytest.raises(ValueError, match="start"):
        LInfNorm(2, start=(1.0,))
    assert parse_specification(repr(PROBLEM), {"LInfNorm": LInfNorm}) == PROBLEM
    assert not PROBLEM.offers_brox(Weighted((1.0,)))
    with pytest.raises(TypeError, match="norm must be"):
        PROBLEM.brox(PROBLEM.x0, 1.0, "l2")  # pyright: ignore[reportArgumentType]


def test_the_radius_is_met_when_many_coordinates_barely_move():
    """One peak of 10 over 99 999 ones: the level is known to roundings of 9, their sum is not small."""
    size = torch.ones(100_000, dtype=torch.float64)
    size[0] = 10.0
    for t in (9.001, 9.0 + 1e-7, 8.0):
        cut, _ = cut_at_level(size, torch.tensor(t, dtype=torch.float64), Lp(1))
        assert math.fsum(cut.tolist()) == pytest.approx(t, rel=2e-15)


def exact_cut(y: list[float], w: tuple[float, ...], p: Any, t: float) -> list[float]:
    """By bisection on the level, in 100 digits."""
    with mpmath.workdps(100):
        top = mpmath.mpf(max(y))

        def cut(m: Any) -> list[Any]:
            return [max(m - (top - a), mpmath.mpf(0)) for a in y]

        low, high = mpmath.mpf(0), top
        for _ in range(340):
            m = (low + high) / 2
            long = [mpmath.mpf(a) * b for a, b in zip(w, cut(m), strict=True)]
            length = max(long) if p == math.inf else sum(a**p for a in long) ** (1 / mpmath.mpf(p))
            low, high = (low, m) if length > t else (m, high)
        return [float(a) for a in cut(low)]


@pytest.mark.parametrize("p", [1, 1.2, 2, 3.5, math.inf])
def test_cuts_keep_their_digits_when_weights_spread(p: float):
    """The deep cut of a light coordinate beside the shallow one of a heavy coordinate, the longer one."""
    rng = np.random.default_rng(0)
    cases = [((6.235250499312363, 0.011739372325074687, 0.03612845673874915), (1e-20, 1.0, 1e20), 3.55e13)]
    for _ in range(20):
        w = tuple((10 ** rng.uniform(-20, 20, 3)).tolist())
        y = tuple(np.abs(rng.normal(size=3)).tolist())
        longest = float(Weighted(w, p).norm(torch.tensor(y, dtype=torch.float64)))
        cases.append((y, w, longest * 10 ** rng.uniform(-20, -0.1)))
    for y, w, t in cases:
        norm, size = Weighted(w, p), torch.tensor(y, dtype=torch.float64)
        cut, level = cut_at_level(size, torch.tensor(t, dtype=torch.float64), norm)
        expected = torch.tensor(exact_cut(list(y), w, p, t), dtype=torch.float64)
        assert float(norm.norm(cut - expected)) <= 1e-10 * t
        assert float(norm.norm(cut)) == pytest.approx(t, rel=1e-13)
        on = cut > 0
        assert torch.allclose((size - cut)[on], level.expand(3)[on], rtol=0, atol=1e-15 * max(y))
