"""Sums f + g + sum_j h_j: optimality, duals, errors, proximal steps of the parts, wrong input."""

import math
from fractions import Fraction

import pytest
import torch
from scipy.optimize import minimize
from torch import Tensor

from assumptions import parse_specification
from problems import (
    AbsAffine,
    Box,
    Constrained,
    Cosine,
    EuclideanBall,
    GaussianNoise,
    GeneralQuadratic,
    HalfSpace,
    Hinge,
    Huber,
    L1Ball,
    LeastSquares,
    Linear,
    LogisticRegression,
    LogLoss,
    Noisy,
    Problem,
    Quadratic,
    QuadraticSum,
    QuarticRidge,
    WeightedL1,
)
from problems.composite.composite import Composite
from problems.composite.distributed import Distributed
from problems.composite.flat_sets import Consensus, Singleton
from problems.composite.indicator import Indicator
from problems.composite.membership import distance_up
from problems.composite.views import SingleParts, SumParts, certificates

AXES = Quadratic((1.0, 4.0), center=(1.0, 2.0), seed=None)
KINKS = (
    AbsAffine((1.0, -1.0), b=1.5),
    AbsAffine((2.0, 0.0), b=1.0),
    AbsAffine((1.0, 1.0), b=-0.5),
    AbsAffine((-1.0, 1.0), b=-1.5),
)
POINT = Composite(AXES, None, (Indicator(Singleton((0.0, 0.0))),), (0.0, 0.0), ((1.0, 8.0),), (3.0, -2.0))
LASSO = Composite(
    Quadratic((1.0, 4.0), center=(2.0, 0.125), seed=None),
    None,
    (WeightedL1((1.0, 1.0)),),
    (1.0, 0.0),
    ((1.0, 0.5),),
)
CONSENSUS = Composite(
    Quadratic((1.0, 2.0, 1.0), center=(1.0, 2.0, -1.0), seed=None),
    None,
    (Indicator(Consensus(3)),),
    (1.0, 1.0, 1.0),
    ((0.0, 2.0, -2.0),),
    (3.0, -2.0, 0.0),
)
ABSOLUTES = Composite.around(
    (0.5, -1.0), ((0.5, -0.5), (1.0, 0.0), (0.25, 0.25), (-0.5, 0.5)), terms=KINKS, mu_g=0.5
)
SMOOTH = Composite.around(
    (0.5, -0.25),
    smooth=Quadratic((1.0, 2.0), center=(1.0, 0.0), seed=None),
    terms=(Huber(2.0, 1.0, 2), Quadratic((1.0, 3.0), center=(0.0, 1.0), seed=None), Huber(1.0, 4.0, 2)),
    mu_g=0.5,
)
STEEP = Composite(
    None,
    Quadratic((0.01,), center=(0.0,), seed=None),
    tuple(Quadratic((50.0,), center=(0.0,), seed=None) for _ in range(4)),
    (0.0,),
    start=(1.0,),
)
BALL = Composite(AXES, Indicator(EuclideanBall(1.0, (0.0, 0.0))))
LOGISTIC = Composite.around((0.3, 0.7), smooth=LogLoss((1.0, -2.0)), terms=(Huber(2.0, 0.1, 2),))
EXACT = (POINT, LASSO, CONSENSUS, ABSOLUTES, SMOOTH, STEEP)
ALL = (*EXACT, LOGISTIC, BALL)
every = pytest.mark.parametrize("problem", ALL, ids=range(len(ALL)))
NAMES = {
    cls.__name__: cls
    for cls in (
        AbsAffine, Box, Composite, Consensus, EuclideanBall, Huber, Indicator, LogLoss, Quadratic, Singleton,
        WeightedL1,
    )
}  # fmt: skip


def vector(*entries: float) -> Tensor:
    return torch.tensor(entries, dtype=torch.float64)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@every
def test_they_print_as_the_call_that_makes_them(problem: Composite):
    assert parse_specification(repr(problem), NAMES) == problem


@pytest.mark.parametrize("problem", EXACT, ids=range(len(EXACT)))
def test_data_exact_in_floats_leave_no_error(problem: Composite):
    assert problem.optimality.residual == 0
    assert problem.x_star_error == problem.parts.dual_star_error == 0
    assert problem.unique_star
    assert problem.parts.n == problem.n_clients == len(problem.terms)


