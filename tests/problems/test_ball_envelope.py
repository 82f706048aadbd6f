"""The ball envelope: values, gradients, conjugates and solutions against slow twins."""

import cvxpy
import numpy as np
import pytest
import torch

from assumptions import EUCLIDEAN, PL, Ball, Certificate, Convex, Lipschitz, Lp, Smooth, sample_points
from problems import (
    AbsAffine,
    BallEnvelope,
    Constrained,
    Huber,
    IntegerJump,
    LatticeAbs,
    LeastSquares,
    LogisticRegression,
    PiecewiseLinear,
    Quadratic,
    WeightedL1,
    from_function,
)
from problems.calculus.scaled import Scaled
from problems.sets import Box

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


@every
@pytest.mark.parametrize("radius", [1e-6, 1e-12, 1e-17, 1e-200])
def test_radii_far_below_that_of_the_envelope(envelope, radius):
    x = points(envelope, 12) + 5
    step, g = envelope.brox_step(x, radius, envelope.norm)[1:3]
    assert (g != 0).any(dim=-1).all()
    assert ((envelope.norm.norm(step) / radius - 1).abs() <= 1e-13).all()
    # the residual by hand: that of the result is cut at 0
    size = envelope.norm.dual(g)
    assert ((size + (g * (step / radius)).sum(dim=-1)).abs() <= 1e-12 * size).all()


def test_a_landing_is_as_long_as_it_needs_to_be():
    x = torch.tensor([[0.8], [0.500001], [0.5], [0.1]], dtype=torch.float64)
    step = ABS.brox_step(x, 0.4).step[:, 0].tolist()
    assert step == pytest.approx([-0.3, -1e-6, 0, 0], abs=1e-16)
    jump = BallEnvelope(IntegerJump(), 0.75)
    # the inner step, from 4 to the integer 3, is shorter than 0.5 + 0.75
    assert jump.brox(torch.tensor([4.0], dtype=torch.float64), 0.5).tolist() == [3.75]


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


def walk(x, radius):
    return x * (1 - radius / x.norm(dim=-1, keepdim=True)).clamp(min=0)


def half_square(*assume):
    """|x|^2 / 2 with what a user says about it, true or not."""
    return from_function(
        lambda x: x.square().sum(-1) / 2, d=2, x0=(1.0, 1.0), assume=assume, f_star=0.0, brox=walk
    )


def test_what_is_declared_stays_declared():
    envelope = BallEnvelope(half_square(Convex(), Smooth(1e-3), Lipschitz(1e-3), PL(1e-4)), 0.5)
    assert len(envelope.certified) == 4
    assert {c.status for c in envelope.certified} == {"declared"}
    assert {c.status for c in QUADRATIC.certified} == {"certified"}


class Partly(Quadratic):
    """Declares one assumption and has proved another on a ball only."""

    @property
    def certified(self):
        ball = Ball((0.0, 0.0), 1.0)
        return (
            Certificate(Convex(), proof="said", status="declared"),
            Certificate(Smooth(2.0), proof="proved"),
            Certificate(Smooth(3.0), proof="said", status="declared"),
            Certificate(Lipschitz(9.0), proof="there", region=ball),
        )


def test_regions_do_not_pass_and_one_declaration_is_enough():
    facts = {c.assumption: c.status for c in BallEnvelope(Partly((1.0, 2.0)), 0.5).certified}
    assert facts == {Convex(): "declared", Smooth(2.0): "declared"}


def test_errors_of_the_solution_pass():
    inner = LeastSquares("breast_cancer")
    envelope = BallEnvelope(inner, 0.1)
    assert inner.x_star_error > 0
    assert (envelope.f_star_error, envelope.x_star_error) == (inner.f_star_error, inner.x_star_error)
    assert envelope.offers_dist()
    assert not BallEnvelope(inner, 0.1, MAX).offers_dist(MAX)
    assert (QUADRATIC.f_star_error, QUADRATIC.x_star_error) == (0, 0)


@pytest.mark.parametrize(
    "inner",
    [Constrained(WeightedL1((1.0, 3.0)), Box((-9.0, -9.0), (9.0, 9.0))), PiecewiseLinear(), LatticeAbs()],
    ids=repr,
)
def test_a_function_with_a_domain_is_refused(inner):
    with pytest.raises(ValueError, match="problem must be finite everywhere, got"):
        BallEnvelope(inner, 0.5)


def test_functions_that_are_finite_everywhere_have_no_domain():
    """Scaled hands the question of its domain on, which the L1 norm does not have."""
    inner = Scaled(WeightedL1((1.0, 2.0)), 3.0)
    x = torch.tensor([[2.0, -1.0]], dtype=torch.float64)
    ours, theirs = BallEnvelope(inner, 0.5), BallEnvelope(WeightedL1((3.0, 6.0)), 0.5)
    assert torch.allclose(ours.value(x), theirs.value(x), rtol=1e-14)


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="radius must be finite and > 0, got -1"):
        BallEnvelope(WeightedL1((1.0,)), -1.0)
    with pytest.raises(ValueError, match="must minimise exactly over balls"):
        BallEnvelope(LogisticRegression("breast_cancer", reg=0.01), 1.0)
    with pytest.raises(ValueError, match="must minimise exactly over balls"):
        BallEnvelope(Quadratic((1.0, 2.0)), 1.0, Lp(3.0))
    with pytest.raises(TypeError, match="problem must be a Problem"):
        BallEnvelope("f", 1.0)  # pyright: ignore[reportArgumentType]
