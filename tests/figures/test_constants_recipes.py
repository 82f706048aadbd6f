"""Figures of what is seen of functions: ball-convexity thresholds and (L0, L1) fronts."""

import math

import numpy as np
import pytest
import torch

from assumptions import BallConvex, HessianL0L1
from figures import Numbers
from figures.recipes.ball_convexity import BRACKETED, BallConvexity, least_maximum, threshold, violation_seen
from figures.recipes.l0l1_fronts import FAMILIES, POWER_PAIRS, L0L1Fronts, front_seen
from problems import Cosine, DoubleWell, Huber, Quadratic
from tests.figures.computed import computed

NAMES = list(FAMILIES)


@pytest.fixture(scope="module")
def thresholds() -> Numbers:
    return computed(BallConvexity)


@pytest.fixture(scope="module")
def fronts() -> Numbers:
    return computed(L0L1Fronts)


@pytest.mark.parametrize("i", range(3))
def test_violations_end_at_the_certified_threshold(thresholds: Numbers, i: int) -> None:
    share, seen = thresholds["share"], thresholds[f"violation_seen{i}"]
    assert (seen[share >= 1] <= 1e-9).all()
    assert (seen[share <= 0.96] > 1e-3).all()
    assert (np.diff(seen) <= 1e-9).all()


def test_violations_are_those_at_the_top_of_the_hill(thresholds: Numbers) -> None:
    s = np.minimum(thresholds["share"], 1)
    formulas = (1 + np.cos(math.pi * s)) / 2, (1 - s**2) ** 2, 1 - s
    for i, formula in enumerate(formulas):
        assert thresholds[f"violation_seen{i}"] == pytest.approx(formula, abs=0.01)


def test_a_search_finds_every_threshold(thresholds: Numbers) -> None:
    brackets = thresholds["brackets"]
    assert len(brackets) == len(BRACKETED)
    certified, seen, after = brackets.T
    assert (seen <= certified).all()  # a radius that is refuted is not certified
    assert (seen < after).all()
    assert seen == pytest.approx(certified, rel=0.01)
    assert after == pytest.approx(certified, rel=0.01)
    assert certified[1] == pytest.approx(math.pi * math.sqrt(2))


def test_thresholds_are_the_certified_ones() -> None:
    assert threshold(DoubleWell(d=2)) == 1.0
    assert threshold(Cosine(d=4)) == pytest.approx(2 * math.pi)
    with pytest.raises(StopIteration):
        threshold(Quadratic((1.0,)))


def test_a_convex_function_shows_no_violation() -> None:
    huber = Huber(L=2.0, delta=0.5, d=2)
    x = BallConvex.sample(huber, 16, 0)[0]
    assert violation_seen(huber, x, 0.3) <= 1e-9


def test_the_least_maximum_of_lines() -> None:
    drop = torch.tensor([[1.0, -3.0], [1.0, -5.0], [-1.0, -2.0], [1.0, 1.0]], dtype=torch.float64)
    along = torch.tensor([[-1.0, 1.0], [-1.0, 2.0], [-1.0, 1.0], [0.0, 1.0]], dtype=torch.float64)
    assert least_maximum(drop, along).tolist() == pytest.approx([-1, -1, -1.5, 1], abs=1e-9)


@pytest.mark.parametrize("i", range(len(NAMES)), ids=["cubic", "quartic", "cosh", "exp", "logistic"])
def test_certified_pairs_lie_on_or_above_the_front(fronts: Numbers, i: int) -> None:
    pairs, front = fronts[f"certified{i}"], dict(zip(fronts["L1"], fronts[f"front_seen{i}"], strict=True))
    assert len(pairs) == (len(POWER_PAIRS) if i == 0 else 1)
    for L0, L1 in pairs:
        assert front[L1] <= L0 * (1 + 1e-9) + 1e-9
        assert front[L1] >= 0.95 * L0  # and no smaller L0 would do


def test_fronts_are_those_of_the_formulas(fronts: Numbers) -> None:
    L1 = fronts["L1"]
    inner = (L1 >= 0.2) & (L1 <= 1)
    logistic = (1 - L1[inner]) ** 2 / 4
    assert fronts["front_seen4"][inner] == pytest.approx(logistic, abs=1e-3)
    assert fronts["front_seen4"][L1 < 0.9].min() > 0
    assert (fronts["front_seen3"][L1 >= 1] <= 1e-9).all()
    cubic = (L1 >= 0.25) & (L1 <= 2)
    assert fronts["front_seen0"][cubic] == pytest.approx(1 / L1[cubic], rel=0.05)
    quartic = (L1 >= 0.3) & (L1 <= 4)
    assert fronts["front_seen1"][quartic] == pytest.approx(4 / L1[quartic] ** 2, rel=0.05)


def test_forms_of_the_quartic(fronts: Numbers) -> None:
    hessian, exponential, local, literal = (
        fronts[f"quartic {name}"] for name in ("Hessian", "exponential", "local", "literal")
    )
    L1 = fronts["L1"]
    assert (literal >= local - 1e-9).all()  # it speaks of all pairs, the local form of the short ones
    late = L1 >= 1
    assert exponential[late] == pytest.approx(hessian[late], rel=0.05)
    assert (literal[late] > 10 * hessian[late]).all()
    assert (local[late & (L1 <= 4)] > 1.5 * hessian[late & (L1 <= 4)]).all()
    # local with both constants over ln 2: certified for the pair (4, 1)
    at = int(np.flatnonzero(1 / math.log(2) <= L1)[0])
    assert local[at] <= 4 / math.log(2)


def test_more_samples_raise_the_front() -> None:
    problem = FAMILIES[NAMES[1]]
    few, many = (front_seen(HessianL0L1, problem, n, 0) for n in (200, 4_000))
    assert many.max() >= few.max()
    assert len(few) == len(many)