@pytest.mark.parametrize("problem", [p for p in ALL if p.minimiser], ids=range(len(EXACT) + 1))
def test_duals_are_subgradients_that_balance(problem: Composite):
    """prox_{s h_j}(x* + s u_j) = x* for every s, prox_{s g}(x* - s (grad f + sum u)) = x*."""
    parts, x = problem.parts, problem.x_star
    u = parts.dual_star
    assert u.shape == (parts.n, problem.d)
    slope = parts.smooth_grad(x) + u.sum(dim=0)
    for step in (1e-3, 0.5, 1e3):
        room = 1e-14 * (1 + step * (u.abs().max() + slope.abs().max()))
        fixed = parts.term_prox(x + step * u, step)
        assert ((fixed - x).abs() <= room).all()
        moved = parts.prox(x - step * slope, step)
        assert ((moved - x).abs() <= room).all()


@pytest.mark.parametrize("problem", [p for p in ALL if p.minimiser], ids=range(len(EXACT) + 1))
def test_no_point_is_better(problem: Composite):
    x_star = problem.x_star
    for size in (1e-6, 1e-3, 1.0, 30.0):
        x = problem.into_domain(x_star + size * noise(300, problem.d))
        mu = sum(c.assumption.mu for c in problem.certified if hasattr(c.assumption, "mu"))
        grown = mu / 2 * (x - x_star).square().sum(-1)
        assert (problem.value(x) >= problem.f_star - problem.f_star_error + grown * (1 - 1e-9) - 1e-14).all()
    # f_star is an upper bound, f_star_error honest and small
    assert float(problem.value(x_star)) <= problem.f_star + 1e-300
    assert problem.f_star_error <= 1e-11 * (1 + abs(problem.f_star))


def test_the_error_of_an_inexact_minimiser_is_a_bound():
    """LogLoss + Huber outside: the true minimiser by Newton in high precision lies within x_star_error."""
    assert 0 < LOGISTIC.x_star_error < 1e-12
    assert 0 < LOGISTIC.parts.dual_star_error < 1e-11
    g = LOGISTIC.grad(LOGISTIC.x_star)
    assert float(g.norm()) <= LOGISTIC.optimality.residual
    moved = Composite(
        Quadratic((1.0, 4.0), center=(1.0, 2.0), seed=None),
        Quadratic((1.0, 1.0), center=(-1.0 + 1e-12, -8.0), seed=None),
        minimiser=(0.0, 0.0),
    )
    assert moved.x_star_error == pytest.approx(0.5e-12, rel=1e-3)
    exact = Fraction(-1.0 + 1e-12) + 1
    assert Fraction(moved.x_star_error) >= exact / 2
    assert moved.f_star_error > 0


def test_kinks_with_an_inexact_minimiser_bound_no_dual():
    third = 1 / 7
    problem = Composite(
        Quadratic((1.0, 2.0, 4.0), center=(1.0, 2.0, -1.0), seed=None),
        None,
        (Indicator(Consensus(3)),),
        (third,) * 3,
        ((1 - third, 2 * (2 - third), 4 * (-1 - third)),),
    )
    assert 0 < problem.x_star_error < 1e-15
    assert problem.parts.dual_star_error == math.inf


@every
@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_parts_follow_the_batch(problem: Composite, shape: tuple[int, ...]):
    parts, x = problem.parts, noise(*shape, problem.d)
    y = noise(*shape, parts.n, problem.d, seed=1)
    step = 0.1 + torch.rand(*shape, parts.n, 1, dtype=torch.float64)
    together = parts.term_prox(y, step)
    assert together.shape == y.shape
    for j, term in enumerate(problem.terms):
        assert torch.equal(together[..., j, :], term.prox(y[..., j, :], step[..., j, :]))
        assert torch.equal(parts.term_values(y)[..., j], term.value(y[..., j, :]))
    assert torch.equal(
        parts.term_prox(y, 0.3), parts.term_prox(y, vector(0.3).reshape((1,) * len(shape) + (1, 1)))
    )
    assert parts.term_values(y).shape == parts.term_prox_error(y, 0.3, y).shape == (*shape, parts.n)
    assert parts.smooth_grad(x).shape == parts.prox(x, 0.3).shape == x.shape
    assert parts.smooth_value(x).shape == shape
    values = parts.smooth_value(x) + parts.term_values(x.unsqueeze(-2).expand(y.shape)).sum(-1)
    if problem.prox_part is not None:
        values = values + problem.prox_part.value(x)
    assert torch.allclose(problem.value(x), values, rtol=1e-14)


