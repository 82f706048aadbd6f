"""Ball-convexity: thresholds are bracketed, convex functions pass, and so does an inexact search."""

import math

import pytest
import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Lp
from assumptions.balls.ball_convex import BallConvex
from problems import AbsAffine, Huber, Problem, Quadratic, WeightedL1, from_function
from problems.cosine import Cosine
from problems.double_well import DoubleWell
from problems.integer_jump import IntegerJump
from problems.lattice_abs import LatticeAbs
from problems.piecewise_linear import PiecewiseLinear
from problems.sphere_distance import SphereDistance
from tests.assumptions.toys import Toy

BOX = Lp(math.inf)
THRESHOLDS = (
    (Cosine(), math.pi, EUCLIDEAN),
    (Cosine(2), math.pi * math.sqrt(2), EUCLIDEAN),
    (Cosine(2), math.pi, BOX),
    (Cosine(5), math.pi * math.sqrt(5), EUCLIDEAN),
    (SphereDistance(), 1.0, EUCLIDEAN),
    (SphereDistance(3, 2.5), 2.5, EUCLIDEAN),
    (DoubleWell(), 1.0, EUCLIDEAN),
    (DoubleWell(4), 1.0, EUCLIDEAN),
    (LatticeAbs(), 1.0, EUCLIDEAN),
    (IntegerJump(), 1.0, EUCLIDEAN),
)
CONVEX = (
    AbsAffine((1.0,), start=(5.3,)),
    Huber(L=2.0, delta=0.5, d=2),
    WeightedL1((1.0, 1e-4, 0.3)),
    Quadratic((1e-3, 0.1, 10.0), f_star=7.0, seed=2),
    Quadratic((1.0, 0.0), seed=3),
)
table = pytest.mark.parametrize(("problem", "t", "norm"), THRESHOLDS, ids=repr)


class Bare:
    """Values and gradients alone: no oracle, no minimiser, no domain."""

    def __init__(self, problem: Problem):
        self.problem, self.d, self.x0 = problem, problem.d, problem.x0

    def offers(self, name: str) -> bool:
        return False

    def value(self, x: Tensor) -> Tensor:
        return self.problem.value(x)

    def grad(self, x: Tensor) -> Tensor:
        return self.problem.grad(x)


def contradicts(problem: Problem, x: Tensor, u: Tensor, y1: Tensor, y2: Tensor) -> bool:
    """No c >= 0 has f(y) >= f(u) + c <x - u, y - u> at y1 and y2: straight from the definition."""
    low, high = 0.0, math.inf
    for y in (y1, y2):
        gain, q = float(problem.value(y) - problem.value(u)), float(((x - u) * (y - u)).sum())
        if q == 0 and gain < 0:
            return True
        if q < 0:
            low = max(low, gain / q)
        elif q > 0:
            high = min(high, gain / q)
    return low > high


@table
def test_not_refuted_at_the_threshold_and_above(problem: Problem, t: float, norm):
    for factor, seed in ((1.0, 0), (1.001, 1), (1.3, 2)):
        assert BallConvex(factor * t, norm).refute(problem, 3000, seed=seed).verdict == "not refuted"


@table
def test_refuted_one_per_cent_below(problem: Problem, t: float, norm):
    for factor in (0.99, 0.6):
        found = BallConvex(factor * t, norm).refute(problem, 5000)
        assert found.verdict == "refuted"
        x, u, y1, y2 = found.witness
        assert float(norm.norm(u - x)) <= 3 * factor * t * (1 + 1e-12)
        assert contradicts(problem, x, u, y1, y2)
        assert BallConvex(factor * t, norm).check(problem, x).verdict == "refuted"


@table
def test_the_estimate_brackets_the_threshold(problem: Problem, t: float, norm):
    worst = torch.full((problem.d,), math.pi) if isinstance(problem, Cosine) else torch.zeros(problem.d)
    x = worst.double() + torch.tensor([[0.0], [1.0], [2.0]], dtype=torch.float64)
    seen = BallConvex.estimate(problem, x, norm=norm, grid=8, largest=2.7 * t)
    assert 0.98 * t <= seen["t_ball_seen"] <= t * (1 + 1e-9)
    assert t * (1 - 1e-9) <= seen["t_ball_next_seen"] <= 1.02 * t


@pytest.mark.parametrize("problem", CONVEX, ids=repr)
@pytest.mark.parametrize("t_ball", [0.0, 1e-3, 0.7, 20.0])
def test_convex_functions_pass(problem: Problem, t_ball: float):
    found = BallConvex(t_ball).refute(problem, 4000)
    assert found.verdict == "not refuted", found
    assert found.ratio <= 1 + 1e-6


@pytest.mark.parametrize("problem", CONVEX, ids=repr)
def test_convex_functions_pass_without_an_oracle(problem: Problem):
    assert BallConvex(0.2).refute(Bare(problem), 1000).verdict == "not refuted"


