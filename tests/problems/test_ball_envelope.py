"""The ball envelope: values, gradients, conjugates and solutions against slow twins."""

import cvxpy
import numpy as np
import pytest
import torch

from assumptions import EUCLIDEAN, Lp, Smooth, sample_points
from problems import AbsAffine, BallEnvelope, Huber, LogisticRegression, Quadratic, WeightedL1

MAX = Lp(float("inf"))
QUADRATIC = BallEnvelope(Quadratic((1.0, 4.0, 0.1), seed=3), 0.7)
L1 = BallEnvelope(WeightedL1((1.0, 0.2)), 0.5)
BOXES = BallEnvelope(WeightedL1((1.0, 0.2)), 0.5, MAX)
ABS = BallEnvelope(AbsAffine((1.0,)), 0.5)
ALL = (QUADRATIC, L1, BOXES, ABS)
every = pytest.mark.parametrize("envelope", ALL, ids=repr)


def points(envelope, n, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return envelope.x0 + 2 * torch.randn(n, envelope.d, dtype=torch.float64, generator=generator)


@every
def test_values_are_minima_over_the_ball(envelope):
    x = points(envelope, 20)
    value = envelope.value(x)
    generator = torch.Generator().manual_seed(1)
    for _ in range(200):
        way = torch.randn(20, envelope.d, dtype=torch.float64, generator=generator)
        way = envelope.radius * way / envelope.norm.norm(way)[:, None]
        assert (value <= envelope.problem.value(x + way) + 1e-12).all()
    u = envelope.problem.brox(x, envelope.radius, envelope.norm)
    assert torch.equal(value, envelope.problem.value(u))


def test_the_envelope_of_the_absolute_value_has_a_kink():
    x = torch.tensor([[-2.0], [-0.5], [0.3], [0.7]], dtype=torch.float64)
    assert ABS.value(x).tolist() == pytest.approx([1.5, 0.0, 0.0, 0.2])
    assert ABS.grad(x)[:, 0].tolist() == [-1.0, 0.0, 0.0, 1.0]


@every
def test_gradients_are_differences_of_values(envelope):
    x = points(envelope, 30)
    h = 1e-6
    for axis in torch.eye(envelope.d, dtype=torch.float64):
        slope = (envelope.value(x + h * axis) - envelope.value(x - h * axis)) / (2 * h)
        assert torch.allclose(envelope.grad(x) @ axis, slope, rtol=1e-6, atol=1e-8)


def test_a_smooth_step_follows_the_gradient_of_the_envelope():
    x = points(QUADRATIC, 20)
    u = QUADRATIC.problem.brox(x, QUADRATIC.radius)
    away = (x - QUADRATIC.problem.nearest_star(x)).norm(dim=-1) > QUADRATIC.radius
    g = QUADRATIC.grad(x)
    expected = x - QUADRATIC.radius * g / g.norm(dim=-1, keepdim=True)
    assert away.any()
    assert torch.allclose(u[away], expected[away], rtol=1e-12, atol=1e-12)


@every
def test_certificates_hold(envelope):
    for certificate in envelope.certified:
        assumption = certificate.assumption
        checked = assumption.check(envelope, *sample_points(envelope, 200, assumption.arity, seed=0))
        assert checked.verdict == "not refuted", checked
        assert assumption.refute(envelope, budget=1000).verdict == "not refuted"


def test_smoothness_is_kept_and_not_improved():
    kept = [c.assumption for c in QUADRATIC.certified if isinstance(c.assumption, Smooth)]
    assert kept == [Smooth(4.0)]
    assert Smooth(2.0).refute(QUADRATIC, budget=5000).verdict == "refuted"
    assert not any(isinstance(c.assumption, Smooth) for c in L1.certified)


@every
def test_the_nearest_minimiser_is_one_radius_before_the_old_one(envelope):
    x = points(envelope, 40)
    nearest = envelope.nearest_star(x, envelope.norm)
    assert (envelope.gap(nearest) <= 1e-14).all()
    old = envelope.norm.norm(x - envelope.problem.nearest_star(x, envelope.norm))
    assert torch.allclose(
        envelope.norm.norm(x - nearest), (old - envelope.radius).clamp(min=0), rtol=1e-12, atol=1e-14
    )


@every
@pytest.mark.parametrize("radius", [0.1, 0.6, 3.0])
def test_a_ball_of_the_envelope_is_a_larger_ball(envelope, radius):
    x = points(envelope, 12)
    found = envelope.brox_step(x, radius, envelope.norm)
    assert (envelope.norm.norm(found.step) <= radius * (1 + 1e-12)).all()
    assert torch.allclose(found.point, x + found.step, rtol=1e-15, atol=1e-15)
    larger = envelope.problem.brox(x, radius + envelope.radius, envelope.norm)
    assert torch.allclose(envelope.value(found.point), envelope.problem.value(larger), rtol=1e-12, atol=1e-13)
    assert (found.residual <= 1e-12 * (1 + envelope.value(x))).all()


@pytest.mark.parametrize("norm", [EUCLIDEAN, MAX, Lp(1.0)], ids=repr)
def test_the_semigroup_against_a_conic_solver(norm):
    problem = WeightedL1((1.0, 0.2, 0.5))
    twice = BallEnvelope(BallEnvelope(problem, 0.4, norm), 0.3, norm)
    once = BallEnvelope(problem, 0.7, norm)
    for x in points(once, 4):
        y, z = cvxpy.Variable(3), cvxpy.Variable(3)
        within = [cvxpy.norm(y - x.numpy(), norm.p) <= 0.3, cvxpy.norm(z - y, norm.p) <= 0.4]
        f = np.array(problem.weights) @ cvxpy.abs(z)
        cvxpy.Problem(cvxpy.Minimize(f), within).solve(solver="CLARABEL")
        assert float(twice.value(x)) == pytest.approx(float(f.value), abs=1e-7)
        assert float(twice.value(x)) == pytest.approx(float(once.value(x)), rel=1e-12)


def test_the_conjugate_is_the_largest_affine_gap():
    grid = torch.linspace(-60, 60, 400_001, dtype=torch.float64)[:, None]
    envelope = BallEnvelope(Quadratic((2.0,), center=(1.0,), f_star=3.0, seed=None), 0.5)
    for g in (-3.0, 0.0, 0.4, 5.0):
        sup = (g * grid[:, 0] - envelope.value(grid)).max()
        found = envelope.conjugate(torch.tensor([g], dtype=torch.float64))
        assert float(found) == pytest.approx(float(sup), abs=1e-6)


def test_what_the_inner_problem_lacks_the_envelope_lacks():
    assert not BallEnvelope(Huber(), 0.5).offers("conjugate") or Huber().offers("conjugate")
    assert QUADRATIC.offers("nearest_star")
    assert not QUADRATIC.offers_brox(MAX)
    assert BOXES.offers_brox(MAX)
    assert not BOXES.offers_brox(EUCLIDEAN)
    with pytest.raises(ValueError, match="projects in"):
        BOXES.nearest_star(BOXES.x0, EUCLIDEAN)


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="radius must be finite and > 0, got -1"):
        BallEnvelope(WeightedL1((1.0,)), -1.0)
    with pytest.raises(ValueError, match="must minimise exactly over balls"):
        BallEnvelope(LogisticRegression("breast_cancer", reg=0.01), 1.0)
    with pytest.raises(ValueError, match="must minimise exactly over balls"):
        BallEnvelope(Quadratic((1.0, 2.0)), 1.0, Lp(3.0))
    with pytest.raises(TypeError, match="problem must be a Problem"):
        BallEnvelope("f", 1.0)  # pyright: ignore[reportArgumentType]