@every
def test_nan_stays_in_its_row(problem: Composite):
    parts = problem.parts
    if not parts.n:
        return
    y = noise(3, parts.n, problem.d)
    bad = y.clone()
    bad[1] = math.nan
    moved = parts.term_prox(bad, 0.5)
    assert moved[1].isnan().all()
    assert torch.equal(moved[[0, 2]], parts.term_prox(y, 0.5)[[0, 2]])
    assert parts.term_values(bad)[1].isnan().all()
    assert problem.value(bad[:, 0])[1].isnan()


@every
def test_certificates_of_the_parts_are_not_refuted(problem: Composite):
    for certificate in problem.certified:
        found = certificate.assumption.refute(problem, 600, region=certificate.region)
        assert found.verdict == "not refuted", found
        assert certificate.proof


def constants(problem: Problem) -> dict[str, object]:
    found = {}
    for certificate in certificates(problem):
        found |= {n: getattr(certificate.assumption, n) for n in type(certificate.assumption).constants()}
    return found


def test_constants_are_those_of_the_members():
    assert constants(SMOOTH) == {
        "mu": 2.5, "L_f": 2.0, "mu_f": 1.0, "mu_g": 0.5, "L_j": (2.0, 3.0, 1.0),
    }  # fmt: skip
    assert constants(ABSOLUTES) == {"mu": 0.5, "L_f": 0.0, "mu_f": 0.0, "mu_g": 0.5}
    assert constants(STEEP)["L_j"] == (50.0,) * 4
    assert constants(BALL)["diameter"] == 2.0
    assert constants(Composite(Linear((1.0, 2.0)), None, (Huber(d=2), KINKS[0])))["L_j"] == (1.0, math.inf)
    box = Constrained(AXES, Box((-1.0, -1.0), (2.0, 3.0)))
    assert (constants(box)["L_f"], constants(box)["mu_f"]) == (4.0, 1.0)
    assert constants(box)["diameter"] == 5.0
    assert constants(Constrained(Linear((1.0,)), Box((0.0,), (1.0,))))["L_f"] == 0.0


def test_a_mean_of_terms_is_a_sum_of_parts():
    problem = QuadraticSum.isotropic(2.0, ((1.0, 0.0), (0.0, 3.0), (-1.0, -1.0)))
    parts = problem.parts
    assert isinstance(parts, SumParts)
    assert parts.n == 3
    y, step = noise(4, 3, 2), 0.5 + torch.rand(4, 3, 1, dtype=torch.float64)
    moved = parts.term_prox(y, step)
    # the proximal point of f_j / 3 with stepsize s: its gradient there is (y - prox) / s
    grads = torch.stack([problem.part_grad(moved[:, j], torch.full((4,), j)) for j in range(3)], 1) / 3
    assert torch.allclose(grads, (y - moved) / step, atol=1e-13)
    assert torch.allclose(parts.term_values(y).sum(-1)[0], sum(
        problem.part_value(y[0, j], torch.tensor(j)) / 3 for j in range(3)
    ))  # fmt: skip
    assert float(parts.dual_star.sum(0).norm()) <= 1e-14
    assert 0 <= parts.dual_star_error < 1e-12
    known = constants(problem)
    assert (known["L_f"], known["mu_f"], known["mu_g"]) == (0.0, 0.0, 0.0)
    assert known["L_j"] == pytest.approx((2 / 3,) * 3, rel=1e-12)
    assert all(Fraction(L) * 3 >= 2 for L in known["L_j"])


