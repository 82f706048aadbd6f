"""Log-sum-exp: an exact minimiser, no cancellation, no overflow, Newton's oracles."""

import math
from fractions import Fraction

import mpmath
import pytest
import torch
from torch import Tensor

from assumptions import Lp
from assumptions.specification import parse_specification
from problems.conic import conic_step
from problems.log_sum_exp import LogSumExp, _exp_excess

EPS = torch.finfo(torch.float64).eps
UNIQUE = [
    LogSumExp(1, 2, seed=1),
    LogSumExp(f_star=-2.0),
    LogSumExp(6, 20, seed=1, scale=0.1),
    LogSumExp(3, 9, seed=1, scale=10.0, f_star=5.0),
]
FLAT = [LogSumExp(4, 3, seed=2), LogSumExp(2, 2)]
every = pytest.mark.parametrize("problem", UNIQUE + FLAT, ids=repr)


def points(problem: LogSumExp, n: int = 20, spread: float = 2.0) -> Tensor:
    noise = torch.randn(n, problem.d, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return problem.x_star + spread / problem.scale * noise


def whole_weights(problem: LogSumExp) -> list[Fraction]:
    """The n_j over the smallest one, which is 1 to 4."""
    ratios = (problem._drawn[1] - problem._drawn[1].min()).exp().tolist()
    whole = [Fraction(w).limit_denominator(4) for w in ratios]
    assert all(abs(float(w) / r - 1) <= 1e-14 for w, r in zip(whole, ratios, strict=True))
    return whole


@every
def test_the_gradient_at_the_center_is_exactly_zero(problem: LogSumExp):
    rows, log_p, _ = problem._drawn
    for column in rows.T.tolist():
        assert sum(w * Fraction(a) for w, a in zip(whole_weights(problem), column, strict=True)) == 0
    assert (problem.grad(problem.x_star) == 0).all()
    assert float(problem.gap(problem.x_star)) == 0
    assert float(problem.value(problem.x_star)) == problem.f_star
    assert float(log_p.exp().sum()) == pytest.approx(1, abs=1e-15)


def slow_gap_and_gradient(problem: LogSumExp, x: Tensor) -> tuple[float, Tensor]:
    """From the definition, in 60 digits."""
    rows, _, center = problem._drawn
    with mpmath.workdps(60):
        n = [mpmath.mpf(w.numerator) / w.denominator for w in whole_weights(problem)]
        y = [mpmath.mpf(a) - c for a, c in zip(x.tolist(), center.tolist(), strict=True)]
        z = [mpmath.fsum(a * b for a, b in zip(row, y, strict=True)) for row in rows.tolist()]
        e = [w * mpmath.exp(v - max(z)) for w, v in zip(n, z, strict=True)]
        gap = max(z) + mpmath.log(mpmath.fsum(e) / mpmath.fsum(n))
        columns = rows.T.tolist()
        g = [mpmath.fsum(w * a for w, a in zip(e, c, strict=True)) / mpmath.fsum(e) for c in columns]
        return float(gap), torch.tensor([float(v) for v in g], dtype=torch.float64)


@every
@pytest.mark.parametrize("spread", [1e-9, 1e-3, 0.3, 3.0, 1e3, 1e100])
def test_gap_and_gradient_to_full_precision(problem: LogSumExp, spread: float):
    for x in points(problem, 4, spread):
        gap, g = slow_gap_and_gradient(problem, x)
        size = 1 + float(problem._drawn[0].norm(dim=-1).max()) * float((x - problem.x_star).norm())
        assert float(problem.gap(x)) == pytest.approx(gap, rel=1e-13 * size, abs=1e-300)
        # each entry to rounding of the largest
        assert float((problem.grad(x) - g).abs().max()) <= 1e-13 * size * float(g.abs().max())


def test_the_excess_of_the_exponential():
    z = torch.cat([10.0 ** torch.linspace(-160, 2, 300, dtype=torch.float64)] * 2)
    z[300:] *= -1
    with mpmath.workdps(400):
        exact = [float(mpmath.expm1(mpmath.mpf(v)) - mpmath.mpf(v)) for v in z.tolist()]
    assert torch.allclose(_exp_excess(z), torch.tensor(exact, dtype=torch.float64), rtol=2e-15, atol=1e-320)


@every
def test_derivatives(problem: LogSumExp):
    x, v = points(problem, 4), points(problem, 4) - problem.x_star
    at = x.clone().requires_grad_(True)
    (g,) = torch.autograd.grad(problem.value(at).sum(), at)
    assert torch.allclose(problem.grad(x), g, rtol=1e-10, atol=1e-13)
    expected = torch.autograd.functional.jvp(problem.grad, x, v)[1]
    assert isinstance(expected, Tensor)
    assert torch.allclose(problem.hvp(x, v), expected, rtol=1e-10, atol=1e-13)


@every
def test_certificates_are_not_refuted(problem: LogSumExp):
    for certificate in problem.certified:
        found = certificate.assumption.refute(problem, budget=1000)
        assert found.verdict == "not refuted", found


def test_the_smoothness_constant_is_attained_by_two_terms():
    (smooth,) = (c.assumption for c in UNIQUE[0].certified if type(c.assumption).__name__ == "Smooth")
    assert smooth.refute(UNIQUE[0], budget=2000).ratio > 0.999


@every
def test_the_solution_set(problem: LogSumExp):
    x = points(problem)
    assert problem.unique_star == (problem in UNIQUE)
    nearest = problem.nearest_star(x)
    assert (problem.gap(nearest) <= 1e-28).all()
    # the shortest way there is along the gradients
    rows = problem._drawn[0]
    way = x - nearest
    residual = way - way @ torch.linalg.pinv(rows) @ rows
    assert residual.norm() <= 1e-12 * way.norm()


@every
@pytest.mark.parametrize("radius", [1e-6, 0.3, 2.0, 500.0])
def test_brox(problem: LogSumExp, radius: float):
    x, t = points(problem), radius / problem.scale
    u, step, g, residual = problem.brox_step(x, t)
    near = (x - problem.nearest_star(x)).norm(dim=-1) <= t
    assert torch.equal(u[near], problem.nearest_star(x)[near])
    assert ((step.norm(dim=-1) / t - 1).abs()[~near] <= 1e-12).all()
    assert (residual <= 1e-9 * t * g.norm(dim=-1)).all()
    assert (g[near] == 0).all()
    assert torch.equal(g[~near], problem.grad(u)[~near])
    # the direction of the step is that of the gradient, as far as the stated error lets it
    error = problem.oracle_error("brox", x, t, u)
    off = (step / t + g / g.norm(dim=-1, keepdim=True)).norm(dim=-1) * g.norm(dim=-1)
    L = problem._L
    assert (off <= (L + g.norm(dim=-1) / t) * (error + 64 * EPS * x.norm(dim=-1)) + 1e-15)[~near].all()


@every
def test_prox_and_brox_against_a_conic_solver(problem: LogSumExp):
    x, t = points(problem, 3), 0.7 / problem.scale
    slow = conic_step(problem, x, torch.tensor(t, dtype=torch.float64), Lp(2))
    assert ((problem.gap(problem.brox(x, t)) - problem.gap(slow.point)).abs() <= slow.residual + 1e-12).all()
    for stepsize in (0.1, 10.0):
        gamma = stepsize / problem.scale**2
        u = problem.prox(x, gamma)
        residual = (x - u - gamma * problem.grad(u)).norm(dim=-1)
        assert (residual <= 1e-11 * (1 + x.norm(dim=-1)) * (1 + stepsize)).all()
        assert (problem.oracle_error("prox", x, gamma, u) <= 1e-10 / problem.scale * (1 + stepsize)).all()


def test_other_balls():
    problem, x = UNIQUE[1], points(UNIQUE[1], 2)
    step = problem.brox_step(x, 0.3, Lp(math.inf))
    assert ((step.step.abs().amax(dim=-1) / 0.3 - 1).abs() <= 1e-12).all()
    assert (step.residual <= 1e-5).all()


def test_rows_and_nan():
    problem, x = UNIQUE[1], points(UNIQUE[1], 3)
    clean = problem.brox(x, 0.3), problem.prox(x, 0.3), problem.value(x), problem.grad(x)
    x[1, 0] = torch.nan
    dirty = problem.brox(x, 0.3), problem.prox(x, 0.3), problem.value(x), problem.grad(x)
    for before, after in zip(clean, dirty, strict=True):
        assert after[1].isnan().any()
        assert torch.allclose(before[[0, 2]], after[[0, 2]], rtol=1e-11, atol=1e-12)


def test_bad_arguments_and_printing():
    assert parse_specification(repr(UNIQUE[3]), {"LogSumExp": LogSumExp}) == UNIQUE[3]
    for arguments, named in [
        ({"d": 0}, "d must be"),
        ({"terms": 1}, "terms must be at least 2"),
        ({"seed": -1}, "seed"),
        ({"f_star": math.nan}, "f_star"),
        ({"scale": 0.0}, "scale"),
        ({"start": (1.0,)}, "start"),
    ]:
        with pytest.raises(ValueError, match=named):
            LogSumExp(**arguments)
