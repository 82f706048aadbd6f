"""The secular equation against a scalar root finder, and where it is hard."""

import pytest
import torch
from scipy.optimize import brentq
from torch import Tensor

from problems import Quadratic
from problems.secular import secular_displacement


def tensor(*entries: float) -> Tensor:
    return torch.tensor(entries, dtype=torch.float64)


def by_brentq(a: Tensor, y: Tensor, t: float) -> Tensor:
    def excess(log_lam: float) -> float:
        return float((a * y / (a + 10.0**log_lam)).norm()) - t

    lam = 10.0 ** brentq(excess, -30, 30, xtol=1e-15, rtol=1e-15)
    return -a * y / (a + lam)


@pytest.mark.parametrize("t", [1e-6, 0.1, 1.0, 2.5])
def test_against_a_scalar_root_finder(t: float):
    a, y = tensor(1e-3, 0.2, 1.0, 30.0), tensor(1.0, -2.0, 0.5, 3.0)
    expected = by_brentq(a, y, t)
    assert torch.allclose(secular_displacement(a, y, t), expected, rtol=1e-10, atol=1e-12 * t)


def residual(a: Tensor, y: Tensor, s: Tensor) -> Tensor:
    """|A (y + s) + lam s| over |A y|, with the best lam >= 0."""
    g = a * (y + s)
    lam = (-(g * s).sum(-1, keepdim=True) / s.square().sum(-1, keepdim=True)).clamp(min=0)
    return (g + lam * s).norm(dim=-1) / (a * y).norm(dim=-1)


@pytest.mark.parametrize("condition", [1.0, 1e3, 1e6, 1e12, 1e16])
@pytest.mark.parametrize("dimension", [2, 5, 60])
def test_large_condition_numbers(condition: float, dimension: int):
    generator = torch.Generator().manual_seed(dimension)
    a = condition ** -torch.linspace(0, 1, dimension, dtype=torch.float64)
    y = torch.randn(200, dimension, dtype=torch.float64, generator=generator)
    share = torch.rand(200, 1, dtype=torch.float64, generator=generator)
    t = y.norm(dim=-1, keepdim=True) * torch.where(
        share < 0.5, 10 ** (-16 * share), 1 - 10 ** (-24 * (share - 0.5))
    )
    s = secular_displacement(a, y, t)
    assert torch.allclose(
        s.norm(dim=-1, keepdim=True), torch.minimum(t, y.norm(dim=-1, keepdim=True)), rtol=1e-14
    )
    assert (residual(a, y, s) <= 1e-13).all()


def test_a_displacement_orthogonal_to_the_flattest_direction():
    """Hard for indefinite quadratics; here the flattest coordinate just does not move."""
    s = secular_displacement(tensor(1e-8, 1.0, 2.0), tensor(0.0, 3.0, 4.0), 1.0)
    assert s[0] == 0
    assert torch.allclose(s, by_brentq(tensor(1e-8, 1.0, 2.0), tensor(0.0, 3.0, 4.0), 1.0), rtol=1e-12)


def test_a_radius_that_just_fails_to_reach():
    a, y = tensor(1e-12, 1.0), tensor(1.0, 1.0)
    t = float(y.norm()) * (1 - 1e-15)
    assert torch.allclose(secular_displacement(a, y, t), -y, rtol=0, atol=1e-7)
    assert torch.equal(secular_displacement(a, y, 2.0), -y)


def test_singular_and_extreme_scales():
    a, y = tensor(1.0, 0.0, 3.0), tensor(1.0, 100.0, 2.0)
    assert torch.equal(secular_displacement(a, y, 3.0), tensor(-1.0, 0.0, -2.0))
    s = secular_displacement(a, y, 0.5)
    assert s[1] == 0
    assert float(s.norm()) == pytest.approx(0.5, rel=1e-15)
    for scale in (1e-100, 1e100):
        assert torch.allclose(secular_displacement(scale * a, y, 0.5), s, rtol=1e-13, atol=0)
        assert torch.allclose(secular_displacement(a, scale * y, 0.5 * scale), scale * s, rtol=1e-13, atol=0)


def test_rows_have_their_own_eigenvalues():
    a, y = tensor(1.0, 2.0, 5.0, 0.1).reshape(2, 2), tensor(3.0, 1.0, -2.0, 4.0).reshape(2, 2)
    t = tensor(0.5, 2.0).reshape(2, 1)
    alone = torch.stack([secular_displacement(a[i], y[i], float(t[i])) for i in range(2)])
    assert torch.allclose(secular_displacement(a, y, t), alone, rtol=1e-14)


def test_a_singular_quadratic_moves_in_its_range_only():
    problem = Quadratic((1.0, 0.0), center=(0.0, 0.0), seed=None)
    x = tensor(0.5, 10.0)
    assert torch.equal(problem.brox(x, 0.5), tensor(0.0, 10.0))
    assert torch.equal(problem.brox(x, 0.2), tensor(0.3, 10.0))
    assert torch.equal(problem.nearest_star(x), tensor(0.0, 10.0))


@pytest.mark.parametrize("radius", [0.1, 1.0, 3.0])
def test_isotropic_quadratics_are_walked_straight(radius: float):
    problem = Quadratic((2.0, 2.0, 2.0), seed=None)
    x = tensor(3.0, -4.0, 1.0)
    assert torch.allclose(problem.brox(x, radius), x * (1 - radius / x.norm()), rtol=1e-14)
