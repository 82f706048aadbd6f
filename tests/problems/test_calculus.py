"""Problems made of others: values, oracles, certificates, minima, against their definitions."""

import math
from fractions import Fraction

import pytest
import torch
from torch import Tensor

from assumptions import (
    PL,
    Affine,
    AffineGradient,
    Ball,
    Certificate,
    Convex,
    Inequality,
    Lipschitz,
    Lp,
    Smooth,
    StronglyConvex,
    sample_points,
)
from assumptions.continuous import Continuous
from assumptions.error_bound import ErrorBound
from assumptions.hessian_lipschitz import HessianLipschitz
from assumptions.l0l1.hessian import HessianL0L1
from assumptions.layerwise.coupled_smooth import CoupledSmooth
from assumptions.layerwise.left_smooth import LeftSmooth
from assumptions.phi import ConstantPhi
from assumptions.phi_smooth import PhiSmooth
from assumptions.specification import parse_specification
from assumptions.sums.average_smooth import AverageSmooth
from assumptions.sums.component_convex import ComponentConvex
from assumptions.sums.component_smooth import ComponentSmooth
from assumptions.sums.component_strongly_convex import ComponentStronglyConvex
from assumptions.sums.component_weakly_convex import ComponentWeaklyConvex
from assumptions.sums.interpolation import Interpolation
from assumptions.weakly_convex import WeaklyConvex
from problems import (
    INSTANCES,
    PROBLEMS,
    BallEnvelope,
    Box,
    Cosine,
    DoubleWell,
    Huber,
    IntegerJump,
    LatticeAbs,
    LogisticRegression,
    Problem,
    Quadratic,
    WeightedL1,
    from_function,
)
from problems.calculus.linear_map import LinearMap
from problems.calculus.noisy import Noisy
from problems.calculus.regularised import Regularised
from problems.calculus.regularised_rules import regularised_assumption
from problems.calculus.scaled import Scaled
from problems.calculus.shifted import Shifted
from problems.calculus.sum import Mean, Sum
from problems.calculus.units import Preimage, Units
from problems.noise.sign import SignNoise
from problems.symbolic.problem import SymbolicProblem

EPS = torch.finfo(torch.float64).eps
QUADRATIC = Quadratic((1.0, 2.0, 5.0), f_star=7.0, seed=1)
FLAT = Quadratic((1.0, 0.0), center=(0.5, 1.0), seed=None, start=(0.5, 10.0))
L1 = WeightedL1((1.0, 0.5, 0.3), center=(1.0, -2.0, 0.5), start=(4.0, 1.0, -2.0))
HUBER = Huber(L=2.0, delta=0.5, d=3)
LOGISTIC = LogisticRegression("breast_cancer", reg=0.1)
BY, WIDE, TALL = (1.0, -2.0, 0.3), ((1.0, 0.5, 0.0, 2.0), (0.0, 1.0, -1.0, 0.5), (0.3, 0.0, 1.0, 1.0)), 3

MOVED: tuple[Problem, ...] = (
    Scaled(QUADRATIC, 3.0),
    Scaled(QUADRATIC, 0.2, 0.1),
    Scaled(L1, 3.0, 7.0),
    Scaled(HUBER, 1e-3, 1e3),
    Scaled(FLAT, 2.0, 0.5),
    Scaled(LOGISTIC, 3.0, 0.5),
    Scaled(DoubleWell(2, start=(3.0, 1.0)), 2.0, 0.5),
    Scaled(Cosine(2, start=(2.0, -1.0)), 2.0, 0.5),
    Shifted(QUADRATIC, BY),
    Shifted(L1, BY),
    Shifted(HUBER, BY),
    Shifted(FLAT, (3.0, 0.1)),
    Shifted(Scaled(HUBER, 3.0, 0.3), BY),
    Scaled(Shifted(L1, BY), 0.5, 3.0),
    Noisy(Scaled(Shifted(QUADRATIC, BY), 2.0), SignNoise(1.0)),
)
MADE: tuple[Problem, ...] = (
    *MOVED,
    Regularised(L1, 0.3),
    Regularised(HUBER, 2.0, BY),
    Regularised(QUADRATIC, 0.5, BY),
    Regularised(LOGISTIC, 0.5),
    Regularised(Regularised(L1, 0.3), 0.2, BY),
    Regularised(Cosine(2, start=(2.0, -1.0)), 0.4),
    Scaled(Regularised(Shifted(L1, BY), 0.3), 2.0, 0.5),
    LinearMap(QUADRATIC, WIDE),
    LinearMap(HUBER, WIDE),
    LinearMap(L1, ((1.0, 0.2), (0.0, 1.0), (3.0, -1.0))),
    LinearMap(QUADRATIC, ((1.0, 0.2, 0.0), (0.0, 1.0, 0.0), (3.0, -1.0, 2.0))),
    Sum((QUADRATIC, HUBER, L1)),
    Sum((QUADRATIC, Shifted(QUADRATIC, BY))),
    Mean((HUBER, Scaled(HUBER, 3.0), Huber(d=3))),
    Mean((Cosine(2), Quadratic((2.0, 3.0), center=(0.0, 0.0)))),
    Shifted(Mean((HUBER, QUADRATIC)), BY),
)
every = pytest.mark.parametrize("problem", MADE, ids=repr)
moved = pytest.mark.parametrize("problem", MOVED, ids=repr)


