import dataclasses
import math

import pytest
import torch

from assumptions import EUCLIDEAN, Lp, sample_points
from assumptions.base import Assumption
from assumptions.error_bound import ErrorBound, order_seen
from assumptions.inequality import Inequality
from assumptions.quadratic_growth import QuadraticGrowth
from problems import GeneralQuadratic, LeastSquares, LogisticRegression
from tests.assumptions.term_toys import Known

BUDGET = 6000
ROOM = 1 + 1e-12


def quadratic(*eigenvalues: float, shift: float = 0.0, offset: float = 0.0) -> Known:
    """sum h_j (x_j - shift)^2 / 2 + offset, with a gradient that cancels; flat where h_j = 0."""
    h = torch.tensor(eigenvalues, dtype=torch.float64)
    return Known(
        lambda x: (h * (x - shift).square()).sum(-1) / 2 + offset,
        lambda x: h * x - h * shift,
        d=len(eigenvalues),
        f_star=offset,
        nearest=lambda x: torch.where(h > 0, shift + 0 * x, x),
    )


QUARTIC = Known(lambda x: x.pow(4).sum(-1) / 4, lambda x: x.pow(3), nearest=torch.zeros_like)
# the nearer of -1 and 1
DOUBLE_WELL = Known(
    lambda x: (x.square() - 1).square().sum(-1) / 4,
    lambda x: x * (x.square() - 1),
    nearest=lambda x: torch.where(x < 0, -1.0, 1.0).to(x),
)
MIXED = Known(
    lambda x: x[..., 0].square() / 2 + x[..., 1].pow(4) / 4,
    lambda x: torch.stack([x[..., 0], x[..., 1].pow(3)], dim=-1),
    d=2,
    nearest=torch.zeros_like,
)

# statement, problem: tight, with the constant as the first field
TIGHT = [
    (QuadraticGrowth(1.0), quadratic(1.0, 10.0, 100.0)),
    (QuadraticGrowth(1.0), quadratic(1.0, 1e3, 1e6, shift=1 / 3, offset=1e3)),
    (QuadraticGrowth(1e-6), quadratic(1e-6, 1e-6, 1e-3, shift=1 / 3)),
    (QuadraticGrowth(2.0), quadratic(2.0, 10.0, 0.0, shift=1 / 3)),
    (QuadraticGrowth(0.5), DOUBLE_WELL),
    (QuadraticGrowth(6 / 11, Lp(1)), quadratic(1.0, 2.0, 3.0)),
    (QuadraticGrowth(1.0, Lp(math.inf)), quadratic(1.0, 2.0, 3.0)),
    (ErrorBound(1.0), quadratic(1.0, 10.0, 100.0)),
    (ErrorBound(1e-3), quadratic(1e3, 1e3, 1e6, shift=1 / 3)),
    (ErrorBound(1e6), quadratic(1e-6, 1e-6, 1e-3, shift=1 / 3)),
    (ErrorBound(0.5), quadratic(2.0, 10.0, 0.0, shift=1 / 3)),
    (ErrorBound(1.0, 1 / 3), QUARTIC),
    (ErrorBound(1.0, norm=Lp(math.inf)), quadratic(1.0, 10.0, 100.0)),
]
FALSE = [
    (QuadraticGrowth(1e-2), QUARTIC),
    (QuadraticGrowth(1e-6), quadratic(1.0, -1.0)),
    (ErrorBound(1e3), QUARTIC),
    (ErrorBound(1e3), DOUBLE_WELL),  # the gradient vanishes at 0
    (ErrorBound(2.0, 1 / 2), quadratic(1.0, 10.0)),
]


def with_constant(statement: Inequality, factor: float) -> Inequality:
    """The same claim, stronger by ``factor`` > 1 or weaker."""
    (name,) = statement.constants()
    constant = getattr(statement, name) * factor ** statement.sense[name]
    return dataclasses.replace(statement, **{name: constant})  # pyright: ignore


@pytest.mark.parametrize(("statement", "problem"), TIGHT, ids=range(len(TIGHT)))
def test_tight_constants(statement: Inequality, problem: Known):
    kept = with_constant(statement, 1 / ROOM).refute(problem, BUDGET)
    assert kept.verdict == "not refuted", kept
    assert with_constant(statement, 1 / 0.97).refute(problem, 2 * BUDGET).verdict == "refuted"


