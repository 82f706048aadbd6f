"""A wrong constant is reported where a run goes, whichever assumption it belongs to; a right one is not."""

import math
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch

from assumptions import (
    EUCLIDEAN,
    PL,
    BoundedVariance,
    Certificate,
    ComponentSmooth,
    Convex,
    CoupledSmooth,
    HessianL0L1,
    Inequality,
    LayerSmooth,
    LocalLayerL0L1,
    Sides,
    Smooth,
    StarVariance,
    StronglyConvex,
)
from problems import (
    CoupledQuadratic,
    LayerSum,
    LinkSum,
    LogLoss,
    Noisy,
    Power,
    Quadratic,
    QuadraticSum,
    QuarticRidge,
    SignNoise,
)
from problems.base import Problem
from workbench.match import Case
from workbench.theorems import THEOREMS
from workbench.verify.certificates import bad_certificate

BALL = Quadratic((1.0, 2.0))
SUM = LinkSum("robust", ((1.0, 0.5), (0.3, 1.0), (-1.0, 1.0)), targets=(0.5, -0.3, 2.0))
EYE = ((1.0, 0.0), (0.0, 1.0))
SPREAD = QuadraticSum((EYE, EYE, EYE), linear=((1.0, 0.0), (0.0, 2.0), (-1.0, -2.0)))
LAYERS = LayerSum((Power(4.0), Quadratic((1.0, 2.0))))


def certified(problem: Problem, kind: type) -> Any:
    return next(c.assumption for c in problem.certified if type(c.assumption) is kind)


def scaled(constant: Any, factor: float) -> Any:
    if isinstance(constant, tuple):
        return tuple(scaled(c, factor) for c in constant)
    return constant * factor


PLANTED = {
    "Smooth": (BALL, Smooth(2.0), 0.9),
    "StronglyConvex": (BALL, StronglyConvex(1.0), 1.1),
    "PL": (BALL, PL(1.0), 1.1),
    "HessianL0L1": (LogLoss((1.0, -2.0)), HessianL0L1(0.0, math.sqrt(5)), 0.3),
    "ComponentSmooth": (SUM, ComponentSmooth(4.0), 0.4),
    "StarVariance": (SPREAD, certified(SPREAD, StarVariance), 0.9),
    "LayerSmooth": (LayerSum((BALL, BALL)), LayerSmooth((2.0, 2.0)), 0.9),
    "LocalLayerL0L1": (LAYERS, certified(LAYERS, LocalLayerL0L1), 0.4),
    "CoupledSmooth": (
        CoupledQuadratic(((1.0, 1.0), (1.0, 1.0)), (1, 1), start=(1.0, 1.0)),
        CoupledSmooth(((1.0, 1.0), (1.0, 1.0))),
        0.9,
    ),
    "BoundedVariance": (Noisy(BALL, SignNoise(0.5)), BoundedVariance(0.51), 0.9),
}


def case_of(problem: Problem, assumption: Inequality) -> Case:
    certificate = Certificate(assumption, "planted")
    theorem = replace(THEOREMS[0], norm=getattr(assumption, "norm", EUCLIDEAN))
    return Case(theorem, problem, (), {}, (certificate,))


def said(problem: Problem, assumption: Inequality) -> str:
    """What is said of it at a walk towards the centre, in three rows."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(3, 9, problem.d, dtype=torch.float64, generator=generator)
    shrink = 0.5 ** torch.arange(9, dtype=torch.float64).unsqueeze(-1)
    x = shrink * (problem.x0 + noise)
    return bad_certificate(case_of(problem, assumption), x, torch.randn(3, 9, generator=generator))


@pytest.mark.parametrize("name", PLANTED)
def test_a_wrong_constant_is_reported_and_the_right_one_is_not(name):
    problem, right, factor = PLANTED[name]
    assert said(problem, right) == ""
    wrong = replace(right, **{n: scaled(getattr(right, n), factor) for n in right.sense})
    words = said(problem, wrong)
    assert words.startswith(f"{wrong!r} is certified but refuted, ratio ")


def test_an_assumption_without_constants():
    assert said(QuarticRidge((1.0, 0.5)), Convex()) == ""
    assert "Convex() is certified but refuted" in said(SUM, Convex())


@dataclass(frozen=True)
class OfAQuadratic(Inequality):
    """|grad f(x)| <= 0.1 |x - x_star|, told by the class of the problem: false."""

    arity = 1
    way: str

    def sides(self, problem, *points):
        if self.way == "error" and type(problem) is not Quadratic:
            raise TypeError
        if self.way == "nothing" and not isinstance(problem, Quadratic):
            return Sides(*[points[0].new_zeros(len(points[0]))] * 3)
        lhs = problem.grad(points[0]).norm(dim=-1)
        return Sides(lhs, 0.1 * (points[0] - BALL.x_star).norm(dim=-1), 0 * lhs)


@pytest.mark.parametrize("way", ["error", "nothing"])
def test_an_inequality_that_asks_for_the_class_of_the_problem_is_asked(way):
    assert "is certified but refuted" in said(BALL, OfAQuadratic(way))


@dataclass(frozen=True)
class NotInNumbers(Inequality):
    """Known for no problem."""

    def sides(self, problem, *points):
        raise TypeError


def test_what_is_not_known_in_numbers_is_left_out():
    assert said(BALL, NotInNumbers()) == ""
