"""Assumptions about f + g + sum_j h_j: tight constants hold, 0.97 of them do not."""

import math

import pytest
import torch

from assumptions import Assumption, Inequality
from assumptions.composite.bounded_domain import BoundedDomain
from assumptions.composite.convex_terms import ConvexTerms
from assumptions.composite.smooth_part import SmoothPart
from assumptions.composite.smooth_terms import SmoothTerms
from assumptions.composite.strongly_convex_prox_part import StronglyConvexProxPart
from assumptions.composite.strongly_convex_smooth_part import StronglyConvexSmoothPart
from problems import AbsAffine, Box, Cosine, EuclideanBall, Huber, Linear, LogLoss, Problem, Quadratic
from problems.composite.composite import Composite
from problems.composite.flat_sets import Singleton
from problems.composite.indicator import Indicator
from problems.composite.parts import Parts
from problems.composite.views import SingleParts

SCALES = (1e-6, 1.0, 1e6)


def axes(*eigenvalues: float, at: float = 0.3) -> Quadratic:
    return Quadratic(eigenvalues, center=(at,) * len(eigenvalues), seed=None)


class Concave(SingleParts):
    """h(x) = -0.3 |x|^2 / 2: its proximal step exists, it is not convex."""

    def term_prox(self, y, stepsize):
        return y / (1 - 0.3 * stepsize)


class WithParts:
    """A problem with parts that none of the families would make."""

    def __init__(self, problem: Problem, parts: Parts):
        self.problem, self.parts, self.d, self.x0 = problem, parts, problem.d, problem.x0

    def offers(self, name: str) -> bool:
        return name == "parts"


NOT_CONVEX = WithParts(axes(1.0, 2.0), Concave(axes(1.0, 2.0)))
HOLD = [
    *[(SmoothPart(4.0 * s), Composite(axes(s, 4.0 * s))) for s in SCALES],
    *[(StronglyConvexSmoothPart(s), Composite(axes(s, 4.0 * s))) for s in SCALES],
    *[(StronglyConvexProxPart(s), Composite(axes(1.0, 1.0), axes(s, 4.0 * s))) for s in SCALES],
    *[
        (SmoothTerms((4.0 * s, 2.0 * s)), Composite(terms=(axes(s, 4.0 * s), axes(2.0 * s, s))))
        for s in SCALES
    ],
    *[(ConvexTerms(), Composite(terms=(axes(s, 4.0 * s), Huber(s, d=2)))) for s in SCALES],
    *[
        (BoundedDomain(2.0 * s), Composite(axes(1.0, 1.0), Indicator(EuclideanBall(s, (s, 0.0)))))
        for s in SCALES
    ],
    (SmoothPart(0.0), Composite(Linear((1.0, 2.0)))),
    (SmoothPart(0.0), Huber()),
    (SmoothPart(1.25), Composite(LogLoss((1.0, 2.0)))),
    (StronglyConvexSmoothPart(0.0), Composite(LogLoss((1.0, 2.0)))),
    (StronglyConvexSmoothPart(0.0), Composite(Linear((1.0, 2.0)))),
    (StronglyConvexProxPart(0.0), Composite(axes(1.0), Indicator(Box((-1.0,), (1.0,))))),
    (SmoothTerms((math.inf, 2.0)), Composite(terms=(AbsAffine((1.0,)), Huber(2.0)))),
    (ConvexTerms(), Composite(terms=(AbsAffine((1.0, 3.0)), Indicator(Singleton((1.0, 2.0)))))),
    (BoundedDomain(0.0), Composite(axes(1.0), Indicator(Singleton((2.0,))))),
]
FAIL = [
    *[(SmoothPart(0.97 * 4.0 * s), Composite(axes(s, 4.0 * s))) for s in SCALES],
    *[(StronglyConvexSmoothPart(s / 0.97), Composite(axes(s, 4.0 * s))) for s in SCALES],
    *[(StronglyConvexProxPart(s / 0.97), Composite(axes(1.0, 1.0), axes(s, 4.0 * s))) for s in SCALES],
    *[
        (SmoothTerms((4.0 * s, 1.94 * s)), Composite(terms=(axes(s, 4.0 * s), axes(2.0 * s, s))))
        for s in SCALES
    ],
    *[
        (BoundedDomain(1.94 * s), Composite(axes(1.0, 1.0), Indicator(EuclideanBall(s, (s, 0.0)))))
        for s in (1e-3, 1.0, 10.0)
    ],
    (SmoothPart(0.0), Composite(axes(1e-6))),
    (StronglyConvexSmoothPart(1e-3), Composite(Linear((1.0, 2.0)))),
    (StronglyConvexProxPart(1e-3), Composite(axes(1.0), Indicator(Box((-1.0,), (1.0,))))),
    (SmoothTerms((100.0, 2.0)), Composite(terms=(AbsAffine((1.0,)), Huber(2.0)))),
    (ConvexTerms(), NOT_CONVEX),
    (BoundedDomain(10.0), Composite(axes(1.0), axes(2.0))),
]


