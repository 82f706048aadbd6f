import math

import pytest
import torch

from assumptions import Convex, sample_points
from assumptions.base import Assumption
from assumptions.inequality import Inequality
from assumptions.quasar_convex import QuasarConvex
from assumptions.quasi_convex import QuasiConvex
from assumptions.star_convex import StarConvex
from assumptions.weakly_convex import WeaklyConvex
from problems import Distributed, LeastSquares, LogisticRegression
from tests.assumptions import toys
from tests.assumptions.term_toys import Known
from tests.assumptions.test_growth import DOUBLE_WELL, quadratic

BUDGET = 6000
ROOM = 1 + 1e-9
QUASAR = 0.49609006
"""min over t of (2 t^2 + 3 t sin 2t) / (t^2 + 3 sin^2 t), at t = 2.1538."""


def scaled(problem: Known, factor: float, offset: float = 0.0) -> Known:
    """x -> factor f(x) + offset."""
    return Known(
        lambda x: factor * problem.value(x) + offset,
        lambda x: factor * problem.grad(x),
        d=problem.d,
        f_star=factor * problem.f_star + offset,
        nearest=problem.nearest,
    )


SINE_SQUARED = Known(
    lambda x: (x.square() + 3 * x.sin().square()).sum(-1),
    lambda x: 2 * x + 3 * (2 * x).sin(),
    nearest=torch.zeros_like,
)
LOGARITHM = Known(
    lambda x: x.abs().log1p().sum(-1), lambda x: x.sign() / (1 + x.abs()), nearest=torch.zeros_like
)
COSINE = Known(lambda x: x.cos().sum(-1), lambda x: -x.sin(), f_star=-1.0)
# Nesterov, Polyak (2006): star-convex, not convex
STAR = Known(
    lambda x: (-x.abs() * torch.expm1(-x.abs())).sum(-1),
    lambda x: x.sign() * (x.abs() * (-x.abs()).exp() - torch.expm1(-x.abs())),
    nearest=torch.zeros_like,
)
# local minima: x^2 / 2 + 2 (1 - cos 2x)
BUMPS = Known(
    lambda x: (x.square() / 2 + 4 * x.sin().square()).sum(-1),
    lambda x: x + 4 * (2 * x).sin(),
    nearest=torch.zeros_like,
)
ABSOLUTE = Known(lambda x: x.abs().sum(-1), torch.sign, d=3, nearest=torch.zeros_like)
# a kink that bends down is not weakly convex
ROOF = Known(lambda x: -x.abs().sum(-1), lambda x: -x.sign())
# values that cancel near 0
LOG_COSH = Known(
    lambda x: (x.abs() + torch.log1p((-2 * x.abs()).exp()) - math.log(2)).sum(-1),
    torch.tanh,
    d=2,
    nearest=torch.zeros_like,
)