@pytest.mark.parametrize(("statement", "problem"), FALSE, ids=range(len(FALSE)))
def test_what_fails_is_refuted(statement: Inequality, problem: Known):
    found = statement.refute(problem, BUDGET)
    assert found.verdict == "refuted", found
    assert statement.check(problem, *found.witness).verdict == "refuted"


@pytest.mark.parametrize("distance", [1e-16, 1e-13, 1e-10, 1e-6, 1e-3])
@pytest.mark.parametrize(("statement", "problem"), TIGHT, ids=range(len(TIGHT)))
def test_rounding_refutes_nothing(statement: Inequality, problem: Known, distance: float):
    weaker = with_constant(statement, 1 / ROOM)
    generator = torch.Generator().manual_seed(0)
    for centre in (problem.x0, problem.x_star, 0 * problem.x0, 1e6 * problem.x0):
        x = centre + distance * torch.randn(200, problem.d, dtype=torch.float64, generator=generator)
        check = weaker.check(problem, x)
        assert check.verdict == "not refuted", check


def test_estimates():
    problem = quadratic(1.0, 10.0, 100.0, shift=1 / 3, offset=5.0)
    (x,) = sample_points(problem, 20_000, 1)
    assert QuadraticGrowth.estimate(problem, x)["mu_qg_seen"] == pytest.approx(1, rel=0.02)
    assert ErrorBound.estimate(problem, x)["eb_seen"] == pytest.approx(1, rel=0.02)
    assert ErrorBound.estimate(QUARTIC, *sample_points(QUARTIC, 500, 1), order=1 / 3)["eb_seen"] == (
        pytest.approx(1)
    )
    ones = torch.ones(1, 3, dtype=torch.float64)
    plain = quadratic(1.0, 2.0, 3.0)
    assert QuadraticGrowth.estimate(plain, ones, norm=Lp(1)) == {"mu_qg_seen": pytest.approx(6 / 9)}
    assert ErrorBound.estimate(plain, ones, norm=Lp(math.inf)) == {"eb_seen": pytest.approx(1 / 6)}
    with pytest.raises(TypeError, match="nrom"):
        ErrorBound.estimate(plain, ones, nrom=EUCLIDEAN)


def test_the_order_is_a_slope_over_a_stated_range():
    x = 10 ** torch.linspace(-3, 1, 400, dtype=torch.float64).unsqueeze(-1)
    seen = order_seen(QUARTIC, x)
    assert seen["order_seen"] == pytest.approx(1 / 3, rel=1e-6)
    assert (seen["grad_low"], seen["grad_high"]) == (pytest.approx(1e-9), pytest.approx(1e3))
    assert (seen["dist_low"], seen["dist_high"]) == (pytest.approx(1e-3), pytest.approx(10))
    assert order_seen(quadratic(1.0, 10.0), *sample_points(quadratic(1.0, 10.0), 5000, 1))["order_seen"] == (
        pytest.approx(1, abs=0.1)
    )
    with pytest.raises(ValueError, match="three groups of gradient norms, half a decade each, got 1"):
        order_seen(QUARTIC, torch.ones(5, 1, dtype=torch.float64))


def test_the_order_is_that_of_the_flattest_direction():
    """At a given gradient the quartic coordinate is the farther one."""
    size = 10 ** torch.linspace(-3, 0, 400, dtype=torch.float64)
    square = torch.stack([size, 0 * size], dim=-1)
    quartic = torch.stack([0 * size, size ** (1 / 3)], dim=-1)
    assert order_seen(MIXED, torch.cat([square, quartic]))["order_seen"] == pytest.approx(1 / 3, abs=0.01)
    assert order_seen(MIXED, square)["order_seen"] == pytest.approx(1, abs=1e-6)


def test_an_error_of_the_minimiser_excuses_no_more_than_itself():
    exact = quadratic(1.0, 1.0)
    off = Known(exact.value, exact.grad, d=2, nearest=lambda x: 0 * x + torch.tensor([1e-6, 0.0]).double())
    known = Known(off.value, off.grad, d=2, nearest=off.nearest, x_star_error=1e-6)
    x = torch.tensor([[-1e-6, 0.0]], dtype=torch.float64)
    for statement in (QuadraticGrowth(1.0), ErrorBound(1.0)):
        assert statement.check(off, x).verdict == "refuted"
        assert statement.check(known, x).verdict == "not refuted"
        assert statement.check(known, 3 * x).verdict == "not refuted"
    assert QuadraticGrowth(1.0, Lp(1)).check(known, x).verdict == "not refuted"
    far = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    assert QuadraticGrowth(1.01).check(known, far).verdict == "refuted"


