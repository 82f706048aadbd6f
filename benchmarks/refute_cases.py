"""Inequalities and functions on which searches for violations are compared."""

import math
from typing import NamedTuple

import numpy as np

from assumptions import Convex, Inequality, Lipschitz, Smooth, StronglyConvex
from assumptions.l0l1.literal import LiteralL0L1
from problems import Cosine, LogisticRegression, Problem, Quadratic, QuarticRidge, WeightedL1


class Case(NamedTuple):
    """An inequality, a function, and the supremum of the ratio if it is known."""

    name: str
    assumption: Inequality
    problem: Problem
    supremum: float | None


def cases() -> tuple[Case, ...]:
    """Tight constants (1 is the supremum) and false claims (2, or inf)."""
    logistic = LogisticRegression("breast_cancer", reg=0.01)
    L = next(c.assumption.L for c in logistic.certified if isinstance(c.assumption, Smooth))
    spectrum = tuple(float(a) for a in np.logspace(0, -2, 10))
    return (
        Case("smooth: quadratic, d = 10", Smooth(1.0), Quadratic(spectrum, seed=0), 1.0),
        Case(
            "strongly convex: quadratic, d = 4",
            StronglyConvex(0.01),
            Quadratic((1.0, 0.5, 0.1, 0.01), seed=0),
            1.0,
        ),
        Case("smooth: logistic, d = 31", Smooth(L), logistic, 1.0),
        Case("Lipschitz: sum of 1 - cos, d = 8", Lipschitz(8.0**0.5), Cosine(8), 1.0),
        Case("convex: 1 - cos, d = 2", Convex(), Cosine(2), 2.0),
        Case("literal (L0, L1) = (4, 1): s^4/4", LiteralL0L1(4.0, 1.0), QuarticRidge((1.0,)), math.inf),
        Case("smooth with 1e6: |x|_1, d = 3", Smooth(1e6), WeightedL1((1.0, 1.0, 1.0)), math.inf),
    )
