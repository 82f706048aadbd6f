"""The ball-proximal point method, exactly: one step contracts by 1 - t / D; several steps from both sides."""

from dataclasses import replace
from fractions import Fraction

import pytest

from workbench.engine import run
from workbench.methods import BPM
from workbench.theorems.gruntkowska2025 import LINE
from workbench.worst_case import CertificateError, exact_class, verify, worst_case
from workbench.worst_case.bpm import one_step, product_bound, several_steps
from workbench.worst_case.certificate import Certificate
from workbench.worst_case.conic import solve
from workbench.worst_case.worst_function import worst_function

RATIOS = (Fraction(1, 1000), Fraction(1, 7), Fraction(1, 2), Fraction(9, 10), Fraction(1))


@pytest.mark.parametrize("ratio", RATIOS, ids=str)
def test_one_step_contracts_by_exactly_one_minus_the_ratio(ratio: Fraction):
    case = one_step(ratio)
    assert case.verdict == "certified"
    assert case.exact_upper == 1 - ratio
    assert case.lower == pytest.approx(float(1 - ratio), rel=1e-15)
    assert case.lower is not None
    assert case.lower <= float(1 - ratio) <= case.upper


@pytest.mark.parametrize("ratio", RATIOS[1:4], ids=str)
def test_a_conic_solver_finds_the_same_optimum(ratio: Fraction):
    """The multipliers come from a calculation by hand, not from the solver."""
    assert solve(one_step(ratio).programme).value == pytest.approx(float(1 - ratio), abs=1e-8)


@pytest.mark.parametrize("ratio", RATIOS[1:4], ids=str)
def test_an_ordinary_run_on_the_rebuilt_function_reaches_it(ratio: Fraction):
    case = one_step(ratio)
    problem = worst_function(case, case.functions[0])
    assert problem.d == 1
    gap = run(BPM(radius=float(ratio) * float(problem.x0.norm())), problem, steps=1)["gap"][0]
    assert float(gap[1] / gap[0]) == pytest.approx(float(1 - ratio), rel=1e-12)


def test_wrong_multipliers_prove_nothing():
    case = one_step(Fraction(1, 3))
    right = Certificate(case.exact_upper, case.weights, case.multipliers)
    verify(case.programme, right)
    with pytest.raises(CertificateError):
        verify(case.programme, replace(right, value=Fraction(2, 3) - Fraction(1, 10**9)))
    for name in case.multipliers:
        moved = {**case.multipliers, name: case.multipliers[name] * Fraction(11, 10)}
        with pytest.raises(CertificateError):
            verify(case.programme, replace(right, multipliers=moved))


def test_the_theorem_finds_its_exact_worst_case():
    assert exact_class(LINE) is None
    case = worst_case(LINE)
    assert (case.theorem, case.verdict, case.exact_upper) == ("bpm/line", "certified", Fraction(6, 7))
    assert worst_case(LINE, parameter=1).exact_upper == Fraction(19, 20)
    assert worst_case(LINE, values={"radius": 1.5, "dist0": 2}).exact_upper == Fraction(1, 4)


def test_the_published_factor_is_never_smaller():
    """1 / (1 + t / D_next) with D_next >= D - t is at least 1 - t / D: the exact factor is the better one."""
    for ratio in RATIOS[:4]:
        nearest = 1 - ratio
        assert float(1 / (1 + ratio / nearest)) == pytest.approx(one_step(ratio).upper)
        assert float(1 / (1 + ratio)) > one_step(ratio).upper


def test_two_steps_are_searched_and_reached():
    case = several_steps(Fraction(1, 4), 2)
    assert case.lower_seen == pytest.approx(0.5, abs=1e-6)  # as for an absolute value
    assert case.lower_seen < case.upper == product_bound(Fraction(1, 4), 2)
    problem = worst_function(case, case.function)
    gap = run(BPM(radius=0.25 * float(problem.x0.norm())), problem, steps=2)["gap"][0]
    assert float(gap[2] / gap[0]) == pytest.approx(case.lower_seen, abs=1e-6)


def test_three_steps_are_worse_than_on_an_absolute_value():
    case = several_steps(Fraction(1, 4), 3, starts=1)
    assert 0.26 < case.lower_seen < case.upper
    problem = worst_function(case, case.function)
    gap = run(BPM(radius=0.25 * float(problem.x0.norm())), problem, steps=3)["gap"][0]
    assert float(gap[3] / gap[0]) == pytest.approx(case.lower_seen, abs=1e-6)


def test_one_of_several_steps_is_one_step():
    case = several_steps(Fraction(1, 5), 1)
    assert case.lower_seen == pytest.approx(0.8, abs=1e-8)
    assert case.upper == pytest.approx(0.8, rel=1e-15)
    assert product_bound(Fraction(1, 2), 4) == 0.0


@pytest.mark.parametrize("ratio", [0, -1, Fraction(3, 2), 1.5], ids=str)
def test_a_ratio_outside_is_named(ratio):
    with pytest.raises(ValueError, match=r"ratio must be in \(0, 1\]"):
        one_step(ratio)


def test_bad_calls_are_named():
    with pytest.raises(ValueError, match="ratio must be a finite number, got nan"):
        one_step(float("nan"))
    with pytest.raises(ValueError, match="steps must be an integer >= 1, got 0"):
        several_steps(Fraction(1, 4), 0)
    with pytest.raises(ValueError, match="starts must be an integer >= 1, got True"):
        several_steps(Fraction(1, 4), 2, starts=True)
    with pytest.raises(ValueError, match=r"steps must be at most \(dist / radius\)\^2 = 4, got 5"):
        several_steps(Fraction(1, 2), 5)
    with pytest.raises(ValueError, match="values names L; it may name radius and dist0"):
        worst_case(LINE, values={"L": 1})
    with pytest.raises(ValueError, match=r"ratio must be in \(0, 1\]"):
        worst_case(LINE, values={"radius": 0})
    with pytest.raises(ValueError, match="dist0 must be > 0"):
        worst_case(LINE, values={"dist0": 0})
    with pytest.raises(ValueError, match="parameter must be in 0"):
        worst_case(LINE, parameter=99)