def test_a_problem_with_a_proximal_step_is_one_part():
    parts = Huber(2.0, 1.0, 3).parts
    assert isinstance(parts, SingleParts)
    assert torch.equal(parts.dual_star, torch.zeros(1, 3, dtype=torch.float64))
    y = noise(5, 1, 3)
    step = vector(0.1, 0.2, 0.3, 0.4, 0.5).reshape(5, 1, 1)
    assert torch.equal(parts.term_prox(y, step)[:, 0], Huber(2.0, 1.0, 3).prox(y[:, 0], step[:, 0]))
    assert constants(Huber(2.0, 1.0, 3))["L_j"] == (2.0,)
    assert not parts.has_smooth
    assert Cosine().parts is None
    assert not Cosine().offers("parts")
    assert not Cosine().offers("dual_star")
    assert POINT.offers("dual_star")


def test_boxes_are_parts_of_their_own():
    box = Constrained(AXES, Box((-1.0, -1.0), (2.0, 1.0)))
    parts = box.parts
    assert (parts.n, parts.has_smooth, parts.has_prox, parts.has_lmo) == (0, True, True, True)
    x = 3 * noise(6, 2)
    assert torch.equal(parts.smooth_grad(x), AXES.grad(x))
    assert torch.equal(parts.prox(x, 0.3), box.within.project(x))
    assert torch.equal(box.lmo(x), parts.lmo(x))
    assert isinstance(Constrained(WeightedL1((1.0,)), Box((0.0,), (1.0,))).parts, SingleParts)
    assert not Constrained(AXES, Box((-1.0, -1.0), (2.0, math.inf))).offers("lmo")
    with pytest.raises(TypeError, match="unbounded"):
        Constrained(AXES, Box((-1.0, -1.0), (2.0, math.inf))).lmo(x)


BOUNDED = (
    Box((-1.0, 0.5), (2.0, 1.0)),
    EuclideanBall(1.5, (1.0, -2.0)),
    L1Ball(0.5, (1.0, 0.0)),
    Singleton((1.0, 2.0)),
)


@pytest.mark.parametrize("within", BOUNDED, ids=repr)
def test_linear_minimisation(within):
    g = torch.cat([noise(40, 2), torch.eye(2, dtype=torch.float64), -torch.eye(2, dtype=torch.float64)])
    best = within.lmo(g)
    assert within.contains(best).all()
    others = within.project(5 * noise(500, 2, seed=3))
    assert ((g * best).sum(-1, keepdim=True) <= g @ others.mT + 1e-13).all()
    apart = torch.cdist(others, others).max()
    assert float(apart) <= within.diameter * (1 + 1e-14) + 1e-15
    assert float(apart) >= 0.95 * within.diameter
    assert within.contains(within.lmo(vector(0.0, 0.0)))
    assert within.lmo(vector(math.nan, 1.0)).isnan().any()


def test_sets_without_an_end():
    assert HalfSpace((1.0, 0.0)).diameter == Consensus(2, 1).diameter == math.inf
    with pytest.raises(TypeError, match="unbounded"):
        HalfSpace((1.0, 0.0)).lmo(vector(1.0, 0.0))
    with pytest.raises(TypeError, match="no bounded set"):
        POINT.lmo(vector(1.0, 0.0))
    assert not POINT.offers("lmo")
    assert torch.equal(BALL.lmo(vector(3.0, 4.0)), vector(-0.6, -0.8))


def test_flat_sets():
    same = Consensus(3, 2)
    x = noise(5, 6)
    p = same.project(x)
    assert same.contains(p).all()
    assert torch.equal(same.project(p), p)
    assert not same.contains(x).any()
    assert not bool(same.contains(same.exterior))
    assert torch.allclose((x - p).reshape(5, 3, 2).sum(1), torch.zeros(5, 2, dtype=torch.float64), atol=1e-14)
    point = Singleton((0.1, 0.2))
    assert torch.equal(point.project(x[:, :2]), vector(0.1, 0.2).expand(5, 2))
    assert bool(point.contains(vector(0.1, 0.2)))
    assert not bool(point.contains(vector(0.1, 0.2 + 1e-16 + 2e-17 * 2)))