HOLDS = [
    (WeaklyConvex(4.0 * ROOM), SINE_SQUARED),
    (WeaklyConvex(1.0 * ROOM), COSINE),
    (WeaklyConvex(1.0 * ROOM), DOUBLE_WELL),
    (WeaklyConvex(1.0 * ROOM), LOGARITHM),
    (WeaklyConvex(0.0), LOG_COSH),
    (WeaklyConvex(0.0), ABSOLUTE),
    (WeaklyConvex(0.5), quadratic(1.0, -0.5, shift=1 / 3, offset=1e3)),
    (QuasiConvex(), SINE_SQUARED),
    (QuasiConvex(), LOGARITHM),
    (QuasiConvex(), STAR),
    (QuasiConvex(), ABSOLUTE),
    (QuasiConvex(), LOG_COSH),
    (QuasiConvex(), quadratic(1.0, 1e3, 1e6, shift=1 / 3, offset=1e3)),
    (StarConvex(), STAR),
    (StarConvex(), ABSOLUTE),
    (StarConvex(), LOG_COSH),
    (StarConvex(), quadratic(1.0, 1e3, 1e6, shift=1 / 3, offset=1e3)),
    (StarConvex(), quadratic(1.0, 0.0, shift=1 / 3)),
    (QuasarConvex(QUASAR / 1.000001), SINE_SQUARED),
    (QuasarConvex(1.0), STAR),
    (QuasarConvex(1.0), ABSOLUTE),
    (QuasarConvex(1.0), LOG_COSH),
    (QuasarConvex(1.0), quadratic(1.0, 1e3, 1e6, shift=1 / 3, offset=1e3)),
]
FAILS = [
    (WeaklyConvex(0.97 * 4.0), SINE_SQUARED),
    (WeaklyConvex(0.97), COSINE),
    (WeaklyConvex(0.97), DOUBLE_WELL),
    (WeaklyConvex(0.0), LOGARITHM),
    (WeaklyConvex(0.97), LOGARITHM),  # curvature -1 beside the kink
    (WeaklyConvex(100.0), ROOF),
    (WeaklyConvex(0.97 * 0.5), quadratic(1.0, -0.5, shift=1 / 3)),
    (QuasiConvex(), COSINE),
    (QuasiConvex(), BUMPS),
    (QuasiConvex(), DOUBLE_WELL),
    (StarConvex(), SINE_SQUARED),
    (StarConvex(), LOGARITHM),
    (StarConvex(), BUMPS),
    (QuasarConvex(QUASAR / 0.97), SINE_SQUARED),
    (QuasarConvex(0.5), LOGARITHM),  # the slope dies away
    (QuasarConvex(0.01), BUMPS),
    (QuasarConvex(0.01), DOUBLE_WELL),  # stationary at 0
]


@pytest.mark.parametrize(("statement", "problem"), HOLDS, ids=range(len(HOLDS)))
def test_what_holds_is_not_refuted(statement: Inequality, problem: Known):
    found = statement.refute(problem, BUDGET)
    assert found.verdict == "not refuted", found


@pytest.mark.parametrize(("statement", "problem"), FAILS, ids=range(len(FAILS)))
def test_what_fails_is_refuted(statement: Inequality, problem: Known):
    found = statement.refute(problem, 2 * BUDGET)
    assert found.verdict == "refuted", found
    again = statement.check(problem, *found.witness)
    assert (again.verdict, again.ratio) == ("refuted", pytest.approx(found.ratio, rel=1e-6))


@pytest.mark.parametrize("factor", [1e-6, 1e6])
@pytest.mark.parametrize("statement", [QuasiConvex(), StarConvex(), QuasarConvex(QUASAR / 0.97)])
def test_the_unit_of_f_does_not_matter(statement: Inequality, factor: float):
    good, bad = (scaled(p, factor, 100 * factor) for p in (STAR, BUMPS))
    assert statement.refute(good, BUDGET).verdict == "not refuted"
    assert statement.refute(bad, BUDGET).verdict == "refuted"


@pytest.mark.parametrize("distance", [1e-16, 1e-13, 1e-10, 1e-7, 1e-3])
@pytest.mark.parametrize(("statement", "problem"), HOLDS, ids=range(len(HOLDS)))
def test_rounding_refutes_nothing(statement: Inequality, problem: Known, distance: float):
    generator = torch.Generator().manual_seed(0)
    centres = [problem.x0, 0 * problem.x0, 1e6 * problem.x0]
    centres += [problem.x_star] if problem.nearest is not None else []
    for centre in centres:
        steps = distance * torch.randn(2, 200, problem.d, dtype=torch.float64, generator=generator)
        x = centre + steps[0]
        for y in (x + steps[1], (centre + 0 * x)):
            check = statement.check(problem, *(x, y)[: statement.arity])
            assert check.verdict == "not refuted", check


def test_a_quasar_convex_function_that_is_not_convex():
    t = torch.linspace(1e-3, 20, 2_000_001, dtype=torch.float64)
    rate = (2 * t.square() + 3 * t * (2 * t).sin()) / (t.square() + 3 * t.sin().square())
    assert float(rate.min()) == pytest.approx(QUASAR, abs=1e-8)
    assert Convex().refute(SINE_SQUARED, BUDGET).verdict == "refuted"
    seen = QuasarConvex.estimate(SINE_SQUARED, *sample_points(SINE_SQUARED, 20_000, 1))
    assert seen["quasar_seen"] == pytest.approx(QUASAR, rel=1e-4)