def offering(*names: str):
    return pytest.mark.parametrize("problem", [p for p in MADE if all(p.offers(n) for n in names)], ids=repr)


def points(problem: Problem, *shape: int, seed: int = 0, spread: float = 2.0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    size = spread * (1 + problem.x0.abs().max())
    return problem.x0 + size * torch.randn(*shape, problem.d, dtype=torch.float64, generator=generator)


def constant(problem: Problem, kind: type, **fields) -> float | None:
    """The constant of the first certificate of the kind, whose other fields are these."""
    for certificate in problem.certified:
        assumption = certificate.assumption
        if type(assumption) is kind and all(getattr(assumption, n) == v for n, v in fields.items()):
            return getattr(assumption, kind.constants()[0])
    return None


@every
@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_shapes_follow_the_batch(problem: Problem, shape: tuple[int, ...]):
    x = points(problem, *shape)
    assert problem.x0.shape == (problem.d,)
    assert problem.value(x).shape == problem.contains(x).shape == shape
    assert problem.grad(x).shape == problem.into_domain(x).shape == x.shape
    assert problem.part_grads(x).shape == (*shape, problem.n_terms, problem.d)
    assert problem.part_values(x).shape == (*shape, problem.n_terms)
    step = torch.full((*shape, 1), 0.3, dtype=torch.float64)
    for name in ("prox", "brox"):
        if problem.offers(name):
            oracle = getattr(problem, name)
            assert oracle(x, 0.3).shape == x.shape
            assert torch.equal(oracle(x, step), oracle(x, 0.3))
    for name in ("hvp",):
        if problem.offers(name):
            assert problem.hvp(x, x).shape == x.shape


@every
def test_gradients_and_hessian_products_are_derivatives(problem: Problem):
    x = points(problem, 10).requires_grad_(True)
    (expected,) = torch.autograd.grad(problem.value(x).sum(), x)
    assert torch.allclose(
        problem.grad(x.detach()), expected, rtol=1e-9, atol=1e-12 * float(expected.abs().max())
    )
    if problem.offers("hvp"):
        v = points(problem, 10, seed=1)
        _, expected = torch.autograd.functional.jvp(problem.grad, x.detach(), v)
        assert torch.allclose(problem.hvp(x.detach(), v), expected, rtol=1e-9, atol=1e-11)


@every
def test_nan_stays_in_its_row(problem: Problem):
    x = points(problem, 3)
    x[1] = torch.nan
    for result in (problem.value(x), problem.grad(x).sum(-1)):
        assert result.isnan().tolist() == [False, True, False]


@every
def test_terms_have_the_mean(problem: Problem):
    x = points(problem, 2, 2)
    assert torch.allclose(problem.part_grads(x).mean(dim=-2), problem.grad(x), rtol=1e-9, atol=1e-11)
    assert torch.allclose(problem.part_values(x).mean(dim=-1), problem.value(x), rtol=1e-10, atol=1e-12)
    if problem.n_terms > 1:
        j = torch.tensor([[0, 1], [1, problem.n_terms - 1]])
        every_term = problem.part_grads(x)
        picked = torch.stack([every_term[r, c, j[r, c]] for r in (0, 1) for c in (0, 1)]).reshape(2, 2, -1)
        assert torch.allclose(problem.part_grad(x, j), picked, rtol=1e-12, atol=1e-14)
        assert torch.equal(problem.part_grad(x), problem.grad(x))


@every
def test_the_name_is_the_call(problem: Problem):
    made = (Scaled, Shifted, Regularised, LinearMap, Sum, Mean, Noisy, SignNoise)
    names = {c.__name__: c for c in (*PROBLEMS, *made)}
    assert parse_specification(repr(problem), names) == problem


@every
def test_certificates_are_not_refuted(problem: Problem):
    assert problem.certified
    for certificate in problem.certified:
        assumption = certificate.assumption
        assert certificate.proof
        if problem.n_terms > 100 and type(assumption).__name__.startswith(("Component", "Average")):
            continue  # hundreds of terms at hundreds of points
        tried = sample_points(problem, 300, assumption.arity, seed=0)
        assert assumption.check(problem, *tried).verdict == "not refuted", certificate
        if isinstance(assumption, Inequality) and problem.n_terms < 50:
            assert assumption.refute(problem, budget=600).verdict == "not refuted", certificate


@offering("x_star", "f_star")
def test_the_minimum_is_one(problem: Problem):
    room = problem.f_star_error + 64 * EPS * abs(problem.f_star)
    slope = float(problem.grad(problem.x_star + 1e-9).norm()) + 1
    assert abs(float(problem.value(problem.x_star)) - problem.f_star) <= room + slope * problem.x_star_error
    x = torch.cat([points(problem, 300), problem.x_star + 1e-4 * points(problem, 300)])
    assert (
        problem.value(x) >= problem.f_star - problem.f_star_error - 64 * EPS * problem.value(x).abs()
    ).all()
    gap = problem.gap(x)
    assert (gap >= 0).all()
    size = 64 * EPS * (problem.value(x).abs() + abs(problem.f_star) + problem.gap_cancellation(x, gap))
    assert ((gap - (problem.value(x) - problem.f_star)).abs() <= room + size).all()
    assert problem.f_star_error <= 1e-9 * (1 + abs(problem.f_star))
    assert problem.x_star_error <= 1e-7 * (1 + float(problem.x_star.norm()))
    if not problem.offers("nearest_star"):
        return
    nearest = problem.nearest_star(x)
    assert (problem.gap(nearest) <= 1e-9 * (1 + problem.gap(x))).all()
    others = problem.nearest_star(points(problem, 40, 1, seed=1))
    assert ((x - nearest).norm(dim=-1) <= (x - others).norm(dim=-1) * (1 + 1e-9) + 1e-12).all()


def rivals(u: Tensor, x: Tensor, radius: float) -> Tensor:
    """Points of the ball around x, near u and anywhere, (100, *u.shape)."""
    generator = torch.Generator().manual_seed(3)
    offset = torch.randn(100, *u.shape, dtype=torch.float64, generator=generator)
    scale = 10.0 ** (-5 * torch.rand(100, 1, 1, dtype=torch.float64, generator=generator))
    s = u + offset * radius * scale - x
    return x + s * (radius / s.norm(dim=-1, keepdim=True)).clamp(max=1)


@offering("prox")
@pytest.mark.parametrize("stepsize", [1e-3, 0.3, 50.0])
def test_prox_is_not_beaten(problem: Problem, stepsize: float):
    x = points(problem, 20)
    u = problem.prox(x, stepsize)

    def phi(z: Tensor) -> Tensor:
        return problem.value(z) + (z - x).square().sum(-1) / (2 * stepsize)

    z = rivals(u, x, 2 * float((u - x).norm(dim=-1).max()) + 1)
    slack = 64 * EPS * (1 + x.norm(dim=-1)) + 2 * problem.oracle_error("prox", x, stepsize, u)
    slope = problem.grad(u).norm(dim=-1) + problem.grad(z).norm(dim=-1) + (z - x).norm(dim=-1) / stepsize
    assert (phi(u) <= phi(z) + 64 * EPS * (phi(z).abs() + phi(u).abs()) + slope * slack).all()


@offering("brox")
@pytest.mark.parametrize("radius", [1e-3, 0.3, 50.0])
def test_brox_is_not_beaten(problem: Problem, radius: float):
    x = points(problem, 20)
    u = problem.brox(x, radius)
    slack = 64 * EPS * (1 + x.norm(dim=-1)) + 2 * problem.oracle_error("brox", x, radius, u)
    assert ((u - x).norm(dim=-1) <= radius * (1 + 1e-12) + slack).all()
    z = rivals(u, x, radius)
    value = problem.value(u)
    size = 64 * EPS * (value.abs() + problem.value(z).abs()) + problem.grad(u).norm(dim=-1) * slack
    assert (value <= problem.value(z) + size).all()
    if not problem.offers("brox_step"):
        return
    point, step, g, residual = problem.brox_step(x, radius)
    assert torch.equal(point, u)
    assert (step.norm(dim=-1) <= radius * (1 + 1e-12) + slack).all()
    assert ((x + step - point).norm(dim=-1) <= slack).all()
    assert torch.allclose(residual, (radius * g.norm(dim=-1) + (g * step).sum(-1)).clamp(min=0), atol=1e-300)
    if any(isinstance(c.assumption, Convex) for c in problem.certified):
        support = problem.value(point) + (g * (z - point)).sum(-1)
        assert (support <= problem.value(z) + size + g.norm(dim=-1) * slack).all()


@offering("conjugate")
def test_fenchel_young(problem: Problem):
    """f(z) + f^*(g) >= <g, z>, with equality at g = grad f(z)."""
    x, z = points(problem, 30), points(problem, 30, seed=1)
    g = problem.grad(x)
    conjugate = problem.conjugate(g)
    size = 1e-9 * (1 + (g * x).sum(-1).abs() + problem.value(x).abs())
    assert ((problem.value(x) + conjugate - (g * x).sum(-1)).abs() <= size).all()
    room = 1e-9 * (1 + (g * z).sum(-1).abs() + problem.value(z).abs())
    assert (problem.value(z) + conjugate >= (g * z).sum(-1) - room).all()


@pytest.mark.parametrize("problem", [p for p in INSTANCES if not p.offers("noise")], ids=repr)
def test_estimates_are_rescaled(problem: Problem):
    """L_seen is multiplied by factor / unit^2 and G_seen by factor / unit, at the same points."""
    scaled = Scaled(problem, 8.0, 0.5)
    x, y = sample_points(problem, 400, 2, seed=3)
    x, y = problem.into_domain(x), problem.into_domain(y)
    L, L_scaled = (
        Smooth.estimate(p, a, b)["L_seen"] for p, a, b in ((problem, x, y), (scaled, x / 2, y / 2))
    )
    assert L_scaled == pytest.approx(32 * L, rel=0.02 if L else None, nan_ok=True)
    G, G_scaled = Lipschitz.estimate(problem, x)["G_seen"], Lipschitz.estimate(scaled, x / 2)["G_seen"]
    assert G_scaled == pytest.approx(16 * G, rel=1e-12)
    for certificate in problem.certified:
        assumption = certificate.assumption
        if not isinstance(assumption, Inequality) or problem.n_terms > 100:
            continue
        if type(assumption).__module__.startswith("assumptions.composite"):
            assert not any(type(c.assumption) is type(assumption) for c in scaled.certified)
            continue  # what is rescaled is one function, without parts
        if isinstance(assumption, LeftSmooth):
            continue  # a matrix rounded up entry by entry need not be larger
        tried = [problem.into_domain(p) for p in sample_points(problem, 100, assumption.arity, seed=4)]
        (same,) = [
            c.assumption
            for c in scaled.certified
            if type(c.assumption) is type(assumption)
            and getattr(c.assumption, "norm", None) == getattr(assumption, "norm", None)
        ][:1]
        before = assumption.ratio(problem, *tried)
        after = same.ratio(scaled, *(p / 2 for p in tried))
        kept = before.isfinite() & (before > 1e-6)
        assert torch.allclose(after[kept], before[kept], rtol=1e-6), certificate


def test_constants_follow_their_units():
    scaled = Scaled(QUADRATIC, 3.0, 0.5)
    assert constant(scaled, Smooth) == 5.0 * 12
    assert constant(scaled, StronglyConvex) == constant(scaled, PL) == 12.0
    assert constant(Scaled(HUBER, 3.0, 0.5), Lipschitz) == 6.0
    assert scaled.f_star == 21.0
    assert constant(Shifted(QUADRATIC, BY), Smooth) == 5.0
    units = Units(height=3.0, unit=0.5)
    assert units.assumption(HessianL0L1(2.0, 5.0)) == HessianL0L1(24.0, 10.0)
    assert units.assumption(HessianL0L1(0.0, 5.0)) == HessianL0L1(0.0, 10.0)
    assert units.assumption(HessianLipschitz(2.0)) == HessianLipschitz(48.0)
    assert units.assumption(WeaklyConvex(2.0)) == WeaklyConvex(24.0)
    assert units.assumption(CoupledSmooth(((1.0, 2.0), (2.0, 0.0)))) == CoupledSmooth(
        ((12.0, 24.0), (24.0, 0.0))
    )
    assert units.assumption(ErrorBound(2.0)) == ErrorBound(2.0 * 0.25 / 3 * (1 + EPS))
    half = units.assumption(ErrorBound(2.0, order=0.5))
    assert half.eb == pytest.approx(2.0 * 0.5**1.5 / 3**0.5, rel=1e-12)
    assert units.assumption(Smooth(1.0, Lp(1.0))) == Smooth(12.0, Lp(1.0))
    assert units.assumption(PhiSmooth(ConstantPhi())) is None
    assert Units(height=1e300, unit=1e-10).assumption(Smooth(1.0)) is None
    assert Units(height=1e-300, unit=1e20).assumption(StronglyConvex(1.0)) is None


def test_constants_are_rounded_outward():
    problem = Scaled(QUADRATIC, 0.1, 0.3)
    exact = Fraction(0.1) / Fraction(0.3) ** 2
    assert Fraction(constant(problem, Smooth)) >= 5 * exact
    assert Fraction(constant(problem, StronglyConvex)) <= exact
    assert constant(problem, Smooth) == pytest.approx(5 / 0.9, rel=1e-15)
    assert Fraction(Scaled(QUADRATIC, 0.1).f_star) >= 7 * Fraction(0.1)


def test_regions_move_with_the_points():
    units = Units(height=2.0, unit=3.0, shift=(1.0, -2.0))
    ball = units.region(Ball((0.5, 0.25), 0.1))
    assert isinstance(ball, Ball)
    assert ball.center == (2.5, -1.25)
    assert 0.3 * (1 - 1e-15) <= ball.radius <= 3 * Fraction(0.1)
    odd = Units(unit=0.1, shift=(0.3, 0.7)).region(Ball((1.1, 2.3), 0.01))
    exact = [Fraction(b) + Fraction(0.1) * Fraction(c) for b, c in zip((0.3, 0.7), (1.1, 2.3), strict=True)]
    off = sum((Fraction(c) - e) ** 2 for c, e in zip(odd.center, exact, strict=True))
    assert off > 0
    assert (Fraction(0.1) * Fraction(0.01) - Fraction(odd.radius)) ** 2 >= off
    box = units.region(Box((0.0, 0.0), (1.0, 1.0)))
    assert box == Preimage(Box((0.0, 0.0), (1.0, 1.0)), 3.0, (1.0, -2.0))
    inside = box.contains(torch.tensor([[1.1, -1.0], [3.9, 0.9], [4.1, 0.0], [0.9, -1.0]]).double())
    assert inside.tolist() == [True, True, False, False]
    assert repr(box) == "Preimage(region=Box(low=(0.0, 0.0), high=(1.0, 1.0)), unit=3.0, shift=(1.0, -2.0))"
    certificate = Certificate(Smooth(1.0), proof="p", region=Ball((0.5, 0.25), 0.1), status="declared")
    passed = units.certificate(certificate)
    assert (passed.region, passed.status) == (ball, "declared")
    assert Fraction(2, 9) <= Fraction(passed.assumption.L) <= Fraction(2, 9) * (1 + Fraction(EPS))


def test_points_of_functions_that_jump_are_not_handed_on_after_a_move():
    for problem in (LatticeAbs(), IntegerJump()):
        assert problem.offers("brox")
        assert Scaled(problem, 2.0).offers("brox")
        assert not Scaled(problem, 2.0, 3.0).offers("brox")
        assert not Scaled(problem, 2.0, 3.0).offers("x_star")
        assert Scaled(problem, 2.0, 3.0).f_star == 0
    with pytest.raises(ValueError, match="rounding moves x0 out of the domain"):
        Shifted(Scaled(LatticeAbs(), 1.0, 0.1), (1 / 3,))


def test_a_scaled_quadratic_is_the_quadratic_that_is_written_out():
    scaled = Shifted(Scaled(Quadratic((1.0, 4.0), center=(0.0, 0.0), seed=None), 3.0, 0.5), (1.0, -1.0))
    plain = Quadratic((12.0, 48.0), center=(1.0, -1.0), seed=None)
    x = points(plain, 50)
    for name in ("value", "grad", "gap"):
        assert torch.allclose(getattr(scaled, name)(x), getattr(plain, name)(x), rtol=1e-13)
    for step in (0.01, 1.0, 100.0):
        assert torch.allclose(scaled.prox(x, step), plain.prox(x, step), rtol=1e-12, atol=1e-13)
        assert torch.allclose(scaled.brox(x, step), plain.brox(x, step), rtol=1e-12, atol=1e-13)
        assert torch.allclose(
            scaled.brox(x, step, Lp(math.inf)), plain.brox(x, step, Lp(math.inf)), rtol=1e-12
        )
    assert torch.allclose(scaled.conjugate(x), plain.conjugate(x), rtol=1e-12, atol=1e-12)
    assert [c.assumption for c in scaled.certified] == [c.assumption for c in plain.certified]


def test_regularised_absolute_value_has_known_answers():
    """|x| + (x - 3)^2 / 2: minimiser 2, value 2.5; prox_1: soft thresholding of (x + 3) / 2 by 1/2."""
    problem = Regularised(WeightedL1((1.0,), center=(0.0,)), 1.0, (3.0,))
    assert float(problem.x_star) == pytest.approx(2.0, abs=1e-15)
    assert problem.f_star == pytest.approx(2.5, abs=1e-12)
    assert problem.f_star >= 2.5
    assert problem.f_star - problem.f_star_error <= 2.5
    assert problem.prox(torch.tensor([[5.0], [-9.0], [-3.0]]).double(), 1.0).flatten().tolist() == [
        3.5,
        -2.5,
        0.0,
    ]
    assert constant(problem, StronglyConvex) == 1.0
    assert constant(problem, Lipschitz) is None


def test_rules_of_regularisation():
    assert regularised_assumption(Smooth(2.0), 0.5) == Smooth(2.5)
    assert regularised_assumption(StronglyConvex(2.0), 0.5) == StronglyConvex(2.5)
    assert regularised_assumption(Convex(), 0.5) == StronglyConvex(0.5)
    assert regularised_assumption(WeaklyConvex(2.0), 0.5) == WeaklyConvex(1.5)
    assert regularised_assumption(WeaklyConvex(0.5), 0.5) == Convex()
    assert regularised_assumption(WeaklyConvex(0.5), 2.0) == StronglyConvex(1.5)
    assert regularised_assumption(ComponentWeaklyConvex(0.5), 2.0) == ComponentStronglyConvex(1.5)
    assert regularised_assumption(ComponentConvex(), 2.0) == ComponentStronglyConvex(2.0)
    assert regularised_assumption(Affine(), 2.0) == AffineGradient()
    assert regularised_assumption(HessianLipschitz(3.0), 2.0) == HessianLipschitz(3.0)
    for lost in (Lipschitz(1.0), PL(1.0), HessianL0L1(1.0, 1.0), Smooth(1.0, Lp(1.0))):
        assert regularised_assumption(lost, 1.0) is None


def test_a_weakly_convex_function_becomes_convex():
    """Cosine has curvature in [-1, 1]; its Smooth(1) becomes Smooth(1.4)."""
    problem = Regularised(Cosine(1), 0.4)
    assert 1.4 <= constant(problem, Smooth) <= 1.4 + 3e-16
    assert not problem.offers("x_star")
    assert problem.f_lower == 0
    assert Convex().refute(problem, budget=5_000).verdict == "refuted"
    assert Convex().refute(Regularised(Cosine(1), 1.0), budget=5_000).verdict == "not refuted"


def test_linear_maps_scale_constants_by_singular_values():
    a = torch.tensor(WIDE, dtype=torch.float64)
    top, low = (float(torch.linalg.svdvals(a)[i]) for i in (0, -1))
    problem = LinearMap(QUADRATIC, WIDE)
    assert problem.onto
    assert not problem.one_to_one
    L, mu_pl = constant(problem, Smooth), constant(problem, PL)
    assert 5 * top**2 < L <= 5 * top**2 * (1 + 1e-12)
    assert low**2 * (1 - 1e-12) <= mu_pl < low**2
    assert constant(problem, StronglyConvex) is None
    assert (problem.f_star, problem.f_star_error) == (7.0, 0.0)
    square = LinearMap(QUADRATIC, ((1.0, 0.2, 0.0), (0.0, 1.0, 0.0), (3.0, -1.0, 2.0)))
    assert square.unique_star
    assert constant(square, StronglyConvex) > 0
    tall = LinearMap(L1, ((1.0, 0.2), (0.0, 1.0), (3.0, -1.0)))
    assert not tall.offers("x_star")
    assert tall.f_lower == 0
    singular = LinearMap(FLAT, ((1.0, 2.0), (2.0, 4.0)))
    assert not singular.onto
    assert constant(singular, PL) is None


def test_the_linear_map_of_a_hessian_bound():
    """|A' H A v| <= |A|^2 (L0 + L1 |g|), |g| <= |A' g| / smallest singular value."""
    known = QUADRATIC, ((2.0, 0.0, 0.0), (0.0, 4.0, 0.0), (0.0, 0.0, 1.0))
    passed = LinearMap(*known)._passed(HessianL0L1(3.0, 5.0))
    assert passed.L0_hessian == pytest.approx(48.0, rel=1e-13)
    assert passed.L1_hessian == pytest.approx(80.0, rel=1e-13)
    assert passed.L0_hessian >= 48.0
    assert passed.L1_hessian >= 80.0


def test_rules_of_sums():
    total, mean = Sum((QUADRATIC, HUBER, L1)), Mean((QUADRATIC, HUBER))
    assert constant(total, StronglyConvex) == 1.0
    assert constant(total, Smooth) is None
    assert constant(mean, Smooth) == 3.5
    assert constant(mean, ComponentSmooth) == 5.0
    assert constant(Sum((QUADRATIC, HUBER)), ComponentSmooth) == 10.0
    assert constant(mean, AverageSmooth) == pytest.approx(math.sqrt((25 + 4) / 2), rel=1e-14)
    assert constant(mean, StronglyConvex) == 0.5
    assert constant(mean, ComponentStronglyConvex) is None
    assert constant(Sum((HUBER, L1)), Lipschitz) >= 1.0 + math.sqrt(1.34)
    twice = Mean((QUADRATIC, Scaled(QUADRATIC, 3.0)))
    assert constant(twice, ComponentStronglyConvex) == 1.0
    assert any(isinstance(c.assumption, Interpolation) for c in twice.certified)
    assert any(isinstance(c.assumption, AffineGradient) for c in twice.certified)
    assert twice.f_star == 14.0
    assert not any(isinstance(c.assumption, Interpolation) for c in mean.certified)
    assert mean.f_lower == 3.5
    assert not mean.offers("f_star")


def test_a_declared_fact_stays_declared():
    declared = from_function(
        lambda x: x.square().sum(-1), d=3, assume=(Convex(), Smooth(2.0)), x0=(1.0, 1.0, 1.0)
    )
    for problem in (
        Scaled(declared, 2.0, 0.5),
        Shifted(declared, BY),
        Regularised(declared, 1.0),
        LinearMap(declared, WIDE),
        Sum((declared, QUADRATIC)),
    ):
        smooth = [c for c in problem.certified if isinstance(c.assumption, Smooth)]
        assert [c.status for c in smooth] == ["declared"]
    assert {c.status for c in Sum((QUADRATIC, HUBER)).certified} == {"certified"}


def test_continuity_is_stated_on_the_whole_space_only():
    """A proof of smoothness on a box says that f is continuous there; Continuous speaks of all points."""
    on_a_box = SymbolicProblem("x**2 + 3*sin(x)**2", ((-4.0, 4.0),), prove=(Smooth(9.0),))
    mixed = Sum((on_a_box, Huber()))
    smooth = [c for c in mixed.certified if isinstance(c.assumption, Smooth)]
    assert [c.region for c in smooth] == [
        c.region for c in on_a_box.certified if isinstance(c.assumption, Smooth)
    ]
    assert not any(isinstance(c.assumption, Continuous) for c in mixed.certified)
    assert any(isinstance(c.assumption, Continuous) for c in Sum((Huber(), Huber())).certified)


def test_wrong_constants_of_made_problems_are_refuted():
    for problem in (
        Scaled(QUADRATIC, 3.0, 0.5),
        Shifted(HUBER, BY),
        Regularised(HUBER, 2.0, BY),
        LinearMap(Quadratic((1.0, 5.0, 2.0), seed=None), ((2.0, 0.0, 0.0), (0.0, 4.0, 0.0), (0.0, 0.0, 1.0))),
        Mean((QUADRATIC, Scaled(QUADRATIC, 3.0))),
    ):
        L = constant(problem, Smooth)
        assert Smooth(L).refute(problem, budget=8_000).verdict == "not refuted"
        assert Smooth(0.97 * L).refute(problem, budget=8_000).verdict == "refuted", problem


def test_made_problems_go_into_others():
    envelope = BallEnvelope(Scaled(HUBER, 3.0), 0.5)
    plain = BallEnvelope(Huber(L=6.0, delta=0.5, d=3), 0.5)
    x = points(HUBER, 20)
    assert torch.allclose(envelope.value(x), plain.value(x), rtol=1e-13, atol=1e-14)
    assert torch.allclose(envelope.grad(x), plain.grad(x), rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Scaled(QUADRATIC, 0.0), ValueError, "factor must be finite and > 0"),
        (lambda: Scaled(QUADRATIC, 1.0, math.inf), ValueError, "unit must be finite and > 0"),
        (lambda: Scaled("f", 1.0), TypeError, "made of Problems"),
        (lambda: Shifted(QUADRATIC, (1.0,)), ValueError, "by must have 3"),
        (lambda: Shifted(QUADRATIC, (1.0, 2.0, math.nan)), ValueError, "by must have finite"),
        (lambda: Shifted("f", (1.0,)), TypeError, "made of Problems"),
        (lambda: Regularised(QUADRATIC, -1.0), ValueError, "reg must be finite and > 0"),
        (lambda: Regularised(QUADRATIC, 1.0, (1.0,)), ValueError, "center must have 3"),
        (lambda: LinearMap(QUADRATIC, ((1.0,), (2.0,))), ValueError, "matrix must have 3 rows"),
        (lambda: LinearMap(FLAT, ((1.0, 2.0), (2.0,))), ValueError, "rows of one length"),
        (lambda: LinearMap(FLAT, ((0.0,), (0.0,))), ValueError, "not all 0"),
        (lambda: LinearMap(LatticeAbs(), ((1.0,),)), ValueError, "finite everywhere"),
        (lambda: Sum(()), ValueError, "at least one Problem"),
        (lambda: Sum((QUADRATIC, FLAT)), ValueError, "one dimension"),
        (lambda: Sum((FLAT,), start=(1.0,)), ValueError, "start must be empty or have 2"),
        (lambda: Mean((FLAT, Noisy(FLAT, SignNoise(1.0)))), ValueError, "noise comes last"),
        (lambda: Scaled(Cosine(), 2.0).prox(torch.zeros(1).double(), 1.0), TypeError, "has no prox"),
        (lambda: Preimage(Box((0.0,), (1.0,)), 0.0), ValueError, "unit must be"),
        (lambda: Scaled(QUADRATIC).brox(torch.zeros(3).double(), -1.0), ValueError, "radius must be"),
        (lambda: Regularised(L1, 1.0).prox(torch.zeros(3).double(), 0.0), ValueError, "stepsize must be"),
    ],
)
def test_bad_arguments_are_named(make, error: type[Exception], message: str):
    with pytest.raises(error, match=message):
        make()
