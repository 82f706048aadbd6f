"""Worst functions: closed forms, certified optima, and the lower bounds they prove."""

import math

import pytest
import torch

from assumptions import PL, Convex, Lipschitz, Smooth, StronglyConvex
from problems.nesterov_worst import NesterovWorst
from problems.nonsmooth_worst import NonsmoothWorst

SIZES = [(1, 1.0, 0.0), (2, 3.0, 0.0), (9, 1.0, 0.0), (9, 2.0, 0.1), (40, 1e6, 1.0), (15, 1e-6, 1e-8)]
sizes = pytest.mark.parametrize(("d", "L", "mu"), SIZES)


@sizes
def test_the_quadratic_is_the_formula(d: int, L: float, mu: float):
    problem = NesterovWorst(d, L, mu)
    x = torch.randn(5, d, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    jumps = x[:, 0] ** 2 + (x[:, 1:] - x[:, :-1]).square().sum(-1) + x[:, -1] ** 2
    formula = (L - mu) / 4 * (jumps / 2 - x[:, 0]) + mu / 2 * x.square().sum(-1)
    assert torch.allclose(problem.value(x), formula, rtol=1e-12, atol=1e-13 * L)
    leaf = x.clone().requires_grad_(True)
    (expected,) = torch.autograd.grad(problem.value(leaf).sum(), leaf)
    assert torch.allclose(problem.grad(x), expected, rtol=1e-11, atol=1e-12 * L)
    hessian = torch.autograd.functional.jacobian(problem.grad, x[0])
    assert torch.allclose(hessian, problem._hessian, rtol=1e-14, atol=0)
    spectrum = problem._spectrum
    assert spectrum.basis is not None
    rebuilt = (spectrum.basis * spectrum.eigenvalues) @ spectrum.basis.mT
    assert torch.allclose(rebuilt, hessian, rtol=0, atol=1e-14 * d * L)


@sizes
def test_the_minimiser_is_certified(d: int, L: float, mu: float):
    problem = NesterovWorst(d, L, mu)
    solved = torch.linalg.solve(problem._hessian, torch.eye(d, dtype=torch.float64)[0] * (L - mu) / 4)
    assert torch.allclose(problem.x_star, solved, rtol=1e-9, atol=1e-13)
    assert 0 <= problem.x_star_error <= 1e-11
    f_star = -(L - mu) / 8 * float(solved[0])
    assert problem.f_star == pytest.approx(f_star, rel=1e-9)
    assert 0 <= problem.f_star_error <= 1e-12 * L
    if mu == 0:
        assert problem.f_star == pytest.approx(-L / 8 * d / (d + 1), rel=1e-14)


@sizes
def test_constants_are_those_of_the_eigenvalues(d: int, L: float, mu: float):
    problem = NesterovWorst(d, L, mu)
    eigenvalues = torch.linalg.eigvalsh(problem._hessian)
    by_class = {type(c.assumption): c.assumption for c in problem.certified}
    smooth, strong, pl = by_class[Smooth], by_class[StronglyConvex], by_class[PL]
    assert isinstance(smooth, Smooth)
    assert isinstance(strong, StronglyConvex)
    assert isinstance(pl, PL)
    assert float(eigenvalues[-1]) == pytest.approx(smooth.L, rel=1e-12)
    assert smooth.L <= L * (1 + 1e-14)
    assert strong.mu == pl.mu_pl == pytest.approx(float(eigenvalues[0]), rel=1e-8)
    assert strong.mu > mu
    for fact in (smooth, strong, pl):
        assert fact.refute(problem, budget=400).verdict == "not refuted"


def test_half_the_constant_is_refuted():
    problem = NesterovWorst(6, 2.0)
    (smooth,) = [c.assumption for c in problem.certified if isinstance(c.assumption, Smooth)]
    assert Smooth(0.97 * smooth.L).refute(problem, budget=4000).verdict == "refuted"


@pytest.mark.parametrize("mu", [0.0, 0.01])
def test_steps_stay_in_the_first_coordinates_and_obey_the_lower_bound(mu: float):
    k, L = 10, 4.0
    problem = NesterovWorst(2 * k + 1, L, mu)
    x = problem.x0
    assert not bool(x.any())
    for step in range(1, k + 1):
        x = x - problem.grad(x) / L
        assert bool(x[step - 1] != 0)
        assert not bool(x[step:].any())
        if mu == 0:
            square = float(problem.x_star.square().sum())
            bound = 3 * L * square / (32 * (k + 1) ** 2)
            assert float(problem.gap(x)) >= bound


@pytest.mark.parametrize(("d", "gamma", "mu"), [(1, 1.0, 1.0), (5, 2.0, 0.3), (8, 1e-6, 1e6), (8, 1e6, 1e-6)])
def test_the_nonsmooth_minimum(d: int, gamma: float, mu: float):
    problem = NonsmoothWorst(d, gamma, mu)
    exact = -gamma / (mu * d)
    assert torch.allclose(problem.x_star, torch.full((d,), exact, dtype=torch.float64), rtol=1e-15)
    assert problem.f_star == pytest.approx(-(gamma**2) / (2 * mu * d), rel=1e-15)
    assert float(problem.value(problem.x_star)) == pytest.approx(problem.f_star, rel=1e-13)
    generator = torch.Generator().manual_seed(0)
    x = problem.x_star * (1 + torch.randn(50, d, dtype=torch.float64, generator=generator))
    room = 1e-13 * (problem.value(x).abs() + abs(problem.f_star))
    assert ((problem.gap(x) - (problem.value(x) - problem.f_star)).abs() <= room).all()
    assert (problem.gap(x) > 0).all()
    for certificate in problem.certified:
        if not isinstance(certificate.assumption, Lipschitz):
            assert certificate.assumption.refute(problem, budget=400).verdict == "not refuted"


def test_the_bound_of_the_subgradients_holds_on_its_ball_and_is_attained():
    problem = NonsmoothWorst(4, 2.0, 0.5)
    (fact,) = [c for c in problem.certified if isinstance(c.assumption, Lipschitz)]
    assert isinstance(fact.assumption, Lipschitz)
    assert fact.assumption.refute(problem, budget=2000, region=fact.region).verdict == "not refuted"
    edge = torch.tensor([4.0, 0.0, 0.0, 0.0], dtype=torch.float64)
    assert bool(fact.region.contains(edge))
    assert float(problem.grad(edge).norm()) == pytest.approx(fact.assumption.G, rel=1e-14)
    assert bool(fact.region.contains(problem.x_star))


def test_the_resisting_oracle_names_the_first_largest_coordinate():
    problem = NonsmoothWorst(3, 2.0, 0.5)
    x = torch.tensor([[1.0, 3.0, 3.0], [0.0, 0.0, 0.0]], dtype=torch.float64)
    expected = torch.tensor([[0.5, 3.5, 1.5], [2.0, 0.0, 0.0]], dtype=torch.float64)
    assert torch.equal(problem.grad(x), expected)


def test_subgradient_steps_stay_above_the_minimum():
    d = 12
    problem = NonsmoothWorst(d, 1.0, 1.0)
    x, best = problem.x0, math.inf
    for step in range(1, d):
        x = x - problem.grad(x) / (step + 1)
        assert int((x != 0).sum()) <= step
        best = min(best, float(problem.value(x)))
    assert best >= 0
    assert best - problem.f_star >= 1 / (2 * d)


@pytest.mark.parametrize("stepsize", [1e-6, 0.3, 40.0])
def test_nonsmooth_proximal_points(stepsize: float):
    problem = NonsmoothWorst(5, 2.0, 0.3)
    generator = torch.Generator().manual_seed(0)
    x = 3 * torch.randn(20, 5, dtype=torch.float64, generator=generator)
    u = problem.prox(x, stepsize)
    # (x - u) / stepsize - mu u = gamma times weights >= 0 that add up to 1, on the largest entries
    weights = ((x - u) / stepsize - 0.3 * u) / 2.0
    room = 1e-13 * (1 + 1 / stepsize)
    assert (weights >= -50 * room).all()
    assert torch.allclose(weights.sum(-1), torch.ones(20, dtype=torch.float64), rtol=0, atol=50 * room)
    below = u < u.amax(-1, keepdim=True) - 1e-12
    assert (weights[below].abs() <= 50 * room).all()


@pytest.mark.parametrize(
    ("family", "arguments", "match"),
    [
        (NesterovWorst, {"d": 0}, "d must be an integer >= 1"),
        (NesterovWorst, {"d": 2, "L": -1.0}, "L must be finite and > 0"),
        (NesterovWorst, {"d": 2, "mu": 1.0}, "mu must be < L = 1.0, got 1.0"),
        (NesterovWorst, {"d": 2, "mu": float("nan")}, "mu must be finite and >= 0"),
        (NonsmoothWorst, {"gamma": 0.0}, "gamma must be finite and > 0"),
        (NonsmoothWorst, {"mu": float("inf")}, "mu must be finite and > 0"),
        (NonsmoothWorst, {"start": (1.0,)}, "start must be empty or have 2"),
        (NonsmoothWorst, {"gamma": 1e300, "mu": 1e-300}, r"gamma / \(mu d\) between .* got gamma=1e\+300"),
        (NonsmoothWorst, {"gamma": 1e-200, "mu": 1e150}, r"gamma and mu must have gamma / \(mu d\)"),
        (NonsmoothWorst, {"gamma": 1e200, "mu": 1e80}, r"gamma\^2 / \(2 mu d\) between"),
    ],
)
def test_wrong_arguments(family: type, arguments: dict, match: str):
    with pytest.raises(ValueError, match=match):
        family(**arguments)


def test_both_are_convex():
    for problem in (NesterovWorst(4), NonsmoothWorst(4)):
        assert any(isinstance(c.assumption, Convex) for c in problem.certified)
