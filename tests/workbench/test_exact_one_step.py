"""One step of random methods, exactly: known values, named errors."""

import math
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
import sympy as sp

from assumptions import ComponentSmooth, ComponentStronglyConvex, Interpolation
from workbench.methods import SAGA
from workbench.symbols import after, symbols
from workbench.theorem import Theorem
from workbench.theorems.gower2019 import ONE_STEP
from workbench.theorems.li2021 import NONCONVEX_STEP, PL_ONE_STEP
from workbench.theorems.point_saga import DEFAZIO, KINKS_STEP, SMOOTH_STEP
from workbench.theorems.proxskip import STEP
from workbench.theorems.sgd_interpolation import INTERPOLATED_STEP
from workbench.theorems.sppm import STRONGLY_CONVEX_STEP
from workbench.theorems.variance_reduction import LSVRG_STEP, SAGA_STEP
from workbench.worst_case import NoExactClassError, exact_class, worst_case
from workbench.worst_case.step_chain import STEPS

dist, dist_next, table_error, p = symbols("dist dist_next table_error p")


# -- known values ----------------------------------------------------------------------------------


def contraction(theorem: Theorem, factor: float, **values: Any) -> tuple[float, float]:
    """(proved, reached) of the potential after the step over before, where the bound is factor times it."""
    case = worst_case(theorem, values=values)
    assert case.lower is not None
    return case.upper * factor, case.lower * factor


def defazio_factor(n: int) -> float:
    step = math.sqrt((n - 1) ** 2 + 400 * n) / (2 * n) - (1 - 1 / n) / 2
    return 1 / (1 + step / 100)


def test_point_saga_at_the_published_numbers():
    """L = 1, mu = .01, n = 10: theory .973292, tight .971405 (PEPit's example point_saga)."""
    assert defazio_factor(10) == pytest.approx(0.973292, abs=1e-6)
    upper, lower = contraction(DEFAZIO, defazio_factor(10), n_terms=10, mu_component=Fraction(1, 100))
    assert upper == pytest.approx(0.971405, abs=1e-6)
    assert lower == pytest.approx(upper, rel=1e-7)


@pytest.mark.parametrize("n", [2, 3])
@pytest.mark.filterwarnings("ignore")
def test_point_saga_as_pepit_has_it(n: int):
    examples = pytest.importorskip("PEPit.examples.stochastic_and_randomized_convex_minimization")
    theirs, _ = examples.wc_point_saga(L=1, mu=0.01, n=n, wrapper="cvxpy", solver="CLARABEL", verbose=-1)
    assert contraction(DEFAZIO, defazio_factor(n), n_terms=n, mu_component=Fraction(1, 100))[
        0
    ] == pytest.approx(theirs, rel=1e-6)


@pytest.mark.parametrize("parameter", range(6))
def test_proxskip_is_tight_whatever_its_parameters(parameter: int):
    case = worst_case(STEP, parameter=parameter)
    assert case.upper == pytest.approx(1, abs=1e-6)
    assert case.lower == pytest.approx(1, abs=1e-6)
    assert case.verdict in ("certified", "inconclusive")


def test_proxskip_is_proved_with_exact_multipliers():
    case = worst_case(STEP)
    assert (case.verdict, case.exact_upper) == ("certified", 1)


def test_a_wrong_exponent_is_refuted():
    (bound,) = (m.change["bound"] for m in STEP.mutants if m.change["bound"].has(1 - p))
    case = worst_case(replace(STEP, bound=bound, mutants=(), tight=()), values={"p": Fraction(1, 10)})
    assert case.verdict == "refuted"
    assert case.lower == pytest.approx(0.99 / 0.9, abs=1e-6)  # 1 - p^2 over 1 - p


@pytest.mark.parametrize("step", [Fraction(1, 2), Fraction(1), Fraction(9, 5)], ids=str)
@pytest.mark.parametrize("n", [1, 2, 3])
def test_interpolated_sgd_contracts_as_gradient_descent(step: Fraction, n: int):
    """Terms that share the minimiser: max((1 - stepsize mu)^2, (stepsize L - 1)^2)."""
    claim = replace(
        INTERPOLATED_STEP,
        assumes=(ComponentStronglyConvex, ComponentSmooth, Interpolation),
        parameters={"stepsize": sp.Rational(step.numerator, step.denominator), "minibatch": sp.Integer(1)},
        requires=True,
        measured=dist_next**2,
        bound=dist**2,
        mutants=(),
        tight=(),
    )
    expected = max((1 - float(step) / 10) ** 2, (float(step) - 1) ** 2)
    upper, lower = contraction(claim, 1.0, n_terms=n)
    assert upper == pytest.approx(expected, rel=1e-6)
    assert lower == pytest.approx(expected, rel=1e-6)


