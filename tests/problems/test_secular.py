"""The secular equation against a scalar root finder, and where it is hard."""

import math

import numpy as np
import pytest
import torch
from scipy.optimize import brentq
from torch import Tensor

from problems import Quadratic, secular
from problems.secular import ball_quadratic, solve_ball_quadratic


def tensor(*entries: float) -> Tensor:
    return torch.tensor(entries, dtype=torch.float64)


def secular_displacement(a: Tensor, y: Tensor, t: Tensor | float) -> Tensor:
    """argmin {sum_i a_i (y_i + s_i)^2 / 2 : |s| <= t}."""
    return ball_quadratic(a, a * y, t)


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


# -- indefinite models, hard and nearly hard ------------------------------------------------------

KINDS = ("definite", "indefinite", "hard", "nearly hard", "singular", "range", "wide", "equal")


def models(kind: str, d: int, rows: int = 200) -> tuple[Tensor, Tensor, Tensor]:
    """a, b: (rows, d) and t: (rows, 1) over twelve decades (sixty for the wide ones)."""
    generator = torch.Generator().manual_seed(d)
    normal = torch.randn(2, rows, d, dtype=torch.float64, generator=generator)
    uniform = torch.rand(3, rows, d, dtype=torch.float64, generator=generator)
    a, b, t = normal[0], normal[1], 10 ** (12 * uniform[0, :, :1] - 6)
    match kind:
        case "definite":
            a = a.abs()
        case "hard" | "nearly hard":
            a, lowest = a - 0.5, a.argmin(dim=-1, keepdim=True)
            share = 0 * t if kind == "hard" else 10 ** (-20 * uniform[1, :, :1])
            b = b.scatter(-1, lowest, share * b.gather(-1, lowest))
        case "singular" | "range":
            a = torch.where(torch.arange(d) % 2 == 0, 0.0, a.abs())
            b = torch.where(a > 0, b, 0.0) if kind == "range" else b
        case "wide":
            a, b, t = 10 ** (-30 * uniform[1]), b * 10 ** (-30 * uniform[2]), t**5
        case "equal":
            a, t = 1 + 1e-15 * a, b.norm(dim=-1, keepdim=True) * 10 ** (2 * uniform[0, :, :1] - 1)
    return a, b, t


def check_optimal(a: Tensor, b: Tensor, t: Tensor, s: Tensor, lam: Tensor) -> None:
    """More and Sorensen: (A + lam) s = -b, A + lam >= 0, lam (t - |s|) = 0; |s| <= t."""
    size = b.abs() + (a.abs() + lam) * s.abs()
    assert (((a + lam) * s + b).norm(dim=-1) <= 2e-15 * size.norm(dim=-1)).all()
    assert (lam >= 0).all()
    assert (a + lam >= -1e-15 * a.abs()).all()
    ratio = s.norm(dim=-1, keepdim=True) / t
    assert (ratio <= 1 + 1e-15).all()
    assert (ratio[lam > 0] >= 1 - 1e-15).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("d", [1, 2, 3, 10, 100])
def test_optimal_for_every_kind_of_model(kind: str, d: int):
    a, b, t = models(kind, d)
    check_optimal(a, b, t, *solve_ball_quadratic(a, b, t))
    for j in range(0, 200, 9):
        check_optimal(a[j], b[j], t[j], *solve_ball_quadratic(a[j], b[j], t[j]))