@pytest.mark.parametrize(("assumption", "problem"), HOLD, ids=range(len(HOLD)))
def test_what_holds_is_not_refuted(assumption: Inequality, problem: Problem):
    tried = assumption.sample(problem, 1000, seed=1)
    assert tried[0].shape[0] == 1000
    assert assumption.check(problem, *tried).verdict == "not refuted"
    found = assumption.refute(problem, 2000)
    assert found.verdict == "not refuted", found
    for distance in (1e-16, 1e-12, 1e-8, 1e-4, 1.0):
        x = tried[0][:100]
        y = x + distance * torch.randn(x.shape, dtype=x.dtype, generator=torch.Generator().manual_seed(2))
        assert assumption.check(problem, x, y).verdict == "not refuted"


@pytest.mark.parametrize(("assumption", "problem"), FAIL, ids=range(len(FAIL)))
def test_what_fails_is_refuted(assumption: Inequality, problem: Problem):
    found = assumption.refute(problem, 6000)
    assert found.verdict == "refuted", found
    assert assumption.check(problem, *found.witness).verdict == "refuted"


def test_a_concave_smooth_part_is_seen():
    class Down(SingleParts):
        def smooth_value(self, x):
            return -0.5 * x.square().sum(-1)

        def smooth_grad(self, x):
            return -x

        def prox(self, x, stepsize):
            return x / (1 - 0.5 * stepsize)

    problem = WithParts(axes(1.0), Down(axes(1.0)))
    for assumption in (StronglyConvexSmoothPart(0.0), StronglyConvexProxPart(0.0)):
        assert assumption.refute(problem, 1000).verdict == "refuted"
    assert SmoothPart(1.0).refute(problem, 1000).verdict == "not refuted"


def test_estimates():
    problem = Composite(
        axes(1.0, 4.0), axes(0.5, 2.0), (axes(3.0, 1.0), Huber(2.0, d=2), AbsAffine((1.0, 0.0)))
    )

    def seen(cls: type[Assumption]):
        return cls.estimate(problem, *cls.sample(problem, 4000))

    assert seen(SmoothPart)["L_f_seen"] == pytest.approx(4.0, rel=1e-6)
    assert seen(StronglyConvexSmoothPart)["mu_f_seen"] == pytest.approx(1.0, rel=1e-6)
    assert seen(StronglyConvexProxPart)["mu_g_seen"] == pytest.approx(0.5, rel=1e-6)
    assert seen(SmoothTerms)["L_j_seen"] == (
        pytest.approx(3.0, rel=1e-6),
        pytest.approx(2.0, rel=1e-6),
        math.inf,
    )
    ball = Composite(axes(1.0, 1.0), Indicator(EuclideanBall(1.0, (0.0, 0.0))))
    found = BoundedDomain.estimate(ball, *BoundedDomain.sample(ball, 4000))
    assert 1.9 < found["diameter_seen"] <= 2.0 + 1e-12


def test_larger_constants_say_less():
    assert SmoothTerms((1.0, math.inf)).implied_by(SmoothTerms((1.0, math.inf)))
    assert SmoothTerms((1.0, math.inf)).implied_by(SmoothTerms((0.5, 3.0)))
    assert not SmoothTerms((1.0, 2.0)).implied_by(SmoothTerms((1.0, math.inf)))
    assert not SmoothTerms((1.0,)).implied_by(SmoothTerms((1.0, 1.0)))
    assert SmoothPart(2.0).implied_by(SmoothPart(1.0))
    assert StronglyConvexSmoothPart(0.0).implied_by(StronglyConvexSmoothPart(1.0))
    assert not StronglyConvexProxPart(2.0).implied_by(StronglyConvexProxPart(1.0))


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf, "1", None])
def test_bad_constants_are_named(value):
    for cls in (SmoothPart, StronglyConvexSmoothPart, StronglyConvexProxPart, BoundedDomain):
        name = cls.constants()[0]
        with pytest.raises((ValueError, TypeError), match=f"^{name} must "):
            cls(value)


@pytest.mark.parametrize("value", [(), (0.0,), (-1.0,), (math.nan,), 1.0, "1", None])
def test_bad_tuples_are_named(value):
    with pytest.raises(ValueError, match=r"^L_j must "):
        SmoothTerms(value)


def test_they_need_parts_and_the_right_number_of_terms():
    x = torch.zeros(1, dtype=torch.float64)
    with pytest.raises(TypeError, match=r"SmoothPart needs parts.* a Composite"):
        SmoothPart(1.0).check(Cosine(), x, x)
    with pytest.raises(ValueError, match="one entry for each of the 1 terms"):
        SmoothTerms((1.0, 2.0)).check(Huber(), x, x + 1)
    with pytest.raises(TypeError, match="no options"):
        SmoothTerms.estimate(Huber(), x, x + 1, norm=2)