def test_a_quasi_convex_function_that_is_not_convex():
    assert Convex().refute(LOGARITHM, BUDGET).verdict == "refuted"
    assert QuasiConvex().refute(LOGARITHM, BUDGET).verdict == "not refuted"


def test_estimates():
    points = sample_points(COSINE, 5000, 2)
    assert WeaklyConvex.estimate(COSINE, *points)["tau_seen"] == pytest.approx(1, rel=0.01)
    assert WeaklyConvex.estimate(ABSOLUTE, *sample_points(ABSOLUTE, 500, 2)) == {"tau_seen": 0.0}
    # a square has 2 (f(x) - f_star) = <grad f(x), x - x_star>
    square = quadratic(1.0, 2.0)
    assert QuasarConvex.estimate(square, *sample_points(square, 500, 1))["quasar_seen"] == pytest.approx(2)
    assert QuasiConvex.estimate(square) == StarConvex.estimate(square) == {}


def test_the_nearest_minimiser_counts():
    one = Known(DOUBLE_WELL.value, DOUBLE_WELL.grad, nearest=torch.ones_like)
    x = torch.tensor([[-1.5]], dtype=torch.float64)
    assert StarConvex().check(DOUBLE_WELL, x).verdict == "not refuted"
    assert StarConvex().check(one, x).verdict == "refuted"
    assert QuasarConvex(1.0).check(DOUBLE_WELL, x).verdict == "not refuted"
    # the gradient at -0.5 points away from 1
    assert QuasarConvex(0.01).check(one, x / 3).verdict == "refuted"


def test_an_error_of_the_minimiser_excuses_no_more_than_itself():
    off = Known(ABSOLUTE.value, ABSOLUTE.grad, d=3, nearest=lambda x: torch.zeros_like(x) + 1e-6)
    x = torch.tensor([[5e-7, 5e-7, 5e-7]], dtype=torch.float64)
    for statement in (StarConvex(), QuasarConvex(1.0)):
        assert statement.check(off, x).verdict == "refuted"
        known = Known(off.value, off.grad, d=3, nearest=off.nearest, x_star_error=2e-6)
        assert statement.check(known, x).verdict == "not refuted"


def test_an_infinite_end_allows_anything_and_an_infinite_middle_nothing():
    interval = Known(
        lambda x: torch.where(x[..., 0].abs() > 1, torch.inf, x[..., 0].square()), lambda x: 2 * x
    )
    hole = Known(lambda x: torch.where(x[..., 0].abs() < 1, torch.inf, x[..., 0].square()), lambda x: 2 * x)
    x, y = (torch.tensor([[v]], dtype=torch.float64) for v in (-2.0, 2.0))
    assert QuasiConvex().check(interval, x / 4, y).verdict == "not refuted"
    assert QuasiConvex().check(interval, x, y).verdict == "not refuted"
    assert QuasiConvex().check(hole, x, y).verdict == "refuted"


def test_what_is_not_finite_never_passes():
    value = Known(lambda x: torch.nan * x.sum(-1), lambda x: x, nearest=torch.zeros_like)
    grad = Known(lambda x: x.square().sum(-1), lambda x: torch.nan * x, nearest=torch.zeros_like)
    for statement in (QuasiConvex(), StarConvex(), WeaklyConvex(1.0), QuasarConvex(1.0)):
        assert statement.refute(value, 500).verdict in ("refuted", "undefined")
    for statement in (WeaklyConvex(1.0), QuasarConvex(1.0)):
        assert statement.refute(grad, 500).verdict in ("refuted", "undefined")
    x, y = (
        torch.tensor([[1.0], [2.0]], dtype=torch.float64),
        torch.tensor([[3.0], [4.0]], dtype=torch.float64),
    )
    row = Known(lambda x: torch.where(x[..., 0] == 1, torch.nan, x[..., 0].square()), lambda x: 2 * x)
    sides = QuasiConvex().sides(row, x, y)
    assert bool(sides.rhs[0].isnan())
    assert bool(sides.lhs[1].isfinite())


