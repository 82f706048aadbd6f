"""(L0, L1)-smoothness and Lipschitz continuity of every term."""

import math

import pytest
import torch

from assumptions import Lp, sample_points
from assumptions.sums.component_l0l1 import ComponentL0L1
from assumptions.sums.component_lipschitz import ComponentLipschitz
from problems import LinkSum, LogisticRegression, QuadraticSum

ROWS = ((1.0, 0.0, 0.5), (0.0, 2.0, -0.5))
SQUARE, LENGTH = 4.25, math.sqrt(4.25)
ROOM = 1 + 1e-12
BUDGET = 3000


def scaled(scale: float):
    return tuple(tuple(scale * a for a in row) for row in ROWS)


def certified(problem, kind):
    return [c.assumption for c in problem.certified if isinstance(c.assumption, kind)]


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_pairs_of_cosines_are_tight(scale: float):
    problem = LinkSum(
        "cosh", scaled(scale), center=(1.0 / scale, -1.0 / scale, 0.0), start=(2.0 / scale, 0.0, 0.0)
    )
    (pair,) = certified(problem, ComponentL0L1)
    assert (pair.L0_max, pair.L1_max) == pytest.approx((scale**2 * SQUARE, scale * LENGTH), rel=1e-12)
    assert pair.refute(problem, BUDGET).verdict == "not refuted"
    # along the longest row: h'' = 1 = l0 at s = 0, h'' = |h'| at s = 40
    way = torch.tensor([scaled(scale)[1]], dtype=torch.float64) / (scale**2 * SQUARE)
    for less, s in (
        (ComponentL0L1(0.97 * pair.L0_max, pair.L1_max), 0.0),
        (ComponentL0L1(pair.L0_max, 0.97 * pair.L1_max), 40.0),
    ):
        x, y = problem.x_star + s * way, problem.x_star + (s + 1e-3) * way
        assert pair.check(problem, x, y).verdict == "not refuted"
        assert less.check(problem, x, y).verdict == "refuted"


@pytest.mark.parametrize("link", ["quartic", "exp", "logistic"])
def test_certified_pairs_are_not_refuted(link: str):
    problem = LinkSum(link, ROWS, targets=(0.0, 1.0))
    (pair,) = certified(problem, ComponentL0L1)
    assert pair.refute(problem, BUDGET).verdict == "not refuted"
    # s is the inner product of the second row with x, less 1; there h'' = l0 + l1 |h'|
    s = {"quartic": 2.0, "exp": 0.0, "logistic": 10.0}[link]
    x = torch.tensor([[0.0, (s + 1) / 2, 0.0]], dtype=torch.float64)
    y = x + 1e-3 * torch.tensor([ROWS[1]], dtype=torch.float64)
    less = ComponentL0L1(0.97 * pair.L0_max, 0.97 * pair.L1_max)
    assert less.check(problem, x, y).verdict == "refuted"


def test_a_pair_of_the_mean_may_not_serve_for_the_terms_nor_the_other_way_round():
    apart = LinkSum("quartic", ((1.0,), (-1.0,)), targets=(6.0, 6.0))
    assert certified(apart, ComponentL0L1) == [ComponentL0L1(4.0, 1.0)]
    points = sample_points(apart, 200, 2, seed=1)
    assert ComponentL0L1(4.0, 1.0).check(apart, *points).verdict == "not refuted"
    assert ComponentL0L1(4.0, 0.9).refute(apart, BUDGET).verdict == "refuted"


def test_smooth_terms_are_the_case_of_no_second_constant():
    problem = QuadraticSum.opposite_pair(5.0, 1.0)
    assert ComponentL0L1(6 * ROOM, 0.0).refute(problem, BUDGET).verdict == "not refuted"
    assert ComponentL0L1(0.97 * 6, 0.0).refute(problem, BUDGET).verdict == "refuted"
    assert certified(problem, ComponentL0L1) == []


def test_the_estimate_of_a_pair_is_what_its_points_need():
    problem = LinkSum("cosh", ROWS)
    x, y = (p.reshape(20, 10, 3) for p in sample_points(problem, 200, 2, seed=3))
    seen = ComponentL0L1.estimate(problem, x, y, rule="L1=0")
    assert seen["L1_max_seen"] == 0
    assert ComponentL0L1(seen["L0_max_seen"] * ROOM, 0.0).check(
        problem, x.flatten(0, 1), y.flatten(0, 1)
    ).verdict == ("not refuted")
    with pytest.raises(TypeError, match="bogus"):
        ComponentL0L1.estimate(problem, x, y, bogus=1)