def test_what_is_not_finite_never_passes():
    value = Known(lambda x: x.square().sum(-1) * torch.nan, lambda x: x, nearest=torch.zeros_like)
    grad = Known(lambda x: x.square().sum(-1), lambda x: torch.nan * x, nearest=torch.zeros_like)
    assert QuadraticGrowth(1.0).refute(value, 500).verdict in ("refuted", "undefined")
    assert ErrorBound(1.0).refute(grad, 500).verdict in ("refuted", "undefined")
    assert math.isnan(QuadraticGrowth.estimate(value, value.x0)["mu_qg_seen"])


def test_real_data():
    problem = LeastSquares("breast_cancer")
    (mu, _) = problem._constants
    weakest = torch.linalg.eigh(problem._hessian).eigenvectors[:, 0]
    for size in (1e-6, 1.0, 1e6):
        x = problem.x_star + size * torch.stack([weakest, -weakest])
        for statement in (QuadraticGrowth(mu), ErrorBound(1 / mu)):
            assert statement.check(problem, x).verdict == "not refuted"
    assert QuadraticGrowth(mu / 0.97).check(problem, problem.x_star + 100 * weakest).verdict == "refuted"
    assert ErrorBound(0.97 / mu).check(problem, problem.x_star + 1e4 * weakest).verdict == "refuted"
    logistic = LogisticRegression("breast_cancer", 0.1)
    for statement in (QuadraticGrowth(0.1), ErrorBound(10.0)):
        assert statement.refute(logistic, 600).verdict == "not refuted"


def test_a_set_of_minimisers():
    """The eigenvalues are 3, 3 and, along (1, 1, 1), 0."""
    problem = GeneralQuadratic(((2.0, -1.0, -1.0), (-1.0, 2.0, -1.0), (-1.0, -1.0, 2.0)))
    for tight in (QuadraticGrowth(3.0), ErrorBound(1 / 3)):
        assert with_constant(tight, 1 / ROOM).refute(problem, BUDGET).verdict == "not refuted"
        assert with_constant(tight, 1 / 0.97).refute(problem, BUDGET).verdict == "refuted"


@pytest.mark.parametrize("batch", [(), (3,), (2, 3)])
@pytest.mark.parametrize("statement", [QuadraticGrowth(1.0), ErrorBound(1.0)], ids=["growth", "bound"])
def test_batches_lead(statement: Inequality, batch: tuple[int, ...]):
    problem = quadratic(1.0, 2.0)
    (x,) = sample_points(problem, math.prod(batch), 1)
    assert all(side.shape == batch for side in statement.sides(problem, x.reshape(*batch, 2)))
    assert statement.along(problem, x.expand(4, *x.shape)).shape == (4, len(x))


def test_what_is_missing_is_named():
    nowhere = Known(lambda x: x.sum(-1), torch.ones_like)
    for statement in (QuadraticGrowth(1.0), ErrorBound(1.0)):
        for use in (statement.refute, lambda p, s=statement: s.check(p, p.x0)):
            with pytest.raises(TypeError, match=r"needs nearest_star.*only minimiser is known offers it"):
                use(nowhere)
    with pytest.raises(TypeError, match="ErrorBound needs nearest_star"):
        order_seen(nowhere, nowhere.x0)


@pytest.mark.parametrize("cls", [QuadraticGrowth, ErrorBound])
@pytest.mark.parametrize(
    ("value", "error"), [(0.0, ValueError), (-1.0, ValueError), (math.nan, ValueError), ("1", TypeError)]
)
def test_bad_constants_are_named(cls: type[Assumption], value: object, error: type[Exception]):
    (name,) = cls.constants()
    with pytest.raises(error, match=f"^{name} must be"):
        cls(**{name: value})


def test_orders_are_compared_only_with_themselves():
    with pytest.raises(ValueError, match="order must be finite and > 0"):
        ErrorBound(1.0, 0.0)
    assert repr(ErrorBound(1, 1 / 2)) == "ErrorBound(eb=1.0, order=0.5)"
    assert ErrorBound(2.0).implied_by(ErrorBound(1.0))
    assert not ErrorBound(2.0, 0.5).implied_by(ErrorBound(1.0))
    assert QuadraticGrowth(1.0).implied_by(QuadraticGrowth(2.0))