def test_indicators():
    h = Indicator(Box((0.0, 0.0), (1.0, 1.0)))
    x = torch.stack([vector(0.5, 1.0), vector(2.0, 0.5), vector(math.nan, 0.5)])
    assert h.value(x)[:2].tolist() == [0.0, math.inf]
    assert h.value(x)[2].isnan()
    assert h.grad(x)[0].tolist() == [0.0, 0.0]
    assert h.grad(x)[1].isnan().all()
    for step in (1e-9, 1.0, torch.tensor([[2.0]])):
        assert h.prox(x, step)[1].tolist() == [1.0, 0.5]
    with pytest.raises(TypeError, match="within must be a ConvexSet"):
        Indicator(3)  # pyright: ignore[reportArgumentType]


def fractions(*entries: float) -> tuple[Fraction, ...]:
    return tuple(Fraction(e) for e in entries)


@pytest.mark.parametrize(
    ("problem", "x", "u", "distance"),
    [
        (AbsAffine((1.0, 2.0)), (2.0, -1.0), (0.5, 1.0), 0.0),
        (AbsAffine((1.0, 2.0)), (2.0, -1.0), (2.0, 4.0), math.sqrt(5)),
        (AbsAffine((1.0, 2.0)), (2.0, 0.0), (1.0, 2.0), 0.0),
        (Hinge((1.0, 2.0)), (1.0, 0.0), (-0.5, -1.0), 0.0),
        (Hinge((1.0, 2.0)), (1.0, 0.0), (0.5, 1.0), math.sqrt(1.25)),
        (Hinge((1.0, 2.0), label=-1), (1.0, 0.0), (1.0, 2.0), 0.0),
        (Hinge((1.0, 2.0)), (3.0, 0.0), (0.0, 0.0), 0.0),
        (WeightedL1((1.0, 2.0)), (0.0, 1.0), (0.5, 2.0), 0.0),
        (WeightedL1((1.0, 2.0)), (0.0, 1.0), (1.5, 1.5), math.sqrt(0.5)),
        (Indicator(Singleton((1.0, 2.0))), (1.0, 2.0), (7.0, -3.0), 0.0),
        (Indicator(Singleton((1.0, 2.0))), (1.0, 2.5), (0.0, 0.0), math.inf),
        (Indicator(Box((0.0, 0.0), (1.0, 1.0))), (1.0, 0.5), (3.0, 0.5), 0.5),
        (Indicator(Box((0.0, 0.0), (1.0, 1.0))), (1.0, 0.0), (-1.0, -5.0), 1.0),
        (Indicator(HalfSpace((1.0, 0.0), 1.0)), (1.0, 4.0), (2.0, 0.0), 0.0),
        (Indicator(HalfSpace((1.0, 0.0), 1.0)), (0.5, 4.0), (2.0, 0.0), 2.0),
        (Indicator(EuclideanBall(5.0, (0.0, 0.0))), (3.0, 4.0), (6.0, 8.0), 0.0),
        (Indicator(EuclideanBall(5.0, (0.0, 0.0))), (3.0, 4.0), (-3.0, -4.0), 5.0),
        (Indicator(L1Ball(2.0, (0.0, 0.0, 0.0))), (1.0, -1.0, 0.0), (3.0, -3.0, 2.0), 0.0),
        (Indicator(L1Ball(2.0, (0.0, 0.0, 0.0))), (1.0, -1.0, 0.0), (3.0, -3.0, 4.0), 1.0),
        (Indicator(Consensus(2, 2)), (1.0, 2.0, 1.0, 2.0), (1.0, 2.0, -1.0, -2.0), 0.0),
        (Indicator(Consensus(2, 2)), (1.0, 2.0, 1.0, 2.0), (1.0, 2.0, -1.0, -1.0), math.sqrt(0.5)),
        (QuarticRidge((1.0, 1.0)), (1.0, 1.0), (8.0, 8.5), 0.5),
        (GeneralQuadratic(((2.0, 1.0), (1.0, 2.0))), (1.0, 0.0), (2.0, 1.0), 0.0),
    ],
    ids=range(23),
)  # fmt: skip
def test_distances_to_subdifferentials(problem: Problem, x: tuple, u: tuple, distance: float):
    found = distance_up(problem, vector(*x), fractions(*u))
    assert found == pytest.approx(distance, rel=1e-14)
    assert found >= distance
    # as far as the proximal step says: it moves x + u no further than that
    if distance < math.inf:
        moved = problem.prox(vector(*x) + vector(*u), 1.0)  # pyright: ignore[reportAttributeAccessIssue]
        assert float((moved - vector(*x)).norm()) <= distance + 1e-12


