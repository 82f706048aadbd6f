"""Nonconvex functions that are ball-convex: oracles against slow twins, extreme inputs, what is certified."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Convex, Lp, Norm, Weighted
from assumptions.balls.ball_convex import BallConvex
from assumptions.sampling import sample_points
from assumptions.specification import parse_specification
from problems.ball_oracle import BallOracle
from problems.cosine import Cosine
from problems.double_well import DoubleWell
from problems.integer_jump import IntegerJump
from problems.lattice_abs import LatticeAbs
from problems.piecewise_linear import PiecewiseLinear
from problems.sphere_distance import SphereDistance
from problems.well_formed import require_well_formed

EPS = torch.finfo(torch.float64).eps
W = PiecewiseLinear((-2.0, -1.0, 0.5, 2.0, 3.0), (1.0, 0.0, 2.0, 0.0, 4.0))
FLAT = PiecewiseLinear((0.0, 1.0, 2.0, 5.0), (3.0, 1.0, 1.0, 2.0))
ALL: tuple[BallOracle, ...] = (
    Cosine(),
    Cosine(3),
    SphereDistance(),
    SphereDistance(3, 2.5),
    DoubleWell(),
    DoubleWell(2),
    W,
    FLAT,
    PiecewiseLinear(),
    LatticeAbs(),
    IntegerJump(),
)
LINE = tuple(p for p in ALL if p.d == 1)
STEPPED = (LatticeAbs, IntegerJump)
every = pytest.mark.parametrize("problem", ALL, ids=repr)
radii = pytest.mark.parametrize("radius", [1e-9, 0.3, 1.0, 1.9, 4.5, 1e3])


def points(problem: BallOracle, n: int = 40, seed: int = 0, spread: float = 4.0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    x = problem.x0 + spread * torch.randn(n, problem.d, dtype=torch.float64, generator=generator)
    x = torch.cat([x, x.round(), problem.x_star.expand(1, -1), torch.zeros(1, problem.d).double()])
    return problem.into_domain(x) if problem.offers("into_domain") else x


def norms(problem: BallOracle) -> list[Norm]:
    tried = (EUCLIDEAN, Lp(1), Lp(math.inf), Lp(math.inf, 2.0), Weighted((0.5,) * problem.d, math.inf))
    return [norm for norm in tried if problem.offers_brox(norm)]


@every
def test_contract(problem: BallOracle):
    require_well_formed(problem)
    names = {type(problem).__name__: type(problem)}
    assert parse_specification(repr(problem), names) == problem
    assert float(problem.value(problem.x_star)) == problem.f_star
    for shape in ((), (3,), (2, 3)):
        x = problem.x0.expand(*shape, problem.d)
        step = problem.brox_step(x, torch.full((*shape, 1), 1.3, dtype=torch.float64))
        assert step.point.shape == step.step.shape == step.subgradient.shape == x.shape
        assert step.residual.shape == problem.value(x).shape == problem.gap(x).shape == shape


@every
@radii
def test_step_is_as_long_as_the_ball_or_ends_at_the_nearest_minimiser(problem: BallOracle, radius: float):
    x = points(problem)
    for norm in norms(problem):
        found = problem.brox_step(x, radius, norm)
        length = norm.norm(found.step)
        assert (length <= radius * (1 + 1e-12)).all()
        room = 1e-12 * radius + 4 * EPS * (norm.norm(x) + radius)
        assert ((norm.norm(found.point - x) - radius) <= room).all()
        star = problem.nearest_star(x, norm)
        near = norm.norm(star - x) <= radius
        assert torch.equal(found.point[near], star[near])
        assert (found.subgradient[near] == 0).all()
        convex_part = problem.gap(found.point) > 0
        if norm == EUCLIDEAN and not isinstance(problem, (*STEPPED, PiecewiseLinear)):
            assert (length[~near] >= radius * (1 - 1e-12)).all()
            scale = radius * norm.dual(found.subgradient) + 1e-300
            assert (found.residual <= 1e-9 * scale + 1e-12 * radius)[~near & convex_part].all()


@pytest.mark.parametrize("problem", LINE, ids=repr)
@radii
def test_line_against_a_dense_grid(problem: BallOracle, radius: float):
    """No point of a dense grid with all kinks and integers has a lower value."""
    for x in points(problem, 12, spread=2.0):
        inner = x + radius * torch.linspace(-1, 1, 4001, dtype=torch.float64)
        special = torch.cat([torch.arange(-30, 31).double(), torch.tensor(getattr(problem, "knots", (0.0,)))])
        inner = torch.cat([inner, special[(special - x).abs() <= radius]]).unsqueeze(-1)
        u = problem.brox(x, radius)
        best = float(problem.value(inner).min())
        slope = 40.0 if isinstance(problem, DoubleWell) else 4.0
        assert float(problem.value(u)) <= best + 1e-12 * (1 + abs(best)) * slope
        if radius > 1e-6:
            slack = 4e3 * slope * radius / 4000 if radius < 10 else math.inf
            assert float(problem.value(u)) >= best - slack


@pytest.mark.parametrize("problem", [Cosine(2), Cosine(3), SphereDistance(3, 2.5), DoubleWell(2)], ids=repr)
@pytest.mark.parametrize("radius", [0.3, 1.9, 3.5, 5.0])
def test_space_against_many_points(problem: BallOracle, radius: float):
    generator = torch.Generator().manual_seed(1)
    x = points(problem, 8)
    s = torch.randn(4_000, problem.d, dtype=torch.float64, generator=generator)
    s = s / s.norm(dim=-1, keepdim=True)
    s[::2] *= torch.rand(2_000, 1, dtype=torch.float64, generator=generator)
    for row in x:
        u = problem.brox(row, radius)
        rivals = torch.cat([row + radius * s, row + (u - row) + 1e-3 * radius * s])
        rivals = row + (rivals - row) * (radius / (rivals - row).norm(dim=-1, keepdim=True)).clamp(max=1)
        f, best = float(problem.value(u)), float(problem.value(rivals).min())
        assert f <= best + 1e-12 * (1 + best)
        assert best <= f + 0.2 * radius * (1 + float(problem.grad(u).norm()))


def test_cosine_in_a_ball_is_the_root_of_its_multiplier():
    x = points(Cosine(4), 60) % (2 * math.pi)
    found = Cosine(4).brox_step(x, 1.7)
    far = (Cosine(4).nearest_star(x) - x).norm(dim=-1) > 1.7
    assert far.sum() > 20
    g, s = found.subgradient[far], found.step[far]
    multiplier = -(g * s).sum(-1, keepdim=True) / s.square().sum(-1, keepdim=True)
    assert (multiplier > 0).all()
    assert float((g + multiplier * s).abs().max()) <= 1e-12


@pytest.mark.parametrize("radius", [1e-8, 0.5, 3.0, 4.0])
def test_cosine_on_the_ridge(radius: float):
    """At (pi, pi), where nothing is downhill, and at (pi, 1) and (2 pi, 3)."""
    x = torch.tensor([[math.pi, math.pi], [math.pi, 1.0], [2 * math.pi, 3.0]], dtype=torch.float64)
    found = Cosine(2).brox_step(x, radius)
    far = (Cosine(2).nearest_star(x) - x).norm(dim=-1) > radius
    assert torch.allclose(found.step.norm(dim=-1)[far], torch.full_like(x[far][:, 0], radius), rtol=1e-12)
    angle = torch.linspace(0, 2 * math.pi, 20_001, dtype=torch.float64)
    circle = torch.stack([angle.cos(), angle.sin()], dim=-1) * radius
    for row, u, outside in zip(x, found.point, far, strict=True):
        if outside:
            assert float(Cosine(2).value(u)) <= float(Cosine(2).value(row + circle).min()) + 1e-15


@every
def test_gradient_is_that_of_the_value(problem: BallOracle):
    if isinstance(problem, STEPPED):
        return
    generator = torch.Generator().manual_seed(2)
    x = torch.rand(50, problem.d, dtype=torch.float64, generator=generator) * 1.9 + 0.01
    x.requires_grad_(True)
    (expected,) = torch.autograd.grad(problem.value(x).sum(), x)
    assert torch.allclose(problem.grad(x.detach()), expected, rtol=1e-10, atol=1e-12)
    if problem.offers("hvp"):
        v = torch.ones_like(x)
        _, product = torch.autograd.functional.jvp(problem.grad, x.detach(), v)
        assert torch.allclose(problem.hvp(x.detach(), v), product, rtol=1e-9, atol=1e-11)


@every
def test_nearest_star_projects(problem: BallOracle):
    x = points(problem)
    nearest = problem.nearest_star(x)
    assert float(problem.gap(nearest).abs().max()) <= 1e-28 if isinstance(problem, Cosine) else 1e-15
    others = problem.nearest_star(points(problem, 60, seed=7, spread=9.0))
    distance = (x - nearest).norm(dim=-1)
    assert (distance <= (x[:, None] - others).norm(dim=-1).amin(dim=-1) * (1 + 1e-12)).all()


@every
def test_certificates_hold_and_convexity_is_not_claimed(problem: BallOracle):
    for certificate in problem.certified:
        assumption = certificate.assumption
        n = 30 if isinstance(assumption, BallConvex) else 400
        x = sample_points(problem, n, assumption.arity, seed=0)
        if problem.offers("into_domain"):
            x = tuple(problem.into_domain(p) for p in x)
        assert assumption.check(problem, *x).verdict == "not refuted", assumption
        assert assumption.refute(problem, budget=2000).verdict == "not refuted", assumption
        assert certificate.proof
        assert problem is FLAT or not isinstance(assumption, Convex)


def test_a_convex_interpolation_says_so():
    convex = PiecewiseLinear((-1.0, 0.0, 2.0), (3.0, 1.0, 2.0))
    assert [c.assumption for c in convex.certified] == [BallConvex(3.0), Convex()]
    assert convex.grad(torch.tensor([[-1.0], [0.0], [2.0], [1.0]]).double()).flatten().tolist() == [
        -2,
        0,
        0.5,
        0.5,
    ]


def test_the_jump_of_the_integers():
    x = torch.tensor([[2.0]], dtype=torch.float64)
    assert IntegerJump().brox(x, 1.9).item() == 1.0
    assert LatticeAbs().brox(x, 1.9).item() == 1.0
    many = torch.tensor([[7.0], [-7.0], [1.0], [0.0], [1e15]], dtype=torch.float64)
    step = LatticeAbs().brox_step(many, 2.7)
    assert step.step.flatten().tolist() == [-2.0, 2.0, -1.0, 0.0, -2.0]
    assert torch.allclose(step.residual, torch.tensor([0.7, 0.7, 0.0, 0.0, 0.7]).double())
    below = LatticeAbs().brox_step(torch.tensor([[1e6]]).double(), 1 - 1e-13)
    assert below.step.item() == 0.0
    nowhere = torch.tensor([[0.5]], dtype=torch.float64)
    assert LatticeAbs().brox(nowhere, 0.3).isnan().all()
    assert LatticeAbs().value(nowhere).item() == math.inf
    assert IntegerJump().brox(torch.tensor([[-1.5]]).double(), 0.25).item() == -1.25
    assert LatticeAbs().into_domain(torch.tensor([2.6]).double()).item() == 3.0


def test_piecewise_support_is_a_support():
    """Where a support exists it is returned: checked against all knots."""
    k, v = np.array(W.knots), np.array(W.values)
    for x in np.linspace(-2, 3, 41):
        for t in (0.2, 0.7, 1.5):
            step = W.brox_step(torch.tensor([x]), t)
            u, g = step.point.item(), step.subgradient.item()
            f = float(W.value(step.point))
            low = max(
                ((f - b) / (u - a) for a, b in zip(k, v, strict=True) if a < u - 1e-9), default=-math.inf
            )
            high = min(
                ((b - f) / (a - u) for a, b in zip(k, v, strict=True) if a > u + 1e-9), default=math.inf
            )
            if low <= high:
                assert low - 1e-9 <= g <= high + 1e-9
                assert float(step.residual) <= 1e-12 or abs(step.step.item()) < t
    assert W.value(torch.tensor([[-2.1], [3.1]]).double()).tolist() == [math.inf, math.inf]
    assert W.brox(torch.tensor([-5.0]).double(), 1.0).isnan().all()
    assert W.into_domain(torch.tensor([-5.0]).double()).item() == -2.0


def test_flat_pieces_are_solutions():
    x = torch.tensor([[0.0], [1.7], [4.0]], dtype=torch.float64)
    assert FLAT.nearest_star(x).flatten().tolist() == [1.0, 1.7, 2.0]
    assert not FLAT.unique_star
    assert FLAT.brox(x, 10.0).flatten().tolist() == [1.0, 1.7, 2.0]


@every
@pytest.mark.parametrize("size", [1e-300, 1e-12, 1e12, 1e150])
def test_extreme_inputs(problem: BallOracle, size: float):
    x = (size * torch.ones(1, problem.d, dtype=torch.float64)).expand(2, -1)
    x = problem.into_domain(x) if problem.offers("into_domain") else x
    for radius in (1e-300, 1e-12, 1.0, 1e12):
        u = problem.brox(x, radius)
        assert u.isfinite().all()
        assert ((u - x).norm(dim=-1) <= radius * (1 + 1e-12) + 4 * EPS * (x.abs().sum(-1) + radius)).all()


@every
def test_nan_stays_in_its_row(problem: BallOracle):
    x = points(problem, 3)[:3]
    clean = problem.brox_step(x, 0.9)
    x[1] = torch.nan
    dirty = problem.brox_step(x, 0.9)
    for mine, before in zip(dirty, clean, strict=True):
        assert mine[1].isnan().all()
        assert torch.allclose(mine[[0, 2]], before[[0, 2]], rtol=1e-11, atol=1e-11)
    assert problem.value(x)[1].isnan()
    assert problem.grad(x)[1].isnan().any()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Cosine(0),
        lambda: Cosine(2, (1.0,)),
        lambda: SphereDistance(a=0.0),
        lambda: SphereDistance(a=math.inf),
        lambda: DoubleWell(1, (math.nan,)),
        lambda: PiecewiseLinear((0.0, 0.0), (1.0, 2.0)),
        lambda: PiecewiseLinear((0.0,), (1.0,)),
        lambda: PiecewiseLinear((0.0, 1.0), (1.0,)),
        lambda: PiecewiseLinear((0.0, 1.0), (1.0, 2.0), start=(3.0,)),
        lambda: LatticeAbs((0.5,)),
        lambda: IntegerJump((1.0, 2.0)),
    ],
)
def test_wrong_arguments_are_named(make):
    with pytest.raises(ValueError, match="must"):
        make()


def test_norms_not_offered_are_refused():
    x = torch.ones(2, dtype=torch.float64)
    with pytest.raises(ValueError, match="norm"):
        DoubleWell(2).nearest_star(x, Lp(1))
    with pytest.raises(ValueError, match="norm"):
        SphereDistance(2).nearest_star(x, Lp(1))
    assert not Cosine(2).offers_brox(Lp(1))
    with pytest.raises(TypeError, match="convex"):
        Cosine(2).brox(x, 1.0, Lp(1))


def test_tiny_cosine_offsets_and_many_radii():
    x = torch.tensor([3e-170, 4e-170], dtype=torch.float64)
    found = Cosine(2).brox_step(x, 1e-180)
    assert torch.allclose(found.step / 1e-180, torch.tensor([-0.6, -0.8], dtype=torch.float64), rtol=1e-14)
    radii = torch.full((3, 1), 2.0, dtype=torch.float64)
    assert Cosine(2).brox(torch.tensor([0.3, 0.4], dtype=torch.float64), radii).shape == (3, 2)