@pytest.mark.parametrize("t_ball", [0.0, 2.0])
def test_a_search_that_stalls_on_kinks_refutes_nothing(t_ball: float):
    generator = torch.Generator().manual_seed(2)
    a = torch.randn(9, 3, dtype=torch.float64, generator=generator)
    a = a - a.mean(dim=0)
    peaks = Toy(lambda x: (x @ a.T + 1).amax(dim=-1), lambda x: a[(x @ a.T).argmax(dim=-1)])
    for seed in range(2):
        assert BallConvex(t_ball).refute(peaks, 3000, seed=seed).verdict == "not refuted"


@pytest.mark.parametrize(
    ("problem", "t"),
    [(Cosine(), math.pi), (Cosine(2), math.pi * math.sqrt(2)), (DoubleWell(), 1.0), (IntegerJump(), 1.0)],
    ids=repr,
)
def test_thresholds_without_an_oracle(problem: Problem, t: float):
    assert BallConvex(1.001 * t).refute(Bare(problem), 5000).verdict == "not refuted"
    found = BallConvex(0.95 * t).refute(Bare(problem), 5000)
    assert found.verdict == "refuted"
    assert contradicts(problem, *found.witness)


@pytest.mark.parametrize("center", [(0.0, 0.0), (0.3, -0.7), (0.0, 0.0, 0.0)], ids=str)
def test_hills_on_which_all_directions_tie_without_an_oracle(center: tuple[float, ...]):
    """(|x - c|^2 - 1)^2, ball-convex from 1 on: the argmin can be told beside the top, not on it."""
    c = torch.tensor(center, dtype=torch.float64)
    well = from_function(
        lambda x: ((x - c).square().sum(dim=-1) - 1).square(),
        d=len(center),
        x0=(3.0, 1.0, 1.0)[: len(center)],
    )
    for t in (0.8, 0.97):
        found = BallConvex(t).refute(well, 6000)
        assert found.verdict == "refuted"
        assert contradicts(well, *found.witness)
    assert BallConvex(1.0).refute(well, 6000).verdict == "not refuted"


def test_domains():
    """Centers lie in the domain; beyond its diameter every ball sees all of it."""
    well = PiecewiseLinear((0.0, 1.0, 2.0, 4.0), (0.0, 2.0, 1.0, 3.0))
    assert BallConvex(4.0).refute(well, 5000).verdict == "not refuted"
    assert BallConvex(1.0).refute(well, 5000).verdict == "refuted"
    convex = PiecewiseLinear((-1.0, 0.0, 2.0), (3.0, 1.0, 2.0))
    assert BallConvex(0.0).refute(convex, 5000).verdict == "not refuted"
    inside = torch.tensor([[0.5], [9.0]], dtype=torch.float64)
    assert BallConvex(4.0).check(well, inside).points == 1
    with pytest.raises(ValueError, match="center"):
        BallConvex(4.0).check(well, inside[1:])


def test_check_says_what_it_covered():
    found = BallConvex(4.0).check(Cosine(2), torch.zeros(2, 3, 2, dtype=torch.float64))
    assert (found.points, found.dimension) == (6, 2)
    assert found.radii[0] == 4.0
    assert "dimension 2 on 6 centers, radii 4, " in str(found)
    assert "up to 120 away" in str(found)


def test_arguments_and_order():
    assert BallConvex(2.0).implied_by(BallConvex(1.0))
    assert not BallConvex(1.0).implied_by(BallConvex(2.0))
    assert not BallConvex(2.0).implied_by(BallConvex(1.0, BOX))
    assert BallConvex.constants() == ("t_ball",)
    assert repr(BallConvex(2, BOX)) == "BallConvex(t_ball=2.0, norm=Lp(p=inf))"
    for wrong in (-1.0, math.inf, math.nan):
        with pytest.raises(ValueError, match="t_ball"):
            BallConvex(wrong)
    x = torch.zeros(1, dtype=torch.float64)
    with pytest.raises(ValueError, match="1 point"):
        BallConvex(1.0).check(Cosine(), x, x)
    with pytest.raises(TypeError, match="options"):
        BallConvex.estimate(Cosine(), x, radius=1.0)
    with pytest.raises(ValueError, match="budget"):
        BallConvex(1.0).refute(Cosine(), 0)
    assert BallConvex(1.0).refute(Cosine(), 1).points >= 1


def test_the_same_for_the_same_seed():
    first, second = (BallConvex(3.0).refute(Cosine(3), 3000, seed=5) for _ in range(2))
    assert first.ratio == second.ratio
    assert all(torch.equal(a, b) for a, b in zip(first.witness, second.witness, strict=True))


def test_a_search_in_many_dimensions_says_that_it_takes_an_oracle():
    wide = from_function(lambda x: x.square().sum(-1), 65, name="wide")
    with pytest.raises(ValueError, match="d must be at most 64 for a search over balls"):
        BallConvex(1.0).refute(wide, budget=100)