def test_composites_agree_with_a_solver():
    found = minimize(
        lambda z: float(SMOOTH.value(torch.from_numpy(z))),
        SMOOTH.x0.numpy(),
        jac=lambda z: SMOOTH.grad(torch.from_numpy(z)).numpy(),
        tol=1e-12,
    )
    assert torch.allclose(torch.from_numpy(found.x), SMOOTH.x_star, atol=1e-6)
    assert found.fun == pytest.approx(SMOOTH.f_star, abs=1e-9)


def test_the_exact_step_of_a_steep_instance():
    """prox of 25 x^2 with stepsize s is x / (1 + 50 s)."""
    y = noise(3, 4, 1)
    assert torch.allclose(STEEP.parts.term_prox(y, 0.25), y / 13.5, rtol=1e-15)
    assert float(STEEP.parts.prox(vector(1.0), 1.0)) == pytest.approx(1 / 1.01, rel=1e-15)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Composite(), ValueError, "must hold a Problem, got none"),
        (lambda: Composite(3), TypeError, "smooth must be a Problem, got 3"),
        (lambda: Composite(None, None, (3,)), TypeError, r"terms\[0\] must be a Problem"),
        (lambda: Composite(AXES, None, [AXES]), TypeError, "terms must be a tuple"),
        (lambda: Composite(AXES, None, (Huber(d=3),)), ValueError, r"one dimension, got \[2, 3\]"),
        (lambda: Composite(WeightedL1((1.0, 1.0))), ValueError, "smooth must be Linear or certified Smooth"),
        (lambda: Composite(Cosine(2)), ValueError, "smooth must be certified Convex"),
        (lambda: Composite(Noisy(AXES, GaussianNoise(1.0))), ValueError, "smooth must have no noise"),
        (lambda: Composite(AXES, minimiser=(1.0,)), ValueError, "minimiser must have 2 entries"),
        (lambda: Composite(AXES, minimiser=(0.0, 0.0)), ValueError, "minimiser must be where"),
        (lambda: Composite(AXES, duals=((0.0, 0.0),)), ValueError, "duals need a minimiser"),
        (lambda: Composite(AXES, None, KINKS[:1], (1.0, 2.0)), ValueError, "duals must hold 1 vectors where"),
        (
            lambda: Composite(AXES, None, (KINKS[0],), (1.0, 2.0), ((0.0,),)),
            ValueError,
            r"duals\[0\] must have 2 entries",
        ),
        (
            lambda: Composite(AXES, None, (Indicator(Singleton((0.0, 0.0))),), (0.0, 0.0), ((1.0, 7.0),)),
            ValueError,
            "minimiser must be where",
        ),
        (
            lambda: Composite(AXES, None, (WeightedL1((0.5, 0.5)),), (0.0, 0.0), ((1.0, 8.0),)),
            ValueError,
            r"duals\[0\] must be a subgradient of terms\[0\]",
        ),
        (
            lambda: Composite(LogLoss((1.0,)), None, (Linear((0.5,)),), (0.1,)),
            ValueError,
            "minimiser must be where",
        ),
        (
            lambda: Composite(LogLoss((1.0,)), None, (Linear((0.5,)),), (0.0,)),
            ValueError,
            "minimiser must be exact where F is not strongly convex",
        ),
        (lambda: Composite.around((0.0, 0.0), smooth=AXES, mu_g=0.0), ValueError, "mu_g must be finite"),
        (lambda: Composite(AXES, start=(1.0,)), ValueError, "start must be"),
        (lambda: Consensus(1), ValueError, "copies must be >= 2"),
        (lambda: Singleton(()), ValueError, "point must have"),
        (lambda: POINT.parts.term_prox(noise(3, 2), 0.1), ValueError, r"shape \(\*batch, 1, 2\)"),
        (lambda: STEEP.parts.term_prox(noise(3, 4, 1), noise(3)), ValueError, "stepsize must be a float or"),
        (lambda: STEEP.parts.term_prox(noise(3, 4, 1), -1.0), ValueError, "stepsize must be finite and > 0"),
    ],
    ids=range(24),
)  # fmt: skip
def test_wrong_input(make, error, message):
    with pytest.raises(error, match=message):
        make()