SAGA_CLAIM = replace(
    SAGA_STEP,
    assumes=(ComponentStronglyConvex, ComponentSmooth),
    parameters={"stepsize": sp.Rational(1, 3)},
    requires=True,
    measured=after(dist**2 + table_error**2),
    bound=dist**2 + table_error**2,
    mutants=(),
    tight=(),
)


@pytest.mark.filterwarnings("ignore")
def test_saga_as_pepit_has_it():
    """The same chain on PEPit's points: mean square after a step where dist^2 + table_error^2 is 1; n = 2."""
    pep = pytest.importorskip("PEPit")
    from workbench.worst_case.pepit import PEPitFunction

    kind = pytest.importorskip("PEPit.functions").SmoothStronglyConvexFunction
    problem = pep.PEP()
    terms = [problem.declare_function(kind, mu=0.1, L=1.0) for _ in range(2)]
    whole = (terms[0] + terms[1]) / 2
    x_star, x = whole.stationary_point(), problem.set_initial_point()
    stars = [f.gradient(x_star) for f in terms]
    table = [problem.set_initial_point() for _ in terms]

    def potential(state: Any) -> Any:
        rows = [(t - g) ** 2 for t, g in zip(state["table"], stars, strict=True)]
        return (state["x"] - x_star) ** 2 + (rows[0] + rows[1]) / 2

    start = {"x": x, "table": table}
    problem.set_initial_condition(potential(start) <= 1)
    branches = STEPS[SAGA]([PEPitFunction(f) for f in terms], start, {"stepsize": 1 / 3})
    whole_mean = sum(
        (potential(b.state) * float(b.probability) for b in branches[1:]), potential(branches[0].state) / 2
    )
    problem.set_performance_metric(whole_mean)
    theirs = problem.solve(wrapper="cvxpy", solver="CLARABEL", verbose=0)
    assert worst_case(SAGA_CLAIM).upper == pytest.approx(theirs, rel=1e-6)


@pytest.mark.parametrize("theorem", [ONE_STEP, SAGA_STEP, LSVRG_STEP, NONCONVEX_STEP], ids=lambda t: t.id)
@pytest.mark.parametrize("n", [2, 3])
def test_claims_with_conditions_on_the_mean_are_proved_but_not_attained(theorem: Theorem, n: int):
    case = worst_case(theorem, values={"n_terms": n})
    assert case.upper <= 1 + 1e-8
    assert case.lower is None
    assert "necessary, not sufficient" in case.reason
    assert f"n_terms = {n}" in case.reason


@pytest.mark.parametrize("theorem", [SMOOTH_STEP, STRONGLY_CONVEX_STEP], ids=lambda t: t.id)
def test_tight_claims_are_attained(theorem: Theorem):
    case = worst_case(theorem)
    assert case.upper == pytest.approx(1, abs=1e-6)
    assert case.lower == pytest.approx(1, abs=1e-6)


def test_twice_the_rate_is_refuted():
    case = worst_case(replace(DEFAZIO, bound=DEFAZIO.bound * sp.Rational(9, 10), mutants=(), tight=()))
    assert case.verdict == "refuted"


# -- bad input -------------------------------------------------------------------------------------

BAD = (
    (DEFAZIO, {"n_terms": 0}, "n_terms must be an integer >= 1, got 0"),
    (DEFAZIO, {"n_terms": 2.5}, "n_terms must be an integer >= 1, got 5/2"),
    (DEFAZIO, {"L": 1}, "values names L; it may name L_max"),
    (DEFAZIO, {"mu_component": 2}, "mu_component must be < L_max, got mu_component = 2 and L_max = 1"),
    (STEP, {"mu_f": 1}, "mu_f must be < L_f, got mu_f = 1 and L_f = 1"),
    (STEP, {"stepsize": 3}, "requires .* which fails with"),
    (SAGA_CLAIM, {"stepsize": math.inf}, "stepsize must be a finite number, got inf"),
    (SMOOTH_STEP, {"minibatch": 3}, r"minibatch must be in 1\.\.2, the number of terms, got 3"),
    (STRONGLY_CONVEX_STEP, {"minibatch": 2}, "proximal steps of one term are enumerated"),
)


@pytest.mark.parametrize(
    ("theorem", "values", "message"), BAD, ids=[f"{t.id}-{i}" for i, (t, _, _) in enumerate(BAD)]
)
def test_bad_numbers_are_named(theorem: Theorem, values: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        worst_case(theorem, values=values)


def test_theorems_outside_say_why_and_offer_a_search():
    for theorem, why in (
        (PL_ONE_STEP, "PL is not a condition on a Gram matrix"),
        (KINKS_STEP, "stepsize are no numbers"),
    ):
        with pytest.raises(NoExactClassError, match=f"{why}.*workbench falsify {theorem.id}"):
            worst_case(theorem)
        assert why in (exact_class(theorem) or "")
    assert exact_class(DEFAZIO) is None
    with pytest.raises(ValueError, match=r"parameter must be in 0\.\.0, got 1"):
        worst_case(DEFAZIO, parameter=1)