@pytest.mark.parametrize("problem", [LeastSquares("breast_cancer"), LogisticRegression("breast_cancer", 0.1)])
def test_real_data_are_convex_in_every_sense(problem: LeastSquares):
    for statement in (WeaklyConvex(0.0), QuasiConvex(), StarConvex(), QuasarConvex(1.0)):
        found = statement.refute(problem, 300)
        assert found.verdict == "not refuted", found
        near = problem.x_star + 1e-7 * torch.eye(problem.d, dtype=torch.float64)[:8]
        check = statement.check(problem, *(near, near.flip(0))[: statement.arity])
        assert check.verdict == "not refuted", check


@pytest.mark.parametrize("batch", [(), (3,), (2, 3)])
@pytest.mark.parametrize("statement", [QuasiConvex(), StarConvex(), WeaklyConvex(1.0), QuasarConvex(1.0)])
def test_batches_lead(statement: Inequality, batch: tuple[int, ...]):
    problem = quadratic(1.0, 2.0)
    points = (p.reshape(*batch, 2) for p in sample_points(problem, math.prod(batch), statement.arity))
    assert all(side.shape == batch for side in statement.sides(problem, *points))


def test_all_fractions_are_kept_along_a_trajectory():
    x = torch.tensor([[2.0], [1.0], [-1.0]], dtype=torch.float64)
    assert QuasiConvex().along(ABSOLUTE_LINE, x).shape == (2, 13)
    assert torch.allclose(StarConvex().along(ABSOLUTE_LINE, x), torch.ones(3, 9, dtype=torch.float64))


ABSOLUTE_LINE = Known(lambda x: x.abs().sum(-1), torch.sign, nearest=torch.zeros_like)


def test_what_is_missing_is_named():
    for statement in (StarConvex(), QuasarConvex(1.0)):
        with pytest.raises(TypeError, match=r"needs nearest_star.*only minimiser is known offers it"):
            statement.check(COSINE, COSINE.x0)
        with pytest.raises(TypeError, match="needs f_star, nearest_star"):
            statement.refute(toys.LINEAR)


@pytest.mark.parametrize(
    ("cls", "value", "error"),
    [
        (WeaklyConvex, -1.0, ValueError),
        (WeaklyConvex, math.nan, ValueError),
        (WeaklyConvex, math.inf, ValueError),
        (WeaklyConvex, "1", TypeError),
        (QuasarConvex, 0.0, ValueError),
        (QuasarConvex, 1.01, ValueError),
        (QuasarConvex, math.nan, ValueError),
        (QuasarConvex, True, TypeError),
    ],
)
def test_bad_constants_are_named(cls: type[Assumption], value: object, error: type[Exception]):
    (name,) = cls.constants()
    with pytest.raises(error, match=f"^{name} must be"):
        cls(**{name: value})


def test_smaller_tau_and_larger_quasar_say_more():
    assert repr(WeaklyConvex(0)) == "WeaklyConvex(tau=0.0)"
    assert WeaklyConvex(2).implied_by(WeaklyConvex(1))
    assert QuasarConvex(0.5).implied_by(QuasarConvex(1))
    assert not QuasarConvex(1).implied_by(QuasarConvex(0.5))


def test_points_between_copies_that_agree_up_to_roundings_are_in_the_domain():
    """Their mean agrees to as many roundings of the copies, which are many of its own where they cancel."""
    problem = Distributed(LogisticRegression("iris", reg=0.1), 4)
    one = problem.x0 + torch.tensor([3.5, -2.0, 0.5, 1.0, 36.0], dtype=torch.float64).repeat(4)
    other = -one * (1 + 1e-3)
    off = torch.zeros(20, dtype=torch.float64)
    off[4], off[9] = 7e-15, -7e-15
    x, y = one + off, other - off
    assert problem.contains(torch.stack([x, y])).all()
    assert not problem.contains(x + 0.5 * (y - x))
    assert QuasiConvex().check(problem, x, y).verdict == "not refuted"
    assert QuasiConvex().refute(problem, budget=2000, seed=0).verdict == "not refuted"