SPLIT = Distributed(LogisticRegression("breast_cancer", reg=0.1), 4)


@pytest.mark.parametrize("problem", [SPLIT, Distributed(LeastSquares("breast_cancer"), 3)], ids=repr)
def test_clients_that_agree_solve_the_problem(problem: Distributed):
    base, m = problem.problem, problem.clients
    z = noise(3, base.d)
    assert torch.allclose(problem.value(z.repeat(1, m)), base.value(z), rtol=1e-13)
    summed = problem.smooth_grad(z.repeat(1, m)).reshape(3, m, -1).sum(1)
    assert torch.allclose(summed, base.grad(z), atol=1e-13)
    apart = noise(3, problem.d)
    assert (problem.value(apart) == math.inf).all()
    losses = [base.part_values(x) for x in apart.split(base.d, dim=-1)]
    own = [
        some[:, block] for some, block in zip(losses, torch.arange(base.n_terms).tensor_split(m), strict=True)
    ]
    assert torch.allclose(problem.smooth_value(apart), torch.cat(own, dim=-1).mean(dim=-1), rtol=1e-13)
    assert float(problem.value(problem.x_star)) == pytest.approx(problem.f_star, rel=1e-14)
    u = problem.parts.dual_star
    assert u.shape == (1, problem.d)
    assert float(u.norm()) > 1e-2
    assert float(u.reshape(m, -1).sum(0).norm()) <= 1e-15
    assert float((u[0] + problem.smooth_grad(problem.x_star)).norm()) <= problem.parts.dual_star_error < 1e-9
    for certificate in problem.parts.certified:
        found = certificate.assumption.check(problem, *certificate.assumption.sample(problem, 60))
        assert found.verdict == "not refuted", found


def test_constants_of_clients_bound_their_hessians():
    mu_f, L_f = SPLIT.constants
    top = max(
        float(torch.linalg.eigvalsh(rows.mT @ rows / (4 * 569))[-1]) + 0.1 * len(rows) / 569
        for rows in SPLIT.problem._z.tensor_split(4)
    )
    assert top <= L_f <= top * (1 + 1e-9)
    assert mu_f == pytest.approx(0.1 * 142 / 569, rel=1e-15)
    assert Fraction(mu_f) <= Fraction(0.1) * 142 / 569


def test_proximal_steps_of_the_clients_solve_the_problem():
    """Gradient steps, and an average with probability 0.3: the linear rate over 200 steps."""
    mu_f, L_f = SPLIT.constants
    step, p, parts, x_star = 1 / L_f, 0.3, SPLIT.parts, SPLIT.x_star
    x, u = SPLIT.x0, torch.zeros(1, SPLIT.d, dtype=torch.float64)
    coins = torch.rand(200, generator=torch.Generator().manual_seed(0)) < p

    def energy() -> float:
        return float((x - x_star).square().sum() + (step / p) ** 2 * (u - parts.dual_star).square().sum())

    before = energy()
    for coin in coins.tolist():
        z = x - step * (parts.smooth_grad(x) + u[0])
        y = parts.term_prox((z + step / p * u[0]).unsqueeze(0), step / p)
        x, u = (y[0], u + p / step * (z - y)) if coin else (z, u)
    rate = max((1 - step * mu_f) ** 2, 1 - p**2)
    assert energy() <= 10 * rate**200 * before


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Distributed(AXES, 2), TypeError, "problem must be a LogisticRegression or LeastSquares"),
        (lambda: Distributed(SPLIT.problem, 1), ValueError, r"clients must be in 2..n, .*, got 1"),
        (lambda: Distributed(SPLIT.problem, 570).constants, ValueError, "clients must be in"),
        (lambda: Distributed(SPLIT.problem, 2.0), ValueError, "clients must be an integer"),
        (lambda: Distributed(SPLIT.problem, 2, (1.0,)), ValueError, "start must be"),
    ],
    ids=range(5),
)
def test_wrong_splits(make, error, message):
    with pytest.raises(error, match=message):
        make()
