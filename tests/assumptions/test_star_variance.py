"""Gradients of terms at a minimiser: the constant, its certificates, its rounding."""

import math
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from assumptions.sums.star_variance import StarVariance
from problems import LeastSquares, LinkSum, LogisticRegression, Quadratic, QuadraticSum
from problems.abs_sum import AbsSum
from tests.assumptions.term_toys import SumToy, quadratic_sum
from tests.assumptions.toys import quadratic

CENTRES = ((1.0, 0.0), (0.0, 3.0), (-1.0, -1.0))
# 2 (x_star - c_j) with x_star = (0, 2/3): squares 4 + 16/9, 196/9, 4 + 100/9, their mean 128/9
SPREAD = math.sqrt(128 / 9)


def certified(problem) -> list[float]:
    return [c.assumption.sigma_star for c in problem.certified if isinstance(c.assumption, StarVariance)]


@pytest.mark.parametrize("scale", [2.0**-20, 1.0, 2.0**20])
def test_the_certificate_of_isotropic_terms_is_tight(scale: float):
    problem = QuadraticSum.isotropic(2.0 * scale, CENTRES)
    (sigma,) = certified(problem)
    assert sigma == pytest.approx(scale * SPREAD, rel=1e-12)
    assert StarVariance(sigma).refute(problem, 100).verdict == "not refuted"
    assert StarVariance(0.97 * sigma).refute(problem, 100).verdict == "refuted"
    seen = StarVariance.estimate(problem, problem.x0)["sigma_star_seen"]
    assert seen == pytest.approx(sigma, rel=1e-9)


def test_terms_that_are_minimal_together():
    zero = [
        LinkSum("quartic", ((1.0, 0.0), (0.0, 1.0), (1.0, -1.0))),
        QuadraticSum.coordinates(4),
        QuadraticSum.rank_one(((1.0, 0.0, 1.0), (0.0, 2.0, 0.0))),
        QuadraticSum((((3.0,),),), ((1.0,),)),
    ]
    for problem in zero:
        assert certified(problem) == [0.0]
        assert StarVariance(0).refute(problem, 100).verdict == "not refuted"
        assert StarVariance.estimate(problem, problem.x0) == {"sigma_star_seen": pytest.approx(0, abs=1e-12)}
    assert StarVariance(0).refute(Quadratic((1.0, 2.0)), 100).verdict == "not refuted"
    shifted = QuadraticSum((((2.0,),), ((1.0,),)), ((1.0,), (-1.0,)))
    assert certified(shifted)[0] == pytest.approx(1.0)
    assert StarVariance(0).refute(shifted, 100).verdict == "refuted"


def test_a_flat_sum_of_indefinite_terms_has_none():
    """Along the kernel of A the gradients of the terms move, so no constant holds at all minimisers."""
    flat = QuadraticSum((((1.0, 0.0), (0.0, 1.0)), ((1.0, 0.0), (0.0, -1.0))))
    assert certified(flat) == []
    x = torch.tensor([[0.0, 7.0]], dtype=torch.float64)
    assert StarVariance(6.9).check(flat, x).verdict == "refuted"
    assert StarVariance(7.1).check(flat, x).verdict == "not refuted"


@pytest.mark.parametrize(
    "problem", [LeastSquares("breast_cancer"), LogisticRegression("breast_cancer", 0.01)], ids=str
)
def test_real_data(problem):
    (sigma,) = certified(problem)
    at_star = problem.part_grads(problem.x_star)
    assert sigma >= float(at_star.square().sum(-1).mean().sqrt())
    assert sigma == pytest.approx(float(at_star.square().sum(-1).mean().sqrt()), rel=1e-8)
    assert StarVariance(sigma).check(problem, problem.x0[None]).verdict == "not refuted"
    assert StarVariance(0.97 * sigma).check(problem, problem.x0[None]).verdict == "refuted"


def test_an_error_of_the_minimiser_excuses_no_more_than_itself():
    hessians = torch.tensor([[[3.0]], [[1.0]]], dtype=torch.float64)
    exact = quadratic_sum(hessians)
    moved = torch.full((1,), 1e-4, dtype=torch.float64)
    off = SumToy(exact.part_values, exact.part_grads, 2, 1, moved, x_star_error=1e-4)
    assert StarVariance(0).check(off, off.x0[None]).verdict == "not refuted"
    surer = SumToy(exact.part_values, exact.part_grads, 2, 1, moved, x_star_error=1e-6)
    assert StarVariance(0).check(surer, off.x0[None]).verdict == "refuted"


def test_kinks_built_around_their_minimiser():
    """Rows 1 and 3 with signs 1 and -1/2: subgradients 1 - g and -3/2 - g with g = -1/4."""
    problem = AbsSum(((1.0,), (3.0,)), (1.0, -0.5), mu=0.5)
    assert certified(problem) == [1.25]
    assert StarVariance(1.25).refute(problem, 100).verdict == "not refuted"
    assert StarVariance(0.97 * 1.25).refute(problem, 100).verdict == "refuted"


@dataclass(frozen=True)
class TwoKinks:
    """(|x - 1| + |x + 1|) / 2 with the subgradients -1 and 1 at its minimiser 0."""

    d: int = 1
    n_terms: int = 2

    @property
    def x0(self) -> Tensor:
        return torch.ones(1, dtype=torch.float64)

    @property
    def star_grads(self) -> Tensor:
        return torch.tensor([[-1.0], [1.0]], dtype=torch.float64)

    def offers(self, name: str) -> bool:
        return name == "star_grads"

    def value(self, x: Tensor) -> Tensor:
        return ((x - 1).abs() + (x + 1).abs()).sum(-1) / 2

    def grad(self, x: Tensor) -> Tensor:
        return ((x - 1).sign() + (x + 1).sign()) / 2


def test_subgradients_that_a_sum_with_kinks_names():
    problem = TwoKinks()
    assert StarVariance(1).refute(problem, 100).verdict == "not refuted"
    assert StarVariance(0.97).refute(problem, 100).verdict == "refuted"
    assert StarVariance(1).sides(problem, problem.x0.expand(2, 3, 1)).lhs.shape == (2, 3)


@pytest.mark.parametrize("batch", [(), (3,), (2, 3)])
def test_batches_lead(batch: tuple[int, ...]):
    problem = QuadraticSum.isotropic(2.0, CENTRES)
    sides = StarVariance(1.0).sides(problem, problem.x0.expand(*batch, 2))
    assert all(side.shape == batch for side in sides)
    assert torch.allclose(sides.lhs, torch.tensor(SPREAD, dtype=torch.float64))


def test_what_is_missing_and_what_is_wrong_is_named():
    with pytest.raises(TypeError, match=r"StarVariance needs part_grads, which.*star_grads"):
        StarVariance(1.0).refute(quadratic(1.0, 2.0))
    for value, error in (
        (-1.0, ValueError),
        (math.nan, ValueError),
        (math.inf, ValueError),
        ("1", TypeError),
    ):
        with pytest.raises(error, match=r"^sigma_star must be"):
            StarVariance(value)  # pyright: ignore[reportArgumentType]
    assert repr(StarVariance(0)) == "StarVariance(sigma_star=0.0)"
    assert StarVariance(2).implied_by(StarVariance(1))
    assert not StarVariance(1).implied_by(StarVariance(2))
