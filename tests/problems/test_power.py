"""Powers of the norm: constants, proximal points, Hessians; the Hessians of other radial problems."""

import math

import pytest
import torch
from torch import Tensor

from assumptions import Convex
from assumptions.l0l1.hessian import HessianL0L1
from problems.euclidean_norm import EuclideanNorm
from problems.power import Power

POWERS = (2.01, 2.5, 3.0, 4.0, 7.3)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("p", POWERS)
def test_value_gradient_and_hessian(p: float):
    problem = Power(p, 3, center=(1.0, -2.0, 0.5))
    x, v = problem.x_star + 2 * noise(6, 3), noise(6, 3, seed=1)
    assert torch.allclose(problem.value(x), (x - problem.x_star).norm(dim=-1) ** p / p, rtol=1e-14)
    leaf = x.clone().requires_grad_(True)
    (expected,) = torch.autograd.grad(problem.value(leaf).sum(), leaf)
    assert torch.allclose(problem.grad(x), expected, rtol=1e-12)
    _, expected = torch.autograd.functional.jvp(problem.grad, x, v)
    assert problem.hvp is not None
    assert isinstance(expected, Tensor)
    assert torch.allclose(problem.hvp(x, v), expected, rtol=1e-12)
    assert torch.equal(problem.hvp(problem.x_star, v), torch.zeros_like(v))


@pytest.mark.parametrize("profile", ["half-square", "pseudo-huber", "quartic"])
def test_hessians_of_the_other_profiles(profile: str):
    problem = EuclideanNorm(3, profile=profile)
    x, v = 2 * noise(6, 3), noise(6, 3, seed=1)
    assert problem.hvp is not None
    _, expected = torch.autograd.functional.jvp(problem.grad, x, v)
    assert isinstance(expected, Tensor)
    assert torch.allclose(problem.hvp(x, v), expected, rtol=1e-12)
    at_center = problem.hvp(torch.zeros_like(v), v)
    assert torch.equal(at_center, torch.zeros_like(v) if profile == "quartic" else v)


@pytest.mark.parametrize("profile", ["identity", "log"])
def test_kinks_offer_no_hessian(profile: str):
    assert not EuclideanNorm(2, profile=profile).offers("hvp")


@pytest.mark.parametrize("p", POWERS)
@pytest.mark.parametrize("l1", [1e-3, 0.5, 2.0, 1e3])
@pytest.mark.parametrize("d", [1, 3])
def test_hessian_l0l1_is_tight(p: float, l1: float, d: int):
    """L0 = ((p - 2) / l1)^(p - 2) is attained at r = (p - 2) / l1, in any dimension, along x."""
    # started at the scale of the claim: far below it, gradients are taken for rounding
    problem = Power(p, d, l1=l1, start=((p - 2) / l1,) * d)
    (fact,) = [c.assumption for c in problem.certified if isinstance(c.assumption, HessianL0L1)]
    assert isinstance(fact, HessianL0L1)
    assert fact.L1_hessian == l1
    assert fact.L0_hessian == pytest.approx(((p - 2) / l1) ** (p - 2), rel=1e-12)
    worst = (p - 2) / l1
    u = noise(1, d)
    x = u / u.norm() * worst * torch.logspace(-3, 3, 61, dtype=torch.float64).unsqueeze(-1)
    found = fact.check(problem, x, 2 * x)
    assert found.verdict == "not refuted"
    assert found.ratio == pytest.approx(1.0, abs=1e-9)
    assert HessianL0L1(0.97 * fact.L0_hessian, l1).check(problem, x, 2 * x).verdict == "refuted"
    assert fact.refute(problem, budget=400).verdict == "not refuted"


@pytest.mark.parametrize(("p", "l1", "L0"), [(3.0, 2.0, 0.5), (4.0, 1.0, 4.0), (4.0, 2.0, 1.0)])
def test_known_values(p: float, l1: float, L0: float):
    """Cubic 1 / L1; quartic 4 / L1^2."""
    (fact,) = [c.assumption for c in Power(p, l1=l1).certified if isinstance(c.assumption, HessianL0L1)]
    assert isinstance(fact, HessianL0L1)
    assert L0 <= fact.L0_hessian <= L0 * (1 + 1e-13)


@pytest.mark.parametrize(("p", "l1"), [(200.0, 0.01), (3.0, 1e-320)])
def test_a_level_beyond_the_floats_is_left_out(p: float, l1: float):
    assert [type(c.assumption) for c in Power(p, l1=l1).certified] == [Convex]


def test_a_level_below_the_floats_is_rounded_up():
    (fact,) = [c.assumption for c in Power(400.0, l1=1e6).certified if isinstance(c.assumption, HessianL0L1)]
    assert 0 < fact.L0_hessian < 3e-308


@pytest.mark.parametrize("p", POWERS)
@pytest.mark.parametrize("stepsize", [1e-6, 0.3, 50.0, 1e8])
def test_proximal_points(p: float, stepsize: float):
    problem = Power(p, 2)
    x = noise(20, 2) * torch.logspace(-4, 4, 20, dtype=torch.float64).unsqueeze(-1)
    u = problem.prox(x, stepsize)
    residual = (u + stepsize * problem.grad(u) - x).norm(dim=-1)
    assert (residual <= 1e-13 * p * x.norm(dim=-1)).all()
    assert torch.equal(
        problem.prox(torch.zeros(1, 2, dtype=torch.float64), stepsize), torch.zeros(1, 2).double()
    )


def test_the_quartic_is_the_quartic():
    x, step = noise(10, 3), 0.7
    ours, theirs = Power(4.0, 3), EuclideanNorm(3, profile="quartic")
    assert torch.allclose(ours.prox(x, step), theirs.prox(x, step), rtol=1e-13)
    assert torch.allclose(ours.brox(x, 0.2), theirs.brox(x, 0.2), rtol=1e-14)
    assert torch.allclose(ours.conjugate(x), theirs.conjugate(x), rtol=1e-14)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"p": 2.0}, "p must be > 2, got 2.0"),
        ({"p": math.nan}, "p must be finite"),
        ({"p": math.inf}, "p must be finite"),
        ({"d": 0}, "d must be an integer >= 1"),
        ({"l1": 0.0}, "l1 must be finite and > 0"),
        ({"d": 2, "center": (1.0,)}, "center must have 2"),
        ({"d": 2, "start": (1.0,)}, "start must be empty or have 2"),
    ],
)
def test_wrong_arguments(arguments: dict, match: str):
    with pytest.raises(ValueError, match=match):
        Power(**arguments)