@pytest.mark.parametrize("kind", KINDS)
def test_one_row_and_many_rows_agree(kind: str):
    """Two ways to the same solution: numbers and columns of tensors."""
    a, b, t = models(kind, 10)
    s, lam = solve_ball_quadratic(a, b, t)
    size = ((a * s.square() / 2).abs() + (b * s).abs()).sum(dim=-1)
    for j in range(0, 200, 9):
        one = solve_ball_quadratic(a[j], b[j], float(t[j]))
        assert one.step.shape == (10,)
        assert one.multiplier.shape == (1,)
        value = (a[j] * one.step.square() / 2 + b[j] * one.step).sum()
        assert abs(float(value - (a[j] * s[j].square() / 2 + b[j] * s[j]).sum())) <= 2e-15 * float(size[j])
        if kind in ("definite", "indefinite"):
            assert torch.allclose(one.step, s[j], rtol=1e-11, atol=1e-13 * float(t[j]))
            assert torch.allclose(one.multiplier, lam[j], rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("t", [0.01, 0.7, 3.0, 100.0])
def test_indefinite_models_against_a_scalar_root_finder(t: float):
    a, b = tensor(-2.0, -1.9, 0.0, 1.0, 30.0), tensor(0.3, -1.0, 2.0, 0.5, -4.0)
    log_mu = brentq(lambda u: float((b / (a + 2 + 10.0**u)).norm()) - t, -30, 30, xtol=1e-15, rtol=1e-15)
    s, lam = solve_ball_quadratic(a, b, t)
    assert torch.allclose(s, -b / (a + 2 + 10.0**log_mu), rtol=1e-10)
    assert float(lam) == pytest.approx(2 + 10.0**log_mu, rel=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_indefinite_models_against_a_grid(seed: int):
    generator = torch.Generator().manual_seed(seed)
    a, b = torch.randn(2, 2, dtype=torch.float64, generator=generator) - tensor(0.5)
    t = 0.5 + seed
    angle = torch.linspace(0, 2 * math.pi, 2001, dtype=torch.float64)
    circle = torch.stack([angle.cos(), angle.sin()], -1)
    z = t * torch.linspace(0, 1, 201, dtype=torch.float64)[:, None, None] * circle
    s = ball_quadratic(a, b, t)
    best = float((a * z.square() / 2 + b * z).sum(-1).min())
    found = float((a * s.square() / 2 + b * s).sum())
    assert found <= best + 1e-14
    assert found >= best - 1e-4


def test_the_hard_case_is_completed_in_the_lowest_eigenspace():
    """-b / a' = (0, -1, -0.5) is too short for the sphere of radius 2."""
    s, lam = solve_ball_quadratic(tensor(-1.0, 1.0, 3.0), tensor(0.0, 2.0, 2.0), 2.0)
    assert torch.allclose(s, tensor(math.sqrt(4 - 1.25), -1.0, -0.5), rtol=1e-15)
    assert float(lam) == 1.0
    twice = ball_quadratic(tensor(2.0, -1.0, -1.0), tensor(0.0, 0.0, 0.0), 3.0)
    assert float(twice.norm()) == 3.0
    assert twice[0] == 0
    with_others = ball_quadratic(
        tensor(-1.0, 1.0, 3.0), tensor(0.0, 2.0, 2.0, 1.0, 2.0, 2.0).reshape(2, 3), 2.0
    )
    assert torch.allclose(with_others[0], s, rtol=1e-15)
    assert torch.allclose(with_others[1], ball_quadratic(tensor(-1.0, 1.0, 3.0), tensor(1.0, 2.0, 2.0), 2.0))


@pytest.mark.parametrize("epsilon", [1e-2, 1e-8, 1e-14, 1e-30, 1e-200])
def test_the_nearly_hard_case_tends_to_the_hard_one(epsilon: float):
    """s_0 = -epsilon / mu at the root of s_0^2 + (2 / (2 + mu))^2 + (2 / (4 + mu))^2 = 4."""
    s, lam = solve_ball_quadratic(tensor(-1.0, 1.0, 3.0), tensor(epsilon, 2.0, 2.0), 2.0)
    assert float(s.norm()) == pytest.approx(2.0, rel=1e-15)
    assert torch.allclose(s, tensor(-math.sqrt(4 - 1.25), -1.0, -0.5), rtol=2 * epsilon + 1e-14)
    assert float(lam - 1) == pytest.approx(epsilon / math.sqrt(2.75), rel=2 * epsilon, abs=4e-16)


def test_few_steps_are_needed(monkeypatch: pytest.MonkeyPatch):
    """45 steps are enough even where the root lies decades above the start."""
    monkeypatch.setattr(secular, "MAX_STEPS", 46)
    for kind in KINDS:
        a, b, t = models(kind, 10)
        check_optimal(a, b, t, *solve_ball_quadratic(a, b, t))
    c = 1e-12  # |s|^2 = (c / mu)^2 + r^2 with r just below 1: a plateau from mu = c to 1e4 c
    rest = math.sqrt(1 - 1e-8)
    s, lam = solve_ball_quadratic(tensor(-1.0, 1e9), tensor(c, rest * 1e9), 1.0)
    check_optimal(tensor(-1.0, 1e9), tensor(c, rest * 1e9), tensor(1.0), s, lam)


@pytest.mark.parametrize("scale", [1e-150, 1e-30, 1e30, 1e150])
@pytest.mark.parametrize("t", [1e-120, 1e-8, 1e8, 1e120])
def test_tiny_and_huge_models(scale: float, t: float):
    a, b = tensor(-0.3, 0.0, 1.0, 2.0), tensor(1.0, 2.0, -1.0, 0.5)
    for shift in (0.0, 0.3):
        s, lam = solve_ball_quadratic(scale * (a + shift), scale * b, t)
        both = solve_ball_quadratic(scale * (a + shift), scale * b.expand(2, 4), t)
        assert torch.allclose(both.step, s.expand(2, 4), rtol=1e-12, atol=0)
        if shift == 0 or t < 1:
            assert float((s / t).norm()) == pytest.approx(1.0, rel=1e-14)
        residual = (((a + shift) + lam / scale) * (s / t) + b / t) * min(t, 1.0)
        assert float(residual.norm()) <= 1e-14 * max(1.0, float(lam / scale) * min(t, 1.0))


def test_shapes_and_rows_with_nan():
    a, b = tensor(-1.0, 2.0), torch.ones(3, 4, 2, dtype=torch.float64)
    b[1, 2, 0] = math.nan
    for t in (1.5, torch.full((3, 4, 1), 1.5, dtype=torch.float64), torch.tensor(1.5, dtype=torch.float64)):
        s, lam = solve_ball_quadratic(a, b, t)
        assert s.shape == (3, 4, 2)
        assert lam.shape == (3, 4, 1)
        assert s[1, 2].isnan().all()
        assert int(s.isnan().sum()) == 2
        assert torch.allclose(s[0, 0].norm(), tensor(1.5), rtol=1e-15)
    assert ball_quadratic(a, b[1, 2], 1.0).isnan().all()
    assert ball_quadratic(a, b[0, 0], tensor(1.0, 2.0).reshape(2, 1)).shape == (2, 2)
    assert solve_ball_quadratic(a, b[0, :1], tensor(1.0).reshape(1, 1)).step.shape == (1, 2)


def test_rotated_models_against_dense_conditions():
    """A dense symmetric matrix: Q + lam positive semidefinite and (Q + lam) s = -g."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        half = rng.standard_normal((6, 6))
        q, g = torch.from_numpy(half + half.T), torch.from_numpy(rng.standard_normal(6))
        a, basis = torch.linalg.eigh(q)
        s, lam = solve_ball_quadratic(a, g @ basis, 0.8)
        s = basis @ s
        assert float((q @ s + lam * s + g).norm()) <= 1e-13
        assert float(torch.linalg.eigvalsh(q)[0] + lam) >= -1e-13
        assert float(s.norm()) == pytest.approx(0.8, rel=1e-14)