@pytest.mark.parametrize("link", ["log-cosh", "robust", "logistic"])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_slopes_of_terms_are_tight(link: str, scale: float):
    problem = LinkSum(link, scaled(scale), start=(2.0 / scale, 3.0 / scale, 0.0))
    (bound,) = certified(problem, ComponentLipschitz)
    slope = 3 * math.sqrt(3) / 8 if link == "robust" else 1.0
    assert bound.G_max == pytest.approx(slope * scale * LENGTH, rel=1e-12)
    assert bound.refute(problem, BUDGET).verdict == "not refuted"
    assert ComponentLipschitz(0.97 * bound.G_max).refute(problem, BUDGET).verdict == "refuted"
    s = {"log-cosh": 20.0, "robust": 3**-0.5, "logistic": -40.0}[link]
    x = s * torch.tensor([scaled(scale)[1]], dtype=torch.float64) / (scale**2 * SQUARE)
    assert ComponentLipschitz.estimate(problem, x)["G_max_seen"] == pytest.approx(bound.G_max, rel=1e-9)


def test_unbounded_slopes_have_no_certificate():
    assert certified(LinkSum("square", ROWS), ComponentLipschitz) == []
    assert ComponentLipschitz(100.0).refute(LinkSum("square", ROWS), BUDGET).verdict == "refuted"
    assert certified(LogisticRegression("breast_cancer", 0.01), ComponentLipschitz) == []


def test_another_norm():
    problem = LinkSum("log-cosh", ROWS)
    assert ComponentLipschitz(2.0 * ROOM, Lp(1)).refute(problem, BUDGET).verdict == "not refuted"
    assert ComponentLipschitz(0.97 * 2.0, Lp(1)).refute(problem, BUDGET).verdict == "refuted"
    # |H v|_inf <= h'' |a|_inf^2 |v|_1
    cosines = LinkSum("cosh", ROWS)
    assert ComponentL0L1(4.0 * ROOM, 2.0 * ROOM, Lp(1)).refute(cosines, BUDGET).verdict == "not refuted"
    assert ComponentL0L1(0.97 * 4.0, 2.0, Lp(1)).refute(cosines, BUDGET).verdict == "refuted"


@pytest.mark.parametrize("batch", [(), (3,), (2, 3)])
def test_batches_lead_and_rows_do_not_mix(batch: tuple[int, ...]):
    problem = LinkSum("cosh", ROWS)
    x, y = (p.reshape(*batch, 3) for p in sample_points(problem, math.prod(batch), 2, seed=4))
    for statement in (ComponentL0L1(1.0, 1.0), ComponentLipschitz(1.0)):
        points = (x, y)[: statement.arity]
        whole = statement.sides(problem, *points).lhs
        assert whole.shape == batch
        assert statement.entry_sides(problem, *points).lhs.shape == (*batch, 2)
        if batch:
            broken = torch.where(torch.arange(batch[-1]).unsqueeze(-1) == 0, torch.nan, x)
            lhs = statement.sides(problem, broken, *points[1:]).lhs
            assert torch.equal(lhs[..., 1:], whole[..., 1:])
            assert bool(lhs[..., 0].isnan().all())


@pytest.mark.parametrize("distance", [1e-15, 1e-9, 1e-3])
def test_rounding_refutes_nothing(distance: float):
    generator = torch.Generator().manual_seed(0)
    problem = LinkSum("cosh", ROWS, center=(1.0, -1.0, 0.0))
    for centre in (problem.x_star, problem.x0, 10 * problem.x0):
        x = centre + distance * torch.randn(50, 3, dtype=torch.float64, generator=generator)
        y = x + distance * torch.randn(50, 3, dtype=torch.float64, generator=generator)
        assert ComponentL0L1(SQUARE * ROOM, LENGTH * ROOM).check(problem, x, y).verdict == "not refuted"


@pytest.mark.parametrize(
    ("value", "error"), [(-1.0, ValueError), (math.nan, ValueError), (math.inf, ValueError), ("1", TypeError)]
)
def test_bad_constants_are_named(value: object, error: type[Exception]):
    with pytest.raises(error, match=r"^G_max must be"):
        ComponentLipschitz(value)  # pyright: ignore[reportArgumentType]
    with pytest.raises(error, match=r"^L0_max must be"):
        ComponentL0L1(value, 1.0)  # pyright: ignore[reportArgumentType]
    with pytest.raises(error, match=r"^L1_max must be"):
        ComponentL0L1(1.0, value)  # pyright: ignore[reportArgumentType]


def test_they_print_as_the_calls_that_make_them():
    assert repr(ComponentLipschitz(1, Lp(1))) == "ComponentLipschitz(G_max=1.0, norm=Lp(p=1.0))"
    assert repr(ComponentL0L1(1, 0)) == "ComponentL0L1(L0_max=1.0, L1_max=0.0)"
    assert ComponentL0L1(2, 2).implied_by(ComponentL0L1(1, 2))
    assert not ComponentL0L1(2, 1).implied_by(ComponentL0L1(1, 2))
